package emulatortest_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/emulator/emulatortest"
	"github.com/acalocal/acalocal/internal/home"
)

// simulated has two versions of an image, one that crashes, and one that
// listens on another port than it should.
func simulated() emulatortest.Option {
	answer := func(version string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, version) })
	}
	return emulatortest.Simulated(map[string]emulatortest.Simulation{
		"web:1":   {Listens: []int{8000}, Handler: answer("one"), Prints: []string{"listening", `{"level":"info","order":17}`}},
		"web:2":   {Listens: []int{8000}, Handler: answer("two")},
		"crash:1": {ExitAfter: time.Millisecond, ExitCode: 3, Prints: []string{"no configuration"}},
		"port:1":  {Listens: []int{5000}},
	})
}

func start(t testing.TB, opts ...emulatortest.Option) *emulatortest.Env {
	t.Helper()
	return emulatortest.Start(t, append([]emulatortest.Option{simulated()}, opts...)...)
}

func body(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.Status + " " + string(text)
}

func TestAppAnswersAtItsPortAndByItsNames(t *testing.T) {
	t.Parallel()
	env := start(t, emulatortest.Run("web", "web:1", 8000))
	env.WaitReady()
	if got := body(t, http.DefaultClient, env.URL("web")); got != "200 OK one\n" {
		t.Errorf("its port answers %q", got)
	}
	for _, url := range []string{"https://web." + env.Name() + ".localhost/", "http://web." + env.Name() + ".localhost/"} {
		if got := body(t, env.Client(), url); got != "200 OK one\n" {
			t.Errorf("%s answers %q", url, got)
		}
	}
}

func TestLogsAreReadIntoStructs(t *testing.T) {
	t.Parallel()
	env := start(t, emulatortest.Run("web", "web:1", 8000))
	env.WaitReady()
	var rows []struct {
		App   string `kql:"ContainerAppName_s"`
		Order int
		At    time.Time `kql:"TimeGenerated"`
	}
	env.WaitLogs(`ContainerAppConsoleLogs_CL | where Log_s startswith "{" | extend order = toint(parse_json(Log_s).order)`, &rows)
	if len(rows) != 1 || rows[0].App != "web" || rows[0].Order != 17 || time.Since(rows[0].At) > time.Minute {
		t.Errorf("got %+v", rows)
	}
	var all []map[string]any
	env.Logs(`print a = 1, b = "x"`, &all)
	if len(all) != 1 || all[0]["a"] != 1.0 || all[0]["b"] != "x" {
		t.Errorf("got %v", all)
	}
	events := env.Events("web")
	if len(events) == 0 || events[0].App != "web" || events[0].Reason == "" {
		t.Errorf("events: %+v", events)
	}
}

func TestSwapLosesNoRequest(t *testing.T) {
	t.Parallel()
	env := start(t, emulatortest.Run("web", "web:1", 8000))
	env.WaitReady()
	env.RequireNoLostRequests(func() {
		revision := env.Update("web", func(a *aca.ContainerApp) { a.Properties.Template.Containers[0].Image = "web:2" })
		env.WaitRevision("web", revision)
		env.Restart("web")
	})
	if got := body(t, http.DefaultClient, env.URL("")); got != "200 OK two\n" {
		t.Errorf("after the swap it answers %q", got)
	}
}

func TestTrafficIsSplit(t *testing.T) {
	t.Parallel()
	env := start(t, emulatortest.Run("web", "web:1", 8000), emulatortest.Change("web", func(a *aca.ContainerApp) {
		a.Properties.Configuration.ActiveRevisionsMode = aca.Multiple
		a.Properties.Template.RevisionSuffix = "one"
	}))
	env.WaitReady()
	env.Update("web", func(a *aca.ContainerApp) {
		a.Properties.Template.Containers[0].Image = "web:2"
		a.Properties.Template.RevisionSuffix = "two"
	})
	env.WaitRevision("web", "two")
	env.Traffic("web", map[string]int{"web--one": 100, "latest": 0})
	if got := body(t, http.DefaultClient, env.URL("web")); got != "200 OK one\n" {
		t.Errorf("it answers %q", got)
	}
}

func TestOptionsEditTheDefinition(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/containerapp.yaml"
	definition := `name: web
properties:
  configuration:
    ingress: {external: true, targetPort: 8000}
    secrets: [{name: key, value: from-the-file}]
  template:
    containers:
      - {name: web, image: "none:1", env: [{name: MODE, value: prod}]}
---
type: Microsoft.App/managedEnvironments/httpRouteConfigs
name: routes
properties: {rules: [{routes: [{match: {prefix: /web}, action: {prefixRewrite: /}}], targets: [{containerApp: web}]}]}
`
	if err := os.WriteFile(file, []byte(definition), 0o600); err != nil {
		t.Fatal(err)
	}
	env := start(t, emulatortest.File(file), emulatortest.Image("", "web:1"), emulatortest.Variable("", "MODE", "test"),
		emulatortest.Secret("", "key", "from-the-test"), emulatortest.MinReplicas("web", 2))
	env.WaitReady("web")
	app := env.App("web")
	c := app.Properties.Template.Containers[0]
	if c.Image != "web:1" || len(c.Env) != 1 || c.Env[0].Value != "test" || len(app.Revisions[0].Replicas) != 2 {
		t.Errorf("the app runs with %+v and %d replicas", c, len(app.Revisions[0].Replicas))
	}
	if got := body(t, env.Client(), "https://"+env.Snapshot().RouteConfig("routes").Properties.Fqdn+"/web"); got != "200 OK one\n" {
		t.Errorf("the route config answers %q", got)
	}
}

func TestBrokenPortIsExplained(t *testing.T) {
	t.Parallel()
	env := start(t, emulatortest.Run("web", "port:1", 8000))
	v := env.WaitVerdict("web")
	if v.Rule != "target-port-mismatch" && !strings.Contains(v.Rule, "port") {
		t.Errorf("the verdict is %s", v)
	}
}

func TestFaultIsSurvivedAndTold(t *testing.T) {
	t.Parallel()
	env := start(t, emulatortest.Run("web", "web:1", 8000), emulatortest.MinReplicas("", 2), emulatortest.TimeScale(10))
	env.WaitReady()
	env.RequireNoLostRequests(func() {
		name := env.AddFault(emulatortest.Fault{Kind: emulatortest.CutLink, Percent: 20, Seed: 7})
		env.AddFault(emulatortest.Fault{Kind: emulatortest.SlowLink, Delay: 1e6, Times: 3})
		var rows []struct{ Log_s string }
		env.WaitLogs(`ContainerAppSystemLogs_CL | where EventSource_s == "acalocal" and Reason_s == "FaultInjected" and Log_s has "cut the link"`, &rows)
		if n := env.RemoveFault(name); n == 0 {
			t.Error("the fault never happened")
		}
	})
}

// recorder is the testing.TB of a test that may fail.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failed   bool     // guarded by mu
	said     []string // guarded by mu
	cleanups []func()
}

func (r *recorder) Helper()          {}
func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }
func (r *recorder) say(failed bool, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = r.failed || failed
	r.said = append(r.said, text)
}
func (r *recorder) Log(args ...any)                { r.say(false, fmt.Sprintln(args...)) }
func (r *recorder) Errorf(format string, a ...any) { r.say(true, fmt.Sprintf(format, a...)) }
func (r *recorder) Fatalf(format string, a ...any) {
	r.say(true, fmt.Sprintf(format, a...))
	runtime.Goexit()
}
func (r *recorder) Failed() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.failed }

// record runs a test and returns what it said.
func record(t *testing.T, test func(testing.TB)) (said string, failed bool) {
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(r)
	}()
	<-done
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
	return strings.Join(r.said, "\n"), r.failed
}

func TestFailedTestSaysWhatItNeeds(t *testing.T) {
	t.Parallel()
	said, failed := record(t, func(t testing.TB) {
		env := start(t, emulatortest.Run("web", "crash:1", 8000), emulatortest.TimeScale(20), emulatortest.Patience(20*time.Second))
		env.WaitReady()
	})
	if !failed {
		t.Error("the test did not fail")
	}
	for _, want := range []string{
		"emulatortest: wait for the apps", "planned\n    create ", "states\n    web--", "explain web\n    web--", "crash", "no configuration", "ContainerTerminated",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
}

func TestLostRequestFailsTheTest(t *testing.T) {
	t.Parallel()
	said, failed := record(t, func(t testing.TB) {
		env := start(t, emulatortest.Run("web", "web:1", 8000))
		env.WaitReady()
		env.RequireNoLostRequests(func() {
			env.AddFault(emulatortest.Fault{Kind: emulatortest.CutLink})
			var rows []struct{ Reason_s string }
			env.WaitLogs(`ContainerAppHTTPLogs | where StatusCode == 503 | project Reason_s = tostring(StatusCode)`, &rows)
		})
	})
	if !failed || !strings.Contains(said, "requests were lost") {
		t.Errorf("failed: %t\n%s", failed, said)
	}
}

func TestMistakesAreSaid(t *testing.T) {
	t.Parallel()
	f := func(want string, test func(testing.TB)) {
		t.Helper()
		said, failed := record(t, test)
		if !failed || !strings.Contains(said, want) {
			t.Errorf("failed: %t, want %q:\n%s", failed, want, said)
		}
	}
	web := emulatortest.Run("web", "web:1", 8000)
	f(`there is no app "api", only ["web"]`, func(t testing.TB) { start(t, web, emulatortest.MinReplicas("api", 1)) })
	f(`an option has to name its app, there are 2: ["web" "other"]`, func(t testing.TB) {
		start(t, web, emulatortest.Run("other", "web:1", 8000), emulatortest.MinReplicas("", 1))
	})
	f("the answer has no column for the field Nothing; it has a", func(t testing.TB) {
		var rows []struct{ Nothing string }
		start(t, web).Logs(`print a = 1`, &rows)
	})
	f("the answer is not complete: The results of this query exceed the set limit of 1 records", func(t testing.TB) {
		var rows []struct{ X int64 }
		start(t, web).Logs(`set truncationmaxrecords = 1; range x from 1 to 2 step 1`, &rows)
	})
	f("nowhere.yaml does not exist", func(t testing.TB) { start(t, emulatortest.File("nowhere.yaml")) })
	f("a slow-link needs a delay", func(t testing.TB) {
		start(t, web, emulatortest.Faults(emulatortest.Fault{Kind: emulatortest.SlowLink}))
	})
}

func TestParallelEnvironmentsAreIsolated(t *testing.T) {
	t.Parallel()
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			image, want := "web:1", "200 OK one\n"
			if i%2 == 1 {
				image, want = "web:2", "200 OK two\n"
			}
			env := start(t, emulatortest.Run("web", image, 8000))
			env.WaitReady()
			if got := body(t, env.Client(), "https://web."+env.Name()+".localhost"); got != want {
				t.Errorf("it answers %q", got)
			}
		})
	}
}

// leaks are what a process may leak.
type leaks struct{ goroutines, files, directories int }

func count(t *testing.T) leaks {
	t.Helper()
	runtime.GC()
	out := leaks{goroutines: runtime.NumGoroutine()}
	if open, err := os.ReadDir("/proc/self/fd"); err == nil { // elsewhere there is nothing to count
		out.files = len(open)
	}
	names, err := home.Tests().Environments()
	if err != nil {
		t.Fatal(err)
	}
	out.directories = len(names)
	return out
}

// It is not parallel: it counts what others would have.
func TestTwoHundredEnvironmentsLeakNothing(t *testing.T) {
	n := 200
	if testing.Short() {
		n = 20
	}
	use := func(t *testing.T) {
		env := start(t, emulatortest.Run("web", "web:1", 8000))
		env.WaitReady()
		body(t, env.Client(), "https://web."+env.Name()+".localhost")
	}
	t.Run("warm", use)
	before := count(t)
	for range n / 4 {
		t.Run("four", func(t *testing.T) {
			for range 4 {
				t.Run("env", func(t *testing.T) { t.Parallel(); use(t) })
			}
		})
	}
	deadline := time.Now().Add(10 * time.Second)
	after := count(t)
	for after.goroutines > before.goroutines && time.Now().Before(deadline) {
		runtime.Gosched() // goroutines that were told to end need a moment
		after = count(t)
	}
	if after.goroutines > before.goroutines || after.files > before.files || after.directories > before.directories {
		buf := make([]byte, 1<<20)
		t.Errorf("before %+v, after %d environments %+v\n%s", before, n, after, buf[:runtime.Stack(buf, true)])
	}
}
