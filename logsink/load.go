package logsink

import (
	"bytes"
	"fmt"
	"os"
	"unique"
)

// loadSegments finds the blocks of all segments. Those with rows from walFirst
// on may not have reached the disk whole; they are read completely and dropped
// if damaged, as their rows are in the logs.
func (t *table) loadSegments(walFirst uint64) error {
	files, err := t.files(".seg")
	if err != nil {
		return err
	}
	for i, f := range files {
		last := i == len(files)-1
		if err := t.loadSegment(f.path, last, walFirst); err != nil {
			return err
		}
	}
	return nil
}

func (t *table) loadSegment(path string, last bool, walFirst uint64) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read segment: %w", err)
	}
	seg := &segment{path: path, view: newFileView(f), max: minTicks}
	ok, err := t.segmentHeader(seg)
	if err != nil {
		_ = f.Close() // the first error says more
		return fmt.Errorf("read segment: %w", err)
	}
	if !ok {
		_ = seg.view.close() // only reading is over
		if seg.size <= headerSize && last {
			return os.Remove(path) // its creation was interrupted
		}
		return t.quarantine(path, "bad header", -1)
	}
	if last {
		if seg.file, err = t.open(path); err != nil {
			_ = f.Close() // the first error says more
			return fmt.Errorf("open segment: %w", err)
		}
	}
	t.state.segments = append(t.state.segments, seg)
	if last {
		t.active = seg
	}
	defer seg.view.trim() // descriptions are in memory now
	l := &loader{table: t, seg: seg, walFirst: walFirst, last: last}
	return l.load()
}

// segmentHeader finds the size of a segment and checks its header.
func (t *table) segmentHeader(seg *segment) (ok bool, err error) {
	info, err := seg.view.file.Stat()
	if err != nil {
		return false, err
	}
	if seg.size = info.Size(); seg.size < headerSize {
		return false, nil
	}
	err = guard(func() error {
		b, err := seg.view.at(0, headerSize)
		ok = err == nil && goodHeader(b, segmentMagic, t.def.name)
		return err
	})
	return ok, err
}

// loader finds the blocks of one segment.
type loader struct {
	table    *table
	seg      *segment
	walFirst uint64
	last     bool // the table's newest segment
}

func (l *loader) load() error {
	for off := int64(headerSize); off < l.seg.size; {
		b, err := l.seg.readBlock(l.table.def, off, intern)
		if err == nil && l.mayBeTorn(b) && b.verify() != nil {
			return l.cut(off)
		}
		if err == nil && b.first < l.table.sealedEnd() {
			err = fmt.Errorf("its rows are stored already: %w", errCorrupt)
		}
		if err != nil {
			next := l.resync(off)
			if next < 0 && l.last {
				return l.cut(off)
			}
			l.report(off, err)
			if next < 0 {
				return nil
			}
			off = next
			continue
		}
		l.missing(b)
		l.table.state.blocks = append(l.table.state.blocks, b)
		l.seg.max = max(l.seg.max, b.max)
		off += b.length
	}
	return nil
}

// mayBeTorn reports whether the block may have been written just before a
// crash: its rows are in the logs still.
func (l *loader) mayBeTorn(b *sealed) bool {
	return l.last && b.first+uint64(b.rows) > l.walFirst
}

// cut removes the torn end of the newest segment. What it held is in the logs,
// or else kept for inspection.
func (l *loader) cut(off int64) error {
	if l.walFirst > l.table.sealedEnd() {
		if err := l.keepEnd(off); err != nil {
			return err
		}
	}
	if err := l.seg.file.Truncate(off); err != nil {
		return fmt.Errorf("cut torn segment: %w", err)
	}
	l.seg.size = off
	return nil
}

// keepEnd puts a copy of the segment's end aside.
func (l *loader) keepEnd(off int64) error {
	path := l.seg.path + ".end"
	end := make([]byte, l.seg.size-off)
	if _, err := l.seg.view.file.ReadAt(end, off); err != nil {
		return fmt.Errorf("put aside torn segment: %w", err)
	}
	if err := os.WriteFile(path, end, 0o600); err != nil {
		return fmt.Errorf("put aside torn segment: %w", err)
	}
	return l.table.quarantine(path, fmt.Sprintf("what %s had from byte %d on", l.seg.path, off), -1)
}

// resync returns where the next good block begins, or -1.
func (l *loader) resync(off int64) int64 {
	next := int64(-1)
	err := guard(func() error {
		b, err := l.seg.view.at(off, int(l.seg.size-off))
		if err != nil {
			return err
		}
		for i := 1; ; i++ {
			j := bytes.Index(b[i:], []byte(blockMagic))
			if j < 0 {
				return nil
			}
			i += j
			if _, err := l.seg.readBlock(l.table.def, off+int64(i), intern); err == nil {
				next = off + int64(i)
				return nil
			}
		}
	})
	if err != nil {
		return -1
	}
	return next
}

func (l *loader) report(off int64, err error) {
	l.table.problems.add(Problem{
		What: fmt.Sprintf("block at %d is damaged (%v): its rows are no longer served", off, err),
		File: l.seg.path, Lost: -1,
	})
}

// missing reports a hole between stored rows.
func (l *loader) missing(b *sealed) {
	end := l.table.sealedEnd()
	if end > 0 && b.first > end {
		l.table.problems.add(Problem{
			What: fmt.Sprintf("rows %d to %d are missing", end, b.first-1),
			File: l.seg.path, Lost: int64(b.first - end),
		})
	}
}

// intern makes equal names share memory.
func intern(s string) string { return unique.Make(s).Value() }
