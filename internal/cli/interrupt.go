package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// interrupts counts the times the user pressed Ctrl-C, closed the terminal, or
// the program was told to end: the first asks for a graceful end, the second
// for an immediate one.
type interrupts struct {
	first, second context.Context
	// stop ends the counting: the next Ctrl-C kills the program. It may be
	// called several times.
	stop func()
}

// watchInterrupts begins to count. The caller calls stop.
func watchInterrupts(ctx context.Context) *interrupts {
	received := make(chan os.Signal, 2)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	i := countInterrupts(ctx, received)
	stop := i.stop
	i.stop = sync.OnceFunc(func() {
		signal.Stop(received)
		stop()
	})
	return i
}

// countInterrupts cancels first and second as signals arrive.
func countInterrupts(ctx context.Context, received <-chan os.Signal) *interrupts {
	first, cancelFirst := context.WithCancel(ctx)
	second, cancelSecond := context.WithCancel(ctx)
	stopped, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for _, cancel := range []func(){cancelFirst, cancelSecond} {
			select {
			case <-received:
				cancel()
			case <-stopped:
				return
			}
		}
	}()
	return &interrupts{first, second, func() {
		close(stopped)
		<-done
		cancelFirst()
		cancelSecond()
	}}
}
