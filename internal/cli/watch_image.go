package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/container"
)

// lay builds the one-layer image of a sync, unless the engine has it. Its name
// stands for its content.
func (im *images) lay(ctx context.Context, dir, dockerfile, name string) error {
	_, err := im.engine.Pull(ctx, container.PullSpec{Image: name, Policy: container.PullNever}, nil)
	if container.CodeOf(err) != container.CodeNotFound {
		return err
	}
	_, err = im.engine.Build(ctx, container.BuildSpec{
		Context: dir, Dockerfile: dockerfile, Tag: name, Progress: io.Discard,
		Labels: map[string]string{container.LabelEnv: im.environment, container.LabelSchema: container.SchemaVersion},
	})
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}

func targetOf(app, revision string) emulator.ExecTarget {
	return emulator.ExecTarget{App: app, Revision: revision}
}
