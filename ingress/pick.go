package ingress

import (
	"math/bits"
	"sync/atomic"
)

// golden is 2^64 divided by the golden ratio. Multiples of it, modulo 2^64,
// fill the range evenly from the very first ones, so after n requests every
// share of a split is right to within a few requests. Drawing at random would
// show deviations of ten and more in a hundred.
const golden = 0x9E3779B97F4A7C15

// split divides requests by weight. It is immutable but for the sequence,
// which outlives it so that a new table does not start over.
type split struct {
	seq    *atomic.Uint64
	shares []share
	total  uint64
}

// share is one part of a split: what gets the next draw below upto.
type share struct {
	upto   uint64
	weight int
	target target
}

func newSplit(seq *atomic.Uint64) *split { return &split{seq: seq} }

// add appends a share. A weight of zero never receives anything.
func (s *split) add(weight int, t target) {
	if weight <= 0 {
		return
	}
	s.total += uint64(weight)
	s.shares = append(s.shares, share{upto: s.total, weight: weight, target: t})
}

// draw returns the target of the next request, or false when there is none.
func (s *split) draw() (target, bool) {
	switch len(s.shares) {
	case 0:
		return target{}, false
	case 1:
		return s.shares[0].target, true
	}
	draw, _ := bits.Mul64(s.seq.Add(golden), s.total)
	for _, sh := range s.shares {
		if draw < sh.upto {
			return sh.target, true
		}
	}
	return s.shares[len(s.shares)-1].target, true
}

// target is what answers for a host: a revision, or one of several by weight,
// or nothing, for the reason missing gives.
type target struct {
	app     *app // whose policies hold
	rev     *revision
	split   *split
	why     Why
	missing string
}

// resolve follows splits down to a revision. The result has a nil rev when
// nothing answers, and then missing says why.
func (t target) resolve() target {
	for t.split != nil {
		next, ok := t.split.draw()
		if !ok {
			return target{app: t.app, missing: "no revision has a share of the traffic"}
		}
		t = next
	}
	return t
}
