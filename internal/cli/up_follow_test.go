package cli

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/api/apitest"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/logsink"
	"github.com/google/go-cmp/cmp"
)

// buffer is a strings.Builder for several goroutines, which tells when it
// holds a text.
type buffer struct {
	mu   sync.Mutex
	b    strings.Builder // guarded by mu
	news chan struct{}   // guarded by mu; closed at the next write
}

// patience is how long a test waits for what must come, with a real Docker on
// a busy machine, too.
const patience = 90 * time.Second

func newBuffer() *buffer { return &buffer{news: make(chan struct{})} }

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.news)
	b.news = make(chan struct{})
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func (b *buffer) waitFor(t *testing.T, text string) {
	t.Helper()
	late := time.After(patience)
	for {
		b.mu.Lock()
		held, news := strings.Contains(b.b.String(), text), b.news
		b.mu.Unlock()
		if held {
			return
		}
		select {
		case <-news:
		case <-late:
			t.Fatalf("waited %s for %q in:\n%s", patience, text, b)
		}
	}
}

// followed is an "up" that has applied the app web to a fake environment whose
// revision is not ready yet.
type followed struct {
	out, err  *buffer
	emulator  *apitest.Emulator
	logs      *apitest.Logs
	stop      func()
	interrupt func()
	ended     chan error
}

func startFollowing(t *testing.T) *followed {
	t.Helper()
	snap := apitest.OneApp()
	activating("")(&snap.Apps[0], &snap.Apps[0].Revisions[0])
	x := &followed{out: newBuffer(), err: newBuffer(), emulator: apitest.New(snap), logs: apitest.NewLogs(), ended: make(chan error, 1)}
	e := home.At(t.TempDir()).Environment("dev")
	x.stop = apitest.Serve(t, e, func(stop func()) http.Handler {
		return api.New(api.Options{
			Emulator: x.emulator, Logs: x.logs, Info: api.Info{Environment: "dev"},
			Shutdown: func(bool) { go stop() },
		})
	})
	first, interrupt := context.WithCancel(t.Context())
	x.interrupt = interrupt
	u := &upRun{
		s: Streams{Out: x.out, Err: x.err}, user: &interrupts{first: first, second: t.Context(), stop: func() {}},
		env: e, client: client.New(e), def: &config.Definition{}, begin: time.Now(),
	}
	u.roll = newRollout(x.err, u.begin)
	u.roll.want("web", "web--abc1234")
	f := u.follow(t.Context(), func() {})
	go func() {
		defer f.stop()
		x.ended <- f.run()
	}()
	return x
}

// ready makes the revision ready.
func (x *followed) ready() {
	x.emulator.Change(func(s *emulator.Snapshot) { s.Apps = apitest.OneApp().Apps })
}

func TestUpShowsStatesEventsLinesAndWhereToGo(t *testing.T) {
	x := startFollowing(t)
	x.err.waitFor(t, "web--abc1234: Activating, health None\n")
	x.logs.Say(logsink.Event{App: "web", Reason: "ContainerStarted", Msg: "Started container 'web'"})
	x.out.waitFor(t, "ContainerStarted")
	x.ready()
	x.out.waitFor(t, "web is ready at http://127.0.0.1:20080\n")
	x.logs.Print(logsink.ConsoleLine{Container: logsink.Container{App: "web", Name: "web"}, Text: "hello"})
	x.out.waitFor(t, "hello\n")
	x.interrupt()
	if err := <-x.ended; err != nil {
		t.Errorf("the end: %v", err)
	}
	wantOut := "web ~ ContainerStarted: Started container 'web'\nweb is ready at http://127.0.0.1:20080\nweb | hello\n"
	if diff := cmp.Diff(wantOut, x.out.String()); diff != "" {
		t.Errorf("stdout (-want +got):\n%s", diff)
	}
	wantErr := "web--abc1234: Activating, health None\nweb--abc1234: is ready\n\ndraining and removing everything; Ctrl-C again does it at once\nremoved environment dev\n"
	if diff := cmp.Diff(wantErr, elapsed.ReplaceAllString(x.err.String(), "")); diff != "" {
		t.Errorf("stderr (-want +got):\n%s", diff)
	}
}

func TestUpKeepsRunningWhenAnAppFails(t *testing.T) {
	x := startFollowing(t)
	x.emulator.Change(func(s *emulator.Snapshot) {
		s.Apps = apitest.OneApp().Apps
		failedNow(&s.Apps[0], &s.Apps[0].Revisions[0])
	})
	x.err.waitFor(t, "acalocal: web--abc1234 is Failed, health Unhealthy: 1/1 Container crashing: web\nhint: the environment keeps running;")
	x.ready()
	x.out.waitFor(t, "web is ready at http://127.0.0.1:20080\n")
	x.interrupt()
	if err := <-x.ended; err != nil {
		t.Errorf("the end: %v", err)
	}
}

func TestUpSaysThatItsDaemonHasDied(t *testing.T) {
	x := startFollowing(t)
	x.err.waitFor(t, "Activating")
	x.stop()
	err := <-x.ended
	if err == nil || err.Error() != `the daemon of environment "dev" has died; its apps may still run` || !strings.Contains(hintOf(err), `"acalocal up --env dev" takes up what runs`) {
		t.Errorf("got %v, hint %s", err, hintOf(err))
	}
}
