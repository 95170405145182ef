package capture

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/agent/standin"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/explain/event"
)

var zero = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

const (
	revision = "web--abc1234"
	rep      = "web--abc1234-7d9c6b5f4-x2k8p"
)

// recording is a capture of an app with one container, made of short lines:
//
//	row +2s Reason | text
//	line +2s [stderr] | text
//	try +2s Startup PATH|- PORT pass|STATUS|refused|timeout [25ms]
//	listens 3000 [loopback]
//	oom 1
//	last REASON CODE [forced]
//	request +2s /path 200 12
func recording(t testing.TB, made time.Duration, text string) *File {
	t.Helper()
	template := aca.Template{Containers: []aca.Container{{Name: "app", Image: "web:1"}}}
	r := emulator.Replica{Local: emulator.LocalReplica{Containers: []emulator.LocalContainer{{Name: "app"}}}}
	r.Name = rep
	f := &File{Format: Format, Version: Version, Made: zero.Add(made), Revision: revision}
	f.App.Name = "web"
	f.App.Properties = aca.AppProperties{Configuration: aca.Configuration{Ingress: &aca.Ingress{External: true, TargetPort: 8000}}, Template: template}
	own := &r.Local.Containers[0]
	for line := range strings.Lines(text) {
		head, msg, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " | ")
		w := strings.Fields(head)
		if len(w) == 0 {
			continue
		}
		switch w[0] {
		case "row":
			f.Rows = append(f.Rows, event.Row{Time: at(t, w[1]), Replica: rep, Reason: w[2], Text: msg, Count: 1})
		case "line":
			f.Console = append(f.Console, explain.Output{Time: at(t, w[1]), Replica: rep, Container: "app", Stderr: len(w) > 2, Text: msg})
		case "try":
			f.Attempts = append(f.Attempts, tried(t, w))
		case "listens":
			r.Local.Listening = append(r.Local.Listening, emulator.Listener{Port: number(t, w[1]), Loopback: len(w) > 2})
		case "oom":
			own.OOMKills = number(t, w[1])
		case "last":
			own.LastEnd = &emulator.End{Reason: w[1], ExitCode: number(t, w[2]), Forced: len(w) > 3}
		case "request":
			f.Requests = append(f.Requests, api.Request{Time: at(t, w[1]), Revision: revision, Path: w[2], Status: number(t, w[3]), Total: float64(number(t, w[4]))})
		default:
			t.Fatalf("line %q", line)
		}
	}
	rev := emulator.Revision{Replicas: []emulator.Replica{r}}
	rev.Name, rev.Properties.Template = revision, template
	f.App.Revisions = []emulator.Revision{rev}
	return f
}

func at(t testing.TB, text string) time.Time {
	t.Helper()
	d, err := time.ParseDuration(strings.TrimPrefix(text, "+"))
	if err != nil {
		t.Fatal(err)
	}
	return zero.Add(d)
}

func number(t testing.TB, text string) (n int) {
	t.Helper()
	if _, err := fmt.Sscan(text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func tried(t testing.TB, w []string) emulator.ProbeAttempt {
	a := emulator.ProbeAttempt{Replica: rep, Container: "app", Time: at(t, w[1]), Path: w[3], Port: number(t, w[4]), Milliseconds: 2}
	switch w[2] {
	case "Startup", "Readiness", "Liveness":
		a.Probe = map[string]emulator.ProbeAttempt{"Startup": {Probe: "Startup"}, "Readiness": {Probe: "Readiness"}, "Liveness": {Probe: "Liveness"}}[w[2]].Probe
	default:
		t.Fatalf("probe %q", w[2])
	}
	if a.Path == "-" {
		a.Path = ""
	}
	switch w[5] {
	case "pass":
		a.Passed, a.Status = true, "200"
	case "refused":
		a.Detail = "connection refused"
	case "timeout":
		a.Timeout = true
	default:
		a.Status = w[5]
	}
	if len(w) > 6 {
		d, err := time.ParseDuration(w[6])
		if err != nil {
			t.Fatal(err)
		}
		a.Milliseconds = float64(d.Microseconds()) / 1000
	}
	return a
}

// TestParts holds scripts to what was recorded.
func TestParts(t *testing.T) {
	f := func(name string, made time.Duration, recorded, want string) {
		t.Helper()
		got := recording(t, made, recorded).Parts()["app"].Script.String()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if _, err := standin.Parse(got); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("a port that nobody asks is listened on when a line names it", 20*time.Second, `
row +1s ContainerStarted | Started container 'app'
line +0.9s | starting
line +1.4s stderr | Listening at: http://0.0.0.0:3000 (1)
row +1.5s Pending:PortMismatch | The TargetPort 8000 does not match the listening port 3000.
try +2s Startup - 8000 refused
try +3s Startup - 8000 refused
`, `attempt
listen 400ms 3000 any
print 0s stdout starting
print 400ms stderr Listening at: http://0.0.0.0:3000 (1)
`)
	f("a slow start listens when the first attempt passed", 60*time.Second, `
row +1s ContainerStarted | Started container 'app'
try +2s Startup /health 8000 refused
try +41s Startup /health 8000 refused
try +42s Startup /health 8000 pass 100ms
try +43s Readiness /health 8000 503
try +53s Readiness /health 8000 timeout 1s
`, `attempt
listen 40.9s 8000 any
answer 0s /health 200 100ms
answer 41.499s /health 503 0s
answer 46.5s /health 200 never
`)
	f("a crash loop ends as it did, and a young last start is left out", 20*time.Second, `
row +1s ContainerStarted | Started container 'app'
line +2s stderr | no such module
row +2.5s ContainerTerminated | Container 'app' was terminated with exit code '1' and reason 'ProcessExited'
row +12.5s ContainerStarted | Started container 'app'
line +13s stderr | no such module again
row +14s ContainerTerminated | Container 'app' was terminated with exit code '3' and reason 'ProcessExited'
row +19.5s ContainerStarted | Started container 'app'
last ProcessExited 3
`, `attempt
print 1s stderr no such module
exit 1.5s 1
attempt
print 500ms stderr no such module again
exit 1.5s 3
`)
	f("a last start that became ready stays", 20*time.Second, `
row +1s ContainerStarted | Started container 'app'
row +9s ContainerTerminated | Container 'app' was terminated with exit code '1' and reason 'ProcessExited'
row +19s ContainerStarted | Started container 'app'
try +19.2s Readiness - 8000 pass
`, `attempt
listen 0s 8000 any
exit 8s 1
attempt
listen 198ms 8000 any
`)
	f("the first process ran out of memory", 20*time.Second, `
row +1s ContainerStarted | Started container 'app'
row +4s ContainerTerminated | Container 'app' was terminated with exit code '137' and reason 'ProcessExited'
oom 1
`, `attempt
hog 2.5s self
`)
	f("137 without a memory kill is an exit", 20*time.Second, `
row +1s ContainerStarted | Started container 'app'
row +4s ContainerTerminated | Container 'app' was terminated with exit code '137' and reason 'ProcessExited'
`, `attempt
exit 3s 137
`)
	f("workers ran out of memory and the container lived on", 20*time.Second, `
row +1s ContainerStarted | Started container 'app'
line +3s stderr | [1] [WARNING] Worker with pid 7 was terminated due to signal 9
oom 2
listens 8000
try +2s Startup - 8000 pass
`, `attempt
listen 998ms 8000 any
print 2s stderr [1] [WARNING] Worker with pid 7 was terminated due to signal 9
hog 1.5s child
hog 2s child
`)
	f("a signal that was ignored is ignored", 60*time.Second, `
row +1s ContainerStarted | Started container 'app'
try +11s Liveness /slow 8000 timeout 1s
row +11s ProbeFailed | Container app failed liveness probe, will be restarted
row +11s ContainerTerminated | Container 'app' was terminated with exit code '' and reason 'ProbeFailure'
row +41s ProcessExited | Container 'app' was terminated with exit code '137'
last ProbeFailure 137 forced
`, `attempt
listen 9s 8000 any
answer 0s /slow 200 never
stop never 0
`)
	f("a loopback bind stays one", 20*time.Second, `
row +1s ContainerStarted | Started container 'app'
listens 8000 loopback
try +1.2s Startup - 8000 pass
request +5s /?q=1 200 70
`, `attempt
listen 198ms 8000 loopback
answer 0s /?q=1 200 70ms
`)
	f("without attempts the rows tell", 20*time.Second, `
row +1s ContainerStarted | Started container 'app'
row +2s ProbeFailed | Probe of StartUp failed with status code: 1
row +3s ProbeFailed | Probe of StartUp failed with status code: 1
`, `attempt
`)
}

func TestManyStartsAreFew(t *testing.T) {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, "row +%ds ContainerStarted | Started container 'app'\nrow +%ds ContainerTerminated | Container 'app' was terminated with exit code '%d' and reason 'ProcessExited'\n", 10*i, 10*i+1, i)
	}
	got := recording(t, time.Hour, b.String()).Parts()["app"].Script.Attempts
	if len(got) != maxStarts || got[0].Exit.Code != 0 || got[maxStarts-1].Exit.Code != 19 {
		t.Errorf("%d starts: %+v", len(got), got)
	}
}

func TestWhatCannotStart(t *testing.T) {
	f := func(detail string, want container.Broken, command string) {
		t.Helper()
		p := recording(t, time.Minute, `row +1s ContainerTerminated | Container 'app' was terminated with exit code '1' and reason 'ContainerCreateFailure'. Status(StatusCode="Unknown", Detail="`+detail+`")`).Parts()["app"]
		if p.Broken != want || p.Command != command {
			t.Errorf("%s: %q of %q, want %q of %q", detail, p.Broken, p.Command, want, command)
		}
	}
	f(`OCI runtime create failed: exec: "python": executable file not found in $PATH: unknown`, container.BrokenMissing, "python")
	f(`OCI runtime create failed: exec: "/app/run.sh": permission denied: unknown`, container.BrokenPermission, "/app/run.sh")
	f(`OCI runtime create failed: exec: "/app/server": exec format error: unknown`, container.BrokenFormat, "/app/server")
	f(`something else`, "", "")
	p := recording(t, time.Minute, "row +1s ContainerTerminated | Container 'app' was terminated with exit code '' and reason 'ImagePullFailure'").Parts()["app"]
	if !p.NoImage {
		t.Error("an image that could not be had gets a stand-in")
	}
}

func TestRedact(t *testing.T) {
	f := recording(t, time.Minute, `
row +1s ContainerTerminated | failed with hunter2hunter2
line +1s | password is hunter2hunter2, user is bob
request +5s /login?token=abcdef 200 7
`)
	env := []aca.EnvVar{{Name: "DB_PASSWORD", Value: "hunter2hunter2"}, {Name: "DB_USER", Value: "bob"}, {Name: "APPLICATIONINSIGHTS_CONNECTION_STRING", SecretRef: "ai"}}
	f.App.Revisions[0].Properties.Template.Containers[0].Env = env
	f.App.Properties.Configuration.Secrets = []aca.Secret{{Name: "ai", Value: "InstrumentationKey=1234-5678"}}
	f.Verdict.Why = "hunter2hunter2 is wrong"
	f.App.SystemData = aca.NewSystemData("carol", f.Made, f.Made)
	Redact(f)
	var b bytes.Buffer
	if err := Write(&b, f); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	var plain bytes.Buffer
	if _, err := plain.ReadFrom(z); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hunter2", "1234-5678", "abcdef", "carol"} {
		if strings.Contains(plain.String(), secret) {
			t.Errorf("%s is in the file", secret)
		}
	}
	for _, open := range []string{"user is bob", `"DB_PASSWORD"`, `"secretRef": "ai"`, "/login", noResource} {
		if !strings.Contains(plain.String(), open) {
			t.Errorf("%s is not in the file", open)
		}
	}
	if env[0].Value != "hunter2hunter2" {
		t.Error("the definition that was handed in has changed")
	}
}

func TestFilesAreReadAsWritten(t *testing.T) {
	f := recording(t, time.Minute, "row +1s ContainerStarted | Started container 'app'\ntry +2s Startup / 8000 pass\nline +2s | hello\nlistens 8000\n")
	f.Program, f.TimeScale, f.Telemetry = "1.0", 10, &explain.Telemetry{Records: 3}
	var b bytes.Buffer
	if err := Write(&b, f); err != nil {
		t.Fatal(err)
	}
	whole := b.Bytes()
	got, err := Read(bytes.NewReader(whole))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(f, got); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
	refused := func(data []byte, want string) {
		t.Helper()
		if _, err := Read(bytes.NewReader(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	refused(whole[:len(whole)/2], "the file is cut short")
	refused([]byte("name: web\n"), "the file is no capture")
	packed := func(text string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(text)) // a buffer takes all
		_ = z.Close()
		return b.Bytes()
	}
	refused(packed("{}"), "the file is no capture")
	refused(packed(`{"format":"acalocal-capture","version":2}`), "it is of version 2, this program reads version 1")
	refused(packed(`{"format":"acalocal-capture","version":1,"revision":"x"}`), "its own revision")
}

func TestDefinitionOfAReplay(t *testing.T) {
	f := recording(t, time.Minute, "")
	f.App.Properties.Configuration.Secrets = []aca.Secret{{Name: "key", KeyVaultURL: "https://v.vault.azure.net/secrets/s", Identity: "system"}}
	f.App.Properties.Configuration.ActiveRevisionsMode = aca.Multiple
	app := f.Definition(map[string]string{"app": "acalocal/replay-x-app:1"})
	app.ApplyDefaults()
	if problems := aca.Errors(app.Validate()); len(problems) > 0 {
		t.Errorf("the definition is refused: %v", problems[0])
	}
	c := app.Properties.Template.Containers[0]
	if c.Image != "acalocal/replay-x-app:1" || len(c.VolumeMounts) != 1 || c.VolumeMounts[0].MountPath != standin.CounterDir {
		t.Errorf("container %+v", c)
	}
	if got := app.Properties.Template.RevisionSuffix; got != "abc1234" {
		t.Errorf("the revision is called %s", got)
	}
	if s := app.Properties.Configuration.Secrets[0]; s.Value != Redacted || s.KeyVaultURL != "" {
		t.Errorf("secret %+v", s)
	}
	f.App.Revisions[0].Name, f.Revision = "web--0000001", "web--0000001"
	shared := &f.App.Revisions[0].Properties.Template
	shared.Volumes = []aca.Volume{{Name: "data", StorageType: "AzureFile", StorageName: "share", MountOptions: "uid=1000"}}
	shared.Containers[0].VolumeMounts = []aca.VolumeMount{{VolumeName: "data", MountPath: "/data"}}
	second := f.Definition(nil)
	second.ApplyDefaults()
	if problems := aca.Errors(second.Validate()); len(problems) > 0 {
		t.Errorf("the definition of a second revision is refused: %v", problems[0])
	}
	if v := second.Properties.Template.Volumes[0]; v.StorageType != "EmptyDir" || v.StorageName != "" {
		t.Errorf("volume %+v", v)
	}
	shared.Volumes, shared.Containers[0].VolumeMounts = nil, nil
	own := f.Definition(nil)
	if len(own.Properties.Template.Volumes) != 0 || own.Properties.Template.Containers[0].Image != "web:1" {
		t.Error("a definition without stand-ins has changed")
	}
	if f.App.Properties.Configuration.Secrets[0].Value != "" {
		t.Error("the recording has changed")
	}
}

func TestCompare(t *testing.T) {
	a := recording(t, time.Minute, `
row +1s PulledImage | Successfully pulled image "web:1" in 2.98s. Image size: 28311552 bytes.
row +1s AssigningReplica | Replica '`+rep+`' has been scheduled to run on a node.
row +2s ContainerStarted | Started container 'app'
`)
	b := recording(t, time.Hour, `
row +9s PulledImage | Successfully pulled image "stand-in:1" in 19ms. Image size: 1 bytes.
row +9s AssigningReplica | Replica 'web--abc1234-aaaaaaaaa-zzzzz' has been scheduled to run on a node.
row +10s ContainerStarted | Started container 'app'
row +11s ContainerStarted | Started container 'app'
`)
	b.App.Revisions[0].Properties.Template.Containers = []aca.Container{{Name: "app", Image: "stand-in:1"}}
	b.Rows[1].Replica = "web--abc1234-aaaaaaaaa-zzzzz"
	if got := Compare(a, b); len(got) != 0 {
		t.Errorf("equal lives differ: %q", got)
	}
	b.Rows[2].Text = "Started container 'other'"
	b.Rows[3].Text = "Started container 'other'"
	b.Verdict = explain.Verdict{Rule: "crash-loop", Title: "it crashes"}
	a.Verdict = explain.Verdict{Rule: "healthy", Title: "nothing is wrong"}
	want := []string{
		"the verdict was [healthy] nothing is wrong, now it is [crash-loop] it crashes",
		"missing: ContainerStarted: Started container 'app'",
		"added:   ContainerStarted: Started container 'other'",
	}
	if diff := cmp.Diff(want, Compare(a, b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := Write(&b, recording(f, time.Minute, "row +1s ContainerStarted | Started container 'app'\ntry +2s Startup / 8000 pass\n")); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		for name, p := range got.Parts() { // whatever a file says, its script can be played
			if _, err := standin.Parse(p.Script.String()); err != nil {
				t.Errorf("container %s: %v", name, err)
			}
		}
	})
}
