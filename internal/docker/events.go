package docker

import (
	"context"
	"strings"

	apievents "github.com/moby/moby/api/types/events"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// hintBuffer is how many hints wait for a slow reader; more are lost, which
// costs it nothing: it lists again for the ones it has.
const hintBuffer = 64

// Events implements container.Runtime. An engine that refuses is an error, or a
// channel that is closed at once: the client does not always know in time.
func (e *Engine) Events(ctx context.Context, env string) (<-chan container.Hint, error) {
	filters := envFilter(env).Add("type", string(apievents.ContainerEventType))
	ctx, cancel := context.WithCancel(ctx)
	stream := e.client.Events(ctx, client.EventsListOptions{Filters: filters})
	select {
	case err := <-stream.Err:
		cancel()
		return nil, e.wrap(err, "follow events")
	default:
	}
	hints := make(chan container.Hint, hintBuffer)
	go func() {
		defer close(hints)
		defer cancel()
		e.follow(ctx, stream, hints)
	}()
	return hints, nil
}

// follow turns events into hints until the stream ends.
func (e *Engine) follow(ctx context.Context, stream client.EventsResult, hints chan<- container.Hint) {
	for {
		select {
		case m := <-stream.Messages:
			h, ok := hintOf(m)
			if !ok {
				continue
			}
			select {
			case hints <- h:
			default:
			}
		case err := <-stream.Err:
			if ctx.Err() == nil {
				e.log.Warn().Err(err).Msg("engine ended its events")
			}
			return
		}
	}
}

// hintOf returns the hint in an event, and whether there is one: commands run
// inside a container do not change it.
func hintOf(m apievents.Message) (container.Hint, bool) {
	if strings.HasPrefix(string(m.Action), "exec_") || isHelper(m.Actor.Attributes) {
		return container.Hint{}, false
	}
	_, key, err := container.DecodeLabels(m.Actor.Attributes)
	if err != nil {
		return container.Hint{}, false
	}
	return container.Hint{Key: key, OOM: m.Action == apievents.ActionOOM}, true
}
