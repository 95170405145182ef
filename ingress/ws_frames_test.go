package ingress

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// frame is a frame with so many bytes of payload.
func frame(opcode byte, masked bool, size int) []byte {
	out := []byte{wsFinal | opcode, 0}
	switch {
	case size < 126:
		out[1] = byte(size)
	case size < 1<<16:
		out[1] = 126
		out = binary.BigEndian.AppendUint16(out, uint16(size))
	default:
		out[1] = 127
		out = binary.BigEndian.AppendUint64(out, uint64(size))
	}
	if masked {
		out[1] |= wsMasked
		out = append(out, 1, 2, 3, 4)
	}
	return append(out, bytes.Repeat([]byte{0x88}, size)...)
}

func TestFramesEndWhereTheyEnd(t *testing.T) {
	for _, size := range []int{0, 1, 125, 126, 127, 65535, 65536} {
		for _, masked := range []bool{false, true} {
			one := frame(2, masked, size)
			var f wsFrames
			if n := f.next(append(one, frame(wsClose, masked, 2)...)); n != len(one) || !f.between() || f.closed {
				t.Errorf("size %d, masked %v: the frame ends at %d, want %d", size, masked, n, len(one))
			}
			f.follow(one[:len(one)-1])
			if f.between() {
				t.Errorf("size %d, masked %v: ended before its last byte", size, masked)
			}
			f.follow(append(one[len(one)-1:], frame(wsClose, masked, 2)...))
			if !f.between() || !f.closed {
				t.Errorf("size %d, masked %v: Close was not seen", size, masked)
			}
		}
	}
}

func TestCloseFrameSaysGoingAway(t *testing.T) {
	want := append([]byte{0x03, 0xE9}, wsWhy...)
	plain, masked := closeFrame(false), closeFrame(true)
	if !bytes.Equal(plain[2:], want) || plain[0] != 0x88 || int(plain[1]) != len(want) {
		t.Errorf("to the client: % x", plain)
	}
	key, body := masked[2:6], masked[6:]
	for i := range body {
		body[i] ^= key[i%4]
	}
	if !bytes.Equal(body, want) || int(masked[1]) != len(want)|0x80 {
		t.Errorf("to the app: % x", masked)
	}
}

// FuzzWebSocketFrames holds that frames end at the same bytes however they
// arrive.
func FuzzWebSocketFrames(f *testing.F) {
	f.Add(append(frame(1, true, 3), frame(wsClose, true, 2)...), 2)
	f.Add(frame(2, false, 300), 3)
	f.Add([]byte{0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 2, 3}, 1)
	f.Fuzz(func(t *testing.T, p []byte, cut int) {
		var whole, parts wsFrames
		whole.follow(p)
		cut = max(1, cut%(len(p)+1))
		for rest := p; len(rest) > 0; {
			n := min(cut, len(rest))
			parts.follow(rest[:n])
			rest = rest[n:]
		}
		if whole.have != parts.have || whole.left != parts.left || whole.closed != parts.closed {
			t.Errorf("at once %+v, in parts %+v", whole, parts)
		}
	})
}
