package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/build"
	"github.com/moby/moby/api/types/jsonstream"
	"github.com/moby/moby/api/types/registry"
	"github.com/moby/moby/client"
	"github.com/moby/patternmatcher/ignorefile"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/tonistiigi/fsutil"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// buildClassic builds with the builder of engines that lack BuildKit, and
// returns the image's ID.
func (e *Engine) buildClassic(ctx context.Context, s container.BuildSpec) (string, error) {
	if len(s.Secrets) > 0 {
		return "", container.Errorf(container.CodeBuild, "enable BuildKit in the engine",
			"this engine's classic builder cannot give a build its secrets")
	}
	dockerfile, err := filepath.Rel(s.Context, s.Dockerfile)
	if err != nil || !filepath.IsLocal(dockerfile) {
		return "", container.Errorf(container.CodeBuild, "move the Dockerfile into the context, or enable BuildKit in the engine",
			"this engine's classic builder cannot use a Dockerfile outside of the build context")
	}
	dir, err := classicContext(s.Context, dockerfile)
	if err != nil {
		return "", fmt.Errorf("read build context: %w", err)
	}
	archive, send := io.Pipe()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		send.CloseWithError(fsutil.WriteTar(ctx, dir, send))
	}()
	defer func() { archive.Close(); <-sent }()
	r, err := e.client.ImageBuild(ctx, archive, e.classicOptions(s, filepath.ToSlash(dockerfile)))
	if err != nil {
		return "", classicRefusal(err)
	}
	defer r.Body.Close()
	return followClassic(ctx, r.Body, s.Progress)
}

// classicContext is the directory without what .dockerignore names, but with
// the Dockerfile.
func classicContext(dir, dockerfile string) (fsutil.FS, error) {
	all, err := fsutil.NewFS(dir)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(dir, ".dockerignore"))
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	patterns, err := ignorefile.ReadAll(f)
	if err != nil {
		return nil, err
	}
	return fsutil.NewFilterFS(all, &fsutil.FilterOpt{ExcludePatterns: append(patterns, "!"+filepath.ToSlash(dockerfile))})
}

func (e *Engine) classicOptions(s container.BuildSpec, dockerfile string) client.ImageBuildOptions {
	o := client.ImageBuildOptions{
		Version:     build.BuilderV1,
		Tags:        []string{s.Tag},
		Dockerfile:  dockerfile,
		Target:      s.Target,
		Labels:      s.Labels,
		NoCache:     s.NoCache,
		Remove:      true,
		ForceRemove: true,
		BuildArgs:   map[string]*string{},
		AuthConfigs: map[string]registry.AuthConfig{},
	}
	for name, value := range s.Args {
		o.BuildArgs[name] = &value
	}
	for server, stored := range e.config.Auths {
		if a, err := stored.decode(server); err == nil { // Pull would tell; a build may not need it
			o.AuthConfigs[server] = a
		}
	}
	if system, arch, ok := strings.Cut(s.Platform, "/"); ok {
		o.Platforms = []ocispec.Platform{{OS: system, Architecture: arch}}
	}
	return o
}

// classicRefusal is the engine's refusal to begin: something is wrong with the
// Dockerfile.
func classicRefusal(err error) error {
	if errdefs.IsInvalidArgument(err) {
		return container.Errorf(container.CodeBuild, "", "%w", plain(err))
	}
	return err
}

// classicStep is how the classic builder announces a step.
var classicStep = lazyregexp.New(`^Step \d+/\d+ : (.*)`)

// classicNoise is what the classic builder adds to the output of a step: its
// own remarks, and colour around standard error.
var classicNoise = lazyregexp.New(`(?m)^ ---> .*\n|^Removing intermediate container .*\n|\x1b\[[0-9;]*m`)

// followClassic shows the builder's output and returns the ID it ends with.
func followClassic(ctx context.Context, r io.Reader, w io.Writer) (id string, err error) {
	var step string
	var last tail
	messages := json.NewDecoder(r)
	for {
		var m jsonstream.Message
		switch err := messages.Decode(&m); {
		case errors.Is(err, io.EOF):
			return id, nil
		case ctx.Err() != nil:
			return "", ctx.Err()
		case err != nil:
			return "", fmt.Errorf("follow build: %w", err)
		}
		if m.Error != nil {
			return "", classicFailure(step, m.Error.Message, last)
		}
		if match := classicStep.FindStringSubmatch(m.Stream); match != nil {
			step, last = match[1], tail{}
		} else {
			last.write([]byte(classicNoise.ReplaceAllString(m.Stream, "")))
		}
		if _, err := io.WriteString(orDiscard(w), m.Stream); err != nil {
			return "", fmt.Errorf("show progress: %w", err)
		}
		id = auxID(m, id)
	}
}

// auxID returns the image ID in a message, or the one known before.
func auxID(m jsonstream.Message, known string) string {
	if m.Aux == nil {
		return known
	}
	var aux struct{ ID string }
	if err := json.Unmarshal(*m.Aux, &aux); err != nil || aux.ID == "" {
		return known
	}
	return aux.ID
}

func classicFailure(step, message string, last tail) error {
	if code, hint := classifyPull(message); strings.HasPrefix(step, "FROM ") && code != "" {
		return container.Errorf(code, hint, "%s: %s", step, message)
	}
	text := message
	if step != "" {
		text = step + ": " + message
	}
	if len(last.lines) > 0 {
		text += "\n" + last.String()
	}
	return container.Errorf(container.CodeBuild, "", "%s", text)
}
