package docker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"

	bk "github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/moby/client"
	"github.com/tonistiigi/fsutil"

	"github.com/acalocal/acalocal/internal/container"
)

// errNoBuildKit says that the engine does not carry BuildKit.
var errNoBuildKit = errors.New("engine has no BuildKit")

// buildKit builds with the engine's own BuildKit, whose cache the engine keeps,
// and returns the image's ID.
func (e *Engine) buildKit(ctx context.Context, s container.BuildSpec) (string, error) {
	response, err := e.solve(ctx, s, bk.ExportEntry{Type: "moby", Attrs: map[string]string{"name": s.Tag}})
	if err != nil {
		return "", err
	}
	// The exporter's own name for the image: a tag may have moved on already.
	for _, key := range []string{"containerimage.digest", "containerimage.config.digest"} {
		if id := response.ExporterResponse[key]; id != "" {
			return id, nil
		}
	}
	return s.Tag, nil
}

// solve builds and hands the result to an exporter.
func (e *Engine) solve(ctx context.Context, s container.BuildSpec, to bk.ExportEntry) (*bk.SolveResponse, error) {
	if err := e.hasBuildKit(ctx); err != nil {
		return nil, err
	}
	c, err := bk.New(ctx, "", bk.WithContextDialer(e.dialBuildKit), bk.WithSessionDialer(e.dialSession))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	opt, err := e.solveOptions(s, to)
	if err != nil {
		return nil, err
	}
	progress := newBuildProgress(s.Progress, s.Terminal)
	response, err := c.Solve(ctx, nil, opt, progress.statuses)
	progress.wait()
	if err != nil {
		return nil, progress.explain(ctx, err)
	}
	return response, nil
}

// hasBuildKit asks for BuildKit's door, which an engine opens or has not.
func (e *Engine) hasBuildKit(ctx context.Context) error {
	conn, err := e.dialBuildKit(ctx, "")
	if err == nil {
		return conn.Close()
	}
	if client.IsErrConnectionFailed(err) || ctx.Err() != nil {
		return err
	}
	return fmt.Errorf("%w: %w", errNoBuildKit, err)
}

// The engine's doors to BuildKit are not versioned.
const apiRoot = "http://" + client.DummyHost

func (e *Engine) dialBuildKit(ctx context.Context, _ string) (net.Conn, error) {
	return e.client.DialHijack(ctx, apiRoot+"/grpc", "h2c", nil)
}

func (e *Engine) dialSession(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
	return e.client.DialHijack(ctx, apiRoot+"/session", proto, meta)
}

// solveOptions describes the build to the Dockerfile frontend, which reads
// .dockerignore and asks for the rest of the context only.
func (e *Engine) solveOptions(s container.BuildSpec, to bk.ExportEntry) (bk.SolveOpt, error) {
	dir, err := fsutil.NewFS(s.Context)
	if err != nil {
		return bk.SolveOpt{}, fmt.Errorf("read build context: %w", err)
	}
	dockerfile, err := fsutil.NewFS(filepath.Dir(s.Dockerfile))
	if err != nil {
		return bk.SolveOpt{}, fmt.Errorf("read Dockerfile: %w", err)
	}
	attachables, err := e.attachables(s)
	if err != nil {
		return bk.SolveOpt{}, err
	}
	return bk.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: frontendAttrs(s),
		LocalMounts:   map[string]fsutil.FS{"context": dir, "dockerfile": dockerfile},
		SharedKey:     s.Context, // lets the engine find what it has of this context
		Exports:       []bk.ExportEntry{to},
		Session:       attachables,
	}, nil
}

// frontendAttrs are the options as the Dockerfile frontend names them.
func frontendAttrs(s container.BuildSpec) map[string]string {
	attrs := map[string]string{
		"filename": filepath.Base(s.Dockerfile),
		// What the engine has is good enough: a build must work offline.
		"image-resolve-mode": "local",
	}
	if s.Target != "" {
		attrs["target"] = s.Target
	}
	if s.Platform != "" {
		attrs["platform"] = s.Platform
	}
	if s.NoCache {
		attrs["no-cache"] = ""
	}
	for name, value := range s.Args {
		attrs["build-arg:"+name] = value
	}
	for name, value := range s.Labels {
		attrs["label:"+name] = value
	}
	return attrs
}

// attachables answer what a build asks of us: credentials and secrets.
func (e *Engine) attachables(s container.BuildSpec) ([]session.Attachable, error) {
	all := []session.Attachable{&buildAuth{engine: e}}
	if len(s.Secrets) == 0 {
		return all, nil
	}
	var sources []secretsprovider.Source
	for id, file := range s.Secrets {
		sources = append(sources, secretsprovider.Source{ID: id, FilePath: file})
	}
	store, err := secretsprovider.NewStore(sources)
	if err != nil {
		return nil, fmt.Errorf("read build secrets: %w", err)
	}
	return append(all, secretsprovider.NewSecretProvider(store)), nil
}
