package logsink

import (
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
)

// segment is a file of sealed blocks: a header, then blocks one behind the
// other. Blocks are appended by the seal goroutine and read by everyone.
type segment struct {
	path string
	view *fileView
	file diskFile // to write; nil when the segment is complete. The seal goroutine's
	size int64    // the seal goroutine's
	max  int64    // newest time in it; the seal goroutine's

	refs    int  // guarded by the table's mu
	retired bool // guarded by the table's mu: remove when refs is zero
}

// sealed is a block in a segment.
type sealed struct {
	*blockMeta
	seg   *segment
	off   int64
	bad   atomic.Bool   // damaged: not to be served
	terms atomic.Uint64 // bit i: the term filter of text column i is checked
	// counts are how often each tuple of each column occurs, once read.
	counts []atomic.Pointer[[]uint32]
	latest []atomic.Pointer[[]int64] // the same for the newest time of each tuple
	edge   atomic.Pointer[edge]      // kept by the table's edges
}

// remember makes room for what is remembered of the block.
func (b *sealed) remember(def *tableDef) {
	b.counts = make([]atomic.Pointer[[]uint32], len(def.tuples))
	b.latest = make([]atomic.Pointer[[]int64], len(def.tuples))
}

func segmentPath(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%016x.seg", first))
}

// createSegment makes an empty segment whose first row will be first.
func createSegment(dir string, first uint64, def *tableDef, open opener) (*segment, error) {
	s := &segment{path: segmentPath(dir, first), size: headerSize, max: minTicks}
	w, err := open(s.path)
	if err != nil {
		return nil, fmt.Errorf("create segment: %w", err)
	}
	if _, err = w.WriteAt(appendHeader(nil, segmentMagic, def.name), 0); err == nil {
		err = syncDir(dir)
	}
	var r *os.File
	if err == nil {
		r, err = os.Open(s.path)
	}
	if err != nil {
		_ = w.Close() // the write's error says more
		_ = os.Remove(s.path)
		return nil, fmt.Errorf("create segment: %w", err)
	}
	s.file, s.view = w, newFileView(r)
	return s, nil
}

// write appends the bytes of a block, not yet durably.
func (s *segment) write(b []byte) (off int64, err error) {
	off = s.size
	if _, err = s.file.WriteAt(b, off); err != nil {
		_ = s.file.Truncate(off) // else the next write covers the remains
		return 0, fmt.Errorf("write segment: %w", err)
	}
	s.size += int64(len(b))
	return off, nil
}

func (s *segment) sync() error {
	if err := s.file.Sync(); err != nil {
		return fmt.Errorf("sync segment: %w", err)
	}
	return nil
}

// complete ends the writing of the segment.
func (s *segment) complete() {
	if s.file != nil {
		_ = s.file.Close() // all that counts is synced
		s.file = nil
	}
}

// readBlock reads the meta data of the block at off.
func (s *segment) readBlock(def *tableDef, off int64, intern func(string) string) (*sealed, error) {
	b := &sealed{seg: s, off: off}
	err := guard(func() error {
		h, err := s.within(off, blockHeader)
		if err != nil {
			return err
		}
		n, length, err := blockLengths(h)
		if err != nil {
			return err
		}
		if _, err = s.within(off, int(length)); err != nil {
			return err
		}
		meta, err := s.within(off+blockHeader, n)
		if err != nil {
			return err
		}
		b.blockMeta, err = readMeta(def, h, meta, intern)
		b.remember(def)
		return err
	})
	return b, err
}

// within returns n bytes from off if the file has them.
func (s *segment) within(off int64, n int) ([]byte, error) {
	if off+int64(n) > s.size {
		return nil, errCorrupt
	}
	return s.view.at(off, n)
}

// read decodes a section, into buf if that is large enough.
func (b *sealed) read(s section, buf []byte) (raw []byte, err error) {
	err = guard(func() error {
		stored, err := b.seg.view.at(b.off+s.off, s.size)
		if err != nil {
			return err
		}
		raw, err = s.open(stored, buf)
		return err
	})
	return raw, err
}

// mayHaveTerms reports whether the text column may have all the terms.
func (b *sealed) mayHaveTerms(col int, hashes []uint64) (yes bool, err error) {
	err = guard(func() error {
		s := b.texts[col].terms
		f, err := b.seg.view.at(b.off+s.off, s.size)
		if err != nil {
			return err
		}
		if bit := uint64(1) << col; b.terms.Load()&bit == 0 {
			if checksum(f) != s.sum {
				return errCorrupt
			}
			b.terms.Or(bit)
		}
		yes = true
		for _, h := range hashes {
			yes = yes && filterHas(f, h)
		}
		return nil
	})
	return yes, err
}

// verify reads all of the block.
func (b *sealed) verify() error {
	for i := range b.ints {
		if _, err := b.readInts(i, nil); err != nil {
			return err
		}
	}
	for i := range b.tuples {
		if _, err := b.readTuples(i, nil); err != nil {
			return err
		}
	}
	for i := range b.texts {
		if _, err := b.readTexts(i, nil); err != nil {
			return err
		}
		if _, err := b.mayHaveTerms(i, nil); err != nil {
			return err
		}
	}
	return nil
}
