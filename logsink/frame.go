package logsink

import (
	"encoding/binary"
	"hash/crc32"
)

// Every file of the store begins with a header that names its kind, the
// format's version and the table it belongs to:
//
//	0  4  magic, "ACLW" (write-ahead log) or "ACLS" (segment)
//	4  4  version, little endian
//	8  8  table name, padded with zeros
//	16 4  CRC-32C of bytes 0 to 15
//	20 4  zero
const (
	headerSize    = 24
	formatVersion = 1
	walMagic      = "ACLW"
	segmentMagic  = "ACLS"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

func appendHeader(b []byte, magic, table string) []byte {
	start := len(b)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, formatVersion)
	var name [8]byte
	copy(name[:], table)
	b = append(b, name[:]...)
	b = binary.LittleEndian.AppendUint32(b, checksum(b[start:]))
	return append(b, 0, 0, 0, 0)
}

// goodHeader reports whether b begins with the header of the given kind.
func goodHeader(b []byte, magic, table string) bool {
	return len(b) >= headerSize && string(b[:headerSize]) == string(appendHeader(nil, magic, table))
}

// A record of the write-ahead log is framed as
//
//	0  4  "\xffREC", which finds the next record behind a damaged one
//	4  4  length of the payload, little endian
//	8  4  CRC-32C of the payload
//	12 …  payload
const (
	frameMagic = "\xffREC"
	frameSize  = 12
)

// maxPayload bounds a record; a longer one is damage.
const maxPayload = 1 << 30

// beginFrame leaves room for a frame, endFrame fills it in.
func beginFrame(b []byte) []byte {
	b = append(b, frameMagic...)
	return append(b, make([]byte, frameSize-len(frameMagic))...)
}

func endFrame(b []byte) []byte {
	payload := b[frameSize:]
	binary.LittleEndian.PutUint32(b[4:], uint32(len(payload)))
	binary.LittleEndian.PutUint32(b[8:], checksum(payload))
	return b
}

// nextFrame splits the first whole, undamaged record off b.
func nextFrame(b []byte) (payload, rest []byte, ok bool) {
	if len(b) < frameSize || string(b[:len(frameMagic)]) != frameMagic {
		return nil, b, false
	}
	n := binary.LittleEndian.Uint32(b[4:])
	if n > maxPayload || int(n) > len(b)-frameSize || n == 0 {
		return nil, b, false
	}
	payload = b[frameSize : frameSize+int(n)]
	if checksum(payload) != binary.LittleEndian.Uint32(b[8:]) {
		return nil, b, false
	}
	return payload, b[frameSize+int(n):], true
}
