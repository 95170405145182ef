package logsink

import (
	"context"
	"runtime"
	"sync"

	"github.com/acalocal/acalocal/logsink/kql"
)

// scanner implements kql.Scanner: workers read parts ahead, Next hands their
// blocks out in storage order.
type scanner struct {
	plan   *scanPlan
	snap   *snapshot
	cancel context.CancelFunc
	done   sync.WaitGroup
	order  chan chan *kql.Block // one for each part, in order; nil blocks are to be skipped
	given  int64                // rows handed out
	err    error                // why order was closed early; set before that
}

// job is a part to read and where its block is to go.
type job struct {
	part  part
	block chan *kql.Block
}

// newScanner starts reading. Close ends it.
func newScanner(ctx context.Context, t *table, plan *scanPlan) *scanner {
	ctx, cancel := context.WithCancel(ctx)
	workers := runtime.GOMAXPROCS(0)
	s := &scanner{
		plan: plan, snap: t.state.snapshot(t.problems), cancel: cancel,
		order: make(chan chan *kql.Block, workers),
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
	var seg *segment
	for i := range s.snap.count() {
		p := s.snap.part(i)
		if p.block != nil && p.block.seg != seg {
			if seg != nil {
				seg.view.trim()
			}
			seg = p.block.seg
		}
		if skip, err := s.plan.skips(p); err != nil {
			s.snap.damaged(p.block, err)
			continue
		} else if skip {
			continue
		}
		j := job{p, make(chan *kql.Block, 1)}
		select {
		case s.order <- j.block:
		case <-ctx.Done():
			s.err = ctx.Err()
			return
		}
		jobs <- j // a worker will take it: they never wait
	}
	if seg != nil {
		seg.view.trim()
	}
}

func (s *scanner) work(jobs <-chan job) {
	r := partReader{bufs: map[int][]byte{}}
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
	for s.plan.limit == 0 || s.given < s.plan.limit {
		select {
		case block, ok := <-s.order:
			if !ok {
				return nil, s.err
			}
			select {
			case b := <-block:
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

// Close implements kql.Scanner.
func (s *scanner) Close() error {
	s.cancel()
	for range s.order { // the dealer may be about to send
	}
	s.done.Wait()
	s.snap.release()
	return nil
}
