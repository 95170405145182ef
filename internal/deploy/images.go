// Package deploy turns apps as files define them into what an emulator takes:
// their images made present, their directories made, their secrets filled in.
package deploy

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/reload"
)

// Engine is what images are made in.
type Engine interface {
	container.Builder
	Pull(ctx context.Context, s container.PullSpec, progress func(container.PullProgress)) (container.Image, error)
}

// Images makes the images of a definition present: it builds those that are
// built here and pulls those that are missing. It is not for concurrent use.
type Images struct {
	// Engine holds the images.
	Engine Engine
	// Environment is whose images they are: they go when it is removed.
	Environment string
	Progress    io.Writer // for people
	Terminal    bool      // Progress is a terminal
}

// Prepare makes the images of one app present, puts the names of built ones
// into its template and returns them.
func (im *Images) Prepare(ctx context.Context, app *config.App) (built []string, err error) {
	t := &app.Properties.Template
	for _, list := range [][]aca.Container{t.InitContainers, t.Containers} {
		for i := range list {
			c := &list[i]
			b, build := app.Builds[c.Name]
			if !build {
				if err := im.Pull(ctx, app, c.Image); err != nil {
					return nil, unbuilt(app, c, err)
				}
				continue
			}
			if c.Image, err = im.Build(ctx, app.Name, c, b); err != nil {
				return nil, err
			}
			built = append(built, c.Image)
		}
	}
	return built, nil
}

// Pull fetches an image unless the engine has it.
func (im *Images) Pull(ctx context.Context, app *config.App, image string) error {
	spec := container.PullSpec{Image: image, Policy: container.PullNever}
	_, err := im.Engine.Pull(ctx, spec, nil)
	if container.CodeOf(err) != container.CodeNotFound {
		return err
	}
	spec.Policy, spec.Credentials = container.PullMissing, credentialsFor(app, image)
	fmt.Fprintf(im.Progress, "pulling %s\n", image)
	begin := time.Now()
	bar := &pullBar{out: im.Progress, on: im.Terminal, image: image}
	_, err = im.Engine.Pull(ctx, spec, bar.show)
	bar.clear()
	if err != nil {
		return err
	}
	fmt.Fprintf(im.Progress, "pulled %s in %s\n", image, seconds(time.Since(begin)))
	return nil
}

// credentialsFor returns what the app's own registries say about an image, or
// nil, which means the user's credentials.
func credentialsFor(app *config.App, image string) *container.Credentials {
	server, _, ok := strings.Cut(image, "/")
	if !ok {
		return nil
	}
	for _, r := range app.Properties.Configuration.Registries {
		if !strings.EqualFold(r.Server, server) || r.Username == "" {
			continue
		}
		password, ok := app.SecretValue(r.PasswordSecretRef)
		if !ok {
			continue
		}
		return &container.Credentials{Server: r.Server, Username: r.Username, Password: password.Reveal()}
	}
	return nil
}

// Build builds the image of a container and returns the name it goes by: that
// of the definition with a tag made of the image's digest. So each content has
// its own name, and another content makes another revision, as a new tag would
// on Azure. The name is only known after the build.
func (im *Images) Build(ctx context.Context, app string, c *aca.Container, b config.Build) (string, error) {
	secrets, remove, err := secretFiles(b.Secrets)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", c.Name, err)
	}
	defer remove()
	dockerfile, err := filepath.Rel(b.Context, b.Dockerfile)
	if err != nil {
		return "", fmt.Errorf("build %s: %w", c.Name, err)
	}
	spec := container.BuildSpec{
		Context: b.Context, Dockerfile: dockerfile, Target: b.Target, Args: b.Args, Secrets: secrets,
		Tag:      fmt.Sprintf("acalocal/%s-%s:build", app, c.Name),
		Labels:   container.ImageLabels(im.Environment),
		Progress: im.Progress, Terminal: im.Terminal,
	}
	fmt.Fprintf(im.Progress, "building %s from %s\n", c.Image, b.Dockerfile)
	begin := time.Now()
	image, err := im.Engine.Build(ctx, spec)
	if err != nil {
		return "", fmt.Errorf("app %s: %w", app, err)
	}
	name := contentName(c.Image, image.ID)
	if err := im.Engine.Tag(ctx, image.ID, name); err != nil {
		return "", fmt.Errorf("app %s: %w", app, err)
	}
	fmt.Fprintf(im.Progress, "built %s in %s\n", name, seconds(time.Since(begin)))
	return name, nil
}

// Lay makes the one-layer image of a sync, unless the engine has it, and returns
// its name, which stands for its content. Where the engine cannot lay files over
// an image by itself, it builds.
func (im *Images) Lay(ctx context.Context, l reload.Layer) (name string, err error) {
	if name, err = l.Name(); err != nil {
		return "", err
	}
	_, err = im.Engine.Pull(ctx, container.PullSpec{Image: name, Policy: container.PullNever}, nil)
	if container.CodeOf(err) != container.CodeNotFound {
		return name, err
	}
	if files, err := l.Files(); err == nil {
		_, err = im.Engine.Lay(ctx, container.LayerSpec{Env: im.Environment, Base: l.Base, Name: name, Files: files})
		if container.CodeOf(err) != container.CodeUnsupported {
			return name, err
		}
	}
	return name, im.buildLayer(ctx, l, name)
}

func (im *Images) buildLayer(ctx context.Context, l reload.Layer, name string) error {
	dir, err := os.MkdirTemp("", "acalocal-sync-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file, err := l.Write(dir)
	if err != nil {
		return err
	}
	_, err = im.Engine.Build(ctx, container.BuildSpec{
		Context: l.Context, Dockerfile: file, Tag: name, Progress: io.Discard,
		Labels: container.ImageLabels(im.Environment),
	})
	if err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	return nil
}

// contentName is the name of an image of this content: "reg/web:v1" and a
// digest give "reg/web:v1-3f2a9c1d0b7e".
func contentName(image, id string) string {
	image, _, _ = strings.Cut(image, "@")
	slash := strings.LastIndexByte(image, '/')
	if !strings.Contains(image[slash+1:], ":") {
		image += ":latest"
	}
	digest := id[strings.IndexByte(id, ':')+1:]
	return image + "-" + digest[:min(12, len(digest))]
}

// secretFiles gives each secret of a build a file: its own, or a temporary one
// that only this user can read. remove deletes the temporary ones.
func secretFiles(secrets []config.BuildSecret) (files map[string]string, remove func(), err error) {
	dir := ""
	remove = func() {
		if dir != "" {
			_ = os.RemoveAll(dir) // what is left in the temporary directory is readable by its owner only
		}
	}
	files = map[string]string{}
	for _, s := range secrets {
		if s.File != "" {
			files[s.ID] = s.File
			continue
		}
		value, ok := os.LookupEnv(s.Env)
		if !ok {
			remove()
			return nil, nil, &hinted{fmt.Errorf("secret %s: the variable %s is not set", s.ID, s.Env), "export it, or change the secret in acalocal.yaml"}
		}
		if dir == "" {
			if dir, err = os.MkdirTemp("", "acalocal-secrets-"); err != nil {
				return nil, nil, err
			}
		}
		path := filepath.Join(dir, fmt.Sprint(len(files)))
		if err := os.WriteFile(path, []byte(value), 0o600); err != nil {
			remove()
			return nil, nil, err
		}
		files[s.ID] = path
	}
	return files, remove, nil
}

// pullBar shows how far a pull is, on a terminal, in one line.
type pullBar struct {
	out   io.Writer
	on    bool
	image string
	drawn bool
	last  time.Time
}

func (b *pullBar) show(p container.PullProgress) {
	if !b.on || time.Since(b.last) < 100*time.Millisecond {
		return
	}
	b.drawn, b.last = true, time.Now()
	fmt.Fprintf(b.out, "\r\x1b[K%s  %s of %s", b.image, megabytes(p.Done), megabytes(p.Total))
}

func (b *pullBar) clear() {
	if b.drawn {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

// hinted is an error that knows what the user can do about it.
type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

// Hint is what to do about it.
func (h *hinted) Hint() string { return h.hint }
