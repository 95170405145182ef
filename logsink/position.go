package logsink

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// forgetAfter is how long the position of a container that writes nothing is
// kept. Engines forget the logs of removed containers at once.
const forgetAfter = 60 * 24 * time.Hour

// positions maps container ids to how far their streams are stored.
type positions map[string]position

// appendPositions appends all of p, in the order of their ids.
func appendPositions(b []byte, p positions) []byte {
	b = binary.AppendUvarint(b, uint64(len(p)))
	for _, id := range slices.Sorted(maps.Keys(p)) {
		b = appendString(b, id)
		b = appendPosition(b, p[id])
	}
	return b
}

func appendPosition(b []byte, p position) []byte {
	for _, v := range []int64{p.last, p.pending, p.tick, p.seen} {
		b = binary.AppendVarint(b, v)
	}
	for _, m := range p.streams {
		b = binary.AppendVarint(b, m.time)
		b = binary.AppendUvarint(b, uint64(m.count))
		b = binary.AppendUvarint(b, uint64(m.skip))
		b = binary.AppendUvarint(b, uint64(len(m.back)))
		for _, t := range m.back {
			b = binary.AppendVarint(b, t)
		}
	}
	return b
}

// readInto adds to p what appendPositions wrote.
func (p positions) readInto(d *decoder) {
	for range d.count(1) {
		id := d.string()
		pos := readPosition(d)
		if d.err != nil {
			return
		}
		p[id] = pos
	}
}

func readPosition(d *decoder) (p position) {
	p.last, p.pending, p.tick, p.seen = d.varint(), d.varint(), d.varint(), d.varint()
	for i := range p.streams {
		m := &p.streams[i]
		m.time = d.varint()
		m.count = int(d.uvarint())
		m.skip = int(d.uvarint())
		for range d.count(1) {
			m.back = append(m.back, d.varint())
		}
	}
	return p
}

// forget drops the positions of containers silent since long before now.
func (p positions) forget(now time.Time) {
	limit := now.Add(-forgetAfter).Unix()
	maps.DeleteFunc(p, func(_ string, pos position) bool { return pos.seen < limit })
}
