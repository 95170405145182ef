package docker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// Start implements container.Runtime. A command that cannot be run is
// CodeCreate, in the words of the engine's runtime.
func (e *Engine) Start(ctx context.Context, id container.ID) error {
	_, err := e.client.ContainerStart(ctx, string(id), client.ContainerStartOptions{})
	if err != nil {
		e.resting.forget(id) // its status has the error from now on
		return e.wrap(err, "start container %s", short(id))
	}
	return nil
}

// Stop implements container.Runtime. It sends the image's STOPSIGNAL, as ACA
// does: github.com/yeongseon/azure-container-apps-practical-guide
// labs/revision-provisioning-failure shows nginx receive SIGQUIT.
func (e *Engine) Stop(ctx context.Context, id container.ID, grace time.Duration) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := e.waitEnd(ctx, id)
	err := e.stop(ctx, id, grace, ended)
	if err == nil || isGone(err) {
		return nil
	}
	return e.wrap(err, "stop container %s", short(id))
}

// stop signals, waits and kills. ended yields the end of the container.
func (e *Engine) stop(ctx context.Context, id container.ID, grace time.Duration, ended <-chan error) error {
	if grace > 0 {
		if err := e.signal(ctx, id); err != nil {
			return err
		}
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case err := <-ended:
			return err
		case <-timer.C:
		}
	}
	if _, err := e.client.ContainerKill(ctx, string(id), client.ContainerKillOptions{Signal: "KILL"}); err != nil {
		return err
	}
	return <-ended
}

// waitEnd reports once when the container has ended, ctx is done, or waiting
// has failed.
func (e *Engine) waitEnd(ctx context.Context, id container.ID) <-chan error {
	wait := e.client.ContainerWait(ctx, string(id), client.ContainerWaitOptions{Condition: apicontainer.WaitConditionNotRunning})
	ended := make(chan error, 1)
	go func() {
		select {
		case <-wait.Result:
			ended <- nil
		case err := <-wait.Error:
			ended <- err
		}
	}()
	return ended
}

// isGone says that there is nothing left to stop: no container, or one that
// does not run, which the engine calls a conflict.
func isGone(err error) bool { return errdefs.IsNotFound(err) || errdefs.IsConflict(err) }

// Remove implements container.Runtime. The volumes that were made for the
// container go with it.
func (e *Engine) Remove(ctx context.Context, id container.ID) error {
	e.agents.drop(id)
	r, err := e.client.ContainerInspect(ctx, string(id), client.ContainerInspectOptions{})
	if errdefs.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return e.wrap(err, "remove container %s", short(id))
	}
	if err := e.removeContainer(ctx, id); err != nil {
		return err
	}
	return e.removeVolumesOf(ctx, strings.TrimPrefix(r.Container.Name, "/"), r.Container.Config.Labels)
}

func (e *Engine) removeContainer(ctx context.Context, id container.ID) error {
	_, err := e.client.ContainerRemove(ctx, string(id), client.ContainerRemoveOptions{Force: true, RemoveVolumes: true})
	switch {
	case err == nil || errdefs.IsNotFound(err):
		return nil
	case errdefs.IsConflict(err): // being removed already
		return e.awaitRemoval(ctx, id)
	}
	return e.wrap(err, "remove container %s", short(id))
}

func (e *Engine) awaitRemoval(ctx context.Context, id container.ID) error {
	wait := e.client.ContainerWait(ctx, string(id), client.ContainerWaitOptions{Condition: apicontainer.WaitConditionRemoved})
	select {
	case r := <-wait.Result:
		if r.Error != nil {
			return fmt.Errorf("remove container %s: %s", short(id), r.Error.Message)
		}
		return nil
	case err := <-wait.Error:
		if errdefs.IsNotFound(err) {
			return nil
		}
		return e.wrap(err, "remove container %s", short(id))
	}
}

// short is how people see an ID.
func short(id container.ID) string {
	return string(id[:min(len(id), 12)])
}
