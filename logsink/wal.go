package logsink

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// diskFile is what the store needs of a file it writes.
type diskFile interface {
	WriteAt(p []byte, off int64) (int, error)
	Truncate(size int64) error
	Sync() error
	Close() error
}

// opener opens a file to write, making it when missing. Tests put failing disks
// in its place.
type opener func(path string) (diskFile, error)

func openFile(path string) (diskFile, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}

// wal is the write-ahead log a table writes to: a header, then records. A
// record's payload is
//
//	1  flags: bit 0 set when the rows begin a new block
//	…  rows (memBlock.appendRows), then positions (appendPositions)
//
// The first record holds the positions of all containers and no rows, so that
// older logs can go as soon as their rows are in a segment.
type wal struct {
	path string
	gen  uint64
	file diskFile
	size int64 // up to which everything is durable
}

const flagNewBlock = 1

func walPath(dir string, gen uint64) string { return filepath.Join(dir, fmt.Sprintf("%016x.wal", gen)) }

// createWAL makes the log number gen, durably, with the positions and the
// given blocks in it.
func createWAL(dir string, gen uint64, def *tableDef, next uint64, pos positions, blocks []*memBlock, open opener) (*wal, error) {
	w := &wal{path: walPath(dir, gen), gen: gen}
	var err error
	if w.file, err = open(w.path); err != nil {
		return nil, fmt.Errorf("create write-ahead log: %w", err)
	}
	b := appendHeader(nil, walMagic, def.name)
	b = append(b, wholeBlock(newMemBlock(def, next), pos)...)
	for _, m := range blocks {
		b = append(b, wholeBlock(m, nil)...)
	}
	if err = w.commit(b); err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		_ = w.file.Close() // the write's error says more
		_ = os.Remove(w.path)
		return nil, err
	}
	return w, nil
}

// wholeBlock returns the record of all rows of a block.
func wholeBlock(m *memBlock, pos positions) []byte {
	rec := append(beginFrame(nil), flagNewBlock)
	rec = m.appendRows(rec, 0, make([]int, len(m.def.tuples)))
	return endFrame(appendPositions(rec, pos))
}

// commit appends b and returns when it is durable. After an error nothing of b
// counts as written, and commit may be tried again.
func (w *wal) commit(b []byte) error {
	if _, err := w.file.WriteAt(b, w.size); err != nil {
		w.cut()
		return fmt.Errorf("write %s: %w", w.path, err)
	}
	if err := w.file.Sync(); err != nil {
		// What the disk holds is unknown now. The next try writes the same
		// place again, which makes its pages dirty again.
		w.cut()
		return fmt.Errorf("sync %s: %w", w.path, err)
	}
	w.size += int64(len(b))
	return nil
}

// cut removes what a failed commit left. If that fails too, a later commit
// overwrites it, and recovery knows it for a repetition.
func (w *wal) cut() { _ = w.file.Truncate(w.size) }

// walRecord is one record read back.
type walRecord struct {
	payload []byte
	gap     bool // there is damage between this record and the one before
}

// readWAL splits the bytes of a log into its good records. What follows the
// last of them is the remains of a write that was never acknowledged.
func readWAL(b []byte, def *tableDef) (recs []walRecord, err error) {
	if !goodHeader(b, walMagic, def.name) {
		return nil, fmt.Errorf("bad header: %w", errCorrupt)
	}
	b = b[headerSize:]
	gap := false
	for {
		if payload, rest, ok := nextFrame(b); ok {
			recs = append(recs, walRecord{payload, gap})
			b, gap = rest, false
			continue
		}
		if len(b) == 0 {
			return recs, nil
		}
		i := bytes.Index(b[1:], []byte(frameMagic))
		if i < 0 {
			return recs, nil
		}
		b, gap = b[1+i:], true
	}
}
