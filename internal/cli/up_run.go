package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/deploy"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/internal/version"
)

// upRun is one "up" under way.
type upRun struct {
	s    Streams
	o    upOptions
	user *interrupts
	home home.Home
	env  home.Environment
	def  *config.Definition
	// written are the names its images have in the files.
	written map[string]string
	client  *client.Client
	begin   time.Time
	// openImages connects to the engine the images are in.
	openImages func(context.Context) (imageEngine, error)
	// own is the daemon when it runs in this process, ownLog what it logs to.
	own    *runningDaemon
	ownLog *os.File
	// started says that this "up" has started the daemon, here or apart.
	started bool
	// warned says that it has named the settings that come too late: it applies
	// again at every change that it watches for.
	warned bool
	// changed says that an app was changed without a new revision.
	changed bool
	// introduced says that it has told where to look further.
	introduced bool
	roll       *rollout
}

// runUp loads the definition, makes its images present, starts the environment
// unless it runs, and applies the apps.
func runUp(ctx context.Context, s Streams, o upOptions) error {
	user := watchInterrupts(ctx)
	defer user.stop()
	u := &upRun{s: s, o: o, user: user, begin: time.Now(), openImages: openDocker}
	u.roll = newRollout(s.Err, u.begin)
	if err := u.load(user.first); err != nil {
		return u.interrupted(err)
	}
	if o.detach {
		return u.interrupted(u.runDetached(user.first))
	}
	return u.runAttached(ctx)
}

// interrupted replaces what Ctrl-C has made of an error by what has become of
// the environment.
func (u *upRun) interrupted(err error) error {
	switch {
	case err == nil || u.user.first.Err() == nil:
		return err
	case u.client != nil && isRunning(context.Background(), u.env):
		return failed(fmt.Errorf("interrupted; environment %s keeps running", u.env.Name), fmt.Sprintf("end it with %q", "acalocal down --env "+u.env.Name))
	}
	return errors.New("interrupted; nothing was started")
}

// load reads the definition and says what is odd about it.
func (u *upRun) load(ctx context.Context) error {
	def, problems := config.Load(ctx, u.o.path, u.o.overrides)
	if err := problems.Err(); err != nil {
		return err
	}
	if len(problems) > 0 {
		fmt.Fprintf(u.s.Err, "%s\n\n", problems)
	}
	h, err := home.Open()
	if err != nil {
		return err
	}
	if err := checkEnvironmentName(def.Environment.Name); err != nil {
		return err
	}
	for i := range def.Apps {
		if err := deploy.MakeDirectories(&def.Apps[i], deploy.Directories(&def.Apps[i])); err != nil {
			return err
		}
	}
	if err := useOTLP(def.Environment.OTLPEndpoint); err != nil {
		return err
	}
	if err := useLateTables(&def.Environment); err != nil {
		return err
	}
	if err := useQueryLimits(def.Environment.QueryLimits); err != nil {
		return err
	}
	u.def, u.home, u.env = def, h, h.Environment(def.Environment.Name)
	u.written, u.client = writtenImages(def), client.New(u.env)
	return nil
}

// prepareImages builds and pulls.
func (u *upRun) prepareImages(ctx context.Context) (built map[string][]string, err error) {
	engine, err := u.openImages(ctx)
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	im := &deploy.Images{Engine: engine, Environment: u.env.Name, Progress: u.s.Err, Terminal: wantsColour(u.s.Err)}
	built = map[string][]string{}
	for i := range u.def.Apps {
		app := &u.def.Apps[i]
		if built[app.Name], err = im.Prepare(ctx, app); err != nil {
			return nil, err
		}
	}
	return built, nil
}

// applyAll hands every app to the environment.
func (u *upRun) applyAll(ctx context.Context, built map[string][]string) error {
	info, err := u.client.Info(ctx)
	if err != nil {
		return err
	}
	u.warnOtherVersion(info)
	u.warnLateSettings(info)
	for i := range u.def.Apps {
		app := &u.def.Apps[i]
		applied, err := u.client.Apply(ctx, deploy.Request(app, built[app.Name]))
		if err != nil {
			return fmt.Errorf("apply %s: %w", app.Name, err)
		}
		u.roll.want(app.Name, applied.Revision)
		u.sayApplied(app.Name, applied)
	}
	for _, c := range u.def.Environment.RouteConfigs {
		if err := u.client.ApplyRouteConfig(ctx, c.HTTPRouteConfig); err != nil {
			return fmt.Errorf("apply the route config %s: %w", c.Name, err)
		}
	}
	return nil
}

// warnOtherVersion says when the daemon that runs is of another version: it
// does what its version does, whatever this one would do.
func (u *upRun) warnOtherVersion(info api.Info) {
	if info.Version != version.Version {
		fmt.Fprintf(u.s.Err, "warning: environment %s is run by acalocal %s, this is %s; \"acalocal down\" and \"acalocal up\" change that\n",
			u.env.Name, info.Version, version.Version)
	}
}

// warnLateSettings says which settings come too late for the daemon that runs:
// it takes them when it starts.
func (u *upRun) warnLateSettings(info api.Info) {
	if u.started || u.warned {
		return
	}
	u.warned = true
	for _, flag := range lateSettings(info) {
		fmt.Fprintf(u.s.Err, "warning: --%s has no effect: environment %s keeps what it was started with; \"acalocal down\" and \"acalocal up\" change that\n", flag, u.env.Name)
	}
}

// sayApplied prints what the emulator is about to do and why.
func (u *upRun) sayApplied(app string, applied emulator.Applied) {
	what := "is unchanged; no new revision"
	switch {
	case applied.NewRevision:
		what = "gets the revision " + applied.Revision
	case !strings.HasPrefix(applied.Plan, "keep revision "):
		what = "is changed and keeps the revision " + applied.Revision
		u.changed = true
	}
	fmt.Fprintf(u.s.Err, "%6s  %s %s\n", seconds(time.Since(u.begin)), app, what)
	for line := range strings.Lines(applied.Plan) {
		fmt.Fprintf(u.s.Err, "          %s\n", strings.TrimRight(line, "\n"))
	}
}

// runDetached makes sure of a daemon in the background, applies, and waits for
// the roll-out.
func (u *upRun) runDetached(ctx context.Context) error {
	built, err := u.prepare(func() error {
		if isRunning(ctx, u.env) {
			return nil
		}
		if err := spawnDaemon(ctx, u.env); err != nil {
			return u.unlessRunning(ctx, err)
		}
		u.started = true
		return nil
	})
	if err != nil {
		return err
	}
	if err := u.applyAll(ctx, built); err != nil {
		u.undo()
		return err
	}
	return u.awaitRollout(ctx)
}

// awaitRollout waits until the apps are ready or plainly are not.
func (u *upRun) awaitRollout(ctx context.Context) error {
	waiting, cancel := context.WithTimeout(ctx, u.o.timeout)
	defer cancel()
	v, snap, err := u.roll.await(u.client.Watch(waiting))
	switch {
	case v == rolledOut:
		return u.sayReady(snap)
	case v == failing:
		u.sayLastLines(ctx)
		u.sayVerdicts(ctx, snap)
		return failed(errors.New(strings.Join(u.roll.unready(snap), "\nacalocal: ")), howToLook(sortedNames(u.roll.wanted)))
	case ctx.Err() != nil:
		return ctx.Err()
	case waiting.Err() != nil:
		u.sayLastLines(ctx)
		u.sayVerdicts(ctx, snap)
		return failed(fmt.Errorf("not ready after %s: %s", u.o.timeout, strings.Join(u.roll.unready(snap), "\nacalocal: ")),
			howToLook(sortedNames(u.roll.wanted)))
	case err != nil:
		return err
	}
	return daemonDied(u.env)
}

// sayVerdicts says in a line each why the apps that are not ready are not.
// Without a known cause it is silent: "acalocal explain" says what was checked.
func (u *upRun) sayVerdicts(ctx context.Context, snap *emulator.Snapshot) {
	for _, name := range sortedNames(u.roll.wanted) {
		app := snap.App(name)
		if app == nil || judge(app, u.roll.wanted[name]) == rolledOut {
			continue
		}
		line, err := verdictLine(ctx, u.client, app, u.roll.wanted[name])
		if err == nil && line != "" {
			fmt.Fprintln(u.s.Err, line)
		}
	}
}
