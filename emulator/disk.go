package emulator

import (
	"context"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/core"
)

// diskInterval is how often the engine is asked what containers have written,
// at most, before TimeScale.
const diskInterval = time.Minute

// diskShare bounds what the asking costs: after a round comes a pause of so many
// times as long. A round takes milliseconds where the engine walks only what a
// container has written (overlay2), and seconds where it compares that with the
// image (fuse-overlayfs).
const diskShare = 50

// reportDisk tells the core again and again what running containers have
// written, one after the other.
func (e *Engine) reportDisk(ctx context.Context) {
	interval := time.Duration(float64(diskInterval) / e.o.TimeScale)
	for wait := interval; ctx.Err() == nil; {
		pause(ctx, wait)
		began := time.Now()
		written := e.written(ctx)
		if ctx.Err() == nil && len(written) > 0 {
			e.post(core.DiskRead{Written: written})
		}
		wait = max(interval, diskShare*time.Since(began))
	}
}

// written reads what the containers of all replicas have written. What cannot
// be read is left out: the next round asks again.
func (e *Engine) written(ctx context.Context) map[container.ID]int64 {
	out := map[container.ID]int64{}
	for _, c := range e.running("", "") {
		if c.Container == "" || ctx.Err() != nil {
			continue
		}
		n, err := e.o.Runtime.Written(ctx, c.ID)
		if err != nil {
			if container.CodeOf(err) != container.CodeNotFound && ctx.Err() == nil {
				e.o.Log.Debug().Err(err).Str("container", c.Container).Msg("what a container has written cannot be read")
			}
			continue
		}
		out[c.ID] = n
	}
	return out
}
