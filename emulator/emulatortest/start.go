package emulatortest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/deploy"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/rs/zerolog"
)

// Env is one environment of a test.
type Env struct {
	t        testing.TB
	s        settings
	files    home.Environment
	runtime  container.Runtime
	docker   *docker.Engine // nil in a simulation
	daemon   *daemon.Daemon
	client   *client.Client
	stop     context.CancelFunc
	ended    chan error
	ctx      context.Context      // of the test
	log      *tailBuffer          // what the daemon and builds say
	plans    []string             // what each change planned
	routes   []config.RouteConfig // of the definitions
	released []func()             // what to do when all has ended
}

// Start brings up an environment and applies its apps; it does not wait for
// them. When it fails, the test ends. All of it is gone when the test is over.
func Start(t testing.TB, opts ...Option) *Env {
	t.Helper()
	e := &Env{t: t, ctx: t.Context(), log: &tailBuffer{}, ended: make(chan error, 1)}
	e.s.patience = 2 * time.Minute
	for _, o := range opts {
		o(&e.s)
	}
	t.Cleanup(e.end)
	if err := e.start(); err != nil {
		t.Fatalf("emulatortest: %v", err)
	}
	return e
}

// start is Start up to the apps. Whatever it has made, end takes back.
func (e *Env) start() error {
	apps, err := e.define()
	if err != nil {
		return err
	}
	if err := e.openEngine(); err != nil {
		return err
	}
	if err := e.makeFiles(); err != nil {
		return err
	}
	e.client = client.New(e.files)
	// The daemon first: it holds the lock that says whose the environment is,
	// and a build may take long.
	if err := e.boot(); err != nil {
		return err
	}
	built, err := e.images(apps)
	if err != nil {
		return err
	}
	for _, f := range e.s.faults {
		if _, err := e.client.AddFault(e.ctx, f); err != nil {
			return err
		}
	}
	for i := range apps {
		app := &apps[i]
		applied, err := e.client.Apply(e.ctx, deploy.Request(app, built[app.Name]))
		if err != nil {
			return fmt.Errorf("apply %s: %w", app.Name, err)
		}
		e.plans = append(e.plans, applied.Plan)
	}
	for _, c := range e.routes {
		if err := e.client.ApplyRouteConfig(e.ctx, c.HTTPRouteConfig); err != nil {
			return fmt.Errorf("apply the route config %s: %w", c.Name, err)
		}
	}
	return nil
}

// define reads the definitions and edits them.
func (e *Env) define() ([]config.App, error) {
	var apps []config.App
	for _, file := range e.s.files {
		def, problems := config.Load(e.ctx, file, e.s.overrides)
		if err := problems.Err(); err != nil {
			return nil, err
		}
		apps = append(apps, def.Apps...)
		e.routes = append(e.routes, def.Environment.RouteConfigs...)
	}
	for _, app := range e.s.apps {
		apps = append(apps, config.App{ContainerApp: app})
	}
	for _, c := range e.s.changes {
		app, err := find(apps, c.app)
		if err != nil {
			return nil, err
		}
		if err := c.edit(app); err != nil {
			return nil, err
		}
	}
	for i := range apps {
		if err := deploy.MakeDirectories(&apps[i], deploy.Directories(&apps[i])); err != nil {
			return nil, err
		}
		if problems := validate(apps[i].ContainerApp); problems != nil {
			return nil, fmt.Errorf("app %s: %w", apps[i].Name, problems)
		}
	}
	return apps, nil
}

func validate(app aca.ContainerApp) error {
	app = *app.Clone()
	app.ApplyDefaults()
	var errs []error
	for _, p := range aca.Errors(app.Validate()) {
		errs = append(errs, p.Err())
	}
	return errors.Join(errs...)
}

func find(apps []config.App, name string) (*config.App, error) {
	if name == "" && len(apps) == 1 {
		return &apps[0], nil
	}
	var names []string
	for i := range apps {
		if apps[i].Name == name {
			return &apps[i], nil
		}
		names = append(names, apps[i].Name)
	}
	if name == "" {
		return nil, fmt.Errorf("an option has to name its app, there are %d: %q", len(apps), names)
	}
	return nil, fmt.Errorf("there is no app %q, only %q", name, names)
}

// openEngine connects to Docker, or makes the engine of a simulation.
func (e *Env) openEngine() error {
	if e.s.simulated != nil {
		e.runtime = simulate(e.s.simulated)
		return nil
	}
	engine, err := docker.New(e.ctx, docker.Options{Log: e.logger()})
	if err != nil {
		return err
	}
	e.docker, e.runtime = engine, engine
	e.released = append(e.released, func() { _ = engine.Close() }) // nothing is under way any more
	sweepOnce.Do(func() { sweep(e.ctx, engine, e.log) })
	return nil
}

func (e *Env) logger() zerolog.Logger {
	return zerolog.New(e.log).Level(zerolog.WarnLevel).With().Timestamp().Logger()
}

// makeFiles gives the environment a name that is free.
func (e *Env) makeFiles() error {
	h := home.Tests()
	for range 100 {
		var id [4]byte
		_, _ = rand.Read(id[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
		e.files = h.Environment(fmt.Sprintf("t-%x", id))
		if _, err := os.Stat(e.files.Dir()); err == nil {
			continue
		}
		err := e.files.Create()
		if errors.Is(err, fs.ErrNotExist) { // another test has just removed the empty root
			continue
		}
		if err != nil {
			return err
		}
		return os.WriteFile(e.files.EngineFile(), []byte(e.engineName()), 0o600)
	}
	return errors.New("no name for the environment is free")
}

// engineName is where what the environment runs is to be found.
func (e *Env) engineName() string {
	if e.docker == nil {
		return ""
	}
	return e.docker.Host()
}

// images builds and pulls. A simulation has what it has.
func (e *Env) images(apps []config.App) (built map[string][]string, err error) {
	if e.docker == nil {
		return nil, nil
	}
	im := &deploy.Images{Engine: e.docker, Environment: e.files.Name, Progress: e.log}
	built = map[string][]string{}
	for i := range apps {
		if built[apps[i].Name], err = im.Prepare(e.ctx, &apps[i]); err != nil {
			return nil, err
		}
	}
	return built, nil
}

// boot starts the daemon and returns when it answers.
func (e *Env) boot() error {
	d, err := daemon.New(daemon.Options{
		Environment: e.files.Name, Home: home.Tests(), Runtime: e.runtime,
		Port: daemon.AnyPort, TLSPort: daemon.AnyPort, AppPorts: daemon.AnyPort, APIPort: daemon.AnyPort,
		AuthorityDir: e.authorityDir(), TimeScale: e.s.timeScale, Log: e.logger(),
	})
	if err != nil {
		return err
	}
	// The test's own context ends before its cleanups, which need the daemon.
	ctx, cancel := context.WithCancel(context.WithoutCancel(e.ctx))
	e.daemon, e.stop = d, cancel
	ready := make(chan struct{})
	go func() { e.ended <- d.Run(ctx, func() { close(ready) }) }() // waited for by end
	select {
	case <-ready:
		return nil
	case err := <-e.ended:
		e.ended <- err
		if err == nil {
			err = errors.New("the environment has ended")
		}
		return err
	}
}

// tailBuffer keeps the end of what is written to it.
type tailBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

const maxTail = 16 << 10

// Write implements io.Writer.
func (b *tailBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.text.Write(p)
	if over := b.text.Len() - maxTail; over > 0 {
		b.text.Next(over)
	}
	return len(p), nil
}

// String is what was kept.
func (b *tailBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

var _ io.Writer = (*tailBuffer)(nil)
