package logsink

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// How a section's bytes are stored.
const (
	codecRaw  = 0
	codecZstd = 1
)

// section is one run of bytes in a block: a column or a part of one.
type section struct {
	off  int64 // from the beginning of the block
	size int   // stored
	raw  int   // decoded
	sum  uint32
	code uint8
}

// maxSection bounds what a section decodes to.
const maxSection = 1 << 28

func appendSection(b []byte, s section) []byte {
	b = append(b, s.code)
	b = binary.AppendUvarint(b, uint64(s.size))
	b = binary.AppendUvarint(b, uint64(s.raw))
	return binary.LittleEndian.AppendUint32(b, s.sum)
}

// readSection reads a section that begins at *off and moves *off behind it.
func readSection(d *decoder, off *int64) (s section) {
	s.code = d.byte()
	size, raw := d.uvarint(), d.uvarint()
	if size > maxSection || raw > maxSection || s.code > codecZstd || s.code == codecRaw && size != raw {
		d.fail()
		return section{}
	}
	if sum := d.bytes(4); sum != nil {
		s.sum = binary.LittleEndian.Uint32(sum)
	}
	s.off, s.size, s.raw = *off, int(size), int(raw)
	*off += int64(size)
	return s
}

// compressor makes sections. It is used by one goroutine.
type compressor struct {
	zstd *zstd.Encoder
}

func newCompressor() (*compressor, error) {
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("prepare compression: %w", err)
	}
	return &compressor{enc}, nil
}

// append appends raw to b, compressed if that saves an eighth, and returns the
// section's description, whose offset the caller knows.
func (c *compressor) append(b, raw []byte) ([]byte, section) {
	start := len(b)
	s := section{raw: len(raw), code: codecZstd}
	if len(raw) >= 64 {
		b = c.zstd.EncodeAll(raw, b)
	}
	if s.size = len(b) - start; s.size == 0 || s.size > len(raw)-len(raw)/8 {
		b, s = c.appendRaw(b[:start], raw)
		return b, s
	}
	s.sum = checksum(b[start:])
	return b, s
}

// appendRaw appends raw as it is.
func (c *compressor) appendRaw(b, raw []byte) ([]byte, section) {
	return append(b, raw...), section{size: len(raw), raw: len(raw), sum: checksum(raw), code: codecRaw}
}

// unzstd decompresses for all readers; it is safe for concurrent use.
var unzstd = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(runtime.GOMAXPROCS(0)),
		zstd.WithDecoderMaxMemory(maxSection), zstd.WithDecoderLowmem(true), zstd.IgnoreChecksum(true))
})

// open checks the stored bytes of a section and returns what they decode to,
// in buf if that is large enough.
func (s section) open(stored, buf []byte) ([]byte, error) {
	if checksum(stored) != s.sum {
		return nil, errCorrupt
	}
	if buf = buf[:0]; cap(buf) < s.raw {
		buf = make([]byte, 0, s.raw)
	}
	if s.code == codecRaw {
		return append(buf, stored...), nil
	}
	dec, err := unzstd()
	if err != nil {
		return nil, fmt.Errorf("prepare decompression: %w", err)
	}
	out, err := dec.DecodeAll(stored, buf)
	if err != nil || len(out) != s.raw {
		return nil, errCorrupt
	}
	return out, nil
}
