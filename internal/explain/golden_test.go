package explain

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/explain/event"
)

var update = flag.Bool("update", false, "write what is now into testdata")

// TestGolden explains every case of testdata. A file is
//
//	-- containerapp.yaml --  the user's definition
//	-- state --              what the emulator sees; see (*reader).state
//	-- rows --               +2s r1 ! Reason | text; +1s..+9s/2s repeats
//	-- console --            +2s r1 app | text
//	-- want --               the verdict
//
// where +2s is two seconds after the beginning and r1 a replica. Files are named
// after the rule they prove, or "not-" and the rule that must stay silent.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) { golden(t, file) })
	}
}

func golden(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v := Explain(readEvidence(t, archive))
	got := v.String()
	want := section0(archive, "want")
	if *update && want != got {
		setSection(archive, "want", got)
		if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	name := strings.TrimSuffix(filepath.Base(file), ".txtar")
	checkName(t, name, v)
	checkPatch(t, v, section0(archive, "containerapp.yaml"))
}

// checkName holds a case to what its name promises.
func checkName(t *testing.T, name string, v Verdict) {
	t.Helper()
	for _, id := range Rules() {
		if isCase(name, id) && v.Rule != id {
			t.Errorf("the verdict is %s", v.Rule)
		}
		if isCase(name, "not-"+id) && v.Rule == id {
			t.Errorf("the rule %s fired", id)
		}
	}
}

// isCase says whether a file is about a rule: the rule's id, alone or followed
// by a number or a word that makes no other rule.
func isCase(name, id string) bool {
	return name == id || strings.HasPrefix(name, id+".")
}

// TestEveryRuleHasCases wants each rule proved and seen silent.
func TestEveryRuleHasCases(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	has := func(id string) bool {
		return slices.ContainsFunc(files, func(f string) bool {
			return isCase(strings.TrimSuffix(filepath.Base(f), ".txtar"), id)
		})
	}
	for _, id := range Rules() {
		for _, want := range []string{id, "not-" + id} {
			if !has(want) {
				t.Errorf("no case %s", want)
			}
		}
	}
}

// checkPatch applies the patch and holds the result to being a definition.
func checkPatch(t *testing.T, v Verdict, text string) {
	t.Helper()
	if v.Patch == "" {
		return
	}
	patched := applyPatch(t, text, v.Patch)
	if patched == text {
		t.Error("the patch changes nothing")
	}
	loadApp(t, patched)
}

// applyPatch is what patch(1) does, for hunks that fit exactly.
func applyPatch(t *testing.T, text, patch string) string {
	t.Helper()
	old := strings.SplitAfter(text, "\n")
	var out []string
	at := 0
	_, body, _ := strings.Cut(patch, "\n+++ ") // the head
	_, body, _ = strings.Cut(body, "\n")
	for _, line := range strings.SplitAfter(body, "\n") {
		switch {
		case strings.HasPrefix(line, "@@ -"):
			number, _, _ := strings.Cut(line[len("@@ -"):], " ")
			number, _, _ = strings.Cut(number, ",")
			n, err := strconv.Atoi(number)
			if err != nil {
				t.Fatalf("hunk %q", line)
			}
			for at < n-1 {
				out = append(out, old[at])
				at++
			}
		case line == "", strings.HasPrefix(line, `\`):
		case line[0] == '+':
			out = append(out, line[1:])
		default:
			if at >= len(old) || old[at] != line[1:] {
				t.Fatalf("patch line %q does not fit line %d", line, at+1)
			}
			if line[0] == ' ' {
				out = append(out, old[at])
			}
			at++
		}
	}
	return strings.Join(append(out, old[at:]...), "")
}

func section0(a *txtar.Archive, name string) string {
	for _, f := range a.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func setSection(a *txtar.Archive, name, text string) {
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = []byte(text)
			return
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(text)})
}

// loadApp reads a definition as "up" does.
func loadApp(t *testing.T, text string) aca.ContainerApp {
	t.Helper()
	file := filepath.Join(t.TempDir(), "containerapp.yaml")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	def, problems := config.Load(t.Context(), file, config.Overrides{})
	if err := problems.Err(); err != nil {
		t.Fatalf("load: %v", err)
	}
	app := def.Apps[0].ContainerApp
	app.ApplyDefaults()
	return app
}

// zero is the moment that +0s means.
var zero = time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)

// reader reads the sections of a case.
type reader struct {
	t *testing.T
	e Evidence
}

func readEvidence(t *testing.T, a *txtar.Archive) Evidence {
	text := section0(a, "containerapp.yaml")
	r := &reader{t: t}
	r.e.App = loadApp(t, text)
	r.e.File = File{Path: "containerapp.yaml", Text: []byte(text)}
	r.e.Now = zero.Add(time.Minute)
	r.e.Revision.Name = r.e.App.Name + "--abc1234"
	r.e.Revision.Properties = aca.RevisionProperties{Active: true, CreatedTime: zero, Template: r.e.App.Properties.Template}
	for _, line := range lines(section0(a, "state")) {
		r.state(strings.Fields(line))
	}
	for _, line := range lines(section0(a, "rows")) {
		r.row(line)
	}
	slices.SortStableFunc(r.e.Rows, func(a, b event.Row) int { return a.Time.Compare(b.Time) })
	for _, line := range lines(section0(a, "console")) {
		r.output(line)
	}
	return r.e
}

func lines(text string) []string {
	return slices.DeleteFunc(strings.Split(text, "\n"), func(s string) bool { return s == "" })
}

// state reads one line:
//
//	now +60s
//	inactive
//	replica r1 [ready] [draining] [at=+5s]
//	listen 8000 | listen 127.0.0.1:8000      of the replica above
//	container app running|waiting [init] [started] [ready] [restarts=2] [oom=1] [last=REASON:CODE[:forced]]
//	telemetry 5 [2]                          records of the revision, and of its replicas
//	environment [appInsights] [agent] [traces] [logs] [metrics] [strict]
func (r *reader) state(words []string) {
	r.t.Helper()
	replicas := &r.e.Revision.Replicas
	var rep *emulator.Replica
	if n := len(*replicas); n > 0 {
		rep = &(*replicas)[n-1]
	}
	switch words[0] {
	case "now":
		r.e.Now = r.time(words[1])
	case "inactive":
		r.e.Revision.Properties.Active = false
	case "telemetry":
		r.e.Telemetry = &Telemetry{Records: r.number(words[1]), Current: r.number(words[len(words)-1])}
	case "environment":
		has := func(word string) bool { return slices.Contains(words[1:], word) }
		r.e.Environment = aca.EnvironmentTelemetry{
			AppInsights: has("appInsights"), Agent: has("agent"), Traces: has("traces"), Logs: has("logs"), Metrics: has("metrics"), Strict: has("strict"),
		}
	case "replica":
		rep := emulator.Replica{Ready: slices.Contains(words, "ready"), Draining: slices.Contains(words, "draining")}
		rep.Name, rep.Properties.CreatedTime = words[1], zero
		if at := option1(words, "at="); at != "" {
			rep.Properties.CreatedTime = r.time(at)
		}
		*replicas = append(*replicas, rep)
	case "listen":
		host, port, found := strings.Cut(words[1], ":")
		if !found {
			host, port = "", words[1]
		}
		rep.Local.Listening = append(rep.Local.Listening, emulator.Listener{Port: r.number(port), Loopback: host != ""})
	case "container":
		r.container(rep, words)
	default:
		r.t.Fatalf("state %q", words)
	}
}

func (r *reader) container(rep *emulator.Replica, words []string) {
	rc := aca.ReplicaContainer{Name: words[1], Ready: slices.Contains(words, "ready"), Started: slices.Contains(words, "ready") || slices.Contains(words, "started")}
	rc.RunningState, rc.RunningStateDetails = "Waiting", "Container is waiting with reason: CrashLoopBackOff on legion."
	if slices.Contains(words, "running") {
		rc.RunningState, rc.RunningStateDetails = "Running", "Container started at: 6/1/2026 8:00:00 AM."
	}
	lc := emulator.LocalContainer{Name: words[1]}
	if n := option1(words, "restarts="); n != "" {
		rc.RestartCount = r.number(n)
	}
	if n := option1(words, "oom="); n != "" {
		lc.OOMKills = r.number(n)
	}
	if end := option1(words, "last="); end != "" {
		parts := strings.Split(end, ":")
		lc.LastEnd = &emulator.End{Time: r.e.Now, Reason: parts[0], ExitCode: r.number(parts[1]), Forced: len(parts) > 2}
	}
	rep.Local.Containers = append(rep.Local.Containers, lc)
	if slices.Contains(words, "init") {
		rep.Properties.InitContainers = append(rep.Properties.InitContainers, rc)
		return
	}
	rep.Properties.Containers = append(rep.Properties.Containers, rc)
}

func option1(words []string, name string) string {
	for _, w := range words {
		if v, ok := strings.CutPrefix(w, name); ok {
			return v
		}
	}
	return ""
}

func (r *reader) row(line string) {
	r.t.Helper()
	head, text, ok := strings.Cut(line, " | ")
	words := strings.Fields(head)
	if !ok || len(words) != 4 {
		r.t.Fatalf("row %q", line)
	}
	row := event.Row{Replica: words[1], Warning: words[2] == "!", Reason: words[3], Text: text}
	if row.Replica == "-" {
		row.Replica = ""
	}
	for i, at := range r.times(words[0]) {
		row.Time, row.Count = at, i+1
		r.e.Rows = append(r.e.Rows, row)
	}
}

// times reads +2s, or +2s..+9s/1s for one each second.
func (r *reader) times(text string) []time.Time {
	from, rest, many := strings.Cut(text, "..")
	if !many {
		return []time.Time{r.time(from)}
	}
	to, step, _ := strings.Cut(rest, "/")
	d, err := time.ParseDuration(step)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []time.Time
	for at := r.time(from); !at.After(r.time(to)); at = at.Add(d) {
		out = append(out, at)
	}
	return out
}

func (r *reader) output(line string) {
	r.t.Helper()
	head, text, ok := strings.Cut(line, " | ")
	words := strings.Fields(head)
	if !ok || len(words) != 3 {
		r.t.Fatalf("console line %q", line)
	}
	r.e.Console = append(r.e.Console, Output{Time: r.time(words[0]), Replica: words[1], Container: words[2], Text: text})
}

func (r *reader) time(text string) time.Time {
	r.t.Helper()
	d, err := time.ParseDuration(strings.TrimPrefix(text, "+"))
	if err != nil {
		r.t.Fatal(err)
	}
	return zero.Add(d)
}

func (r *reader) number(text string) int {
	r.t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		r.t.Fatal(fmt.Errorf("number: %w", err))
	}
	return n
}
