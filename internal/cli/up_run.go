package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/internal/version"
)

// upRun is one "up" under way.
type upRun struct {
	s      Streams
	o      upOptions
	user   *interrupts
	home   home.Home
	env    home.Environment
	def    *config.Definition
	client *client.Client
	begin  time.Time
	// own is the daemon when it runs in this process, ownLog what it logs to.
	own    *runningDaemon
	ownLog *os.File
	// started says that this "up" has started the daemon, here or apart.
	started bool
	roll    *rollout
}

// runUp loads the definition, makes its images present, starts the environment
// unless it runs, and applies the apps.
func runUp(ctx context.Context, s Streams, o upOptions) error {
	user := watchInterrupts(ctx)
	defer user.stop()
	u := &upRun{s: s, o: o, user: user, begin: time.Now()}
	u.roll = newRollout(s.Err, u.begin)
	if err := u.load(user.first); err != nil {
		return u.interrupted(err)
	}
	if o.detach {
		return u.interrupted(u.runDetached(user.first))
	}
	return u.runAttached(ctx)
}

// prepare makes the images present while the environment starts: both take
// Docker's time. What cannot be built or pulled leaves what runs as it is, and
// takes back an environment that was started for it.
func (u *upRun) prepare(start func() error) (built map[string][]string, err error) {
	_, statErr := os.Stat(u.env.Dir())
	started := make(chan error, 1)
	go func() { started <- start() }()
	built, err = u.prepareImages(u.user.first)
	startErr := <-started
	if startErr != nil && errors.Is(statErr, fs.ErrNotExist) {
		u.removeFiles()
	}
	if err != nil {
		u.undo()
		return nil, err
	}
	return built, startErr
}

// startPatience is how long another process may take to start the environment.
const startPatience = 30 * time.Second

// unlessRunning forgets the error of a start that another "up" has won: then
// there is an environment to join, once it answers. Nothing but its answer says
// when that is.
func (u *upRun) unlessRunning(ctx context.Context, err error) error {
	if !errors.Is(err, daemon.ErrRunning) {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for pause := 10 * time.Millisecond; !isRunning(ctx, u.env); pause = min(2*pause, 200*time.Millisecond) {
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
	return nil
}

// removeFiles removes the files of an environment that there was not before
// and that could not start. Its log stays when the daemon died with something
// to say in it, and all of it when another daemon has got in between.
func (u *upRun) removeFiles() {
	if info, err := os.Stat(u.env.LogFile()); err == nil && info.Size() > 0 {
		return
	}
	if refuseLocked(u.env) == nil {
		_ = u.env.Remove() // at worst an empty directory is left
	}
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
	warnNotMounted(u.s.Err, def)
	h, err := home.Open()
	if err != nil {
		return err
	}
	if err := checkEnvironmentName(def.Environment.Name); err != nil {
		return err
	}
	u.def, u.home, u.env = def, h, h.Environment(def.Environment.Name)
	u.client = client.New(u.env)
	return nil
}

// warnNotMounted names what acalocal.yaml asks for and the emulator does not
// give yet: an app that lacks its directories should not have to be debugged.
func warnNotMounted(w io.Writer, def *config.Definition) {
	for _, app := range def.Apps {
		for _, m := range app.Local.Mounts {
			fmt.Fprintf(w, "warning: %s: the directory %s is not mounted at %s: mounts of acalocal.yaml are not applied yet\n", app.Name, m.Source, m.Target)
		}
		for _, name := range sortedNames(app.Local.Volumes) {
			fmt.Fprintf(w, "warning: %s: the volume %s is not backed by %s: volumes of acalocal.yaml are not applied yet\n", app.Name, name, app.Local.Volumes[name])
		}
	}
	for _, name := range sortedNames(def.Environment.Storages) {
		fmt.Fprintf(w, "warning: the storage %s is not backed by %s: storages of acalocal.yaml are not applied yet\n", name, def.Environment.Storages[name])
	}
}

// prepareImages builds and pulls.
func (u *upRun) prepareImages(ctx context.Context) (built map[string][]string, err error) {
	engine, err := docker.New(ctx, docker.Options{})
	if err != nil {
		return nil, err
	}
	defer engine.Close()
	im := &images{engine: engine, environment: u.env.Name, progress: u.s.Err, terminal: wantsColour(u.s.Err)}
	built = map[string][]string{}
	for i := range u.def.Apps {
		app := &u.def.Apps[i]
		if built[app.Name], err = im.prepare(ctx, app); err != nil {
			return nil, err
		}
	}
	return built, nil
}

// applyAll hands every app to the environment.
func (u *upRun) applyAll(ctx context.Context, built map[string][]string) error {
	if err := u.warnOtherVersion(ctx); err != nil {
		return err
	}
	for i := range u.def.Apps {
		app := &u.def.Apps[i]
		applied, err := u.client.Apply(ctx, applyRequest(app, built[app.Name]))
		if err != nil {
			return fmt.Errorf("apply %s: %w", app.Name, err)
		}
		u.roll.want(app.Name, applied.Revision)
		u.sayApplied(app.Name, applied)
	}
	return nil
}

// warnOtherVersion says when the daemon that runs is of another version: it
// does what its version does, whatever this one would do.
func (u *upRun) warnOtherVersion(ctx context.Context) error {
	info, err := u.client.Info(ctx)
	if err != nil {
		return err
	}
	if info.Version != version.Version {
		fmt.Fprintf(u.s.Err, "warning: environment %s is run by acalocal %s, this is %s; \"acalocal down\" and \"acalocal up\" change that\n",
			u.env.Name, info.Version, version.Version)
	}
	return nil
}

// applyRequest is an app as the emulator wants it, secrets filled in from this
// machine.
func applyRequest(app *config.App, built []string) emulator.ApplyRequest {
	definition := *app.Clone()
	secrets := definition.Properties.Configuration.Secrets
	for i := range secrets {
		if value, ok := app.SecretValue(secrets[i].Name); ok {
			secrets[i].Value = value.Reveal()
		}
	}
	return emulator.ApplyRequest{App: definition, HostPort: app.Local.HostPort, LocalImages: built}
}

// sayApplied prints what the emulator is about to do and why.
func (u *upRun) sayApplied(app string, applied emulator.Applied) {
	what := "is unchanged; no new revision"
	if applied.NewRevision {
		what = "gets the revision " + applied.Revision
	}
	fmt.Fprintf(u.s.Err, "%6s  %s %s\n", seconds(time.Since(u.begin)), app, what)
	for line := range strings.Lines(applied.Plan) {
		fmt.Fprintf(u.s.Err, "          %s\n", strings.TrimRight(line, "\n"))
	}
}

// undo takes back an environment that this "up" has started, when applying to
// it failed and it runs nothing.
func (u *upRun) undo() {
	if !u.started {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	snap, err := u.client.Snapshot(ctx)
	if err != nil || len(snap.Apps) > 0 {
		return
	}
	if err := u.client.Shutdown(ctx, true); err != nil {
		fmt.Fprintf(u.s.Err, "acalocal: remove the empty environment: %v\nhint: \"acalocal down\" removes it\n", err)
		return
	}
	if err := u.client.Gone(ctx); err != nil {
		fmt.Fprintf(u.s.Err, "acalocal: the empty environment does not end: %v\nhint: \"acalocal down\" removes it\n", err)
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
		return failed(errors.New(strings.Join(u.roll.unready(snap), "\nacalocal: ")), howToLook(sortedNames(u.roll.wanted)))
	case ctx.Err() != nil:
		return ctx.Err()
	case waiting.Err() != nil:
		u.sayLastLines(ctx)
		return failed(fmt.Errorf("not ready after %s: %s", u.o.timeout, strings.Join(u.roll.unready(snap), "\nacalocal: ")),
			howToLook(sortedNames(u.roll.wanted)))
	case err != nil:
		return err
	}
	return u.daemonEnded()
}

// lastLines is how much of an app's output explains why it is not ready.
// logPatience is how long to wait for it: the last words of a container are
// stored a moment after its end is known, and nothing says which were the last.
const (
	lastLines   = 10
	logPatience = 400 * time.Millisecond
)

// sayLastLines prints the end of what the apps that are not ready have printed.
// It is a courtesy: an app whose log cannot be read has none shown.
func (u *upRun) sayLastLines(ctx context.Context) {
	snap, err := u.client.Snapshot(ctx)
	if err != nil {
		return
	}
	for _, name := range sortedNames(u.roll.wanted) {
		if app := snap.App(name); app == nil || judge(app, u.roll.wanted[name]) == rolledOut {
			continue
		}
		target := emulator.ExecTarget{App: name, Revision: u.roll.wanted[name]}
		u.sayLastLinesOf(ctx, target)
	}
}

func (u *upRun) sayLastLinesOf(ctx context.Context, target emulator.ExecTarget) {
	ctx, cancel := context.WithTimeout(ctx, logPatience)
	defer cancel()
	log, err := u.client.Logs(ctx, client.LogsOptions{Target: target, Text: true, Tail: lastLines, Follow: true})
	if err != nil {
		return
	}
	defer log.Close()
	writeLastLines(u.s.Err, target.App, log)
}

// writeLastLines prints a console log in text form without its two head lines
// and without stamps.
func writeLastLines(w io.Writer, app string, log io.Reader) {
	in := bufio.NewScanner(log)
	in.Buffer(nil, 1<<20)
	for n := 0; in.Scan(); n++ {
		if n < 2 {
			continue // about the connection
		}
		text := in.Text()
		if parts := strings.SplitN(text, " ", 4); len(parts) == 4 {
			text = parts[3] // behind the time, the stream and the tag
		}
		if n == 2 {
			fmt.Fprintf(w, "the last lines of %s:\n", app)
		}
		fmt.Fprintf(w, "  %s\n", text)
	}
}

// daemonEnded is the error for a daemon that went away by itself.
func (u *upRun) daemonEnded() error {
	return failed(errors.New("the daemon has ended"), fmt.Sprintf("its last words are in %s; \"acalocal up\" takes up what runs", u.env.LogFile()))
}

// sayReady prints where to reach the apps: the answer of "up".
func (u *upRun) sayReady(snap *emulator.Snapshot) error {
	var apps []emulator.App
	for _, name := range sortedNames(u.roll.wanted) {
		if app := snap.App(name); app != nil {
			apps = append(apps, *app)
		}
	}
	if u.o.asJSON {
		return writeJSON(u.s.Out, orEmpty(apps))
	}
	return writeReady(u.s.Out, snap, apps)
}

func writeReady(w io.Writer, snap *emulator.Snapshot, apps []emulator.App) error {
	for i := range apps {
		if _, err := fmt.Fprintln(w, apps[i].Name+" "+whereTo(snap, &apps[i])); err != nil {
			return err
		}
	}
	return nil
}

// whereTo says how to reach an app that is ready. Plain http to its name is
// only named where it is answered: without allowInsecure it is redirected to
// https, as on Azure.
func whereTo(snap *emulator.Snapshot, app *emulator.App) string {
	in := app.Properties.Configuration.Ingress
	switch {
	case in == nil:
		return "is ready; it has no ingress"
	case app.Local.URL == "":
		return "is ready for other apps of the environment"
	case in.Fqdn == "" || !in.AllowInsecure:
		return "is ready at " + app.Local.URL
	}
	return "is ready at " + app.Local.URL + " and http://" + in.Fqdn + portOf(snap.Edge)
}

// portOf is the ":port" of an address; "" for port 80.
func portOf(address string) string {
	i := strings.LastIndexByte(address, ':')
	if i < 0 || address[i:] == ":80" {
		return ""
	}
	return address[i:]
}

// daemonLog opens the file a daemon in this process writes its log to.
func (u *upRun) daemonLog() (*os.File, error) {
	if err := u.env.Create(); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(u.env.LogFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the daemon's log: %w", err)
	}
	return f, nil
}
