package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/container"
)

// Lay implements container.Builder. The engine loads an archive that holds the
// new layer alone: those below it has already, and takes their word. A build
// would first compare whole file trees to find what its COPY wrote, which takes
// seconds with some storage drivers.
func (e *Engine) Lay(ctx context.Context, s container.LayerSpec) (container.Image, error) {
	if e.containerdStore() {
		return container.Image{}, unsupported("this engine keeps its images in containerd, which loads none that lack layers")
	}
	image, err := e.lay(ctx, s)
	if err != nil {
		return container.Image{}, e.wrap(err, "lay files over %s", s.Base)
	}
	return image, nil
}

func unsupported(format string, args ...any) error {
	return container.Errorf(container.CodeUnsupported, "", format, args...)
}

// containerdStore says that images are containerd's, not the engine's own.
func (e *Engine) containerdStore() bool {
	return slices.ContainsFunc(e.facts.DriverStatus, func(s [2]string) bool {
		return s[0] == "driver-type" && strings.HasPrefix(s[1], "io.containerd.")
	})
}

func (e *Engine) lay(ctx context.Context, s container.LayerSpec) (container.Image, error) {
	base, err := e.baseOf(ctx, s.Base)
	if err != nil {
		return container.Image{}, err
	}
	parents, err := e.parents(ctx, s, base)
	if err != nil {
		return container.Image{}, err
	}
	layer, err := layerOf(s.Files, parents)
	if err != nil {
		return container.Image{}, err
	}
	id, err := e.load(ctx, base, s.Name, newLayer{
		content: bytes.NewReader(layer), size: int64(len(layer)), diffID: digestOf(layer),
		step: history{time.Now().UTC(), "acalocal sync"},
	})
	if err != nil {
		return container.Image{}, err
	}
	return e.image(ctx, id)
}

// load gives the engine an image, the base with a layer over it, and returns
// its ID.
func (e *Engine) load(ctx context.Context, base baseImage, name string, l newLayer) (id string, err error) {
	archive, id, err := base.with(l, name)
	if err != nil {
		return "", err
	}
	r, err := e.client.ImageLoad(ctx, archive, client.ImageLoadWithQuiet(true))
	if err != nil {
		return "", err
	}
	defer r.Close()
	return id, importError(r)
}

// baseImage is what an image's configuration needs from the one below it.
type baseImage struct {
	Name         string `json:"-"` // what it was asked for by
	ID           string
	Architecture string
	Variant      string `json:",omitempty"`
	OS           string `json:"Os"`
	Created      time.Time
	Config       json.RawMessage
	RootFS       struct{ Layers []string }
}

func (e *Engine) baseOf(ctx context.Context, name string) (baseImage, error) {
	var raw bytes.Buffer
	_, err := e.client.ImageInspect(ctx, name, client.ImageInspectWithRawResponse(&raw))
	if err != nil {
		return baseImage{}, err
	}
	b := baseImage{Name: name}
	return b, json.Unmarshal(raw.Bytes(), &b)
}

// history is one step in the making of an image.
type history struct {
	Created   time.Time `json:"created"`
	CreatedBy string    `json:"created_by"`
}

// newLayer is a layer the engine does not have yet.
type newLayer struct {
	content io.Reader // its uncompressed archive
	size    int64     // of the archive, in bytes
	diffID  string    // digest of the archive
	step    history   // what made it, and when the image was
}

// with is an archive as "docker load" takes it: the base with a layer over it.
// https://github.com/moby/docker-image-spec describes it. It is read while the
// layer is. The image's ID is the digest of its configuration.
func (b baseImage) with(l newLayer, name string) (archive io.Reader, id string, err error) {
	var steps []history
	var files []string
	for i := range b.RootFS.Layers {
		steps = append(steps, history{l.step.Created, "layer of " + b.Name})
		files = append(files, fmt.Sprintf("%d.tar", i)) // not in the archive: the engine has it
	}
	config, err := json.Marshal(map[string]any{
		"architecture": b.Architecture, "variant": b.Variant, "os": b.OS, "created": l.step.Created, "config": b.Config,
		"history": append(steps, l.step),
		"rootfs":  map[string]any{"type": "layers", "diff_ids": append(slices.Clone(b.RootFS.Layers), l.diffID)},
	})
	if err != nil {
		return nil, "", err
	}
	manifest, err := json.Marshal([]any{map[string]any{
		"Config": "config.json", "RepoTags": []string{name}, "Layers": append(files, "layer.tar"),
	}})
	if err != nil {
		return nil, "", err
	}
	var head bytes.Buffer
	w := tar.NewWriter(&head)
	for _, f := range []struct {
		name    string
		content []byte
	}{{"manifest.json", manifest}, {"config.json", config}} {
		if err := write(w, &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Mode: 0o600, Size: int64(len(f.content))}, bytes.NewReader(f.content)); err != nil {
			return nil, "", err
		}
	}
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "layer.tar", Mode: 0o600, Size: l.size}); err != nil {
		return nil, "", err
	}
	// The layer comes from its reader, so what tar.Writer would write after it
	// is added by hand: the rest of a block, and two blocks for the end.
	return io.MultiReader(&head, l.content, bytes.NewReader(make([]byte, -l.size&511+1024))), digestOf(config), nil
}

// digestOf names content.
func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func write(w *tar.Writer, h *tar.Header, content io.Reader) error {
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err := io.Copy(w, content)
	return err
}

// layerOf is the archive of a layer. It names every directory above a file: in
// a layer, one that is not named gets attributes of the engine's choice.
func layerOf(files []container.LayerFile, parents map[string]*tar.Header) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	named := map[string]bool{}
	for _, f := range files {
		for _, dir := range directoriesAbove(f.Target) {
			if named[dir] {
				continue
			}
			named[dir] = true
			if err := w.WriteHeader(dirEntry(dir, parents[dir], f)); err != nil {
				return nil, err
			}
		}
		if err := addFile(w, f); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), w.Close()
}

// dirEntry is the entry of a directory as the base image has it, or, where it
// has none, as COPY makes it.
func dirEntry(dir string, there *tar.Header, f container.LayerFile) *tar.Header {
	h := &tar.Header{Mode: 0o755, Uid: f.UID, Gid: f.GID, ModTime: time.Now(), Format: tar.FormatPAX}
	if there != nil {
		h = &tar.Header{Mode: there.Mode, Uid: there.Uid, Gid: there.Gid, ModTime: there.ModTime, PAXRecords: there.PAXRecords, Format: tar.FormatPAX}
	}
	h.Typeflag, h.Name = tar.TypeDir, strings.TrimPrefix(dir, "/")+"/"
	return h
}

func addFile(w *tar.Writer, f container.LayerFile) error {
	file, err := os.Open(f.Source)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return write(w, &tar.Header{
		Typeflag: tar.TypeReg, Name: strings.TrimPrefix(f.Target, "/"), Size: info.Size(),
		Mode: int64(f.Mode), Uid: f.UID, Gid: f.GID, ModTime: info.ModTime(), Format: tar.FormatPAX,
	}, file)
}

// directoriesAbove lists the directories above a path, the highest first,
// without the root.
func directoriesAbove(p string) (dirs []string) {
	for dir := path.Dir(p); dir != "/" && dir != "."; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
	}
	slices.Reverse(dirs)
	return dirs
}

// parents looks up the directories above all files in the base image; nil
// stands for one that is not there.
func (e *Engine) parents(ctx context.Context, s container.LayerSpec, base baseImage) (map[string]*tar.Header, error) {
	wanted := map[string]bool{}
	for _, f := range s.Files {
		wanted[f.Target] = false
		for _, dir := range directoriesAbove(f.Target) {
			wanted[dir] = true
		}
	}
	return e.below(ctx, s.Env, base, wanted, math.MaxInt)
}

// below looks up what the base image has at paths, each of which is to be a
// directory or not, asking no more often than most; nil stands for nothing.
// Files and directories that the base has as something else, a symbolic link
// say, are for a build to follow.
func (e *Engine) below(ctx context.Context, env string, base baseImage, wanted map[string]bool, most int) (map[string]*tar.Header, error) {
	found, err := e.entries.of(base.ID).lookUp(ctx, e, env, wanted, most)
	if err != nil {
		return nil, err
	}
	for name, dir := range wanted {
		h := found[name]
		switch {
		case h == nil:
		case dir && h.Typeflag != tar.TypeDir:
			return nil, unsupported("%s is no directory in %s", name, base.Name)
		case !dir && h.Typeflag != tar.TypeReg:
			return nil, unsupported("%s is no regular file in %s", name, base.Name)
		}
	}
	return found, nil
}

// Tag implements container.Builder.
func (e *Engine) Tag(ctx context.Context, image, name string) error {
	if _, err := e.client.ImageTag(ctx, client.ImageTagOptions{Source: image, Target: name}); err != nil {
		return e.wrap(err, "give %s the name %s", image, name)
	}
	return nil
}

// Untag implements container.Builder.
func (e *Engine) Untag(ctx context.Context, name string) error {
	_, err := e.client.ImageRemove(ctx, name, client.ImageRemoveOptions{PruneChildren: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return e.wrap(err, "remove image %s", name)
	}
	return nil
}
