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
	path := armApps + "/" + url.PathEscape(app) + "/revisions/" + url.PathEscape(revision) + "/" + action
	return c.call(ctx, http.MethodPost, path, nil, nil)
}

// StartApp starts a stopped app and returns it.
func (c *Client) StartApp(ctx context.Context, app string) (aca.ContainerApp, error) {
	return c.appAction(ctx, app, "start")
}

// StopApp stops an app, whose hosts then answer the 404 page, and returns it.
func (c *Client) StopApp(ctx context.Context, app string) (aca.ContainerApp, error) {
	return c.appAction(ctx, app, "stop")
}

func (c *Client) appAction(ctx context.Context, app, action string) (out aca.ContainerApp, err error) {
	err = c.call(ctx, http.MethodPost, armApps+"/"+url.PathEscape(app)+"/"+action, nil, &out)
	return out, err
}
