package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/config/dockerfile"
	"github.com/acalocal/acalocal/internal/deploy"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/reload"
	"github.com/acalocal/acalocal/internal/watch"
)

// reloader turns saved files into new revisions. Everything but the follower's
// roll-out is its own; that one it reaches through calls only.
type reloader struct {
	*upRun
	// calls are carried out by the follower, who owns what it shows.
	calls chan<- func(*follower)
	// builds are the images made here, by app and container.
	builds map[string]*built
	// definitions are the files the apps are defined in, absolute.
	definitions map[string]bool
}

// built is one image that is made here, as it is now.
type built struct {
	spec config.Build
	// written is the image's name in the definition, rebuilt the one of the
	// last rebuild, present the one that runs.
	written, rebuilt, present string
	// over are the files laid over the last rebuild, relative to the context.
	over map[string]struct{}
}

// watching says whether "up" follows the files: in the foreground, unless told
// otherwise, when there is something to build.
func (u *upRun) watching() bool {
	if !u.o.watch || u.o.detach {
		return false
	}
	return slices.ContainsFunc(u.def.Apps, func(a config.App) bool { return len(a.Builds) > 0 })
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

// startWatching begins to follow the files. stop ends that and waits for it.
func (u *upRun) startWatching(ctx context.Context, calls chan<- func(*follower)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	r := &reloader{upRun: u, calls: calls}
	r.remember()
	changes := make(chan reload.Change)
	var working sync.WaitGroup
	for _, o := range r.watches() {
		working.Go(func() { r.watch(ctx, o, changes) })
	}
	working.Go(func() { reload.Run(ctx, changes, r.apply) })
	return func() {
		cancel()
		working.Wait()
	}
}

// remember takes the present images from the definition, just prepared.
func (r *reloader) remember() {
	r.builds, r.definitions = map[string]*built{}, map[string]bool{}
	for i := range r.def.Apps {
		app := &r.def.Apps[i]
		for _, c := range allContainers(&app.Properties.Template) {
			key := app.Name + "/" + c.Name
			if spec, ok := app.Builds[c.Name]; ok {
				r.builds[key] = &built{spec: spec, written: r.written[key], rebuilt: c.Image, present: c.Image, over: map[string]struct{}{}}
			}
		}
	}
	for _, file := range r.def.Files {
		if abs, err := filepath.Abs(file); err == nil && !r.isDockerfile(abs) {
			r.definitions[abs] = true
		}
	}
}

// watched is one tree or one directory of definition files.
type watched struct {
	watch.Options
	definition bool
}

// watches lists what to follow: each build context once, and the definition.
func (r *reloader) watches() []watched {
	var out []watched
	contexts := map[string]bool{}
	for _, key := range sortedNames(r.builds) {
		spec := r.builds[key].spec
		if contexts[spec.Context] {
			continue
		}
		contexts[spec.Context] = true
		ignore, err := watch.Dockerignore(spec.Context, spec.Dockerfile)
		if err != nil {
			fmt.Fprintf(r.s.Err, "acalocal: %v; nothing is ignored\n", err)
		}
		out = append(out, watched{watch.Options{Root: spec.Context, Ignore: ignore}, false})
	}
	files := map[string][]string{}
	for _, file := range slices.Sorted(maps.Keys(r.definitions)) {
		files[filepath.Dir(file)] = append(files[filepath.Dir(file)], filepath.Base(file))
	}
	for _, dir := range sortedNames(files) {
		out = append(out, watched{watch.Options{Root: dir, Only: files[dir]}, true})
	}
	return out
}

func (r *reloader) isDockerfile(file string) bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(r.builds)), func(b *built) bool { return b.spec.Dockerfile == file })
}

// watch follows one tree. That it cannot is said, and the environment runs on.
func (r *reloader) watch(ctx context.Context, o watched, changes chan<- reload.Change) {
	err := watch.Run(ctx, o.Options, func() {}, func(b watch.Batch) {
		c := reload.Change{Rescan: b.Rescan, Definition: o.definition}
		if !o.definition {
			for _, p := range b.Paths {
				if abs := filepath.Join(o.Root, filepath.FromSlash(p)); !r.definitions[abs] {
					c.Paths = append(c.Paths, abs) // a definition has a watch of its own
				}
			}
		}
		if !c.Empty() {
			send(ctx, changes, c)
		}
	})
	if err != nil {
		fmt.Fprintf(r.s.Err, "acalocal: %v\nhint: changes below %s are not followed; run \"acalocal up\" again after them\n", err, o.Root)
	}
}

// errKept says that what runs keeps running, and that it was said why.
var errKept = errors.New("the change is not applied")

// apply makes a change take effect: images, revision, swap.
func (r *reloader) apply(ctx context.Context, c reload.Change) error {
	begin := time.Now()
	engine, err := docker.New(ctx, docker.Options{})
	if err != nil {
		return r.keep(ctx, err)
	}
	defer engine.Close()
	im := &deploy.Images{Engine: engine, Environment: r.env.Name, Progress: r.s.Err, Terminal: wantsColour(r.s.Err)}
	def, err := r.definition(ctx, c.Definition)
	if err != nil {
		return r.keep(ctx, err)
	}
	for i := range def.Apps {
		if err := r.images(ctx, im, &def.Apps[i], c); err != nil {
			return r.keep(ctx, err)
		}
	}
	wanted, err := r.hand(ctx, def)
	if err != nil {
		return r.keep(ctx, err)
	}
	return r.await(ctx, begin, wanted)
}

// definition is the one there is, or the file's when that has changed.
func (r *reloader) definition(ctx context.Context, changed bool) (*config.Definition, error) {
	if !changed {
		return r.def, nil
	}
	def, problems := config.Load(ctx, r.o.path, r.o.overrides)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	for key, image := range writtenImages(def) {
		if b := r.builds[key]; b != nil {
			b.written = image
		}
	}
	return def, nil
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
		container.Image = b.present
	}
	return nil
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
	for _, f := range files {
		b.over[f] = struct{}{}
	}
	return nil
}

// hand gives every app to the environment and returns the new revisions. The
// follower does it: it owns what is followed.
func (r *reloader) hand(ctx context.Context, def *config.Definition) (made map[string]string, err error) {
	local := map[string][]string{}
	for i := range def.Apps {
		app := &def.Apps[i]
		for _, c := range allContainers(&app.Properties.Template) {
			if _, ok := app.Builds[c.Name]; ok {
				local[app.Name] = append(local[app.Name], c.Image)
			}
		}
	}
	done := make(chan struct{})
	called := send(ctx, r.calls, func(f *follower) {
		defer close(done)
		before := maps.Clone(f.roll.wanted)
		f.def = def
		err = f.applyAll(ctx, local)
		made = maps.Clone(f.roll.wanted)
		maps.DeleteFunc(made, func(app, revision string) bool { return before[app] == revision })
		if len(made) > 0 {
			f.told = rollingOut
		}
	})
	if !called {
		return nil, ctx.Err()
	}
	<-done
	return made, err
}

// await follows the new revisions until they serve or plainly will not.
func (r *reloader) await(ctx context.Context, begin time.Time, wanted map[string]string) error {
	if len(wanted) == 0 {
		fmt.Fprintf(r.s.Err, "nothing that runs has changed (%s)\n", seconds(time.Since(begin)))
		return nil
	}
	own := newRollout(io.Discard, begin)
	maps.Copy(own.wanted, wanted)
	v, snap, err := own.await(r.client.Watch(ctx))
	switch {
	case v == rolledOut:
		for _, app := range sortedNames(wanted) {
			fmt.Fprintf(r.s.Err, "reloaded %s in %s: %s serves\n", app, seconds(time.Since(begin)), wanted[app])
		}
		return nil
	case v == failing: // which the follower says
		for app, revision := range wanted {
			r.sayLastLinesOf(ctx, targetOf(app, revision))
			if old := snap.App(app); old != nil && old.Properties.LatestReadyRevisionName != revision {
				fmt.Fprintf(r.s.Err, "hint: %s keeps serving; mend the code and save\n", old.Properties.LatestReadyRevisionName)
			}
		}
		return nil // applied all the same: the next save starts from here
	case err != nil && ctx.Err() == nil:
		return r.keep(ctx, err)
	}
	return errKept // a newer save took over
}

// keep says why a change is not applied, unless it was called off.
func (r *reloader) keep(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		fmt.Fprintf(r.s.Err, "acalocal: %v\nhint: what runs keeps running; mend it and save\n", err)
	}
	return errKept
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
