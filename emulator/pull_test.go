package emulator

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// cut is an engine whose pulls end with what stands for both: the registry
// cannot be reached, or the engine. With lost, nothing can be listed either.
type cut struct {
	container.Runtime
	lost func() bool
}

var errCut = container.Errorf(container.CodeUnreachable, "", "lookup registry.example: no such host")

func (c cut) Pull(context.Context, container.PullSpec, func(container.PullProgress)) (container.Image, error) {
	return container.Image{}, errCut
}

func (c cut) List(ctx context.Context, env string) ([]container.Status, error) {
	if c.lost() {
		return nil, errCut
	}
	return c.Runtime.List(ctx, env)
}

func TestRegistryOutOfReachIsAFailedPull(t *testing.T) {
	inBubble(t, func(w *world) {
		w.stop()
		var lost atomic.Bool
		w.through = func(rt container.Runtime) container.Runtime { return cut{rt, lost.Load} }
		w.boot()
		time.Sleep(time.Second) // it has been listed
		one := 1
		app := w.app("web:1")
		app.Properties.Template.Scale = &aca.Scale{MinReplicas: &one}
		lost.Store(true)
		if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: app}); err != nil {
			w.Fatal(err)
		}
		time.Sleep(time.Minute)
		if rows := w.reasons("ContainerTerminated"); len(rows) > 0 {
			w.Errorf("while the engine was lost: %q", rows)
		}
		lost.Store(false)
		s := w.waitFor("the revision has failed", func(s *Snapshot) bool {
			return s.App("web").Revisions[0].Properties.RunningState == "Failed"
		})
		if got := s.App("web").Revisions[0].Properties.RunningStateDetails; got != "1/1 Pending:ImagePullBackOff on legion" {
			w.Errorf("the details are %q", got)
		}
		if len(w.reasons("ContainerTerminated")) == 0 {
			w.Error("no row tells of the failed pull")
		}
	})
}
