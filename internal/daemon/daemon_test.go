package daemon

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/kql"
)

// machine is where daemons of one environment come and go: an engine in
// memory, real sockets, real files.
type machine struct {
	*testing.T
	runtime *containertest.Runtime
	home    home.Home
	daemon  *Daemon
	ended   chan error
	kill    context.CancelFunc
	scale   float64   // of the platform's timers
	probe   aca.Probe // more of the readiness probe
	speaks  aca.Transport
}

func newMachine(t *testing.T) *machine {
	return &machine{T: t, home: home.At(t.TempDir()), runtime: containertest.NewRuntime(map[string]containertest.Program{
		"web:1": {Listens: []int{8000}, Prints: []string{"hello"}},
		"web:2": {Listens: []int{8000}},
	})}
}

func (m *machine) options() Options {
	return Options{Home: m.home, Runtime: m.runtime, Port: freePort(m.T), TLSPort: freePort(m.T), APIPort: freePort(m.T), AppPorts: freePort(m.T), TimeScale: m.scale, Log: zerolog.New(zerolog.NewTestWriter(m.T))}
}

// patience is how long a test waits for what has to come. Only a test that fails
// takes it, and a loaded machine needs some.
const patience = time.Minute

// freePort is a port that was free just now, below those that systems hand out
// by themselves: the next daemon wants it again.
func freePort(t *testing.T) int {
	for range 100 {
		port := 16000 + rand.IntN(16000)
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue // somebody has it
		}
		l.Close()
		return port
	}
	t.Fatal("no port is free")
	return 0
}

// boot starts a daemon and waits until it answers.
func (m *machine) boot(change ...func(*Options)) {
	m.Helper()
	o := m.options()
	for _, f := range change {
		f(&o)
	}
	d, err := New(o)
	if err != nil {
		m.Fatal(err)
	}
	ctx, cancel := context.WithCancel(m.Context())
	m.daemon, m.kill, m.ended = d, cancel, make(chan error, 1)
	ready := make(chan struct{})
	go func() { m.ended <- d.Run(ctx, func() { close(ready) }) }()
	m.Cleanup(cancel)
	<-ready
}

// stop ends the daemon and leaves what runs.
func (m *machine) stop() {
	m.Helper()
	m.kill()
	if err := <-m.ended; err != nil {
		m.Fatal(err)
	}
}

func (m *machine) apply(image string) {
	m.Helper()
	readiness := m.probe
	readiness.Type, readiness.TCPSocket = aca.Readiness, &aca.TCPSocket{Port: 8000}
	app := aca.ContainerApp{Name: "web", Properties: aca.AppProperties{
		Configuration: aca.Configuration{Ingress: &aca.Ingress{External: true, TargetPort: 8000, Transport: m.speaks}},
		Template: aca.Template{Containers: []aca.Container{{Name: "app", Image: image, Probes: []aca.Probe{
			{Type: aca.Startup, TCPSocket: &aca.TCPSocket{Port: 8000}},
			readiness,
		}}}},
	}}
	if _, err := m.daemon.Engine.Apply(m.Context(), emulator.ApplyRequest{App: app}); err != nil {
		m.Fatal(err)
	}
}

func (m *machine) waitFor(what string, cond func(*emulator.Snapshot) bool) *emulator.Snapshot {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), patience)
	defer cancel()
	s := m.daemon.Engine.Snapshot()
	for !cond(s) {
		var err error
		if s, err = m.daemon.Engine.Watch(ctx, s.Generation); err != nil {
			m.Fatalf("waited in vain until %s: %+v", what, m.daemon.Engine.Snapshot())
		}
	}
	return s
}

func webReady(s *emulator.Snapshot) bool { return s.App("web") != nil && s.App("web").Local.Ready }

func (m *machine) get(url, host string) string {
	m.Helper()
	req, err := http.NewRequestWithContext(m.Context(), http.MethodGet, url, nil)
	if err != nil {
		m.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		m.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		m.Fatal(err)
	}
	return resp.Status + " " + resp.Header.Get("Location") + string(body)
}

func TestRequestReachesTheAppThroughItsPortAndTheEdge(t *testing.T) {
	m := newMachine(t)
	m.boot()
	m.apply("web:1")
	s := m.waitFor("web is ready", webReady)
	if got := m.get(s.App("web").Local.URL, ""); got != "200 OK web:1\n" {
		t.Errorf("the app's port answers %q", got)
	}
	_, port, _ := net.SplitHostPort(s.SecureEdge)
	if got := m.get("http://"+s.Edge+"/x", "web.dev.localhost"); got != "301 Moved Permanently https://web.dev.localhost:"+port+"/x" {
		t.Errorf("the edge's port answers %q, want a redirect to https", got)
	}
	if got := m.get("http://"+s.Edge, "nobody.local.localhost"); !strings.HasPrefix(got, "404") {
		t.Errorf("an unknown host answers %q", got)
	}
	m.stop()
}

func TestNextDaemonKeepsPortsReplicasAndLogs(t *testing.T) {
	m := newMachine(t)
	m.boot()
	m.apply("web:1")
	before := m.waitFor("web is ready", webReady)
	m.waitLine("hello")
	m.stop()
	m.boot()
	after := m.waitFor("web is ready again", webReady)
	if got, want := after.App("web").Local.URL, before.App("web").Local.URL; got != want {
		t.Errorf("the app moved from %s to %s", want, got)
	}
	if got, want := after.App("web").Revisions[0].Replicas[0].Name, before.App("web").Revisions[0].Replicas[0].Name; got != want {
		t.Errorf("replica %s became %s", want, got)
	}
	if got := m.lines(); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("stored lines are %q, want hello once", got)
	}
	m.stop()
}

func (m *machine) lines() (out []string) {
	for line, err := range m.daemon.Logs.TailConsole(m.Context(), logsink.Filter{App: "web"}, 100, false) {
		if err != nil {
			m.Fatal(err)
		}
		out = append(out, line.Text)
	}
	return out
}

// waitLine waits until a line is stored.
func (m *machine) waitLine(text string) {
	m.Helper()
	ctx, cancel := context.WithTimeout(m.Context(), patience)
	defer cancel()
	for line, err := range m.daemon.Logs.TailConsole(ctx, logsink.Filter{App: "web"}, 100, true) {
		if err != nil {
			m.Fatalf("no line %q: %v", text, err)
		}
		if line.Text == text {
			return
		}
	}
}

func TestSecondDaemonOfAnEnvironmentIsRefused(t *testing.T) {
	m := newMachine(t)
	m.boot()
	if _, err := New(m.options()); !errors.Is(err, ErrRunning) {
		t.Errorf("got %v, want ErrRunning", err)
	}
	m.stop()
	m.boot() // the lock is free again
	m.stop()
}

func TestDaemonWithAnotherStateDirectoryIsRefused(t *testing.T) {
	m := newMachine(t)
	claim := filepath.Join(t.TempDir(), "claims", "dev.lock")
	first := m.options()
	first.Claim = claim
	d, err := New(first)
	if err != nil {
		t.Fatal(err)
	}
	second := m.options()
	second.Home, second.Claim = home.At(t.TempDir()), claim
	if _, err := New(second); !errors.Is(err, ErrRunning) || !strings.Contains(err.Error(), "another state directory") {
		t.Errorf("got %v, want ErrRunning", err)
	}
	d.close()
	if _, err := os.Stat(filepath.Dir(claim)); !os.IsNotExist(err) {
		t.Errorf("the claim is left behind: %v", err)
	}
}

func TestRemovedEnvironmentLeavesNoFiles(t *testing.T) {
	m := newMachine(t)
	m.boot()
	m.apply("web:1")
	m.waitFor("web is ready", webReady)
	m.daemon.Shutdown(true)
	if err := <-m.ended; err != nil {
		t.Fatal(err)
	}
	if left := m.runtime.String(); left != "" {
		t.Errorf("containers left behind:\n%s", left)
	}
	if _, err := os.Stat(m.home.Environment(home.DefaultEnvironment).Dir()); !os.IsNotExist(err) {
		t.Errorf("the environment's directory is still there: %v", err)
	}
}

func TestTakenPortIsAClearSentence(t *testing.T) {
	m := newMachine(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o := m.options()
	o.Port = l.Addr().(*net.TCPAddr).Port
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "is already in use") {
		t.Errorf("got %v", err)
	}
	m.boot() // nothing was left locked
	m.stop()
}

func TestHistoryKeepsNoSecretValues(t *testing.T) {
	m := newMachine(t)
	m.boot()
	app := aca.ContainerApp{Name: "web", Properties: aca.AppProperties{
		Configuration: aca.Configuration{
			Ingress: &aca.Ingress{External: true, TargetPort: 8000},
			Secrets: []aca.Secret{{Name: "password", Value: "hunter2-value"}},
		},
		Template: aca.Template{Containers: []aca.Container{{Name: "app", Image: "web:1", Env: []aca.EnvVar{{Name: "P", SecretRef: "password"}}}}},
	}}
	if _, err := m.daemon.Engine.Apply(t.Context(), emulator.ApplyRequest{App: app}); err != nil {
		t.Fatal(err)
	}
	m.waitFor("web is ready", webReady)
	text, err := os.ReadFile(history{dir: m.home.Environment(home.DefaultEnvironment).History()}.path("web"))
	if err != nil || strings.Contains(string(text), "hunter2") {
		t.Errorf("history holds %s %v", text, err)
	}
	m.stop()
}

func TestNoRowOfOursHasASecretValue(t *testing.T) {
	m := newMachine(t)
	m.boot()
	apply := func(image string, local ...string) {
		t.Helper()
		app := aca.ContainerApp{Name: "web", Properties: aca.AppProperties{
			Configuration: aca.Configuration{
				Ingress: &aca.Ingress{External: true, TargetPort: 8000},
				Secrets: []aca.Secret{{Name: "password", Value: "hunter2-value"}},
			},
			Template: aca.Template{Containers: []aca.Container{{
				Name: "app", Image: image, Env: []aca.EnvVar{{Name: "P", SecretRef: "password"}}, Args: []string{"--password", "$(P)"},
			}}},
		}}
		if _, err := m.daemon.Engine.Apply(t.Context(), emulator.ApplyRequest{App: app, LocalImages: local}); err != nil {
			t.Fatal(err)
		}
	}
	apply("web:1")
	s := m.waitFor("web is ready", webReady)
	m.get(s.App("web").Local.URL+"/", "")
	apply("gone:1", "gone:1") // which is not there any more
	m.waitFor("the trouble is seen", func(s *emulator.Snapshot) bool { return s.App("web").Local.Problem != "" })
	for query, want := range map[string]bool{`search "hunter2"`: false, `search "web"`: true, `ContainerAppSystemLogs_CL | where Type_s == "Warning"`: true} {
		res, err := m.daemon.Logs.Query(t.Context(), query+" | take 1", kql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		found := false
		res.Tables[0].Each(func(row []kql.Value) bool {
			found = true
			if !want {
				t.Errorf("%s finds %v", query, row)
			}
			return false
		})
		if found != want {
			t.Errorf("%s finds rows: %v, want %v", query, found, want)
		}
	}
	m.stop()
}

func TestHTTPSIsServedWithTheUsersOwnAuthority(t *testing.T) {
	m := newMachine(t)
	dir := filepath.Join(t.TempDir(), "ca")
	t.Setenv("ACALOCAL_CA_DIR", dir)
	m.boot()
	m.apply("web:1")
	s := m.waitFor("web is ready", webReady)
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("an authority was made before anybody used TLS: %v", err)
	}
	dialer := tls.Dialer{Config: &tls.Config{ServerName: "web.dev.localhost", InsecureSkipVerify: true}}
	c, err := dialer.DialContext(t.Context(), "tcp", s.SecureEdge)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "GET / HTTP/1.1\r\nHost: web.dev.localhost\r\nConnection: close\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%v %v", resp, err)
	}
	leaf := c.(*tls.Conn).ConnectionState().PeerCertificates[0]
	authority, err := ingress.OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := leaf.CheckSignatureFrom(authority.Certificate()); err != nil {
		t.Error(err)
	}
	m.stop()
}

func TestExternalTCPPortIsOpenOnLoopback(t *testing.T) {
	m := newMachine(t)
	m.boot()
	port := freePort(t)
	app := aca.ContainerApp{Name: "db", Properties: aca.AppProperties{
		Configuration: aca.Configuration{Ingress: &aca.Ingress{External: true, Transport: aca.TransportTCP, TargetPort: 8000, ExposedPort: port}},
		Template:      aca.Template{Containers: []aca.Container{{Name: "app", Image: "web:1"}}},
	}}
	if _, err := m.daemon.Engine.Apply(t.Context(), emulator.ApplyRequest{App: app}); err != nil {
		t.Fatal(err)
	}
	m.waitFor("db is ready", func(s *emulator.Snapshot) bool { return s.App("db") != nil && s.App("db").Local.Ready })
	if got := m.get(fmt.Sprintf("http://127.0.0.1:%d/", port), ""); got != "200 OK web:1\n" {
		t.Errorf("the TCP port answers %q", got)
	}
	m.stop()
}

func TestRouteConfigSpreadsPathsOverApps(t *testing.T) {
	m := newMachine(t)
	t.Setenv("ACALOCAL_CA_DIR", filepath.Join(t.TempDir(), "ca"))
	m.boot()
	m.apply("web:1")
	api := aca.ContainerApp{Name: "api", Properties: aca.AppProperties{
		Configuration: aca.Configuration{Ingress: &aca.Ingress{TargetPort: 8000}},
		Template:      aca.Template{Containers: []aca.Container{{Name: "app", Image: "web:2"}}},
	}}
	if _, err := m.daemon.Engine.Apply(t.Context(), emulator.ApplyRequest{App: api}); err != nil {
		t.Fatal(err)
	}
	routes, problems := aca.DecodeJSON[aca.HTTPRouteConfig]([]byte(`{"name":"shop","properties":{"rules":[
		{"routes":[{"match":{"pathSeparatedPrefix":"/api"},"action":{"prefixRewrite":"/"}}],"targets":[{"containerApp":"api"}]},
		{"routes":[{"match":{"path":"/web"}}],"targets":[{"containerApp":"web"}]}]}}`))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if err := m.daemon.Engine.ApplyRouteConfig(t.Context(), routes); err != nil {
		t.Fatal(err)
	}
	answers := func() {
		t.Helper()
		s := m.waitFor("both apps are ready", func(s *emulator.Snapshot) bool {
			return webReady(s) && s.App("api") != nil && s.App("api").Local.Ready
		})
		got := strings.Join([]string{m.secure(s, "shop", "/api/x?y"), m.secure(s, "shop", "/web"), m.secure(s, "shop", "/webs")[:3]}, "|")
		if want := "200 web:2\n|200 web:1\n|404"; got != want {
			t.Errorf("the route config answers %q, want %q", got, want)
		}
	}
	answers()
	m.stop()
	m.boot()
	answers()
	m.daemon.Shutdown(true)
	if err := <-m.ended; err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(m.home.Environment("dev").History()); err == nil && len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// secure asks a host of the environment over TLS: "200 body".
func (m *machine) secure(s *emulator.Snapshot, name, path string) string {
	m.Helper()
	host := name + "." + s.Domain
	dialer := tls.Dialer{Config: &tls.Config{ServerName: host, InsecureSkipVerify: true}}
	c, err := dialer.DialContext(m.Context(), "tcp", s.SecureEdge)
	if err != nil {
		m.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path, host)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		m.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		m.Fatal(err)
	}
	return fmt.Sprintf("%d %s", resp.StatusCode, body)
}

// An end in order can be told from a death by those who follow.
func TestFollowersSeeTheEndInOrder(t *testing.T) {
	m := newMachine(t)
	m.boot()
	m.apply("web:1")
	m.waitFor("web to be ready", webReady)
	m.waitLine("hello")
	c := client.New(m.home.Environment(home.DefaultEnvironment))
	logs, err := c.Logs(t.Context(), client.LogsOptions{Target: emulator.ExecTarget{App: "web"}, Follow: true, Text: true, Tail: 20})
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	m.get(m.daemon.Engine.Snapshot().App("web").Local.URL, "")
	requests := make(chan error)
	go func() {
		for _, err := range c.Requests(t.Context(), client.RequestsOptions{Tail: 10, Follow: true}) {
			requests <- err
		}
		close(requests)
	}()
	if err := <-requests; err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(logs, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	m.stop()
	if _, err := io.Copy(io.Discard, logs); err != nil {
		t.Errorf("the console log ended with %v, want the end", err)
	}
	for err := range requests {
		t.Errorf("the requests ended with %v, want the end", err)
	}
}

// slowStats is an engine in memory that says what a container uses when nobody
// wants to know it any more.
type slowStats struct {
	*containertest.Runtime
	asked   chan struct{}
	happens chan string
}

func (r *slowStats) Stats(ctx context.Context, _ container.ID) (container.Stats, error) {
	select {
	case r.asked <- struct{}{}:
	default: // it was seen already
	}
	<-ctx.Done()
	r.happens <- "measured"
	return container.Stats{}, ctx.Err()
}

func (r *slowStats) RemoveEnvironment(ctx context.Context, env string) error {
	r.happens <- "environment removed"
	return r.Runtime.RemoveEnvironment(ctx, env)
}

// TestMeasuringEndsBeforeTheEnvironmentIsRemoved: metrics had no store to go to.
func TestMeasuringEndsBeforeTheEnvironmentIsRemoved(t *testing.T) {
	m := newMachine(t)
	m.scale = 60 // a minute of metrics is a second
	stats := &slowStats{m.runtime, make(chan struct{}, 1), make(chan string, 10)}
	m.boot(func(o *Options) { o.Runtime = stats })
	m.apply("web:1")
	received(t, "a look at the container", stats.asked)
	m.daemon.Shutdown(true)
	if got := received(t, "the end of measuring", stats.happens); got != "measured" {
		t.Fatalf("%s before the measuring has ended", got)
	}
	for got := ""; got != "environment removed"; {
		got = received(t, "the removal", stats.happens)
	}
	if err := received(t, "the end", m.ended); err != nil {
		t.Error(err)
	}
}

// poolless is an engine in memory that has no addresses left for a network.
type poolless struct{ *containertest.Runtime }

var errNoPool = errors.New("all predefined address pools have been fully subnetted")

func (poolless) EnsureEnvironment(context.Context, string) error { return errNoPool }

// TestAnEnvironmentThatCannotBeMadeEndsTheDaemon: who has started it waits for
// that, or for its being ready.
func TestAnEnvironmentThatCannotBeMadeEndsTheDaemon(t *testing.T) {
	m := newMachine(t)
	o := m.options()
	o.Runtime = poolless{m.runtime}
	d, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- d.Run(t.Context(), func() { t.Error("it is ready") }) }()
	if err := received(t, "the end", ended); !errors.Is(err, errNoPool) {
		t.Errorf("it ended with %v", err)
	}
	m.boot() // the next one has what it needs
}
