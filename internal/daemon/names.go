package daemon

import (
	"context"
	"math"
	"sync"
	"time"
)

// namesLimit is how long the start of a container is put off at most.
const namesLimit = 10 * time.Second

// awaitNames returns when the names of the environment's apps and services, as
// they are asked for by now, lead to their gates. On Azure they do before a
// container starts; here a gate is made beside the replicas, and a program that
// calls another app, or sends its first trace, as soon as it runs may be faster.
// A gate that cannot be made is not waited for.
func (d *Daemon) awaitNames(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, namesLimit)
	defer cancel()
	err := d.edge.gates.handled.wait(ctx, d.edge.gates.asked.Load())
	if err == nil {
		err = d.insights.handled.wait(ctx, d.Engine.Snapshot().Generation)
	}
	if err != nil {
		d.o.Log.Debug().Err(err).Msg("a container starts before the names it may call")
	}
}

// progress is a count that others wait for. The zero value is at 0.
type progress struct {
	mu   sync.Mutex
	at   uint64        // guarded by mu
	news chan struct{} // closed at the next step, nil while nobody waits; guarded by mu
}

// reach sets the count, which does not fall.
func (p *progress) reach(n uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = max(p.at, n)
	if p.news != nil {
		close(p.news)
		p.news = nil
	}
}

// end lets nobody wait any more.
func (p *progress) end() { p.reach(math.MaxUint64) }

// wait returns when the count is n or more, or ctx is done.
func (p *progress) wait(ctx context.Context, n uint64) error {
	for {
		p.mu.Lock()
		if p.at >= n {
			p.mu.Unlock()
			return nil
		}
		if p.news == nil {
			p.news = make(chan struct{})
		}
		news := p.news
		p.mu.Unlock()
		select {
		case <-news:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
