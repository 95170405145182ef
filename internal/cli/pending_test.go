package cli_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/cli"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/rs/zerolog"
)

// faked is a daemon over containers in memory, with the real command line in
// front of it.
type faked struct {
	*testing.T
	home    home.Home
	runtime *containertest.Runtime
	daemon  *daemon.Daemon
}

func newFaked(t *testing.T) *faked {
	dir := t.TempDir()
	t.Setenv("ACALOCAL_STATE_DIR", dir)
	t.Setenv("ACALOCAL_ENVIRONMENT", "")
	t.Setenv("NO_COLOR", "1")
	return &faked{T: t, home: home.At(dir), runtime: containertest.NewRuntime(map[string]containertest.Program{"web:1": {Listens: []int{8000}}})}
}

// boot starts a daemon and returns once it answers; stop ends it.
func (f *faked) boot(change ...func(*daemon.Options)) (stop func()) {
	f.Helper()
	o := daemon.Options{Home: f.home, Runtime: f.runtime, Port: f.freePort(), TLSPort: f.freePort(), AppPorts: f.freePort(), Log: zerolog.Nop()}
	for _, c := range change {
		c(&o)
	}
	d, err := daemon.New(o)
	if err != nil {
		f.Fatal(err)
	}
	f.daemon = d
	ctx, cancel := context.WithCancel(f.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- d.Run(ctx, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		f.Fatal(err)
	}
	return func() {
		cancel()
		if err := <-ended; err != nil {
			f.Error(err)
		}
	}
}

func (f *faked) freePort() int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// apply runs web with a secret and waits until it is ready.
func (f *faked) apply(secret string) {
	f.Helper()
	app := aca.ContainerApp{Name: "web", Properties: aca.AppProperties{
		Configuration: aca.Configuration{Ingress: &aca.Ingress{External: true, TargetPort: 8000}, Secrets: []aca.Secret{{Name: "key", Value: secret}}},
		Template:      aca.Template{Containers: []aca.Container{{Name: "app", Image: "web:1", Env: []aca.EnvVar{{Name: "KEY", SecretRef: "key"}}}}},
	}}
	if _, err := f.daemon.Engine.Apply(f.Context(), emulator.ApplyRequest{App: app}); err != nil {
		f.Fatal(err)
	}
	f.waitFor("web is ready", func(s *emulator.Snapshot) bool { return s.App("web") != nil && s.App("web").Local.Ready })
}

func (f *faked) waitFor(what string, cond func(*emulator.Snapshot) bool) {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), 30*time.Second)
	defer cancel()
	for s := f.daemon.Engine.Snapshot(); !cond(s); {
		var err error
		if s, err = f.daemon.Engine.Watch(ctx, s.Generation); err != nil {
			f.Fatalf("waited in vain until %s: %+v", what, f.daemon.Engine.Snapshot())
		}
	}
}

// run is what the command prints.
func (f *faked) run(args ...string) string {
	f.Helper()
	var out, errs strings.Builder
	if code := cli.Main(f.Context(), args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}); code != 0 {
		f.Fatalf("acalocal %q: exit code %d\n%s", args, code, errs.String())
	}
	return out.String()
}

func TestChangedSecretIsPendingUntilTheRestart(t *testing.T) {
	f := newFaked(t)
	stop := f.boot()
	pending := func(when string, want bool) {
		t.Helper()
		status := strings.Contains(f.run("status"), "web: a secret has changed; restart the app for it to take effect: acalocal restart web\n")
		show := strings.Contains(f.run("app", "show"), "\nrestart pending   yes; a secret has changed\n")
		if status != want || show != want {
			t.Errorf("%s: pending in status %t and in app show %t, want %t", when, status, show, want)
		}
	}
	f.apply("one")
	pending("at first", false)
	f.apply("one")
	pending("after the same secret", false)
	f.apply("two")
	pending("after another secret", true)
	if text := f.run("status", "--json") + f.run("app", "show", "--json"); strings.Contains(text, `"two"`) {
		t.Errorf("the secret is shown:\n%s", text)
	}
	stop()
	stop = f.boot()
	f.waitFor("web is ready again", func(s *emulator.Snapshot) bool { return s.App("web") != nil && s.App("web").Local.Ready })
	pending("in the next daemon", true)
	f.run("restart", "web")
	pending("after the restart", false)
	stop()
}
