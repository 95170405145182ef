package logsink

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
)

// errCorrupt is wrapped by every decoder that meets bytes no encoder wrote.
var errCorrupt = errors.New("damaged data")

// appendInts appends values as zigzag varints of the difference to the value
// before, the first to zero.
func appendInts(b []byte, values []int64) []byte {
	prev := int64(0)
	for _, v := range values {
		b = binary.AppendVarint(b, v-prev)
		prev = v
	}
	return b
}

// appendUints appends values as varints.
func appendUints(b []byte, values []uint32) []byte {
	for _, v := range values {
		b = binary.AppendUvarint(b, uint64(v))
	}
	return b
}

func appendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// decoder reads what the append functions wrote. After an error it yields
// zeros; callers look at err once at the end, and before allocating what a
// count asks for.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail() { d.err, d.b = errCorrupt, nil }

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

// count reads a number of things of at least size bytes each, which must
// therefore fit in what is left.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.b)/max(size, 1)) {
		d.fail()
		return 0
	}
	return int(n)
}

// bytes reads n bytes without copying them.
func (d *decoder) bytes(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.fail()
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) string() string { return string(d.bytes(d.count(1))) }

// ints appends n values written by appendInts to dst.
func (d *decoder) ints(dst []int64, n int) []int64 {
	b, prev := d.b, int64(0)
	for range n {
		var u uint64
		switch size := varintSize(b); {
		case len(b) > 0 && b[0] < 0x80:
			u, b = uint64(b[0]), b[1:]
		case size > 0: // nearly always; binary.Uvarint goes byte by byte
			u, b = shortVarint(binary.LittleEndian.Uint64(b), size), b[size:]
		default:
			v, k := binary.Uvarint(b)
			if k <= 0 {
				d.fail()
				return dst
			}
			u, b = v, b[k:]
		}
		prev += int64(u>>1) ^ -int64(u&1)
		dst = append(dst, prev)
	}
	d.b = b
	return dst
}

// varintSize returns how many bytes the varint at the beginning of b has, if these
// and eight bytes in all are there; else 0.
func varintSize(b []byte) int {
	if len(b) < 8 {
		return 0
	}
	last := ^binary.LittleEndian.Uint64(b) & 0x8080808080808080
	if last == 0 {
		return 0
	}
	return bits.TrailingZeros64(last)/8 + 1
}

// shortVarint decodes a varint of size bytes, at most eight, that w begins with:
// it moves the groups of 7 bits together, two by two.
func shortVarint(w uint64, size int) uint64 {
	w &= 0x7f7f7f7f7f7f7f7f & (1<<(8*size) - 1)
	w = w&0x007f007f007f007f | w&0x7f007f007f007f00>>1
	w = w&0x00003fff00003fff | w&0x3fff00003fff0000>>2
	return w&0x000000000fffffff | w&0x0fffffff00000000>>4
}

// uints appends n values below limit written by appendUints to dst.
func (d *decoder) uints(dst []uint32, n int, limit uint64) []uint32 {
	b := d.b
	for range n {
		var u uint64
		if len(b) > 0 && b[0] < 0x80 {
			u, b = uint64(b[0]), b[1:]
		} else {
			v, k := binary.Uvarint(b)
			if k <= 0 {
				d.fail()
				return dst
			}
			u, b = v, b[k:]
		}
		if u >= limit {
			d.fail()
			return dst
		}
		dst = append(dst, uint32(u))
	}
	d.b = b
	return dst
}

// ends reads n lengths and appends the running total from base to dst. The
// total must not exceed limit.
func (d *decoder) ends(dst []uint32, n int, base, limit uint64) []uint32 {
	from := len(dst)
	dst = d.uints(dst, n, math.MaxUint32)
	total := base
	for i := from; i < len(dst); i++ {
		total += uint64(dst[i])
		if total > limit {
			d.fail()
			return dst[:from]
		}
		dst[i] = uint32(total)
	}
	return dst
}

// appendLengths appends the lengths of the texts that end at ends, the first
// of which starts at base.
func appendLengths(b []byte, ends []uint32, base uint32) []byte {
	for _, end := range ends {
		b = binary.AppendUvarint(b, uint64(end-base))
		base = end
	}
	return b
}
