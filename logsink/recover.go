package logsink

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// recover reads the table's files and begins a new log that holds all rows
// which are not in segments. It returns the full blocks among these.
func (t *table) recover() ([]*memView, error) {
	wals, err := t.files(".wal")
	if err != nil {
		return nil, err
	}
	if err = t.loadSegments(firstInLogs(wals, t.def)); err != nil {
		return nil, err
	}
	r := &replayer{table: t, positions: positions{}, next: t.sealedEnd()}
	gen := uint64(0)
	for _, f := range wals {
		gen = max(gen, f.number)
		if err = r.replayFile(f.path); err != nil {
			return nil, err
		}
	}
	return t.begin(r, gen+1, wals)
}

// begin puts the recovered rows in place and frees the logs they were in.
func (t *table) begin(r *replayer, gen uint64, old []numbered) ([]*memView, error) {
	var err error
	first := r.next
	if len(r.blocks) > 0 {
		first = r.blocks[0].first
	}
	t.wal, err = createWAL(t.dir, gen, t.def, first, r.positions, r.blocks, t.open)
	if err != nil {
		return nil, err
	}
	t.walBytes.Store(t.wal.size)
	for _, f := range old {
		if err = os.Remove(f.path); err != nil && !os.IsNotExist(err) {
			return nil, fmt.Errorf("remove old log: %w", err)
		}
	}
	var pending []*memView
	for i, m := range r.blocks {
		if i == len(r.blocks)-1 && !m.full() {
			t.mem = m
			break
		}
		pending = append(pending, m.view())
	}
	if t.mem == nil {
		t.mem = newMemBlock(t.def, r.next)
	}
	t.known = make([]int, len(t.def.tuples))
	for i, col := range t.mem.tuples {
		t.known[i] = col.count()
	}
	t.state.positions = r.positions
	t.state.sealing = pending
	t.state.open = t.mem.view()
	return pending, nil
}

// sealedEnd returns the sequence number after the last row in a segment.
func (t *table) sealedEnd() uint64 {
	if n := len(t.state.blocks); n > 0 {
		b := t.state.blocks[n-1]
		return b.first + uint64(b.rows)
	}
	return 0
}

// numbered is a file whose name is a hexadecimal number and an extension.
type numbered struct {
	path   string
	number uint64
}

// files lists the table's files with the extension, in order.
func (t *table) files(ext string) ([]numbered, error) {
	entries, err := os.ReadDir(t.dir)
	if err != nil {
		return nil, err
	}
	var list []numbered
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ext)
		n, err := strconv.ParseUint(name, 16, 64)
		if !ok || err != nil || e.IsDir() {
			continue // not ours; leave it alone
		}
		list = append(list, numbered{filepath.Join(t.dir, e.Name()), n})
	}
	slices.SortFunc(list, func(a, b numbered) int { return strings.Compare(a.path, b.path) })
	return list, nil
}

// quarantine puts a damaged file aside, where it is never read again.
func (t *table) quarantine(path, why string, lost int64) error {
	dir := filepath.Join(filepath.Dir(t.dir), "quarantine")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("put aside %s: %w", path, err)
	}
	to := filepath.Join(dir, t.def.name+"-"+filepath.Base(path))
	for i := 1; exists(to); i++ {
		to = filepath.Join(dir, fmt.Sprintf("%s-%s.%d", t.def.name, filepath.Base(path), i))
	}
	if err := os.Rename(path, to); err != nil {
		return fmt.Errorf("put aside %s: %w", path, err)
	}
	t.problems.add(Problem{What: fmt.Sprintf("%s is damaged (%s): put aside as %s", filepath.Base(path), why, to), File: to, Lost: lost})
	return nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
