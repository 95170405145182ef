package client

import (
	"context"
	"net/http"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/fault"
)

// Faults returns the faults of the environment, oldest first.
func (c *Client) Faults(ctx context.Context) ([]fault.State, error) {
	out, err := get[struct{ Value []fault.State }](ctx, c, "faults", nil)
	return out.Value, err
}

// AddFault begins a fault and returns it with its name.
func (c *Client) AddFault(ctx context.Context, f fault.Fault) (fault.State, error) {
	var out fault.State
	err := c.call(ctx, http.MethodPost, own("faults/add", nil), f, &out)
	return out, err
}

// RemoveFaults ends the fault of that name, or all without one, and returns how
// many there were.
func (c *Client) RemoveFaults(ctx context.Context, name string) (int, error) {
	var out api.FaultsRemoved
	err := c.call(ctx, http.MethodPost, own("faults/remove", params("name", name)), nil, &out)
	return out.Removed, err
}
