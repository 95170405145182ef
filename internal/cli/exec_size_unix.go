//go:build !windows

package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/acalocal/acalocal/internal/container"
)

// watchSize sends the size of the window whenever the kernel says that it has
// changed, until ctx is done. wait returns when it has stopped.
func watchSize(ctx context.Context, size func() (container.Size, bool)) (sizes <-chan container.Size, wait func()) {
	out := make(chan container.Size)
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	var running sync.WaitGroup
	running.Go(func() {
		defer signal.Stop(changed)
		for {
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
			if s, ok := size(); ok {
				sendSize(ctx, out, s)
			}
		}
	})
	return out, running.Wait
}
