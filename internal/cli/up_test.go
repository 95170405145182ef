package cli

import (
	"strings"
	"testing"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/api/apitest"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/acalocal/acalocal/internal/config"
)

func TestWhereToReachAnApp(t *testing.T) {
	f := func(want string, edit func(*emulator.App)) {
		t.Helper()
		snap := apitest.OneApp()
		snap.SecureEdge = "127.0.0.1:8443"
		app := &snap.Apps[0]
		app.Properties.Configuration.Ingress.Fqdn = "web.dev.localhost"
		edit(app)
		if got := whereTo(snap, app); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	f("is ready at http://127.0.0.1:20080", func(a *emulator.App) { a.Properties.Configuration.Ingress.Fqdn = "" })
	f("is ready at http://127.0.0.1:20080 and https://web.dev.localhost:8443", func(*emulator.App) {})
	f("is ready at 127.0.0.1:6379 (TCP)", func(a *emulator.App) {
		in := a.Properties.Configuration.Ingress
		in.Transport, in.ExposedPort = aca.TransportTCP, 6379
	})
	f("is ready for other apps of the environment", func(a *emulator.App) { a.Local.URL = "" })
	f("is ready; it has no ingress", func(a *emulator.App) { a.Properties.Configuration.Ingress = nil })
}

func TestOverridesAreNilUnlessGiven(t *testing.T) {
	f := func(args []string, want config.Overrides) {
		t.Helper()
		var got config.Overrides
		cmd := newUpCommand(Streams{})
		cmd.ResetFlags()
		bindOverrides(cmd, &got)
		if err := cmd.ParseFlags(args); err != nil {
			t.Errorf("%q: %v", args, err)
		}
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(want, "Change", "Changes")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", args, diff)
		}
		if got.Changes() {
			t.Errorf("%q: a change of the app that nobody asked for", args)
		}
	}
	zero, port, half := 0, 8000, 0.5
	f(nil, config.Overrides{})
	f([]string{"-n", "web", "-g", "rg", "-i", "web:1", "-p", "9000"}, config.Overrides{Name: "web", Image: "web:1", HostPort: 9000})
	f([]string{"--target-port", "8000", "--min-replicas", "0", "--cpu", "0.5"}, config.Overrides{TargetPort: &port, MinReplicas: &zero, CPU: &half})
	f([]string{"--command", "/bin/sh", "--command", "-c", "--command", "echo a"}, config.Overrides{Command: []string{"/bin/sh", "-c", "echo a"}})
	f([]string{"--command", "sh -c 'echo a'", "--args", ""}, config.Overrides{Command: []string{"sh", "-c", "echo a"}, Args: []string{}})
	f([]string{"--env-vars", "A=1,2", "--env-vars", "B="}, config.Overrides{EnvVars: []string{"A=1,2", "B="}})
}

func TestOverridesKnowTheChangesOfAnApp(t *testing.T) {
	for _, args := range [][]string{
		{"--exposed-port", "9000"}, {"--allow-insecure"}, {"--allow-insecure=false"}, {"--revisions-mode", "multiple"},
		{"--max-inactive-revisions", "0"}, {"--termination-grace-period", "0"}, {"--tags", "a=b"},
	} {
		var got config.Overrides
		cmd := newUpCommand(Streams{})
		cmd.ResetFlags()
		bindOverrides(cmd, &got)
		if err := cmd.ParseFlags(args); err != nil {
			t.Errorf("%q: %v", args, err)
		}
		if !got.Changes() {
			t.Errorf("%q is not seen", args)
		}
	}
}

func TestOverridesRefuseWhatIsNoNumber(t *testing.T) {
	cmd := newUpCommand(Streams{})
	err := cmd.ParseFlags([]string{"--target-port", "http"})
	want := `invalid argument "http" for "--target-port" flag: "http" is not a number`
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestLastLinesAreThoseOfTheApp(t *testing.T) {
	f := func(log, want string) {
		t.Helper()
		var b strings.Builder
		writeLastLines(&b, "web", strings.NewReader(log))
		if diff := cmp.Diff(want, b.String()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	const head = "2025-12-15T08:43:48.72656  Connecting to the container 'web'...\n" +
		"2025-12-15T08:43:48.75482  Successfully Connected to container: 'web' [Revision: '', Replica: '']\n"
	f(head, "")
	f(head+"2025-12-15T08:33:59.0671054Z stderr F Traceback (most recent call last):\n2025-12-15T08:33:59.0671055Z stderr F   File \"x\"\n",
		"the last lines of web:\n  Traceback (most recent call last):\n    File \"x\"\n")
}
