package logsink

import (
	"fmt"
	"os"
)

// replayer rebuilds, from a table's logs in order, the rows that are not in
// segments and the positions of all containers.
type replayer struct {
	table     *table
	next      uint64 // sequence number of the row that comes next
	blocks    []*memBlock
	positions positions
	cur       *memBlock // the block that the log's records are about; nil after damage
}

// firstInLogs returns the sequence number of the first row that the logs have
// or will have.
func firstInLogs(wals []numbered, def *tableDef) uint64 {
	const enough = 4 << 10
	first := ^uint64(0)
	for _, w := range wals {
		f, err := os.Open(w.path)
		if err != nil {
			continue // replayFile will say so
		}
		b := make([]byte, enough)
		n, _ := f.ReadAt(b, 0) // shorter logs are fine
		_ = f.Close()
		if b = b[:n]; len(b) > headerSize+frameSize && goodHeader(b, walMagic, def.name) {
			d := &decoder{b: b[headerSize+frameSize+1:]}
			if seq, _ := readHead(d); d.err == nil {
				first = min(first, seq)
			}
		}
	}
	return first
}

func (r *replayer) replayFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read write-ahead log: %w", err)
	}
	view := newFileView(f)
	defer view.close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read write-ahead log: %w", err)
	}
	if info.Size() <= headerSize {
		return nil // its creation was interrupted; the log before it is there
	}
	var damage string
	err = guard(func() error {
		b, err := view.at(0, int(info.Size()))
		if err != nil {
			return err
		}
		damage = r.replayLog(b)
		return nil
	})
	if err != nil {
		damage = err.Error()
	}
	if damage == "" {
		return nil
	}
	return r.keep(path, damage)
}

// keep copies a damaged log to quarantine: the log itself will be removed, as
// its good rows go on living.
func (r *replayer) keep(path, damage string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("put aside write-ahead log: %w", err)
	}
	if err = os.WriteFile(path+".damaged", b, 0o600); err != nil {
		return fmt.Errorf("put aside write-ahead log: %w", err)
	}
	return r.table.quarantine(path+".damaged", damage, -1)
}

// replayLog applies the records of a log and says what is wrong with it, if
// anything. A torn end is not wrong: nobody was told that it is stored.
func (r *replayer) replayLog(b []byte) (damage string) {
	recs, err := readWAL(b, r.table.def)
	if err != nil {
		return err.Error()
	}
	r.cur = nil
	for i, rec := range recs {
		if rec.gap {
			damage = fmt.Sprintf("damage before record %d", i)
			r.cur = nil
		}
		if err := r.apply(rec.payload); err != nil {
			damage = fmt.Sprintf("record %d: %v", i, err)
			r.cur = nil
		}
	}
	return damage
}

// apply applies one record. Records behind damage are skipped until one begins
// a block, because names are spelled out only once in a block.
func (r *replayer) apply(payload []byte) error {
	d := &decoder{b: payload}
	newBlock := d.byte()&flagNewBlock != 0
	first, n := readHead(d)
	if d.err != nil {
		return d.err
	}
	if newBlock {
		r.cur = newMemBlock(r.table.def, first)
	}
	m := r.cur
	if m == nil || first != m.first+uint64(m.rows) {
		return fmt.Errorf("%d rows from %d do not follow what is known: %w", n, first, errCorrupt)
	}
	moved := positions{}
	m.readRows(d, n)
	moved.readInto(d)
	if d.err != nil || len(d.b) != 0 {
		m.truncate(int(first - m.first))
		return errCorrupt
	}
	for id, p := range moved {
		r.positions[id] = p
	}
	return r.adopt(m)
}

// adopt keeps m if it has rows that are new. Logs may repeat blocks, never
// parts of them with other rows.
func (r *replayer) adopt(m *memBlock) error {
	end := m.first + uint64(m.rows)
	if end <= r.next {
		return nil
	}
	last := len(r.blocks) - 1
	switch {
	case last >= 0 && r.blocks[last] == m:
	case last >= 0 && r.blocks[last].first == m.first:
		r.blocks[last] = m // it repeats the block so far and goes on
	case m.first < r.next:
		return fmt.Errorf("rows %d to %d overlap stored ones: %w", m.first, end, errCorrupt)
	default:
		r.missing(m.first)
		r.blocks = append(r.blocks, m)
	}
	r.next = end
	return nil
}

// missing reports that rows before first are nowhere. A table without any row
// before has lost them to retention.
func (r *replayer) missing(first uint64) {
	if first > r.next && r.next > 0 {
		r.table.problems.add(Problem{
			What: fmt.Sprintf("rows %d to %d are missing from the logs", r.next, first-1),
			File: r.table.dir, Lost: int64(first - r.next),
		})
	}
}
