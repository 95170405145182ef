package logsink

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"slices"
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
		zstd.WithWindowSize(chunkSize), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("prepare compression: %w", err)
	}
	return &compressor{enc}, nil
}

// chunkSize is how much each frame of a compressed section decodes to, but for
// the last: whoever wants a few rows unpacks the frames they are in.
const chunkSize = 128 << 10

// How much compression must leave at most, in eighths, to be worth it.
const (
	worthSpace = 7 // of what is read seldom
	worthTime  = 1 // of what every query reads: then it unpacks at once, too
)

// append appends raw to b, compressed if that is worth it, and returns the
// section's description, whose offset the caller knows.
func (c *compressor) append(b, raw []byte, worth int) ([]byte, section) {
	start := len(b)
	s := section{raw: len(raw), code: codecZstd}
	if len(raw) >= 64 {
		for chunk := range slices.Chunk(raw, chunkSize) {
			b = c.zstd.EncodeAll(chunk, b)
		}
	}
	if s.size = len(b) - start; s.size == 0 || s.size > len(raw)*worth/8 {
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
	if s.code == codecRaw {
		return append(sized(buf, s.raw), stored...), nil
	}
	return decompress(stored, sized(buf, s.raw), s.raw)
}

// openRange is open for bytes from to to of what the section decodes to. It
// may return more; base is where that begins.
func (s section) openRange(stored, buf []byte, from, to int) (data []byte, base int, err error) {
	if checksum(stored) != s.sum {
		return nil, 0, errCorrupt
	}
	if from < 0 || from > to || to > s.raw {
		return nil, 0, errCorrupt
	}
	if s.code == codecRaw {
		return append(sized(buf, to-from), stored[from:to]...), from, nil
	}
	if whole(stored) {
		data, err = decompress(stored, sized(buf, s.raw), s.raw)
		return data, 0, err
	}
	first, last := from/chunkSize, max(to-1, from)/chunkSize
	frames, err := s.frames(stored, first, last)
	if err != nil {
		return nil, 0, err
	}
	base = first * chunkSize
	raw := min((last+1)*chunkSize, s.raw) - base
	data, err = decompress(frames, sized(buf, raw), raw)
	return data, base, err
}

// whole reports whether a section is one frame, however long, as early
// versions wrote them.
func whole(stored []byte) bool {
	var h zstd.Header
	return h.Decode(stored) == nil && h.HasFCS && h.FrameContentSize > chunkSize
}

// frames returns the stored bytes of frames first to last.
func (s section) frames(stored []byte, first, last int) ([]byte, error) {
	for range first {
		n, err := frameLength(stored)
		if err != nil {
			return nil, err
		}
		stored = stored[n:]
	}
	size := 0
	for range last - first + 1 {
		n, err := frameLength(stored[size:])
		if err != nil {
			return nil, err
		}
		size += n
	}
	return stored[:size], nil
}

// frameLength returns the length of the Zstandard frame that b begins with
// (RFC 8878, 3.1.1): its header, then blocks, each with its length before it.
func frameLength(b []byte) (int, error) {
	var h zstd.Header
	if err := h.Decode(b); err != nil || h.Skippable || h.HasCheckSum {
		return 0, errCorrupt
	}
	for at := h.HeaderSize; at+3 <= len(b); {
		block := int(b[at]) | int(b[at+1])<<8 | int(b[at+2])<<16
		size := block >> 3
		if kind := block >> 1 & 3; kind == 1 { // one byte, repeated
			size = 1
		}
		at += 3 + size
		if block&1 != 0 && at <= len(b) {
			return at, nil
		}
	}
	return 0, errCorrupt
}

// sized returns buf, emptied, or a new buffer if it is too small for n bytes.
func sized(buf []byte, n int) []byte {
	if cap(buf) < n {
		return make([]byte, 0, n)
	}
	return buf[:0]
}

// decompress returns what frames decode to, which is n bytes, in buf.
func decompress(frames, buf []byte, n int) ([]byte, error) {
	dec, err := unzstd()
	if err != nil {
		return nil, fmt.Errorf("prepare decompression: %w", err)
	}
	out, err := dec.DecodeAll(frames, buf)
	if err != nil || len(out) != n {
		return nil, errCorrupt
	}
	return out, nil
}
