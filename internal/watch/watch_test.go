package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/google/go-cmp/cmp"
)

// tree is a real directory that is watched until the test ends.
type tree struct {
	*testing.T
	root    string
	batches chan Batch
}

// newTree makes the files, then watches.
func newTree(t *testing.T, files map[string]string, edit func(*Options)) *tree {
	t.Helper()
	tr := &tree{T: t, root: t.TempDir(), batches: make(chan Batch, 100)}
	for name, text := range files {
		tr.write(name, text)
	}
	o := Options{Root: tr.root, Quiet: 20 * time.Millisecond}
	if edit != nil {
		edit(&o)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- Run(ctx, o, func() { close(ready) }, func(b Batch) { tr.batches <- b }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	<-ready
	return tr
}

func (t *tree) path(name string) string { return filepath.Join(t.root, filepath.FromSlash(name)) }

func (t *tree) write(name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(t.path(name)), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(t.path(name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (t *tree) rename(from, to string) {
	t.Helper()
	if err := os.Rename(t.path(from), t.path(to)); err != nil {
		t.Fatal(err)
	}
}

// next is the next batch.
func (t *tree) next() Batch {
	t.Helper()
	select {
	case b := <-t.batches:
		return b
	case <-time.After(20 * time.Second):
		t.Fatal("waited 20s for a batch")
		return Batch{}
	}
}

// want writes a mark and expects the named paths, with the mark, in one batch
// or several: how a slow machine cuts them does not matter, and what comes
// before the mark is all there is.
func (t *tree) want(paths ...string) {
	t.Helper()
	t.write("mark", "now")
	var got []string
	for !slices.Contains(got, "mark") {
		got = append(got, t.next().Paths...)
	}
	slices.Sort(got)
	want := append(paths, "mark")
	slices.Sort(want)
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_ = os.Remove(t.path("mark")) // tells only that the mark changed again
	for !slices.Contains(t.next().Paths, "mark") {
	}
}

func TestWrites(t *testing.T) {
	tr := newTree(t, map[string]string{"app.py": "1", "src/deep/er/b.py": "1"}, nil)
	tr.write("app.py", "2")
	tr.want("app.py")
	tr.write("src/deep/er/b.py", "2")
	tr.want("src/deep/er/b.py")
	if err := os.Remove(tr.path("app.py")); err != nil {
		t.Fatal(err)
	}
	tr.want("app.py")
}

func TestSavesByRename(t *testing.T) {
	tr := newTree(t, map[string]string{"app.py": "1"}, nil)
	tr.write("4913", "") // vim tries whether it may
	tr.rename("app.py", "app.py~")
	tr.write(".app.py.swp", "")
	tr.write("app.py", "2")
	tr.want("app.py")
	tr.write("app.py___jb_tmp___", "3")
	tr.rename("app.py___jb_tmp___", "app.py")
	tr.want("app.py")
}

func TestNewDirectoriesAreWatched(t *testing.T) {
	tr := newTree(t, nil, nil)
	tr.write("new/dir/a.py", "1")
	tr.want("new/dir/a.py")
	tr.write("new/dir/b.py", "1")
	tr.want("new/dir/b.py")
	tr.rename("new", "old")
	tr.want("old/dir/a.py", "old/dir/b.py", "new")
	tr.write("old/dir/a.py", "2")
	tr.want("old/dir/a.py")
}

func TestDockerignoreIsHonoured(t *testing.T) {
	files := map[string]string{
		".dockerignore": "node_modules\n*.log\n**/cache\ndoc/*\n!doc/keep.md\n", "node_modules/x/y.js": "1",
		"Dockerfile": "FROM scratch", ".git/index": "1", "doc/keep.md": "1", "src/cache/c": "1",
	}
	tr := newTree(t, files, func(o *Options) {
		var err error
		if o.Ignore, err = Dockerignore(o.Root, filepath.Join(o.Root, "Dockerfile")); err != nil {
			t.Fatal(err)
		}
	})
	tr.write("node_modules/x/y.js", "2")
	tr.write("a.log", "2")
	tr.write("src/a.log", "2") // *.log is about the root alone
	tr.write("src/cache/c", "2")
	tr.write("doc/other.md", "2")
	tr.write("doc/keep.md", "2")
	tr.write(".git/index", "2")
	tr.write(".dockerignore", "x")
	tr.want("src/a.log", "doc/keep.md", ".dockerignore")
}

func TestDockerfilesOwnIgnoreFileWins(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{".dockerignore": "a", "web.Dockerfile.dockerignore": "b\n*Dockerfile*"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ignore, err := Dockerignore(root, filepath.Join(root, "web.Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, name := range []string{"a", "b", "web.Dockerfile", "web.Dockerfile.dockerignore", "api.Dockerfile"} {
		got[name] = ignore(name, false)
	}
	want := map[string]bool{"a": false, "b": true, "web.Dockerfile": false, "web.Dockerfile.dockerignore": false, "api.Dockerfile": true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOnlyNamedFiles(t *testing.T) {
	tr := newTree(t, map[string]string{"sub/app.yaml": "1"}, func(o *Options) { o.Only = []string{"app.yaml", "mark"} })
	tr.write("other", "1")
	tr.write("sub/app.yaml", "2")
	tr.write("app.yaml", "2")
	tr.want("app.yaml")
}

func TestSwitchOfTenThousandFiles(t *testing.T) {
	files := map[string]string{}
	for i := range 100 {
		files[fmt.Sprintf("d%d/keep", i)] = "1"
	}
	tr := newTree(t, files, nil)
	for i := range 10000 {
		tr.write(fmt.Sprintf("d%d/f%d", i%100, i), "1")
	}
	for b := tr.next(); !b.Rescan; b = tr.next() {
		// A slow machine may rest between files; in the end there are too many.
		if len(b.Paths) > maxPaths {
			t.Fatalf("a batch of %d paths", len(b.Paths))
		}
	}
	for { // what is left of the burst
		tr.write("d0/after", "1")
		if b := tr.next(); slices.Contains(b.Paths, "d0/after") && len(b.Paths) == 1 {
			return
		}
	}
}

func TestLostEventsAreARescan(t *testing.T) {
	root := t.TempDir()
	w, err := newWatcher(Options{Root: root, Quiet: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer w.events.Close()
	if err := os.Mkdir(filepath.Join(root, "unseen"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := w.lost(fsnotify.ErrEventOverflow); err != nil {
		t.Fatal(err)
	}
	b, ok := w.pending.take(time.Now().Add(time.Minute), w.gone)
	if !ok || !b.Rescan {
		t.Errorf("got %+v, %t; want a rescan", b, ok)
	}
	if want := filepath.Join(root, "unseen"); !slices.Contains(w.events.WatchList(), want) {
		t.Errorf("%s is not watched", want)
	}
}

func TestMissingRoot(t *testing.T) {
	err := Run(t.Context(), Options{Root: filepath.Join(t.TempDir(), "none")}, func() {}, func(Batch) {})
	if err == nil {
		t.Error("watched what is not there")
	}
}

func FuzzIgnoreRules(f *testing.F) {
	f.Add("node_modules\n!a/b\n*.log", "a/b/c")
	f.Add("[", "x")
	f.Fuzz(func(t *testing.T, rules, rel string) {
		root := t.TempDir()
		if err := os.WriteFile(filepath.Join(root, ".dockerignore"), []byte(rules), 0o644); err != nil {
			t.Fatal(err)
		}
		ignore, err := Dockerignore(root, filepath.Join(root, "Dockerfile"))
		if err != nil {
			return
		}
		ignore(rel, true)
		if ignore("Dockerfile", false) || !ignore(".git/HEAD", false) {
			t.Error("rules reached what they may not")
		}
	})
}
