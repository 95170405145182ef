package docker

import (
	"context"
	"fmt"
	"strconv"

	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
	"github.com/moby/sys/signal"

	"github.com/acalocal/acalocal/internal/container"
)

// signal sends the container's stop signal to all of its processes. A capture
// of ACA shows every process signalled, the first one last
// (github.com/yeongseon/azure-container-apps-practical-guide
// labs/revision-provisioning-failure), so a shell in front of an app does not
// keep the signal from it. An engine signals the first process alone.
func (e *Engine) signal(ctx context.Context, id container.ID) error {
	r, err := e.client.ContainerInspect(ctx, string(id), client.ContainerInspectOptions{})
	if err != nil {
		return err
	}
	name := "SIGTERM"
	if c := r.Container.Config; c != nil && c.StopSignal != "" {
		name = c.StopSignal
	}
	if !e.options.StopFirstOnly && e.hasChildren(ctx, id) {
		if err := e.signalOthers(ctx, r.Container, name); err != nil && ctx.Err() == nil {
			// The first process usually passes the signal on.
			e.log.Warn().Err(err).Str("container", short(id)).Msg("only the first process is signalled")
		}
	}
	_, err = e.client.ContainerKill(ctx, string(id), client.ContainerKillOptions{Signal: name})
	return err
}

// hasChildren says whether a container runs more than its first process.
func (e *Engine) hasChildren(ctx context.Context, id container.ID) bool {
	top, err := e.client.ContainerTop(ctx, string(id), client.ContainerTopOptions{})
	if err != nil { // it has ended, or this engine cannot tell
		return false
	}
	return len(top.Processes) > 1
}

// signalOthers signals all processes but the first, from inside: a container
// of ours joins their namespace for a moment, which every engine can do.
func (e *Engine) signalOthers(ctx context.Context, c apicontainer.InspectResponse, name string) error {
	number, err := signal.ParseSignal(name)
	if err != nil {
		return err
	}
	helper, err := e.createOurs(ctx, client.ContainerCreateOptions{
		Config: &apicontainer.Config{
			Cmd:    []string{"signal", strconv.Itoa(int(number))},
			Labels: helperLabels(c.Config.Labels[container.LabelEnv]),
		},
		HostConfig: &apicontainer.HostConfig{
			PidMode:     apicontainer.PidMode("container:" + c.ID),
			NetworkMode: "none",
			LogConfig:   apicontainer.LogConfig{Type: "none"},
			CapDrop:     []string{"ALL"},
			CapAdd:      []string{"KILL"},
			SecurityOpt: []string{"no-new-privileges"},
		},
	})
	if err != nil {
		return err
	}
	id := container.ID(helper.ID)
	defer e.removeHelper(ctx, id)
	ended := e.waitNext(ctx, id)
	if err := e.Start(ctx, id); err != nil {
		return err
	}
	return <-ended
}

// waitNext reports how the next run of a container ends; it is asked before
// the start, so that none is missed.
func (e *Engine) waitNext(ctx context.Context, id container.ID) <-chan error {
	wait := e.client.ContainerWait(ctx, string(id), client.ContainerWaitOptions{Condition: apicontainer.WaitConditionNextExit})
	ended := make(chan error, 1)
	go func() {
		select {
		case r := <-wait.Result:
			if r.StatusCode != 0 {
				ended <- fmt.Errorf("helper ended with code %d", r.StatusCode)
				return
			}
			ended <- nil
		case err := <-wait.Error:
			ended <- err
		}
	}()
	return ended
}
