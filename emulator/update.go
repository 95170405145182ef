package emulator

import (
	"context"
	"slices"
)

// Update is Apply for a definition that was read from a Snapshot and changed.
// What a Snapshot does not carry stays as it is: the values of secrets, the
// app's port unless the request names one, which images are local, the
// directories of this machine, the resiliency policy, and what the environment
// says about telemetry.
func (e *Engine) Update(ctx context.Context, req ApplyRequest) (Applied, error) {
	app := *req.App.Clone()
	err := e.do(ctx, func(context.Context) error {
		kept, ok := e.state.Kept(app.Name)
		if !ok {
			return notFound("containerApps", app.Name)
		}
		kept.Fill(&app)
		req.SecretValues = kept.Secrets
		if req.HostPort == 0 {
			req.HostPort = kept.HostPort
		}
		req.LocalImages = append(slices.Clone(req.LocalImages), kept.Local...)
		req.Directories = directoriesOf(kept.Directories)
		req.Resiliency, req.Telemetry = kept.Resiliency, kept.Telemetry
		return nil
	})
	if err != nil {
		return Applied{}, err
	}
	req.App, req.edit = app, true
	return e.Apply(ctx, req)
}
