package client

import (
	"context"
	"net/http"

	"github.com/acalocal/acalocal/emulator/aca"
)

// ManagedEnvironment is the environment as a resource.
func (c *Client) ManagedEnvironment(ctx context.Context) (out aca.ManagedEnvironment, err error) {
	group := aca.LocalGroup()
	err = c.call(ctx, http.MethodGet, group.Environment(c.environment.Name), nil, &out)
	out.ResourceGroup = group.Name
	return out, err
}
