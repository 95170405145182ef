package logsink

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
)

// Store keeps the logs of one environment in a directory. All methods may be
// called from many goroutines at once.
type Store struct {
	opts     Options
	lock     *os.File
	problems *problems
	closing  chan struct{}
	closed   sync.Once
	views    []*view

	console, system, request, insights, metric *table

	mu      sync.Mutex
	sources map[string]*source // being read or settled, by container id; guarded by mu
}

// Open opens the store in opts.Dir, making it when missing, and recovers what
// an earlier process left there. The directory belongs to one process at a
// time; a second one gets an error. Damaged files are moved to the directory
// "quarantine" within and reported, they do not keep the store from opening.
func Open(opts Options) (*Store, error) {
	return open(opts, openFile)
}

func open(opts Options, openFile opener) (*Store, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Store{
		opts: opts, problems: &problems{report: opts.Report},
		closing: make(chan struct{}), sources: map[string]*source{}, views: views(opts),
	}
	if s.lock, err = lockDir(opts.Dir); err != nil {
		return nil, err
	}
	if err := s.openTables(openFile); err != nil {
		return nil, fmt.Errorf("open log store %s: %w", opts.Dir, errors.Join(err, s.Close()))
	}
	debug.FreeOSMemory() // reading logs back takes much more than what is kept
	return s, nil
}

// lockDir makes sure that no other process uses the directory.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open log store: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log store: %w", err)
	}
	if err := tryLock(f); err != nil {
		_ = f.Close() // the lock's error says more
		return nil, fmt.Errorf("open log store: %s is in use by another process (%w); stop it, or choose another directory", dir, err)
	}
	return f, nil
}

// openTables opens the tables, which share the disk budget in thirty-seconds.
func (s *Store) openTables(openFile opener) error {
	for _, t := range []struct {
		table **table
		def   *tableDef
		share int64
	}{
		{&s.console, consoleDef, 20}, {&s.request, requestDef, 6}, {&s.insights, telemetryDef, 3}, {&s.system, systemDef, 2},
		{&s.metric, metricDef, 1},
	} {
		opened, err := openTable(tableConfig{
			def: t.def, dir: filepath.Join(s.opts.Dir, t.def.name),
			maxBytes: s.opts.MaxBytes / 32 * t.share, maxAge: s.opts.MaxAge,
			interval: s.opts.CommitInterval, open: openFile,
			problems: s.problems, closing: s.closing,
		})
		if err != nil {
			return err
		}
		*t.table = opened
	}
	return nil
}

func (s *Store) tables() []*table {
	var list []*table
	for _, t := range []*table{s.console, s.request, s.insights, s.system, s.metric} {
		if t != nil {
			list = append(list, t)
		}
	}
	return list
}

// Close makes durable what callers have handed over, ends tails and calls in
// progress with an error that wraps ErrClosed, and frees the directory. It
// does not wait for a disk that refuses to write: who was waiting for that is
// told. Calling it again does nothing.
func (s *Store) Close() error {
	var err error
	s.closed.Do(func() {
		close(s.closing)
		for _, t := range s.tables() {
			t.queue.close()
		}
		for _, t := range s.tables() {
			t.wait()
			t.state.close()
		}
		err = s.lock.Close()
	})
	return err
}

// Problems returns the latest troubles, oldest first.
func (s *Store) Problems() []Problem { return s.problems.all() }

// Stats says what a store holds.
type Stats struct {
	Rows  int64 // of all tables
	Bytes int64 // of all files
}

// Stats returns what the store holds now.
func (s *Store) Stats() Stats {
	var st Stats
	for _, t := range s.tables() {
		snap := t.state.snapshot(t.problems)
		for _, b := range snap.blocks {
			st.Rows += int64(b.rows)
			st.Bytes += b.length
		}
		for _, v := range snap.views {
			st.Rows += int64(v.rows)
		}
		st.Bytes += t.logBytes()
		snap.release()
	}
	return st
}
