package docker

import (
	"context"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/version"
)

// roleHelper marks containers that are no part of a replica: they work for
// this package and are listed to nobody.
const roleHelper = "helper"

func isHelper(labels map[string]string) bool {
	return labels[container.LabelRole] == roleHelper
}

// helperLabels let a helper go with the environment, should we die before it.
func helperLabels(env string) map[string]string {
	return map[string]string{
		container.LabelSchema:  container.SchemaVersion,
		container.LabelVersion: version.Version,
		container.LabelEnv:     env,
		container.LabelRole:    roleHelper,
	}
}

// removeWithin bounds the removal of a helper, which must happen even when the
// context of the work is done.
const removeWithin = 10 * time.Second

// removeHelper removes a helper after its work. What cannot be removed goes
// with the environment.
func (e *Engine) removeHelper(ctx context.Context, id container.ID) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWithin)
	defer cancel()
	if err := e.Remove(ctx, id); err != nil {
		e.log.Warn().Err(err).Str("container", short(id)).Msg("helper stays behind")
	}
}
