package client

import (
	"context"

	"github.com/acalocal/acalocal/internal/api"
)

// Access asks how to reach the API by TCP. Each answer has a new code.
func (c *Client) Access(ctx context.Context) (api.AccessAnswer, error) {
	return get[api.AccessAnswer](ctx, c, "access", nil)
}
