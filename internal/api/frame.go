package api

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Frame is one message of an exec session. Its payload is laid out as in ACA's
// own exec protocol (the first byte says who is speaking, the second which
// stream it is), as read in Azure/azure-cli containerapp/_ssh_utils.py; on the
// control socket every payload follows its length:
//
//	| length, 4 bytes, big endian | control | channel | data … |
//
// ProxyInfo and ProxyError have no channel byte. Two channels are not ACA's: Exit and
// CloseInput, without which a script could learn neither the exit code nor
// end its input. Exit has the number Kubernetes gives the same message.
type Frame struct {
	Control Control
	Channel Channel // meaningful when Control is Forwarded
	Data    []byte
}

// Control is the first byte of a frame.
type Control byte

// The controls.
const (
	Forwarded  Control = 0 // to or from the process
	ProxyInfo  Control = 1 // the emulator tells the user something
	ProxyError Control = 2 // the session ends: Data is an error body
)

// Channel is the second byte of a forwarded frame.
type Channel byte

// The channels.
const (
	Stdin      Channel = 0
	Stdout     Channel = 1
	Stderr     Channel = 2
	Exit       Channel = 3 // {"exitCode": n}, the last frame
	Resize     Channel = 4 // {"Width": 80, "Height": 24}, in characters
	CloseInput Channel = 5 // no more Stdin will come
)

// maxFrame bounds what a peer can make us allocate.
const maxFrame = 1 << 20

var errFrame = errors.New("malformed exec frame")

// appendPayload appends the bytes of f without a length.
func (f Frame) appendPayload(b []byte) []byte {
	b = append(b, byte(f.Control))
	if f.Control == Forwarded {
		b = append(b, byte(f.Channel))
	}
	return append(b, f.Data...)
}

// parsePayload is the inverse of appendPayload. Data aliases p.
func parsePayload(p []byte) (Frame, error) {
	if len(p) == 0 {
		return Frame{}, fmt.Errorf("%w: empty", errFrame)
	}
	f := Frame{Control: Control(p[0]), Data: p[1:]}
	switch f.Control {
	case ProxyInfo, ProxyError:
		return f, nil
	case Forwarded:
	default:
		return Frame{}, fmt.Errorf("%w: control %d", errFrame, p[0])
	}
	if len(p) < 2 || p[1] > byte(CloseInput) {
		return Frame{}, fmt.Errorf("%w: no such channel", errFrame)
	}
	f.Channel, f.Data = Channel(p[1]), p[2:]
	return f, nil
}

// FrameReader reads frames. It is not for concurrent use.
type FrameReader struct {
	r   io.Reader
	buf []byte
}

// NewFrameReader returns a reader of the frames in r.
func NewFrameReader(r io.Reader) *FrameReader { return &FrameReader{r: r} }

// Next returns the next frame, whose Data is valid until the next call. It
// returns io.EOF when the stream ends between frames.
func (fr *FrameReader) Next() (Frame, error) {
	var head [4]byte
	if _, err := io.ReadFull(fr.r, head[:]); err != nil {
		return Frame{}, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > maxFrame {
		return Frame{}, fmt.Errorf("%w: %d bytes", errFrame, n)
	}
	if cap(fr.buf) < int(n) {
		fr.buf = make([]byte, n)
	}
	fr.buf = fr.buf[:n]
	if _, err := io.ReadFull(fr.r, fr.buf); err != nil {
		return Frame{}, noEOF(err)
	}
	return parsePayload(fr.buf)
}

// noEOF turns the end of input inside a frame into an error of its own.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// FrameWriter writes frames. Its methods may be called concurrently.
type FrameWriter struct {
	mu  sync.Mutex
	w   io.Writer // guarded by mu
	buf []byte    // guarded by mu
}

// NewFrameWriter returns a writer of frames to w.
func NewFrameWriter(w io.Writer) *FrameWriter { return &FrameWriter{w: w} }

// Write writes one frame in a single call to the underlying writer. The frame
// is not retained.
func (fw *FrameWriter) Write(f Frame) error {
	fw.mu.Lock()
	defer fw.mu.Unlock()
	fw.buf = f.appendPayload(append(fw.buf[:0], 0, 0, 0, 0))
	n := len(fw.buf) - 4
	if n > maxFrame {
		return fmt.Errorf("%w: %d bytes", errFrame, n)
	}
	binary.BigEndian.PutUint32(fw.buf, uint32(n))
	_, err := fw.w.Write(fw.buf)
	return err
}

// Stream returns a writer whose bytes travel on channel c, cut into frames.
func (fw *FrameWriter) Stream(c Channel) io.Writer { return &frameStream{fw, c} }

type frameStream struct {
	fw *FrameWriter
	c  Channel
}

func (s *frameStream) Write(p []byte) (int, error) {
	const chunk = 32 << 10
	done := 0
	for done < len(p) {
		part := p[done:min(done+chunk, len(p))]
		if err := s.fw.Write(Frame{Channel: s.c, Data: part}); err != nil {
			return done, err
		}
		done += len(part)
	}
	return done, nil
}
