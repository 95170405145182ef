package docker

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	bk "github.com/moby/buildkit/client"

	"github.com/acalocal/acalocal/internal/container"
)

// buildFast is buildKit, except where the engine compares whole trees to find
// what a step wrote. There the copies a Dockerfile ends with are no steps: they
// are made on an empty tree and laid over the image of the steps, which is the
// same image for less.
func (e *Engine) buildFast(ctx context.Context, s container.BuildSpec) (string, error) {
	if e.nativeDiff() || e.containerdStore() {
		return e.buildKit(ctx, s)
	}
	text, err := os.ReadFile(s.Dockerfile)
	if err != nil {
		return "", fmt.Errorf("read Dockerfile: %w", err)
	}
	c, ok := cutDockerfile(text, s.Target)
	if !ok {
		return e.buildKit(ctx, s)
	}
	id, err := e.buildCut(ctx, s, c)
	if container.CodeOf(err) == container.CodeUnsupported {
		e.log.Debug().Err(err).Str("image", s.Tag).Msg("copies are built, not laid")
		return e.buildKit(ctx, s)
	}
	return id, err
}

// nativeDiff says that the engine knows what a step wrote without a look at the
// layers below it.
func (e *Engine) nativeDiff() bool {
	for _, s := range e.facts.DriverStatus {
		if s[0] == "Native Overlay Diff" {
			return s[1] == "true"
		}
	}
	return false
}

// buildCut builds a Dockerfile that was cut and returns the image's ID. It is
// CodeUnsupported where the copies would have to follow what is in the image, or
// fail: then the whole Dockerfile is to be built.
func (e *Engine) buildCut(ctx context.Context, s container.BuildSpec, c cut) (string, error) {
	dir, err := os.MkdirTemp("", "acalocal-build-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	steps := s
	steps.Tag += "-" + filepath.Base(dir) // another build of the same name may be under way
	defer e.forgetSteps(ctx, steps.Tag)
	base, err := e.buildSteps(ctx, steps, c.steps, filepath.Join(dir, "steps"))
	if err != nil {
		return "", err
	}
	workdir, err := base.workdir()
	if err != nil {
		return "", err
	}
	copied, err := e.buildCopies(ctx, s, c.onto(workdir), filepath.Join(dir, "copies"))
	if err != nil {
		return "", err
	}
	defer copied.Close()
	tree, err := treeOf(copied)
	if err != nil {
		return "", err
	}
	below, err := e.below(ctx, s.Labels[container.LabelBuiltFor], base, tree.paths, mostLookUps)
	if err != nil {
		return "", err
	}
	laid, err := os.Create(filepath.Join(dir, "layer.tar"))
	if err != nil {
		return "", err
	}
	defer laid.Close()
	layer, err := tree.over(below, c.targets(workdir), copied, laid)
	if err != nil {
		return "", err
	}
	if _, err := laid.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	layer.content = laid
	// Not the time of now: what was built before is to be the same image.
	layer.step = history{base.Created, strings.Join(c.texts(), "; ") + " # acalocal"}
	id, err := e.load(ctx, base, s.Tag, layer)
	if err != nil && ctx.Err() == nil {
		return "", unsupported("load what was copied: %w", err) // not every engine takes one layer alone
	}
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintf(orDiscard(s.Progress), "laid over the steps: %s\n", strings.Join(c.texts(), "; "))
	return id, err
}

// mostLookUps bounds how often the image below is asked about a path; from there
// on a build takes no longer.
const mostLookUps = 50

// buildSteps makes the image the copies are laid over. Its name is to be
// forgotten: the image laid over it has its layers.
func (e *Engine) buildSteps(ctx context.Context, s container.BuildSpec, text []byte, dir string) (baseImage, error) {
	if err := writeDockerfile(&s, dir, text); err != nil {
		return baseImage{}, err
	}
	id, err := e.buildKit(ctx, s)
	if err != nil {
		return baseImage{}, err
	}
	base, err := e.baseOf(ctx, id)
	base.Name = "the steps" // in the history, where a name of this build alone has no place
	return base, err
}

func (e *Engine) forgetSteps(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWithin)
	defer cancel()
	if err := e.Untag(ctx, name); err != nil {
		e.log.Warn().Err(err).Str("image", name).Msg("image of the steps stays behind")
	}
}

// buildCopies builds copies alone and returns the archive of what they wrote.
// Whatever they fail with, a build of the whole says it better.
func (e *Engine) buildCopies(ctx context.Context, s container.BuildSpec, text []byte, dir string) (*os.File, error) {
	s.Target, s.Labels, s.Secrets = "", nil, nil
	if err := writeDockerfile(&s, dir, text); err != nil {
		return nil, err
	}
	archive, err := os.Create(filepath.Join(dir, "tree.tar"))
	if err != nil {
		return nil, err
	}
	// BuildKit closes what it writes to.
	_, err = e.solve(ctx, s, bk.ExportEntry{Type: bk.ExporterTar, Output: func(map[string]string) (io.WriteCloser, error) {
		return os.OpenFile(archive.Name(), os.O_WRONLY, 0)
	}})
	if err != nil {
		archive.Close()
		if ctx.Err() != nil {
			return nil, err
		}
		return nil, unsupported("copy on an empty tree: %w", err)
	}
	return archive, nil
}

// writeDockerfile gives a build another Dockerfile, in a directory of its own,
// with the ignore rules that the name of the Dockerfile brings.
func writeDockerfile(s *container.BuildSpec, dir string, text []byte) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	file := filepath.Join(dir, filepath.Base(s.Dockerfile))
	rules, err := os.ReadFile(s.Dockerfile + ".dockerignore")
	switch {
	case err == nil:
		err = os.WriteFile(file+".dockerignore", rules, 0o600)
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	}
	if err != nil {
		return err
	}
	s.Dockerfile = file
	return os.WriteFile(file, text, 0o600)
}

// workdir is the image's working directory, an absolute path.
func (b baseImage) workdir() (string, error) {
	var config struct{ WorkingDir string }
	if err := json.Unmarshal(b.Config, &config); err != nil {
		return "", err
	}
	dir := path.Join("/", config.WorkingDir)
	if !plainPath.MatchString(dir) {
		return "", unsupported("the working directory %q has to be quoted", dir)
	}
	return dir, nil
}

// copiedTree is what copies wrote, by absolute path.
type copiedTree struct {
	headers []*tar.Header   // in the archive's order: a directory before what is in it
	paths   map[string]bool // whether there is a directory
}

// treeOf reads an archive of copies without its files' content.
func treeOf(r io.Reader) (copiedTree, error) {
	t := copiedTree{paths: map[string]bool{}}
	for archive := tar.NewReader(r); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return t, nil
		}
		if err != nil {
			return t, fmt.Errorf("read what was copied: %w", err)
		}
		if strings.HasPrefix(path.Base(h.Name), ".wh.") {
			return t, unsupported("%s would remove a file in a layer", h.Name)
		}
		if p := absolute(h); p != "/" {
			t.headers = append(t.headers, h)
			t.paths[p] = h.Typeflag == tar.TypeDir
		}
	}
}

func absolute(h *tar.Header) string { return path.Join("/", h.Name) }

// over writes the layer that does to the image below what the copies would have
// done, given its entries at the tree's paths. A copy leaves its target and the
// directories above as they are where they exist; directories in the target
// become what they are in the source.
func (t copiedTree) over(below map[string]*tar.Header, targets []string, r io.ReadSeeker, w io.Writer) (l newLayer, err error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return l, err
	}
	sum := sha256.New()
	out := &countingWriter{w: io.MultiWriter(w, sum)}
	from, to := tar.NewReader(r), tar.NewWriter(out)
	for {
		h, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return l, fmt.Errorf("read what was copied: %w", err)
		}
		p := absolute(h)
		if p == "/" {
			continue
		}
		attributes := h
		if there := below[p]; there != nil && h.Typeflag == tar.TypeDir {
			remade, err := remakes(targets, p)
			if err != nil {
				return l, err
			}
			if !remade {
				attributes = there
			}
		}
		if err := write(to, layerEntry(h, attributes), from); err != nil {
			return l, fmt.Errorf("write layer: %w", err)
		}
	}
	if err := to.Close(); err != nil {
		return l, fmt.Errorf("write layer: %w", err)
	}
	return newLayer{size: out.n, diffID: "sha256:" + hex.EncodeToString(sum.Sum(nil))}, nil
}

// layerEntry is an entry of a layer with the attributes of another.
func layerEntry(h, attributes *tar.Header) *tar.Header {
	return &tar.Header{
		Typeflag: h.Typeflag, Name: strings.TrimPrefix(h.Name, "/"), Linkname: h.Linkname, Size: h.Size,
		Devmajor: h.Devmajor, Devminor: h.Devminor, Format: tar.FormatPAX,
		Mode: attributes.Mode, Uid: attributes.Uid, Gid: attributes.Gid,
		ModTime: attributes.ModTime, PAXRecords: attributes.PAXRecords,
	}
}

// remakes says whether copies to the targets give a directory that exists the
// attributes it has in the source. With one target inside of another it cannot
// be told which copy has written it.
func remakes(targets []string, dir string) (bool, error) {
	inside := slices.ContainsFunc(targets, func(t string) bool { return dir != t && within(t, dir) })
	if inside && slices.ContainsFunc(targets, func(t string) bool { return within(dir, t) }) {
		return false, unsupported("copies to %s overlap in %s", strings.Join(targets, " and "), dir)
	}
	return inside, nil
}

// within says that a path is a directory or in it.
func within(dir, p string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}

// countingWriter counts the bytes that were written.
type countingWriter struct {
	w io.Writer
	n int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
