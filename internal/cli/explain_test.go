package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/cli"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/logsink"
)

// mismatched is a definition whose target port nobody listens on.
const mismatched = `name: web
type: Microsoft.App/containerApps
properties:
  configuration:
    ingress:
      external: true
      targetPort: 8000
  template:
    containers:
      - name: web
        image: wrong
`

// runMismatched runs a whole environment over a machine in memory, with the
// app of mismatched, until its rows say what is wrong.
func runMismatched(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("ACALOCAL_STATE_DIR", dir)
	t.Setenv("ACALOCAL_ENVIRONMENT", "local")
	d, err := daemon.New(daemon.Options{
		Environment: "local", Home: home.At(dir), Log: zerolog.Nop(),
		Runtime: containertest.NewRuntime(map[string]containertest.Program{
			"wrong": {Listens: []int{3000}, Prints: []string{"Listening at: http://0.0.0.0:3000 (1)"}},
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- d.Run(ctx, func() { close(ready) }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error("run:", err)
		}
	})
	<-ready
	app := aca.ContainerApp{Name: "web"}
	app.Properties.Configuration.Ingress = &aca.Ingress{External: true, TargetPort: 8000}
	app.Properties.Template.Containers = []aca.Container{{Name: "web", Image: "wrong"}}
	if _, err := d.Engine.Apply(ctx, emulator.ApplyRequest{App: app}); err != nil {
		t.Fatal(err)
	}
	waiting, stop := context.WithTimeout(ctx, 20*time.Second)
	defer stop()
	for _, err := range d.Logs.TailConsole(waiting, logsink.Filter{App: "web"}, 1, true) {
		if err != nil {
			t.Fatal("wait for the first line:", err)
		}
		break
	}
	for snap := d.Engine.Snapshot(); !strings.Contains(problemOf(snap), "does not match"); {
		if snap, err = d.Engine.Watch(waiting, snap.Generation); err != nil {
			t.Fatalf("waited in vain for the mismatch: %v: %s", err, problemOf(d.Engine.Snapshot()))
		}
	}
}

func problemOf(s *emulator.Snapshot) string {
	if app := s.App("web"); app != nil {
		return app.Local.Problem
	}
	return ""
}

// run runs the program and returns what it printed and its exit code.
func run(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, err bytes.Buffer
	code = cli.Main(t.Context(), args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &err})
	return out.String(), err.String(), code
}

var (
	names = regexp.MustCompile(`web--[a-z0-9]{7}`)
	times = regexp.MustCompile(`\d\d:\d\d:\d\d\.\d\d\d`)
	count = regexp.MustCompile(`( \(×\d+\)|, \d+ times)`)
)

// plainText hides what differs from run to run.
func plainText(text string) string {
	return count.ReplaceAllString(times.ReplaceAllString(names.ReplaceAllString(text, "web--REV"), "TIME"), "")
}

func TestExplainNamesTheCauseAndPatchesTheFile(t *testing.T) {
	runMismatched(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "containerapp.yaml"), []byte(mismatched), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	out, stderr, code := run(t, "explain")
	want := `web--REV: targetPort is 8000, but the app listens on 3000  [port-mismatch]

why       Requests and the hidden probes go to port 8000 of the replica, where nothing listens, so
          the startup probe never passes and requests are held until they time out.

evidence  TIME  web | Listening at: http://0.0.0.0:3000 (1)
          TIME  The TargetPort 8000 does not match the listening port 3000.
                        listening in the replica: 0.0.0.0:3000

fix       Set ingress.targetPort to 3000, or let the app listen on 8000. Changing the ingress makes
          no new revision.

--- containerapp.yaml
+++ containerapp.yaml
@@ -4,7 +4,7 @@
   configuration:
     ingress:
       external: true
-      targetPort: 8000
+      targetPort: 3000
   template:
     containers:
       - name: web
`
	if probed := regexp.MustCompile(`(?m)^ +TIME  Probe of StartUp.*\n`); code != 0 || stderr != "" {
		t.Errorf("code %d, stderr %s", code, stderr)
	} else if diff := cmp.Diff(want, probed.ReplaceAllString(plainText(out), "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	out, _, code = run(t, "explain", "web", "--json", "--file", "containerapp.yaml")
	var v struct {
		Rule  string
		Wrong bool
		Patch string
	}
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != 0 || v.Rule != "port-mismatch" || !v.Wrong || v.Patch == "" {
		t.Errorf("code %d, %v: %s", code, err, out)
	}

	for args, want := range map[string]string{
		"explain none":           `acalocal: no app is named "none"`,
		"explain web--gone":      `acalocal: app web has no revision "web--gone"`,
		"explain --file missing": "acalocal: open the definition: no such file or directory",
		"timeline --json --svg":  "acalocal: --json and --svg are two forms of one answer",
	} {
		if _, stderr, code := run(t, strings.Fields(args)...); code == 0 || !strings.HasPrefix(stderr, want+"\n") {
			t.Errorf("%s: code %d, %s", args, code, stderr)
		}
	}
}

func TestVerdictLineIsThereForUp(t *testing.T) {
	runMismatched(t)
	h, err := home.Open()
	if err != nil {
		t.Fatal(err)
	}
	c := client.New(h.Environment("local"))
	snap, err := c.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	app := snap.App("web")
	line, err := cli.VerdictLine(t.Context(), c, app, app.Properties.LatestRevisionName)
	if want := "web--REV: targetPort is 8000, but the app listens on 3000"; err != nil || plainText(line) != want {
		t.Errorf("got %q %v, want %q", line, err, want)
	}
	if line, err := cli.VerdictLine(t.Context(), c, app, "web--gone"); err == nil {
		t.Errorf("a revision that is not there gave %q", line)
	}
}

func TestTimelineDrawsTheLifeOfARevision(t *testing.T) {
	runMismatched(t)
	out, stderr, code := run(t, "timeline", "--width", "80")
	for _, want := range []string{"\nrevision\n", "▓ starting", "P port mismatch", "Replica 'web--REV", "~ The TargetPort 8000 does not match"} {
		if !strings.Contains(plainText(out), want) {
			t.Errorf("no %q in code %d %s\n%s", want, code, stderr, out)
		}
	}
	if out, _, _ := run(t, "timeline", "--json"); !strings.Contains(out, `"phase": "starting"`) {
		t.Errorf("JSON:\n%s", out)
	}
	if out, _, _ := run(t, "timeline", "web", "--svg"); !strings.HasPrefix(out, "<svg xmlns=") {
		t.Errorf("SVG:\n%s", out)
	}
}
