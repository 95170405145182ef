package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/api/apitest"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/config/check"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/google/go-cmp/cmp"
)

const runningApp = `name: web
properties:
  configuration: { ingress: { external: true, targetPort: 8000 } }
  template:
    containers:
      - name: app
        image: "web:1"
        probes: [{ type: Readiness, httpGet: { path: /health, port: 8000 }, timeoutSeconds: 5 }]
`

func TestCheckLooksAtTheAppThatRuns(t *testing.T) {
	dir, err := os.MkdirTemp("", "aca") // short: it holds a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) }) //nolint:errcheck // only leaves files behind
	t.Setenv("ACALOCAL_STATE_DIR", dir)
	file := filepath.Join(t.TempDir(), "containerapp.yaml")
	if err := os.WriteFile(file, []byte(runningApp), 0o644); err != nil {
		t.Fatal(err)
	}
	def, problems := config.Load(t.Context(), file, config.Overrides{})
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	if got := lookAtRunning(t.Context(), def); len(got) != 0 {
		t.Errorf("seen while nothing runs: %v", got)
	}

	edge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/health" {
			http.Redirect(w, r, "/login", http.StatusFound)
		}
	}))
	t.Cleanup(edge.Close)
	app := apitest.Ready(def.Apps[0].ContainerApp, "web--abc1234")
	app.Local.URL = edge.URL
	app.Revisions[0].Replicas[0].Local.Listening = []emulator.Listener{{Port: 8000, Loopback: true}, {Port: 9000}}
	snap := &emulator.Snapshot{Environment: def.Environment.Name, Apps: []emulator.App{app}}
	fake := apitest.New(snap)
	stop := apitest.Serve(t, home.At(dir).Environment(snap.Environment), func(func()) http.Handler {
		return api.New(api.Options{Emulator: fake, Logs: apitest.NewLogs(), Shutdown: func(bool) {}})
	})
	t.Cleanup(stop)

	want := map[string]*check.Running{"web": {
		Listening:  []check.Listener{{Port: 8000, Loopback: true}, {Port: 9000}},
		HealthPath: "/health", HealthStatus: http.StatusFound,
	}}
	if diff := cmp.Diff(want, lookAtRunning(t.Context(), def)); diff != "" {
		t.Errorf("seen (-want +got):\n%s", diff)
	}
	if calls := fake.Calls(); len(calls) != 2 {
		t.Errorf("calls = %q; one look for log files and one at the environment were to be made", calls)
	}
}

func TestOverriddenVariablesAreThoseOfRunningProcesses(t *testing.T) {
	f := func(name, processes string, want ...string) {
		t.Helper()
		defined := []aca.EnvVar{{Name: "PORT", Value: "1"}, {Name: "PORT", Value: "8000"}, {Name: "LEVEL", Value: "info"}, {Name: "KEY", SecretRef: "key"}, {Name: "URL", Value: "http://$(PORT)"}}
		got := overridden(defined, parseEnvironments(strings.ReplaceAll(processes, "|", "\x00")))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	const all = "PORT=8000|LEVEL=info|KEY=k|URL=http://8000|"
	f("nothing was seen", "")
	f("as defined", "\n1|"+all+"\n7|"+all+"PATH=/bin|")
	f("workers without an environment", "\n1|"+all+"\n7|")
	f("nothing may be read of the first process", "\n1|\n7|"+all)
	f("another value", "\n1|"+all+"\n7|PORT=5000|LEVEL=info|", "PORT")
	f("a value of lines", "\n1|"+all+"TEXT=a\nb=c\n|")
	f("an empty environment but for a path", "\n1|PATH=/bin|", "PORT", "LEVEL", "KEY", "URL")
}
