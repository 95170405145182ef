package kql

import "testing"

func FuzzPercentile(f *testing.F) {
	f.Add([]byte{3, 1, 2}, 50.0)
	f.Add([]byte{0, 0, 0, 0, 9}, 95.0)
	f.Add([]byte{}, -1.0)
	f.Fuzz(func(t *testing.T, data []byte, p float64) {
		one, all := &ranked[int64]{}, &ranked[int64]{}
		weighted := &ranked[int64]{}
		for _, b := range data {
			one.add(int64(b % 16))
			all.add(int64(b % 16))
			weighted.add(int64(b % 16))
			weighted.weights = append(weighted.weights, 1)
		}
		want := all.nearest([]float64{p, p}) // by sorting
		if got := one.nearest([]float64{p}); len(want) > 0 && got[0] != want[0] {
			t.Errorf("by selection %d, by order %d", got[0], want[0])
		}
		if got := weighted.nearest([]float64{p}); len(want) > 0 && got[0] != want[0] {
			t.Errorf("by weight %d, by order %d", got[0], want[0])
		}
	})
}
