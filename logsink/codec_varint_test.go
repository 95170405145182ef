package logsink

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

func TestShortVarints(t *testing.T) {
	rnd := rand.New(rand.NewPCG(6, 6))
	for range 100_000 {
		want := rnd.Uint64() >> rnd.IntN(64)
		b := binary.AppendUvarint(nil, want)
		n := len(b)
		for len(b) < 16 {
			b = append(b, byte(rnd.Uint32()))
		}
		size := varintSize(b)
		if n > 8 {
			if size != 0 {
				t.Fatalf("%d has %d bytes, of which %d are seen", want, n, size)
			}
			continue
		}
		if size != n {
			t.Fatalf("%d has %d bytes, of which %d are seen", want, n, size)
		}
		if got := shortVarint(binary.LittleEndian.Uint64(b), size); got != want {
			t.Fatalf("%d is read as %d", want, got)
		}
		if size := varintSize(b[:7]); size != 0 {
			t.Fatalf("%d bytes seen where 8 cannot be loaded", size)
		}
	}
}
