package cli

import (
	"context"
	"sync"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

// watchSize looks four times a second whether the size of the window has
// changed, until ctx is done: Windows sends no signal. wait returns when it
// has stopped.
func watchSize(ctx context.Context, size func() (container.Size, bool)) (sizes <-chan container.Size, wait func()) {
	out := make(chan container.Size)
	var running sync.WaitGroup
	running.Go(func() {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		last, _ := size()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if s, ok := size(); ok && s != last {
				last = s
				sendSize(ctx, out, s)
			}
		}
	})
	return out, running.Wait
}
