package client

import (
	"context"
	"io"
	"iter"
	"net/http"
	"strconv"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/api"
)

// LogsOptions choose what Logs returns.
type LogsOptions struct {
	Target emulator.ExecTarget // for system logs, App alone or App and Revision
	System bool                // the platform's events instead of console lines
	Text   bool                // az's text format instead of its JSON lines
	Follow bool
	Tail   int // 0 to 300
}

// Logs returns a log as az prints it, to be copied to the user. The caller
// closes it; with Follow it ends when the daemon does, with ErrDied if that was
// not in order.
func (c *Client) Logs(ctx context.Context, o LogsOptions) (io.ReadCloser, error) {
	name := "logs/console"
	if o.System {
		name = "logs/system"
	}
	q := params("app", o.Target.App, "revision", o.Target.Revision, "replica", o.Target.Replica, "container", o.Target.Container)
	q.Set("tailLines", strconv.Itoa(o.Tail))
	q.Set("follow", strconv.FormatBool(o.Follow))
	if o.Text {
		q.Set("output", "text")
	}
	return c.open(ctx, http.MethodGet, own(name, q), nil)
}

// Stream yields what all apps print and what the platform says, from now on,
// until ctx is done or the daemon ends. opened is called when nothing that
// happens from then on will be missed.
func (c *Client) Stream(ctx context.Context, opened func()) iter.Seq2[api.Entry, error] {
	return untilDeath(stream[api.Entry](ctx, c, "stream", nil, opened))
}
