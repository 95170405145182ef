package logsink

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
	"time"
)

// forgetAfter is how long the position of a container that writes nothing is
// kept. Engines forget the logs of removed containers at once.
const forgetAfter = 60 * 24 * time.Hour

// positions maps container ids to how far their logs are stored.
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
	b = binary.AppendVarint(b, p.mark.time)
	b = binary.AppendUvarint(b, uint64(p.mark.count))
	b = binary.AppendUvarint(b, uint64(len(p.mark.back)))
	for _, t := range p.mark.back {
		b = binary.AppendVarint(b, t)
	}
	b = binary.AppendVarint(b, p.oldest)
	b = binary.AppendVarint(b, p.tick)
	b = binary.AppendVarint(b, p.seen)
	for _, s := range p.streams {
		b = binary.AppendUvarint(b, uint64(s.entries))
		b = binary.AppendUvarint(b, uint64(s.skip))
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
	p.mark.time = d.varint()
	p.mark.count = d.int()
	for range d.count(1) {
		p.mark.back = append(p.mark.back, d.varint())
	}
	p.oldest, p.tick, p.seen = d.varint(), d.varint(), d.varint()
	for i := range p.streams {
		p.streams[i] = pending{d.int(), d.int()}
	}
	return p
}

// int reads a number that fits in 31 bits.
func (d *decoder) int() int {
	v := d.uvarint()
	if v > math.MaxInt32 {
		d.fail()
		return 0
	}
	return int(v)
}

// forget drops the positions of containers silent since long before now.
func (p positions) forget(now time.Time) {
	limit := now.Add(-forgetAfter).Unix()
	maps.DeleteFunc(p, func(_ string, pos position) bool { return pos.seen < limit })
}
