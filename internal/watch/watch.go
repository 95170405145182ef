package watch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Options say what to watch. Root is required.
type Options struct {
	// Root is a directory. It is watched with all below it, also what is made
	// later. Symbolic links are not followed.
	Root string
	// Only, when not empty, narrows the watch to files of these names directly
	// in Root.
	Only []string
	// Ignore says what is of no interest; nil ignores nothing. It is called by
	// Run's goroutine.
	Ignore Ignore
	// Quiet is how long nothing must happen before a batch is given out; 0 is
	// 40 ms. Bursts wait ten times as long.
	Quiet time.Duration
}

// Batch is what has changed since the one before.
type Batch struct {
	// Paths are relative to the root, with slashes, sorted. Whether a path was
	// written, made or removed is for the reader to see: by now it may be
	// otherwise again.
	Paths []string
	// Rescan says that too much changed to be named, or that events were lost.
	// Paths is nil then.
	Rescan bool
}

// Run watches until ctx is done and calls emit with each batch, one at a time;
// while emit runs, changes collect. ready is called once when no later change
// can be missed. It returns nil when ctx is done, and an error when the tree
// cannot be watched.
func Run(ctx context.Context, o Options, ready func(), emit func(Batch)) error {
	if o.Quiet == 0 {
		o.Quiet = 40 * time.Millisecond
	}
	w, err := newWatcher(o)
	if err != nil {
		return err
	}
	defer w.events.Close()
	ready()
	return w.run(ctx, emit)
}

// watcher is one Run.
type watcher struct {
	o       Options
	events  *fsnotify.Watcher
	pending pending
}

func newWatcher(o Options) (*watcher, error) {
	events, err := fsnotify.NewBufferedWatcher(4096)
	if err != nil {
		return nil, explain(o.Root, err)
	}
	w := &watcher{o: o, events: events, pending: pending{quiet: o.Quiet}}
	if err := w.add(o.Root, false); err != nil {
		events.Close()
		return nil, err
	}
	return w, nil
}

func (w *watcher) run(ctx context.Context, emit func(Batch)) error {
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-w.events.Events:
			if !ok {
				return nil
			}
			if err := w.see(e); err != nil {
				return err
			}
		case err, ok := <-w.events.Errors:
			if !ok {
				return nil
			}
			if err := w.lost(err); err != nil {
				return err
			}
		case now := <-timer.C:
			if b, ok := w.pending.take(now, w.gone); ok {
				emit(b)
			}
		}
		if due, ok := w.pending.due(); ok {
			timer.Reset(time.Until(due))
		}
	}
}

// see notes one event. A new directory is watched from now on, and what is in
// it already counts as changed: it may have been written before the watch.
func (w *watcher) see(e fsnotify.Event) error {
	if e.Op == fsnotify.Chmod {
		return nil // indexers and backups touch attributes all the time
	}
	rel, ok := w.relative(e.Name)
	if !ok {
		return nil
	}
	info, err := os.Lstat(e.Name)
	isDir := err == nil && info.IsDir()
	if w.ignored(rel, isDir) {
		return nil
	}
	if isDir && e.Has(fsnotify.Create) {
		return w.add(e.Name, true)
	}
	if e.Has(fsnotify.Rename) || e.Has(fsnotify.Remove) {
		w.forget(e.Name)
	}
	if !isDir {
		w.pending.note(time.Now(), rel, e.Has(fsnotify.Create))
	}
	return nil
}

// gone says that there is nothing at a path of a batch.
func (w *watcher) gone(rel string) bool {
	_, err := os.Lstat(filepath.Join(w.o.Root, filepath.FromSlash(rel)))
	return errors.Is(err, fs.ErrNotExist)
}

// forget takes the watches off a directory that has gone and all below it. The
// system lets them move along with a renamed directory, and would go on naming
// what happens there by the old path.
func (w *watcher) forget(path string) {
	for _, watched := range w.events.WatchList() {
		if watched == path || strings.HasPrefix(watched, path+string(filepath.Separator)) {
			_ = w.events.Remove(watched) // it may be gone already
		}
	}
}

// lost handles an error of the system: when events were dropped, everything may
// have changed, also which directories there are.
func (w *watcher) lost(err error) error {
	if !errors.Is(err, fsnotify.ErrEventOverflow) {
		return explain(w.o.Root, err)
	}
	w.pending.rescan(time.Now())
	return w.add(w.o.Root, false)
}

// add watches a directory and all below it. With note, the files in it count
// as changed. What vanishes meanwhile is no error.
func (w *watcher) add(dir string, note bool) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != w.o.Root:
			return nil
		case err != nil:
			return explain(path, err)
		}
		rel, ok := w.relative(path)
		if path != w.o.Root && (!ok || w.ignored(rel, d.IsDir())) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.IsDir() {
			if note {
				w.pending.note(time.Now(), rel, true)
			}
			return nil
		}
		if path != w.o.Root && len(w.o.Only) > 0 {
			return fs.SkipDir
		}
		if err := w.events.Add(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return explain(path, err)
		}
		return nil
	})
}

// relative is a path as batches have it.
func (w *watcher) relative(path string) (string, bool) {
	rel, err := filepath.Rel(w.o.Root, path)
	if err != nil || rel == "." {
		return "", false
	}
	return filepath.ToSlash(rel), true
}

func (w *watcher) ignored(rel string, dir bool) bool {
	if len(w.o.Only) > 0 {
		for _, name := range w.o.Only {
			if rel == name {
				return false
			}
		}
		return true
	}
	return ofAnEditor(rel) || w.o.Ignore != nil && w.o.Ignore(rel, dir)
}

// explain says what to do about a tree that cannot be watched.
func explain(path string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("watch %s: the system's limit of watched directories is reached; raise it with \"sudo sysctl fs.inotify.max_user_watches=524288\", or list directories that need no watching in .dockerignore", path)
	case errors.Is(err, syscall.EMFILE):
		return fmt.Errorf("watch %s: too many files are open; raise \"sudo sysctl fs.inotify.max_user_instances=512\" or \"ulimit -n\"", path)
	}
	return fmt.Errorf("watch %s: %w", path, err)
}
