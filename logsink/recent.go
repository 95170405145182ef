package logsink

import (
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/acalocal/acalocal/logsink/kql"
)

// recentRows knows how new a row must be to be among the newest of a scan, as
// far as parts have been read. It is shared by the scan's workers.
type recentRows struct {
	n     int          // how many are wanted
	least atomic.Int64 // rows older than this do not matter

	mu    sync.Mutex
	times []int64 // of the newest rows seen, fewer than n or n, ascending; guarded by mu
}

func newRecentRows(n int64) *recentRows {
	k := &recentRows{n: int(min(n, math.MaxInt32))}
	k.least.Store(math.MinInt64)
	return k
}

// add takes the times, ascending, of rows that pass.
func (k *recentRows) add(times []int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.times = append(k.times, times[max(0, len(times)-k.n):]...)
	slices.Sort(k.times)
	if over := len(k.times) - k.n; over >= 0 {
		k.times = k.times[:copy(k.times, k.times[over:])]
		k.least.Store(k.times[0])
	}
}

// byAge drops rows that are older than enough others, when a query wants just
// the newest: their texts need not be decoded.
func (r *partReader) byAge(sel kql.Bitmap) error {
	recent := r.plan.recent
	if recent == nil {
		return nil
	}
	times, err := r.intsOf(0)
	if err != nil {
		return err
	}
	if b := r.part.block; b != nil {
		for col, names := range r.tuples {
			b.keepLatest(col, names.codes[:r.part.rows], times)
		}
	}
	least := recent.least.Load()
	r.kept = r.kept[:0]
	for i, t := range times {
		if t >= least && sel.Get(i) {
			r.kept = append(r.kept, t)
		}
	}
	slices.Sort(r.kept) // nearly so already
	recent.add(r.kept)
	least = recent.least.Load()
	for i, t := range times {
		if t < least {
			sel[i>>6] &^= 1 << (i & 63)
		}
	}
	return nil
}
