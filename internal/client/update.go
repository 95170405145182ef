package client

import (
	"context"
	"net/http"
	"net/url"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
)

// Update makes an app what a definition says that was read from a Snapshot and
// changed; the values of its secrets stay. It returns before the revision is
// ready.
func (c *Client) Update(ctx context.Context, req emulator.ApplyRequest) (emulator.Applied, error) {
	var out emulator.Applied
	err := c.call(ctx, http.MethodPost, own("update", nil), req, &out)
	return out, err
}

// ActivateRevision starts a revision with its stored template.
func (c *Client) ActivateRevision(ctx context.Context, app, revision string) error {
	return c.revisionAction(ctx, app, revision, "activate")
}

// DeactivateRevision stops the replicas of a revision.
func (c *Client) DeactivateRevision(ctx context.Context, app, revision string) error {
	return c.revisionAction(ctx, app, revision, "deactivate")
}

// RestartRevision replaces the replicas of the named revision.
func (c *Client) RestartRevision(ctx context.Context, app, revision string) error {
	return c.revisionAction(ctx, app, revision, "restart")
}

func (c *Client) revisionAction(ctx context.Context, app, revision, action string) error {
	path := aca.LocalGroup().Revision(url.PathEscape(app), url.PathEscape(revision)) + "/" + action
	return c.call(ctx, http.MethodPost, path, nil, nil)
}

// StartApp starts a stopped app.
func (c *Client) StartApp(ctx context.Context, app string) error {
	return c.call(ctx, http.MethodPost, armApp(app)+"/start", nil, nil)
}

// StopApp stops an app, whose hosts then answer the 404 page.
func (c *Client) StopApp(ctx context.Context, app string) error {
	return c.call(ctx, http.MethodPost, armApp(app)+"/stop", nil, nil)
}
