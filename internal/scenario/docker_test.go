package scenario

import (
	"context"
	"fmt"
	"io"
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
	d *daemon.Daemon

	mu      sync.Mutex
	rowsNow rowList          // guarded by mu
	printed []explain.Output // guarded by mu
	more    chan struct{}    // guarded by mu; closed at the next row or line
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
	s := &real{more: make(chan struct{})}
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

// run runs the daemon and reads its log until the test ends.
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
	var reading sync.WaitGroup
	tail, stop := context.WithCancel(ctx)
	reading.Go(func() {
		for e, err := range s.d.Logs.TailEvents(tail, logsink.Filter{}, 0, true) {
			if err != nil {
				return
			}
			s.add(func() {
				s.rowsNow = append(s.rowsNow, revisionRow{e.Revision, event.Row{Time: e.Time, Warning: e.Type == logsink.Warning, Replica: e.Replica, Reason: e.Reason, Text: e.Msg, Count: e.Count}})
			})
		}
	})
	reading.Go(func() {
		for l, err := range s.d.Logs.TailConsole(tail, logsink.Filter{}, 0, true) {
			if err != nil {
				return
			}
			s.add(func() {
				s.printed = append(s.printed, explain.Output{Time: l.Time, Replica: l.Container.Replica, Container: l.Container.Name, Text: l.Text})
			})
		}
	})
	t.Cleanup(func() {
		defer cancel()
		stop()
		reading.Wait()
		s.d.Shutdown(true)
		if err := <-ended; err != nil {
			t.Error("run:", err)
		}
	})
}

func (s *real) add(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
	close(s.more)
	s.more = make(chan struct{})
}

func (s *real) engine() *emulator.Engine { return s.d.Engine }
func (s *real) exact() bool              { return false }
func (s *real) settle()                  {}

func (s *real) rows(revision string) []event.Row {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rowsNow.of(revision)
}

func (s *real) lines() []explain.Output {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]explain.Output{}, s.printed...)
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
