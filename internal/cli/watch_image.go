package cli

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/config/dockerfile"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/deploy"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/reload"
)

// imageEngine is a container engine as far as images go.
type imageEngine interface {
	deploy.Engine
	Close() error
}

func openDocker(ctx context.Context) (imageEngine, error) { return docker.New(ctx, docker.Options{}) }

// built is one image that is made here, as it is now.
type built struct {
	spec config.Build
	// written is the image's name in the definition, rebuilt the one of the
	// last rebuild, present the one that runs.
	written, rebuilt, present string
	// over are the files laid over the last rebuild, relative to the context.
	over map[string]struct{}
}

// writtenImages are the names images have in a definition, by app and
// container; preparing replaces them.
func writtenImages(def *config.Definition) map[string]string {
	out := map[string]string{}
	for i := range def.Apps {
		for _, c := range allContainers(&def.Apps[i].Properties.Template) {
			out[def.Apps[i].Name+"/"+c.Name] = c.Image
		}
	}
	return out
}

func allContainers(t *aca.Template) []*aca.Container {
	var out []*aca.Container
	for _, list := range [][]aca.Container{t.InitContainers, t.Containers} {
		for i := range list {
			out = append(out, &list[i])
		}
	}
	return out
}

// images makes the images of an app what the change asks for and puts their
// names into its template.
func (r *reloader) images(ctx context.Context, im *deploy.Images, app *config.App, c reload.Change) error {
	for _, container := range allContainers(&app.Properties.Template) {
		spec, builds := app.Builds[container.Name]
		if !builds {
			if c.Definition {
				if err := im.Pull(ctx, app, container.Image); err != nil {
					return err
				}
			}
			continue
		}
		b := r.builds[app.Name+"/"+container.Name]
		if b == nil {
			b = &built{written: container.Image}
			r.builds[app.Name+"/"+container.Name] = b
		}
		b.spec = spec
		files, concerned := b.changed(c)
		if concerned || b.present == "" {
			if err := r.image(ctx, im, app, container.Name, b, files, c); err != nil {
				return err
			}
		}
		if container.Image != b.present && !c.Definition {
			r.dropSuffix(app)
		}
		container.Image = b.present
	}
	return nil
}

// dropSuffix lets a revision of saved files have a number: the suffix of the
// definition is that of the revision before, and would be refused as used.
func (r *reloader) dropSuffix(app *config.App) {
	t := &app.Properties.Template
	if t.RevisionSuffix == "" {
		return
	}
	fmt.Fprintf(r.s.Err, "the suffix %s of %s is used; the new revision gets a number\n", t.RevisionSuffix, app.Name)
	t.RevisionSuffix = ""
}

// changed are the files of a change in the image's context, relative to it, and
// whether the image is concerned at all.
func (b *built) changed(c reload.Change) (files []string, concerned bool) {
	for _, p := range c.Paths {
		if rel, err := filepath.Rel(b.spec.Context, p); err == nil && filepath.IsLocal(rel) {
			files = append(files, filepath.ToSlash(rel))
		}
	}
	return files, c.Rescan || len(files) > 0
}

// image makes one image: by sync where that is right, else by rebuild, and
// says which and why.
func (r *reloader) image(ctx context.Context, im *deploy.Images, app *config.App, container string, b *built, files []string, c reload.Change) error {
	d := r.decide(b, files, c)
	if d.Sync() {
		fmt.Fprintf(r.s.Err, "%s changed: sync into %s\n", some(files), app.Name)
		err := r.sync(ctx, im, b, files, d)
		if err == nil || ctx.Err() != nil {
			return err
		}
		d.Why = "the sync failed: " + err.Error()
	}
	fmt.Fprintf(r.s.Err, "%s changed: rebuild of %s (%s)\n", some(files), app.Name, d.Why)
	name, err := im.Build(ctx, app.Name, &aca.Container{Name: container, Image: b.written}, b.spec)
	if err != nil {
		return err
	}
	b.rebuilt, b.present, b.over = name, name, map[string]struct{}{}
	r.made[name] = true
	return nil
}

// decide reads the Dockerfile anew and decides.
func (r *reloader) decide(b *built, files []string, c reload.Change) reload.Decision {
	switch {
	case b.rebuilt == "":
		return reload.Decision{Why: "there is no image yet"}
	case c.Rescan:
		return reload.Decision{Why: "too many files changed to name them"}
	case slices.ContainsFunc(c.Paths, func(p string) bool {
		return p == b.spec.Dockerfile || strings.HasSuffix(p, ".dockerignore")
	}):
		return reload.Decision{Why: "the Dockerfile or its ignore rules changed"}
	}
	f, err := os.Open(b.spec.Dockerfile)
	if err != nil {
		return reload.Decision{Why: err.Error()}
	}
	defer f.Close()
	df, err := dockerfile.Parse(f)
	if err != nil {
		return reload.Decision{Why: err.Error()}
	}
	return reload.Decide(df, b.spec.Target, b.withOver(files), func(name string) bool {
		info, err := os.Lstat(filepath.Join(b.spec.Context, filepath.FromSlash(name)))
		return err == nil && info.Mode().IsRegular()
	})
}

// withOver are the files of a sync: it replaces the one before, so it lays
// those files over the rebuild too.
func (b *built) withOver(files []string) []string {
	all := maps.Clone(b.over)
	for _, f := range files {
		all[f] = struct{}{}
	}
	return sortedNames(all)
}

// sync makes the image of the last rebuild with the changed files over it.
func (r *reloader) sync(ctx context.Context, im *deploy.Images, b *built, files []string, d reload.Decision) error {
	begin := time.Now()
	layer := reload.Layer{Base: b.rebuilt, Context: b.spec.Context, Copies: d.Copies}
	name, err := im.Lay(ctx, layer)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.s.Err, "synced %s in %s\n", name, seconds(time.Since(begin)))
	b.present = name
	r.made[name] = true
	for _, f := range files {
		b.over[f] = struct{}{}
	}
	return nil
}

// forgetImages removes the images made here that no revision names any more:
// those of revisions that were purged, or never came to be because a newer save
// took over. One of an inactive revision stays, for it can be activated again.
func (r *reloader) forgetImages(ctx context.Context, snap *emulator.Snapshot) {
	needed := map[string]bool{}
	for _, b := range r.builds {
		needed[b.present], needed[b.rebuilt] = true, true
	}
	for i := range snap.Apps {
		for j := range snap.Apps[i].Revisions {
			for _, c := range allContainers(&snap.Apps[i].Revisions[j].Properties.Template) {
				needed[c.Image] = true
			}
		}
	}
	for _, image := range sortedNames(r.made) {
		if needed[image] {
			continue
		}
		err := r.engine.Untag(ctx, image)
		switch {
		case err == nil:
			delete(r.made, image)
		case container.CodeOf(err) != container.CodeConflict && ctx.Err() == nil: // else a container is still on its way out
			fmt.Fprintf(r.s.Err, "warning: %v; \"acalocal down\" removes it\n", err)
			delete(r.made, image)
		}
	}
}

// some names a few files.
func some(files []string) string {
	switch n := len(files); {
	case n == 0:
		return "the tree"
	case n <= 2:
		return strings.Join(files, " and ")
	default:
		return fmt.Sprintf("%s and %d more files", files[0], n-1)
	}
}
