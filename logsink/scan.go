package logsink

import (
	"cmp"
	"context"
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/acalocal/acalocal/logsink/kql"
)

// scanner implements kql.Scanner and kql.TimeBounder: workers read parts ahead,
// Next hands their blocks out in storage order, or the newest first.
type scanner struct {
	plan   *scanPlan
	snap   *snapshot
	edges  *edges
	cancel context.CancelFunc
	done   sync.WaitGroup
	order  chan promise // one for each part that may matter, in order
	given  int64        // rows handed out
	rest   int64        // no part still to come has a later time
	err    error        // why order was closed early; set before that
}

var (
	_ kql.Scanner     = (*scanner)(nil)
	_ kql.TimeBounder = (*scanner)(nil)
)

// promise is a part that is being read.
type promise struct {
	block chan *kql.Block // will get the part's rows, or nil if there are none
	rest  int64           // no part after it has a later time
}

// job is a part to read and where its block is to go.
type job struct {
	part  part
	block chan *kql.Block
}

// newScanner starts reading. Close ends it.
func newScanner(ctx context.Context, t *table, plan *scanPlan) *scanner {
	ctx, cancel := context.WithCancel(ctx)
	workers, ahead := runtime.GOMAXPROCS(0), runtime.GOMAXPROCS(0)
	switch {
	case 0 < plan.limit && plan.limit <= sealRows:
		ahead = 0 // the query will soon have enough
	case plan.newest:
		ahead = 1 // it may
	case plan.counted:
		ahead = 64 // blocks of a few rows, many of them without reading
	}
	s := &scanner{
		plan: plan, snap: t.state.snapshot(t.problems), edges: &t.edges, cancel: cancel,
		order: make(chan promise, ahead), rest: math.MaxInt64,
	}
	jobs := make(chan job)
	s.done.Go(func() { s.deal(ctx, jobs) })
	for range min(workers, s.snap.count()) {
		s.done.Go(func() { s.work(jobs) })
	}
	return s
}

// deal hands the parts that may matter to the workers.
func (s *scanner) deal(ctx context.Context, jobs chan<- job) {
	defer close(s.order)
	defer close(jobs)
	var t trimmer
	defer t.leave()
	list := s.sequence()
	counter := borrowPartReader(s.edges)
	defer counter.giveBack()
	for k, turn := range list {
		p := s.snap.part(turn.part)
		t.enter(p)
		if skip, err := s.plan.skips(p); err != nil {
			s.snap.damaged(p.block, err)
			continue
		} else if skip {
			continue
		}
		next := promise{block: make(chan *kql.Block, 1), rest: minTicks}
		if s.plan.counted {
			if b, known := counter.known(s.plan, p); known { // quicker than a worker is woken
				if b == nil {
					continue
				}
				next.block <- b
				if !s.offer(ctx, next) {
					return
				}
				continue
			}
		}
		if k+1 < len(list) && s.plan.newest {
			next.rest = list[k+1].latest
		}
		if !s.offer(ctx, next) {
			return
		}
		jobs <- job{p, next.block} // a worker will take it: they never wait
	}
}

// offer puts a part in order. It reports whether the scan goes on.
func (s *scanner) offer(ctx context.Context, next promise) bool {
	if s.err = ctx.Err(); s.err != nil { // also where there is room for more
		return false
	}
	select {
	case s.order <- next:
		return true
	case <-ctx.Done():
		s.err = ctx.Err()
		return false
	}
}

// turn is a part to be read.
type turn struct {
	part   int
	latest int64 // no row of it that may pass is later
}

// sequence returns the order in which parts are read. Of those that end at the
// same time, the ones written last come first: they have more of the newest rows.
func (s *scanner) sequence() []turn {
	list := make([]turn, s.snap.count())
	for i := range list {
		list[i] = turn{part: i}
	}
	if !s.plan.newest {
		return list
	}
	slices.Reverse(list) // nearly in order: parts are mostly later than those before
	for i := range list {
		list[i].latest = s.plan.latest(s.snap.part(list[i].part))
	}
	slices.SortFunc(list, func(a, b turn) int {
		if a.latest != b.latest {
			return cmp.Compare(b.latest, a.latest)
		}
		return b.part - a.part
	})
	return list
}

// trimmer gives memory back as a scan goes from segment to segment.
type trimmer struct{ seg *segment }

func (t *trimmer) enter(p part) {
	if p.block != nil && p.block.seg != t.seg {
		t.leave()
		t.seg = p.block.seg
	}
}

func (t *trimmer) leave() {
	if t.seg != nil {
		t.seg.view.trim()
	}
}

func (s *scanner) work(jobs <-chan job) {
	r := borrowPartReader(s.edges)
	defer r.giveBack()
	for j := range jobs {
		b, err := r.read(s.plan, j.part)
		if err != nil && j.part.block != nil {
			s.snap.damaged(j.part.block, err)
		}
		j.block <- b
	}
}

// Next implements kql.Scanner.
func (s *scanner) Next(ctx context.Context) (*kql.Block, error) {
	for s.plan.limit == 0 || s.plan.newest || s.given < s.plan.limit {
		select {
		case next, ok := <-s.order:
			if !ok {
				return nil, s.err
			}
			select {
			case b := <-next.block:
				s.rest = next.rest
				if b != nil {
					s.given += int64(b.Rows)
					return b, nil
				}
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return nil, nil
}

// RemainingTime implements kql.TimeBounder.
func (s *scanner) RemainingTime() (newest kql.Ticks, ok bool) {
	return kql.Ticks(min(s.rest, s.plan.max)), s.plan.newest
}

// Close implements kql.Scanner.
func (s *scanner) Close() error {
	s.cancel()
	for range s.order { // the dealer may be about to send
	}
	s.done.Wait()
	s.snap.release()
	return nil
}
