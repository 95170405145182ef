package mux

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// kind says what a frame is.
type kind byte

const (
	kindPad    kind = iota // one byte, no header: skipped
	kindHello              // starts a session; carries magic and nonce instead of a header
	kindOpen               // opens a stream; payload: the request
	kindAccept             // answers an open; payload: the reply
	kindRefuse             // answers an open; payload: the reason
	kindData               // bytes of a stream
	kindWindow             // payload: how many more bytes the sender will take
	kindFin                // no more data will follow
	kindStop               // the sender will read no more data
	kindReset              // the stream is broken in both directions
	kindEnd                // first unused kind
)

const (
	headerSize = 9        // kind 1, session 2, stream 4, length 2
	maxPayload = 32 << 10 // bytes; fits a pipe write of the engine
	nonceSize  = 16
)

// magic follows kindHello. It is long and odd enough never to appear by
// accident where a hello is looked for.
var magic = []byte("\xaca\xffcalocal\x00mux\x01\xf1")

// nonce tells the hello of one attempt to attach from that of another. The zero
// nonce says that there is no session.
type nonce [nonceSize]byte

// tag is what the frames of a session have of its nonce.
func (n nonce) tag() uint16 { return binary.BigEndian.Uint16(n[:]) }

// frame is one unit of the wire format. The payload is valid until the next
// frame is read.
type frame struct {
	kind    kind
	session uint16
	stream  uint32
	payload []byte
	nonce   nonce // kindHello only
}

// errGarbled says that the bytes are not a frame.
var errGarbled = errors.New("garbled frame")

// frameReader reads frames from a byte stream that may begin anywhere.
type frameReader struct {
	r   io.Reader
	buf [maxPayload]byte
}

// next returns the next frame, skipping padding.
func (f *frameReader) next() (frame, error) {
	k, err := f.skipPadding()
	if err != nil {
		return frame{}, err
	}
	switch {
	case k == kindHello:
		return f.hello()
	case k >= kindEnd:
		return frame{}, fmt.Errorf("%w: kind %d", errGarbled, k)
	}
	return f.rest(k)
}

func (f *frameReader) skipPadding() (kind, error) {
	for {
		if _, err := io.ReadFull(f.r, f.buf[:1]); err != nil {
			return 0, err
		}
		if k := kind(f.buf[0]); k != kindPad {
			return k, nil
		}
	}
}

func (f *frameReader) hello() (frame, error) {
	got := f.buf[:len(magic)+nonceSize]
	if _, err := io.ReadFull(f.r, got); err != nil {
		return frame{}, err
	}
	if !bytes.Equal(got[:len(magic)], magic) {
		return frame{}, fmt.Errorf("%w: hello without magic", errGarbled)
	}
	return frame{kind: kindHello, nonce: nonce(got[len(magic):])}, nil
}

func (f *frameReader) rest(k kind) (frame, error) {
	header := f.buf[:headerSize-1]
	if _, err := io.ReadFull(f.r, header); err != nil {
		return frame{}, err
	}
	fr := frame{kind: k, session: binary.BigEndian.Uint16(header), stream: binary.BigEndian.Uint32(header[2:])}
	size := int(binary.BigEndian.Uint16(header[6:]))
	if size > maxPayload {
		return frame{}, fmt.Errorf("%w: %d bytes", errGarbled, size)
	}
	if _, err := io.ReadFull(f.r, f.buf[:size]); err != nil {
		return frame{}, err
	}
	fr.payload = f.buf[:size]
	return fr, nil
}

// hunt skips bytes up to and including the next hello and returns its nonce.
func (f *frameReader) hunt() (nonce, error) {
	for matched := 0; matched < len(magic); {
		if _, err := io.ReadFull(f.r, f.buf[:1]); err != nil {
			return nonce{}, err
		}
		switch f.buf[0] {
		case magic[matched]:
			matched++
		case magic[0]: // occurs in magic only once, so no shorter match is missed
			matched = 1
		default:
			matched = 0
		}
	}
	var n nonce
	_, err := io.ReadFull(f.r, n[:])
	return n, err
}

// appendFrame appends the wire form of a frame to b.
func appendFrame(b []byte, k kind, session uint16, stream uint32, payload []byte) []byte {
	b = append(b, byte(k))
	b = binary.BigEndian.AppendUint16(b, session)
	b = binary.BigEndian.AppendUint32(b, stream)
	b = binary.BigEndian.AppendUint16(b, uint16(len(payload)))
	return append(b, payload...)
}

// appendHello appends a hello.
func appendHello(b []byte, n nonce) []byte {
	b = append(b, byte(kindHello))
	b = append(b, magic...)
	return append(b, n[:]...)
}

func isGarbled(err error) bool { return errors.Is(err, errGarbled) }
