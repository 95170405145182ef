package scenario

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/explain/event"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/logsink"
)

// The images that scenarios run: a Python with Gunicorn and Flask, and what is
// built on it.
const (
	pythonImage = "python:3.11-slim"
	builtImage  = "scenario/app:local"
)

// timeScale makes the platform's back-off and drain grace short; what a
// definition says stays as it is.
const timeScale = 10

// TestDocker runs the scenarios that need a kernel.
func TestDocker(t *testing.T) {
	if os.Getenv("ACALOCAL_DOCKER") != "1" {
		t.Skip("needs a Docker Engine: set ACALOCAL_DOCKER=1 to use the one of this machine")
	}
	n := 0
	for _, f := range load(t) {
		if f.on != "docker" {
			continue
		}
		n++
		env := fmt.Sprintf("scenario%d-%d", os.Getpid(), n)
		t.Run(f.id, func(t *testing.T) {
			s := newReal(t, f, env)
			f.check(t, play(t, f, s))
		})
	}
}

// real is a whole environment over a Docker Engine.
type real struct {
	t *testing.T
	d *daemon.Daemon

	mu   sync.Mutex
	more chan struct{} // guarded by mu; closed at the next row or line
}

func newReal(t *testing.T, f *file, env string) *real {
	t.Helper()
	e, err := docker.New(t.Context(), docker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error("close engine:", err)
		}
	})
	prepareImages(t, e, f, env)
	dir, err := os.MkdirTemp("", "acalocal-scenario")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	s := &real{t: t, more: make(chan struct{})}
	s.d, err = daemon.New(daemon.Options{Environment: env, Home: home.At(dir), Runtime: e, TimeScale: timeScale, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	s.run(t)
	return s
}

// prepareImages makes sure of the base image and builds what is built on it.
// What is built goes with the environment.
func prepareImages(t *testing.T, e *docker.Engine, f *file, env string) {
	t.Helper()
	if _, err := e.Pull(t.Context(), container.PullSpec{Image: pythonImage, Policy: container.PullNever}, nil); err != nil {
		t.Fatalf("%s is not here: %v; \"make base-image\" gets it", pythonImage, err)
	}
	t.Cleanup(func() {
		if err := e.RemoveEnvironment(context.WithoutCancel(t.Context()), env); err != nil {
			t.Error("remove environment:", err)
		}
	})
	if f.broken != "" {
		spec := container.StandInSpec{Tag: builtImage, Env: env, Command: "/app/server", Broken: container.Broken(f.broken)}
		if err := e.MakeStandIn(t.Context(), spec); err != nil {
			t.Fatal(err)
		}
	}
	if f.build == "" {
		return
	}
	_, err := e.Build(t.Context(), container.BuildSpec{
		Context: filepath.Join("..", "..", filepath.FromSlash(f.build)), Tag: builtImage, Progress: io.Discard,
		Labels: container.ImageLabels(env),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// run runs the daemon and follows its log until the test ends.
func (s *real) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- s.d.Run(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		cancel()
		t.Fatal("run:", err)
	}
	var following sync.WaitGroup
	tail, stop := context.WithCancel(ctx)
	following.Go(func() { follow(s, s.d.Logs.TailEvents(tail, logsink.Filter{}, 0, true)) })
	following.Go(func() { follow(s, s.d.Logs.TailConsole(tail, logsink.Filter{}, 0, true)) })
	t.Cleanup(func() {
		defer cancel()
		stop()
		following.Wait()
		s.d.Shutdown(true)
		if err := <-ended; err != nil {
			t.Error("run:", err)
		}
	})
}

// follow tells of every row until the tail ends, with the test.
func follow[T any](s *real, rows iter.Seq2[T, error]) {
	for _, err := range rows {
		if err != nil {
			return
		}
		s.mu.Lock()
		close(s.more)
		s.more = make(chan struct{})
		s.mu.Unlock()
	}
}

func (s *real) engine() *emulator.Engine { return s.d.Engine }
func (s *real) exact() bool              { return false }

// settle waits until the state has what the rows read so far tell of.
func (s *real) settle() {
	s.t.Helper()
	if _, err := s.d.Engine.Current(s.t.Context()); err != nil {
		s.t.Fatal("read the state:", err)
	}
}

// everything is more rows than any scenario has.
const everything = 1 << 30

// rows reads the store, not what the tail has brought so far: a state that was
// seen has its rows there.
func (s *real) rows(revision string) []event.Row {
	s.t.Helper()
	var list rowList
	for e, err := range s.d.Logs.TailEvents(s.t.Context(), logsink.Filter{}, everything, false) {
		if err != nil {
			s.t.Fatal("read the rows:", err)
		}
		list = append(list, revisionRow{e.Revision, event.Row{Time: e.Time, Warning: e.Type == logsink.Warning, Replica: e.Replica, Reason: e.Reason, Text: e.Msg, Count: e.Count}})
	}
	return list.of(revision)
}

func (s *real) lines() []explain.Output {
	s.t.Helper()
	var list []explain.Output
	for l, err := range s.d.Logs.TailConsole(s.t.Context(), logsink.Filter{}, everything, false) {
		if err != nil {
			s.t.Fatal("read the lines:", err)
		}
		list = append(list, explain.Output{Time: l.Time, Replica: l.Container.Replica, Container: l.Container.Name, Text: l.Text})
	}
	return list
}

func (s *real) changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.more
}

func (s *real) transport(app string) (string, http.RoundTripper) {
	snap := s.d.Engine.Snapshot()
	if app == "" {
		return "http://" + snap.Edge, &http.Transport{DisableKeepAlives: true}
	}
	return snap.App(app).Local.URL, &http.Transport{DisableKeepAlives: true}
}

func (s *real) do(*testing.T, []string) (string, bool) { return "", false }
