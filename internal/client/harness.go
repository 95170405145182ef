package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/explain"
)

// Wait is what to wait for; see the API's wait.
type Wait struct {
	For           string // ready, revision or log
	App, Revision string
	Text, Query   string // of log, one of them
	Timeout       time.Duration
}

// Wait returns when something is so. It fails with the codes RequestTimeout
// and RevisionNotReady.
func (c *Client) Wait(ctx context.Context, w Wait) (api.WaitAnswer, error) {
	q := params("for", w.For, "app", w.App, "revision", w.Revision, "text", w.Text, "query", w.Query)
	if w.Timeout > 0 {
		q.Set("timeout", w.Timeout.String())
	}
	return get[api.WaitAnswer](ctx, c, "wait", q)
}

// Events returns the last events of the platform, at most tail of them, of all
// apps or one, oldest first.
func (c *Client) Events(ctx context.Context, app, revision string, tail int) ([]api.Entry, error) {
	out, err := get[struct{ Value []api.Entry }](ctx, c, "events", params("app", app, "revision", revision, "tail", strconv.Itoa(tail)))
	return out.Value, err
}

// Explain returns the verdict on a revision, "" for the latest.
func (c *Client) Explain(ctx context.Context, app, revision string) (explain.Verdict, error) {
	return get[explain.Verdict](ctx, c, "explain", params("app", app, "revision", revision))
}

// Reset removes all apps, route configs and faults, and returns when they are
// gone.
func (c *Client) Reset(ctx context.Context) (api.ResetAnswer, error) {
	var out api.ResetAnswer
	err := c.call(ctx, http.MethodPost, own("reset", url.Values{}), nil, &out)
	return out, err
}
