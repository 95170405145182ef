package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/config/dockerfile"
	"github.com/acalocal/acalocal/internal/deploy"
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
	// engine is connected at the first change and kept until the end.
	engine imageEngine
	// made are the images made here that some revision may still need.
	made map[string]bool
	// specs are what is built now, for those who watch the trees.
	specs atomic.Pointer[[]config.Build]
}

// watching says whether "up" follows the files: in the foreground, unless told
// otherwise, when there is something to build.
func (u *upRun) watching() bool {
	if !u.o.watch || u.o.detach {
		return false
	}
	return slices.ContainsFunc(u.def.Apps, func(a config.App) bool { return len(a.Builds) > 0 })
}

// startWatching begins to follow the files. stop ends that and waits for it.
func (u *upRun) startWatching(ctx context.Context, calls chan<- func(*follower)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	r := &reloader{upRun: u, calls: calls, made: map[string]bool{}}
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
		if r.engine != nil {
			_ = r.engine.Close() // nothing is under way
		}
	}
}

// remember takes the present images from the definition, just prepared.
func (r *reloader) remember() {
	r.publish(r.def)
	r.builds, r.definitions = map[string]*built{}, map[string]bool{}
	for i := range r.def.Apps {
		app := &r.def.Apps[i]
		for _, c := range allContainers(&app.Properties.Template) {
			key := app.Name + "/" + c.Name
			if spec, ok := app.Builds[c.Name]; ok {
				r.builds[key] = &built{spec: spec, written: r.written[key], rebuilt: c.Image, present: c.Image, over: map[string]struct{}{}}
				r.made[c.Image] = true
			}
		}
	}
	for _, file := range r.def.Files {
		if abs, err := filepath.Abs(file); err == nil && !r.isDockerfile(abs) {
			r.definitions[abs] = true
		}
	}
}

// publish tells those who watch the trees what is built.
func (r *reloader) publish(def *config.Definition) {
	var specs []config.Build
	for i := range def.Apps {
		specs = slices.AppendSeq(specs, maps.Values(def.Apps[i].Builds))
	}
	r.specs.Store(&specs)
}

// concerns returns what says whether a file, absolute, is any build's: the
// Dockerfile, the ignore rules beside it, or what a build can see. Others must
// not call a build off: tools write notes, logs and databases there all the
// time. It is for one burst of changes, which may have thousands of files: each
// Dockerfile is read once.
func (r *reloader) concerns() func(file string) bool {
	specs := *r.specs.Load()
	files := make([]*dockerfile.File, len(specs)) // nil when it cannot be read, which is for the build to complain about
	for i, spec := range specs {
		files[i] = readDockerfile(spec.Dockerfile)
	}
	return func(file string) bool {
		for i, spec := range specs {
			rel, err := filepath.Rel(spec.Context, file)
			if err != nil || !filepath.IsLocal(rel) {
				continue
			}
			if file == spec.Dockerfile || strings.HasSuffix(file, ".dockerignore") || files[i] == nil || reload.Reads(files[i], filepath.ToSlash(rel)) {
				return true
			}
		}
		return false
	}
}

// readDockerfile returns nil for one that cannot be read.
func readDockerfile(file string) *dockerfile.File {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	df, err := dockerfile.Parse(f)
	if err != nil {
		return nil
	}
	return df
}

// exceptOutput leaves out the files that the words of this command go to: what
// it says about a change would be the next change.
func (r *reloader) exceptOutput(root string, ignore watch.Ignore) watch.Ignore {
	var own []fs.FileInfo
	for _, w := range []io.Writer{r.s.Out, r.s.Err} {
		if f, ok := w.(*os.File); ok {
			if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
				own = append(own, info)
			}
		}
	}
	return func(rel string, dir bool) bool {
		if ignore != nil && ignore(rel, dir) {
			return true
		}
		if len(own) == 0 || dir {
			return false
		}
		info, err := os.Stat(filepath.Join(root, filepath.FromSlash(rel)))
		return err == nil && slices.ContainsFunc(own, func(o fs.FileInfo) bool { return os.SameFile(o, info) })
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
		out = append(out, watched{watch.Options{Root: spec.Context, Ignore: r.exceptOutput(spec.Context, ignore)}, false})
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
			concerns := r.concerns()
			for _, p := range b.Paths {
				// A definition has a watch of its own.
				if abs := filepath.Join(o.Root, filepath.FromSlash(p)); !r.definitions[abs] && concerns(abs) {
					c.Paths = append(c.Paths, abs)
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
	if r.engine == nil {
		engine, err := r.openImages(ctx)
		if err != nil {
			return r.keep(ctx, err)
		}
		r.engine = engine
	}
	im := &deploy.Images{Engine: r.engine, Environment: r.env.Name, Progress: r.s.Err, Terminal: wantsColour(r.s.Err)}
	def, err := r.definition(ctx, c.Definition)
	if err != nil {
		return r.keep(ctx, err)
	}
	for i := range def.Apps {
		if err := r.images(ctx, im, &def.Apps[i], c); err != nil {
			return r.keep(ctx, err)
		}
	}
	wanted, changed, err := r.hand(ctx, def)
	if err != nil {
		return r.keep(ctx, err)
	}
	if changed && len(wanted) == 0 {
		fmt.Fprintf(r.s.Err, "applied without a new revision in %s\n", seconds(time.Since(begin)))
		return nil
	}
	saved := "the code"
	if c.Definition {
		saved = "the definition"
	}
	return r.await(ctx, phases{begin: begin, made: time.Now()}, wanted, saved)
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
	if err := r.stillDefined(def); err != nil {
		return nil, err
	}
	r.publish(def)
	for key, image := range writtenImages(def) {
		if b := r.builds[key]; b != nil {
			b.written = image
		}
	}
	return def, nil
}

// stillDefined refuses a definition that lacks an app because a file is gone, as
// between two steps of an editor or of git. What is found in its place, a bare
// Dockerfile say, would run as another app beside this one.
func (r *reloader) stillDefined(def *config.Definition) error {
	for i := range r.def.Apps {
		if _, ok := def.App(r.def.Apps[i].Name); ok {
			continue
		}
		for _, file := range slices.Sorted(maps.Keys(r.definitions)) {
			if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("%s is gone, and with it the app %s", file, r.def.Apps[i].Name)
			}
		}
	}
	return nil
}

// hand gives every app to the environment and returns the new revisions, and
// whether an app is changed without one. The follower does it: it owns what is
// followed.
func (r *reloader) hand(ctx context.Context, def *config.Definition) (made map[string]string, changed bool, err error) {
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
		f.def, f.changed = def, false
		err = f.applyAll(ctx, local)
		changed = f.changed
		made = maps.Clone(f.roll.wanted)
		maps.DeleteFunc(made, func(app, revision string) bool { return before[app] == revision })
		if len(made) > 0 {
			f.told, f.reloading = rollingOut, true
		}
	})
	if !called {
		return nil, false, ctx.Err()
	}
	<-done
	return made, changed, err
}

// keep says why a change is not applied, unless it was called off.
func (r *reloader) keep(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		fmt.Fprintf(r.s.Err, "acalocal: %v\nhint: what runs keeps running; mend it and save\n", err)
	}
	return errKept
}
