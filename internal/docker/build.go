package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"

	"github.com/acalocal/acalocal/internal/container"
)

var _ container.Builder = (*Engine)(nil)

// Build implements container.Builder, with BuildKit where the engine has it and
// with the classic builder elsewhere. A build that fails is CodeBuild: the
// error names the step and ends with its last lines.
func (e *Engine) Build(ctx context.Context, s container.BuildSpec) (container.Image, error) {
	s, err := e.complete(s)
	if err != nil {
		return container.Image{}, err
	}
	id, err := e.buildFast(ctx, s)
	if errors.Is(err, errNoBuildKit) {
		e.log.Info().Err(err).Msg("no BuildKit in this engine, using its classic builder")
		id, err = e.buildClassic(ctx, s)
	}
	if err != nil {
		return container.Image{}, e.wrap(err, "build %s", s.Tag)
	}
	return e.image(ctx, id)
}

// complete fills in defaults and makes the Dockerfile's path absolute, after a
// look at what is there.
func (e *Engine) complete(s container.BuildSpec) (container.BuildSpec, error) {
	if info, err := os.Stat(s.Context); err != nil || !info.IsDir() {
		return s, container.Errorf(container.CodeBuild, "the build context is the directory that is sent to the engine",
			"build %s: %s is not a directory", s.Tag, s.Context)
	}
	if s.Dockerfile == "" {
		s.Dockerfile = "Dockerfile"
	}
	if !filepath.IsAbs(s.Dockerfile) {
		s.Dockerfile = filepath.Join(s.Context, s.Dockerfile)
	}
	_, err := os.Stat(s.Dockerfile)
	if errors.Is(err, fs.ErrNotExist) {
		return s, container.Errorf(container.CodeBuild, "write one, or name the right file",
			"build %s: there is no Dockerfile at %s", s.Tag, s.Dockerfile)
	}
	if err != nil {
		return s, fmt.Errorf("build %s: %w", s.Tag, err)
	}
	for id, file := range s.Secrets {
		if _, err := os.Stat(file); err != nil {
			return s, container.Errorf(container.CodeBuild, "", "build %s: secret %s: %w", s.Tag, id, err)
		}
	}
	args := e.config.proxyArgs(e.host)
	maps.Copy(args, s.Args)
	s.Args = args
	return s, nil
}
