package logsink

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// compressible returns n bytes that are worth compressing.
func compressible(n int) []byte {
	rnd := rand.New(rand.NewPCG(1, uint64(n)))
	var b []byte
	for len(b) < n {
		b = fmt.Appendf(b, "GET /orders/%d took %d ms\n", rnd.IntN(1000), rnd.IntN(500))
	}
	return b[:n]
}

func TestRangesOfASectionAreWhatItDecodesTo(t *testing.T) {
	c, err := newCompressor()
	if err != nil {
		t.Fatal(err)
	}
	old, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(false))
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(2, 2))
	for _, n := range []int{0, 1, 63, 64, 1000, chunkSize - 1, chunkSize, chunkSize + 1, 3*chunkSize + 17, 8 * chunkSize} {
		raw := compressible(n)
		stored, s := c.append(nil, raw, worthSpace)
		early := old.EncodeAll(raw, nil)
		for _, form := range []struct {
			name   string
			s      section
			stored []byte
		}{
			{"chunks", s, stored},
			{"raw", section{size: n, raw: n, sum: checksum(raw), code: codecRaw}, raw},
			{"one frame", section{size: len(early), raw: n, sum: checksum(early), code: codecZstd}, early},
		} {
			if got, err := form.s.open(form.stored, nil); err != nil || !bytes.Equal(got, raw) {
				t.Errorf("%s of %d bytes: all of them: %d bytes, %v", form.name, n, len(got), err)
			}
			var buf []byte
			for range 30 {
				from := rnd.IntN(n + 1)
				to := from + rnd.IntN(n-from+1)
				data, base, err := form.s.openRange(form.stored, buf, from, to)
				if err != nil || base > from || base+len(data) < to || !bytes.Equal(data[from-base:to-base], raw[from:to]) {
					t.Fatalf("%s of %d bytes: %d to %d: base %d, %d bytes, %v", form.name, n, from, to, base, len(data), err)
				}
				if form.name == "chunks" && len(data) > to-from+2*chunkSize {
					t.Errorf("%d to %d of %d bytes unpacks %d", from, to, n, len(data))
				}
				buf = data
			}
		}
	}
}

func TestRangesOfADamagedSectionAreRefused(t *testing.T) {
	c, err := newCompressor()
	if err != nil {
		t.Fatal(err)
	}
	raw := compressible(3 * chunkSize)
	stored, s := c.append(nil, raw, worthSpace)
	for i := range stored {
		if i%997 != 0 {
			continue
		}
		bad := bytes.Clone(stored)
		bad[i] ^= 0x10
		if _, _, err := s.openRange(bad, nil, chunkSize, 2*chunkSize); err == nil {
			t.Errorf("byte %d changed and nobody noticed", i)
		}
		s := s
		s.sum = checksum(bad) // as if it had been written so
		if data, base, err := s.openRange(bad, nil, chunkSize, chunkSize+10); err == nil && (base > chunkSize || base+len(data) < chunkSize+10) {
			t.Errorf("byte %d changed: base %d, %d bytes", i, base, len(data))
		}
	}
	if _, _, err := s.openRange(stored, nil, 0, len(raw)+1); err == nil {
		t.Error("a range beyond the end is accepted")
	}
}
