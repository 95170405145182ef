package logsink

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestEdgesCountAsReadingDoes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		n, tuples := 1+rnd.IntN(60), 1+rnd.IntN(4)
		times, codes := make([]int64, n), make([]uint32, n)
		for i := range times {
			times[i], codes[i] = rnd.Int64N(20), uint32(rnd.IntN(tuples))
		}
		e := newEdge(noTuples, tuples, times, codes)
		for _, limits := range [][2]int64{{rnd.Int64N(22) - 1, rnd.Int64N(22) - 1}, {math.MinInt64, math.MaxInt64}, {5, math.MaxInt64}} {
			want := make([]uint32, tuples)
			for i, at := range times {
				if at >= limits[0] && at <= limits[1] {
					want[codes[i]]++
				}
			}
			if got := e.within(limits[0], limits[1]); !slices.Equal(got, want) {
				t.Fatalf("times %v, codes %v, within %v: got %v, want %v", times, codes, limits, got, want)
			}
		}
	}
}

func TestATableKeepsTheLastEdges(t *testing.T) {
	var k edges
	blocks := make([]*sealed, maxEdges+10)
	for i := range blocks {
		blocks[i] = &sealed{}
		k.keep(blocks[i], &edge{})
		k.keep(blocks[i], &edge{col: 1}) // takes no place of its own
	}
	for i, b := range blocks {
		if kept := b.edge.Load() != nil; kept != (i >= 10) {
			t.Errorf("edge %d of %d: kept %v", i, len(blocks), kept)
		}
	}
}
