package timeline

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/explain/event"
	"github.com/acalocal/acalocal/probes"
)

var update = flag.Bool("update", false, "write what is now into testdata")

var zero = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

// rows reads "+2s r1 ! Reason | text", one a line; "-" is no replica.
func rows(t testing.TB, text string) []event.Row {
	t.Helper()
	var out []event.Row
	for line := range strings.Lines(text) {
		head, msg, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " | ")
		words := strings.Fields(head)
		if !ok || len(words) != 4 {
			t.Fatalf("row %q", line)
		}
		d, err := time.ParseDuration(words[0])
		if err != nil {
			t.Fatal(err)
		}
		r := event.Row{Time: zero.Add(d), Replica: words[1], Warning: words[2] == "!", Reason: words[3], Text: msg, Count: 1}
		if r.Replica == "-" {
			r.Replica = ""
		}
		out = append(out, r)
	}
	return out
}

// crashing is the beginning of a captured life: a startup probe that asks a
// missing path (github.com/yeongseon/azure-container-apps-practical-guide,
// labs/revision-provisioning-failure).
const crashing = `+0s web--b-7d9-x2k8p ~ AssigningReplica | Replica 'web--b-7d9-x2k8p' has been scheduled to run on a node.
+0s web--b-7d9-x2k8p ~ PullingImage | Pulling image 'nginx:alpine'
+3.4s web--b-7d9-x2k8p ~ PulledImage | Successfully pulled image "nginx:alpine" in 2.98s. Image size: 28311552 bytes.
+5s web--b-7d9-x2k8p ~ ContainerCreated | Created container 'app'
+5s web--b-7d9-x2k8p ~ ContainerStarted | Started container 'app'
+5s web--b-7d9-x2k8p ! ProbeFailed | Probe of StartUp failed with status code: 404
+10s web--b-7d9-x2k8p ! ProbeFailed | Probe of StartUp failed with status code: 404
+15s web--b-7d9-x2k8p ! ProbeFailed | Probe of StartUp failed with status code: 404
+15s web--b-7d9-x2k8p ! ProbeFailed | Container app failed startup probe, will be restarted
+15s web--b-7d9-x2k8p ! ContainerTerminated | Container 'app' was terminated with exit code '' and reason 'ProbeFailure'
+25s web--b-7d9-x2k8p ~ PullingImage | Pulling image 'nginx:alpine'
+25s web--b-7d9-x2k8p ~ PulledImage | Successfully pulled image "nginx:alpine" in 19ms. Image size: 28311552 bytes.
+25.1s web--b-7d9-x2k8p ~ ContainerStarted | Started container 'app'
+25.2s web--b-7d9-x2k8p ! ProbeFailed | Probe of StartUp failed with status code: 
`

// healthy is a revision that serves and is then retired.
const healthy = `+0s web--a-5c8-aaaaa ~ AssigningReplica | Replica 'web--a-5c8-aaaaa' has been scheduled to run on a node.
+0.1s web--a-5c8-aaaaa ~ PullingImage | Pulling image 'web:1'
+0.2s web--a-5c8-aaaaa ~ PulledImage | Successfully pulled image "web:1" in 19ms. Image size: 28311552 bytes.
+0.5s web--a-5c8-aaaaa ~ ContainerCreated | Created container 'app'
+0.5s web--a-5c8-aaaaa ~ ContainerStarted | Started container 'app'
+1.5s web--a-5c8-aaaaa ! ProbeFailed | Probe of StartUp failed with status code: 1
+2.5s web--a-5c8-aaaaa ! ProbeFailed | Probe of StartUp failed with status code: 1
+4s - ~ RevisionReady | Successfully provisioned revision 'web--a'
+4s - ~ RevisionUpdate | Setting traffic weight of '100%' for revision 'web--a'
+40s - ~ KEDAScalersStopped | KEDA is stopping the watch for revision 'web--a' to monitor scale operations for this revision
+41s web--a-5c8-aaaaa ! ContainerTerminated | Container 'app' was terminated with exit code '' and reason 'ManuallyStopped'
+71s web--a-5c8-aaaaa ! ProcessExited | Container 'app' was terminated with exit code '137'
`

// cold is a replica that comes up from zero.
const cold = `+0s - ~ KEDAScaleTargetActivated | Scaled apps/v1.Deployment k8se-apps/web--a from 0 to 1, triggered by 
+0.1s web--a-5c8-bbbbb ~ AssigningReplica | Replica 'web--a-5c8-bbbbb' has been scheduled to run on a node.
+0.2s web--a-5c8-bbbbb ~ ContainerCreated | Created container 'app'
+1s web--a-5c8-bbbbb ~ ContainerStarted | Started container 'app'
+3s web--a-5c8-bbbbb ~ ColdStart | Replica 'web--a-5c8-bbbbb' was ready 3s after the app was asked for at zero: schedule 100ms, create 900ms, boot 1.5s, probes 500ms.
`

func coldInput(t testing.TB) Input {
	return Input{App: "web", Revision: "web--a", Rows: rows(t, cold), Now: zero.Add(10 * time.Second)}
}

func crashingInput(t testing.TB) Input {
	return Input{App: "web", Revision: "web--b", Rows: rows(t, crashing), Now: zero.Add(30 * time.Second)}
}

func healthyInput(t testing.TB) Input {
	in := Input{App: "web", Revision: "web--a", Rows: rows(t, healthy), Now: zero.Add(time.Hour), Scale: 10}
	for i := range 60 {
		in.Requests = append(in.Requests, zero.Add(5*time.Second+time.Duration(i*i)*10*time.Millisecond))
	}
	return in
}

// attemptsInput is a replica whose daemon began at +2s: earlier failures are
// rows alone. It has a sidecar, and its readiness fails for a while.
func attemptsInput(t testing.TB) Input {
	const replica = "web--a-5c8-aaaaa"
	text, _, _ := strings.Cut(healthy, "+4s - ~ RevisionReady")
	in := Input{App: "web", Revision: "web--a", Rows: rows(t, text), Now: zero.Add(30 * time.Second)}
	add := func(at time.Duration, container string, kind probes.Kind, passed bool, status, path string) {
		a := emulator.ProbeAttempt{Replica: replica, Container: container, Probe: kind, Start: 1, Time: zero.Add(at), Milliseconds: 1.25, Passed: passed, Status: status, Path: path, Port: 8000}
		in.Attempts = append(in.Attempts, a)
	}
	add(3500*time.Millisecond, "app", probes.Startup, true, "", "")
	for s := 4; s <= 28; s += 4 {
		add(time.Duration(s)*time.Second, "app", probes.Readiness, s != 16, map[bool]string{true: "200", false: "503"}[s != 16], "/ready")
	}
	for s := 5; s <= 25; s += 10 {
		add(time.Duration(s)*time.Second, "app", probes.Liveness, true, "", "")
		add(time.Duration(s)*time.Second, "side", probes.Liveness, true, "", "")
	}
	slices.SortFunc(in.Attempts, func(a, b emulator.ProbeAttempt) int { return a.Time.Compare(b.Time) })
	return in
}

func TestDraw(t *testing.T) {
	f := func(name string, in Input, s Style) {
		t.Helper()
		golden(t, name+".txt", Build(in).Draw(s))
	}
	f("crashing-100", crashingInput(t), Style{Width: 100})
	f("crashing-60", crashingInput(t), Style{Width: 60})
	f("crashing-colour", crashingInput(t), Style{Width: 80, Colour: true})
	f("healthy-100", healthyInput(t), Style{Width: 100})
	f("healthy-narrow", healthyInput(t), Style{Width: 1})
	f("attempts-100", attemptsInput(t), Style{Width: 100})
	f("cold-100", coldInput(t), Style{Width: 100})
	f("nothing", Input{App: "web", Revision: "web--a", Now: zero}, Style{Width: 80})
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestPhasesOfARestart(t *testing.T) {
	tl := Build(crashingInput(t))
	var got []string
	for _, lane := range tl.Lanes {
		for _, s := range lane.Spans {
			got = append(got, fmt.Sprintf("%s %s %g-%g %t", lane.Name, s.Phase, s.From.Sub(zero).Seconds(), s.To.Sub(zero).Seconds(), s.Open))
		}
	}
	want := []string{
		"app pull 0-3.4 false", "app create 3.4-5 false", "app starting 5-15 false", "app back-off 15-25 false",
		"app create 25-25.1 false", "app starting 25.1-30 true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestALifeThatIsOverEndsWithItsLastRow(t *testing.T) {
	if tl := Build(healthyInput(t)); !tl.To.Equal(zero.Add(71 * time.Second)) {
		t.Errorf("ends at %s", tl.To)
	}
}

func TestRowsThatRepeatAreOneEvent(t *testing.T) {
	tl := Build(crashingInput(t))
	n := 0
	for _, e := range tl.Events {
		if e.Text == "Probe of StartUp failed with status code: 404" {
			n++
			if e.Times != 3 || !e.Until.Equal(zero.Add(15*time.Second)) {
				t.Errorf("got %+v", e)
			}
		}
	}
	if n != 1 {
		t.Errorf("%d events", n)
	}
}

func TestSVGIsWellFormedAndStandsAlone(t *testing.T) {
	in := crashingInput(t)
	in.Rows[0].Text = "<script>&\x1b[31m\xff"
	for _, in := range []Input{in, healthyInput(t), {Revision: "none", Now: zero}} {
		text := Build(in).SVG()
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			tok, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v in\n%s", err, text)
			}
			if e, ok := tok.(xml.StartElement); ok && (e.Name.Local == "script" || e.Name.Local == "image") {
				t.Errorf("element %s", e.Name.Local)
			}
		}
	}
	golden(t, "healthy.svg", Build(healthyInput(t)).SVG())
}

func TestJSONHasNoNulls(t *testing.T) {
	text, err := json.Marshal(Build(Input{Revision: "web--a", Now: zero}))
	if err != nil || strings.Contains(string(text), "null") {
		t.Errorf("%s %v", text, err)
	}
}

// FuzzDraw holds a drawing of any rows to its width and to not failing.
func FuzzDraw(f *testing.F) {
	f.Add("PullingImage", "Pulling image 'a'", "ContainerStarted", "Started container 'app'", 80, int64(5))
	f.Add("ContainerTerminated", "Container 'app' was terminated with exit code '' and reason 'ManuallyStopped'", "RevisionReady", "Successfully provisioned revision 'x'", 0, int64(0))
	f.Fuzz(func(t *testing.T, reason1, text1, reason2, text2 string, width int, apart int64) {
		if width > 500 || len(text1)+len(text2) > 1000 {
			return
		}
		in := Input{Revision: "web--a", Now: zero, Rows: []event.Row{
			{Time: zero, Replica: "r1", Reason: reason1, Text: text1},
			{Time: zero.Add(time.Duration(apart)), Replica: "r1", Reason: reason2, Text: text2, Warning: true},
		}}
		tl := Build(in)
		for line := range strings.Lines(tl.Draw(Style{Width: width})) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > max(width, MinWidth) && !strings.HasPrefix(line, "web--a  ") {
				t.Errorf("%d columns in %s", n, strconv.Quote(line))
			}
		}
		tl.SVG()
	})
}
