package ingress

import (
	"encoding/binary"
	"math/rand/v2"
)

// wsFrames follows the frames of one direction of a WebSocket, so that the edge
// knows where it may put one of its own. It looks at lengths and opcodes only
// (RFC 6455, section 5.2):
//
//	0  1  FIN, three reserved bits, four bits of opcode
//	1  1  MASK, seven bits of length; 126: two bytes more, 127: eight
//	…  4  masking key, if MASK
//	…  …  payload
type wsFrames struct {
	head   [10]byte // of the frame that has begun, without the masking key
	have   int      // bytes of head that were seen
	left   uint64   // bytes until the frame ends, once its head is whole
	closed bool     // a Close frame was seen: nothing may follow it
}

const (
	wsClose     = 0x8 // opcode
	wsOpcode    = 0x0F
	wsFinal     = 0x80
	wsMasked    = 0x80
	wsLength    = 0x7F
	wsShortHead = 2
	wsMaskSize  = 4

	// wsGoingAway is the status code of an endpoint that goes away, "such as a
	// server going down" (RFC 6455, section 7.4.1).
	wsGoingAway = 1001
	wsWhy       = "the replica is stopping"
)

// between reports whether no frame has begun.
func (f *wsFrames) between() bool { return f.have == 0 && f.left == 0 }

// next follows p up to the end of a frame and returns how many bytes that are;
// all of them when the frame goes on.
func (f *wsFrames) next(p []byte) int {
	n := 0
	for n < len(p) {
		if f.left == 0 {
			n += f.begin(p[n:])
		} else {
			step := min(f.left, uint64(len(p)-n))
			f.left -= step
			n += int(step)
		}
		if f.between() {
			return n
		}
	}
	return n
}

// follow follows all of p.
func (f *wsFrames) follow(p []byte) {
	for len(p) > 0 {
		p = p[f.next(p):]
	}
}

// begin reads bytes of a head, up to its end.
func (f *wsFrames) begin(p []byte) int {
	for n, b := range p {
		f.head[f.have] = b
		f.have++
		if size := f.headSize(); f.have == size {
			f.left = f.payload()
			f.closed = f.closed || f.head[0]&wsOpcode == wsClose
			f.have = 0
			return n + 1
		}
	}
	return len(p)
}

// headSize returns the size of the head, as far as it can be known yet.
func (f *wsFrames) headSize() int {
	switch {
	case f.have < wsShortHead:
		return wsShortHead
	case f.head[1]&wsLength == 126:
		return wsShortHead + 2
	case f.head[1]&wsLength == 127:
		return wsShortHead + 8
	}
	return wsShortHead
}

// payload returns what follows the head: masking key and data.
func (f *wsFrames) payload() uint64 {
	n := uint64(f.head[1] & wsLength)
	switch n {
	case 126:
		n = uint64(binary.BigEndian.Uint16(f.head[wsShortHead:]))
	case 127:
		n = binary.BigEndian.Uint64(f.head[wsShortHead:])
	}
	if f.head[1]&wsMasked != 0 {
		n += wsMaskSize
	}
	return n
}

// closeFrame returns a Close frame that says why the edge goes away, masked as
// frames towards a server have to be.
func closeFrame(masked bool) []byte {
	body := append(binary.BigEndian.AppendUint16(nil, wsGoingAway), wsWhy...)
	out := []byte{wsFinal | wsClose, byte(len(body))}
	if !masked {
		return append(out, body...)
	}
	out[1] |= wsMasked
	key := binary.BigEndian.AppendUint32(nil, rand.Uint32())
	for i := range body {
		body[i] ^= key[i%wsMaskSize]
	}
	return append(append(out, key...), body...)
}
