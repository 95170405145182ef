package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/acalocal/acalocal/internal/agent"
	"github.com/acalocal/acalocal/internal/container"
)

// holderRepository is the name of our own image; the tag is the digest of the
// agent in it.
const holderRepository = "acalocal/holder"

// agentPath is where the agent lies in the image, which holds nothing else.
const agentPath = "/agent"

// The labels of the holder image. It belongs to all environments of an engine.
const labelRoleHolder = container.LabelRole + "=" + string(container.RoleHolder)

// goarch maps the engine's words for its processor to Go's.
var goarch = map[string]string{"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}

// ensureHolderImage makes the holder image of this version, if the engine does
// not have it, and returns its name.
func (e *Engine) ensureHolderImage(ctx context.Context) (string, error) {
	e.holderMu.Lock()
	defer e.holderMu.Unlock()
	if e.holder == "" {
		binary, err := e.agentBinary(ctx)
		if err != nil {
			return "", err
		}
		sum := sha256.Sum256(binary)
		e.holder = holderRepository + ":" + hex.EncodeToString(sum[:])[:12]
	}
	_, err := e.client.ImageInspect(ctx, e.holder)
	if err == nil {
		return e.holder, nil
	}
	if !errdefs.IsNotFound(err) {
		return "", e.wrap(err, "look for image %s", e.holder)
	}
	if err := e.importHolder(ctx, e.holder); err != nil {
		return "", e.wrap(err, "make image %s", e.holder)
	}
	return e.holder, nil
}

// createOurs creates a container of the holder image. Another daemon, or another
// environment of this one, may remove the image as unused in the moment before.
func (e *Engine) createOurs(ctx context.Context, opts client.ContainerCreateOptions) (client.ContainerCreateResult, error) {
	for again := true; ; again = false {
		image, err := e.ensureHolderImage(ctx)
		if err != nil {
			return client.ContainerCreateResult{}, err
		}
		opts.Config.Image = image
		r, err := e.create(ctx, opts)
		if again && errdefs.IsNotFound(err) {
			continue
		}
		return r, err
	}
}

// agentBinary returns the agent for the engine's processor. It is unpacked anew
// each time: images of it are rarely made, and it has 3 MB.
func (e *Engine) agentBinary(ctx context.Context) ([]byte, error) {
	arch, ok := goarch[e.facts.Architecture]
	if !ok {
		return nil, container.Errorf(container.CodePlatform, "use an engine on amd64 or arm64",
			"acalocal does not run on a Docker Engine for %s", e.facts.Architecture)
	}
	b, err := agent.Binary(ctx, arch, e.options.CacheDir)
	if errors.Is(err, agent.ErrNoBinary) {
		return nil, container.Errorf(container.CodePlatform, "install a release of acalocal, which carries it, or a Go toolchain, which builds it", "%w", err)
	}
	return b, err
}

// importHolder makes an image of one file. Nothing is pulled.
func (e *Engine) importHolder(ctx context.Context, name string) error {
	binary, err := e.agentBinary(ctx)
	if err != nil {
		return err
	}
	root, err := tarOf(agentPath, binary)
	if err != nil {
		return err
	}
	return e.importImage(ctx, name, root,
		fmt.Sprintf("ENTRYPOINT [%q]", agentPath),
		"LABEL "+labelRoleHolder,
		"LABEL "+container.LabelSchema+"="+container.SchemaVersion)
}

// importImage makes an image of an archive and instructions of a Dockerfile.
func (e *Engine) importImage(ctx context.Context, name string, root io.Reader, changes ...string) error {
	r, err := e.client.ImageImport(ctx,
		client.ImageImportSource{Source: root, SourceName: "-"}, name,
		client.ImageImportOptions{
			Message:  "acalocal agent",
			Platform: ocispec.Platform{OS: "linux", Architecture: goarch[e.facts.Architecture]},
			Changes:  changes,
		})
	if err != nil {
		return err
	}
	defer r.Close()
	return importError(r)
}

// importError returns the failure in the answer to an import, which comes after
// the status of success.
func importError(r io.Reader) error {
	messages := json.NewDecoder(r)
	for {
		var m struct {
			Error string `json:"error"`
		}
		switch err := messages.Decode(&m); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case m.Error != "":
			return errors.New(m.Error)
		}
	}
}

// tarOf returns an archive of one executable.
func tarOf(path string, content []byte) (io.Reader, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	err := w.WriteHeader(&tar.Header{Name: path[1:], Mode: 0o755, Size: int64(len(content)), Typeflag: tar.TypeReg})
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	return &b, w.Close()
}

// holderImages selects our images of holders. Whoever needs one that was
// removed makes it again.
func holderImages() client.Filters { return make(client.Filters).Add("label", labelRoleHolder) }
