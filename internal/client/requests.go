package client

import (
	"context"
	"iter"
	"net/http"
	"strconv"

	"github.com/acalocal/acalocal/internal/api"
)

// RequestsOptions say which requests to show.
type RequestsOptions struct {
	App    string // "" = all
	Tail   int    // of those served already
	Follow bool   // also those to come
}

// Requests yields requests as the edge served them, oldest first. With Follow
// the sequence ends when the daemon does, with ErrDied if that was not in order.
func (c *Client) Requests(ctx context.Context, o RequestsOptions) iter.Seq2[api.Request, error] {
	q := params("app", o.App, "tail", strconv.Itoa(o.Tail), "follow", strconv.FormatBool(o.Follow))
	return stream[api.Request](ctx, c, "requests", q, func() {})
}

// Replay sends a captured request again and returns the answers.
func (c *Client) Replay(ctx context.Context, b api.ReplayBody) (out api.ReplayAnswer, err error) {
	err = c.call(ctx, http.MethodPost, own("requests/replay", nil), b, &out)
	return out, err
}
