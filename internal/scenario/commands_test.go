package scenario

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/explain/event"
)

// stage is an environment that a script plays on.
type stage interface {
	engine() *emulator.Engine
	// rows are the rows so far of a revision, or of all, in the order they
	// were written.
	rows(revision string) []event.Row
	// lines are all console lines so far.
	lines() []explain.Output
	// transport reaches an app by its own port, or all by name for "".
	transport(app string) (base string, rt http.RoundTripper)
	// changed is closed at the next row or line.
	changed() <-chan struct{}
	// settle waits until nothing more happens at this moment, where that can
	// be known.
	settle()
	// exact says that times and counts are the same in every run.
	exact() bool
	// do carries out a command of this stage alone.
	do(t *testing.T, words []string) (string, bool)
}

// player plays one script.
type player struct {
	*testing.T
	f     *file
	s     stage
	out   strings.Builder
	begin time.Time
	seen  int // rows that were printed
	app   string
	reqs  []*request

	stream *stream // requests under way, of "load"
}

// request is one that "begin" has begun.
type request struct {
	path   string
	answer chan string
}

// patience bounds every wait of a script.
const patience = time.Hour

// commands are what scripts may say:
//
//	up FILE [POLICY]     apply a definition, with a resiliency policy
//	check FILE           what Azure would refuse of a definition
//	run D                let time pass
//	until ready|failed|serving REV|row TEXT|line TEXT|listens PORT|draining
//	rows [REASON...]     rows since the last time, of these reasons
//	count TEXT           how many rows contain TEXT
//	lines TEXT           console lines that contain TEXT
//	states               the words for the revisions and their replicas
//	get PATH [LIMIT]     a request through the edge
//	begin PATH           the same without waiting; "answers" prints what came
//	answers
//	explain [first]      the verdict on the latest revision, or on the first
//	restart              restart the latest revision
//	down                 remove the app, to the end
//
// and those of traffic_test.go and scale_test.go.
var commands = map[string]func(*player, []string){
	"up":       (*player).up,
	"check":    (*player).check,
	"run":      func(p *player, a []string) { time.Sleep(p.duration(a[0])) },
	"until":    (*player).until,
	"rows":     (*player).printRows,
	"count":    func(p *player, a []string) { p.printf("%d\n", p.count(strings.Join(a, " "))) },
	"lines":    (*player).printLines,
	"states":   (*player).states,
	"get":      (*player).get,
	"begin":    (*player).begin1,
	"answers":  (*player).answers,
	"press":    (*player).press,
	"replicas": (*player).replicas,
	"list":     (*player).list,
	"explain":  (*player).explain,
	"restart":  func(p *player, _ []string) { p.must(p.s.engine().RestartRevision(p.Context(), p.app, "")) },
	"down":     func(p *player, _ []string) { p.must(p.s.engine().Shutdown(p.Context())) },
}

// play runs the script of a scenario and returns what it printed.
func play(t *testing.T, f *file, s stage) string {
	p := &player{T: t, f: f, s: s, begin: time.Now()}
	for line := range strings.Lines(f.section("script")) {
		line = strings.TrimSpace(line)
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		s.settle()
		p.printf("> %s\n", line)
		if do := commands[words[0]]; do != nil {
			do(p, words[1:])
			continue
		}
		text, ok := s.do(t, words)
		if !ok {
			t.Fatalf("unknown command %q", line)
		}
		p.printf("%s", text)
	}
	return p.out.String()
}

func (p *player) printf(format string, args ...any) { fmt.Fprintf(&p.out, format, args...) }

func (p *player) must(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *player) duration(text string) time.Duration {
	p.Helper()
	d, err := time.ParseDuration(text)
	p.must(err)
	return d
}

func (p *player) up(args []string) {
	app := p.f.app(p, args[0])
	p.app = app.Name
	var local []string
	for _, c := range app.Properties.Template.Containers {
		if strings.HasSuffix(c.Image, ":local") {
			local = append(local, c.Image)
		}
	}
	applied, err := p.s.engine().Apply(p.Context(), emulator.ApplyRequest{App: app, LocalImages: local, Resiliency: p.policy(args[1:])})
	if err != nil {
		p.printf("refused: %v\n", err)
		return
	}
	if !applied.NewRevision {
		p.printf("no new revision\n")
	}
	p.wait("the change is seen", func() bool {
		a := p.s.engine().Snapshot().App(p.app)
		return a != nil && a.Revision(applied.Revision) != nil
	})
}

// check prints what is wrong with a definition.
func (p *player) check(args []string) {
	_, problems := p.f.definition(p, args[0])
	for _, problem := range problems {
		p.printf("%s (%s)\n", problem.Message, problem.Code)
	}
}

// policy reads a resiliency policy of the file.
func (p *player) policy(args []string) *aca.ResiliencyPolicy {
	if len(args) == 0 {
		return nil
	}
	policy, problems := aca.DecodeJSON[aca.ResiliencyPolicy]([]byte(p.f.section(args[0])))
	if len(problems) > 0 {
		p.Fatal(problems)
	}
	return &policy
}

// latest is the app and its latest revision.
func (p *player) latest() (*emulator.App, *emulator.Revision) {
	p.Helper()
	a := p.s.engine().Snapshot().App(p.app)
	if a == nil {
		p.Fatalf("there is no app %s", p.app)
	}
	return a, a.Revision(a.Properties.LatestRevisionName)
}

func (p *player) until(args []string) {
	p.Helper()
	text := strings.Join(args[1:], " ")
	conditions := map[string]func() bool{
		"ready": func() bool {
			_, rev := p.latest()
			return slices.ContainsFunc(rev.Replicas, func(r emulator.Replica) bool { return r.Ready && !r.Draining })
		},
		"failed": func() bool {
			_, rev := p.latest()
			return rev.Properties.RunningState == "Failed" || rev.Properties.RunningState == "Degraded"
		},
		"draining": func() bool {
			a, _ := p.latest()
			return slices.ContainsFunc(a.Revisions, func(r emulator.Revision) bool {
				return slices.ContainsFunc(r.Replicas, func(r emulator.Replica) bool { return r.Draining })
			})
		},
		"oom": func() bool {
			_, rev := p.latest()
			return slices.ContainsFunc(rev.Replicas, func(r emulator.Replica) bool {
				return slices.ContainsFunc(r.Local.Containers, func(c emulator.LocalContainer) bool { return c.OOMKills > 0 })
			})
		},
		"listens": func() bool {
			_, rev := p.latest()
			return slices.ContainsFunc(rev.Replicas, func(r emulator.Replica) bool {
				return slices.ContainsFunc(r.Local.Listening, func(l emulator.Listener) bool { return strconv.Itoa(l.Port) == text })
			})
		},
		"row":  func() bool { return p.count(text) > 0 },
		"line": func() bool { return len(p.matching(text)) > 0 },
	}
	p.wait(strings.Join(args, " "), conditions[args[0]])
}

// wait waits until a condition holds that depends on the state, the rows or
// the lines.
func (p *player) wait(what string, holds func() bool) {
	p.Helper()
	limit := patience
	if !p.s.exact() {
		limit = 90 * time.Second
	}
	ctx, cancel := context.WithTimeout(p.Context(), limit)
	defer cancel()
	for {
		snap := p.s.engine().Snapshot()
		changed := p.s.changed()
		if holds() {
			return
		}
		moved := make(chan error, 1)
		watching, stop := context.WithCancel(ctx)
		go func() {
			_, err := p.s.engine().Watch(watching, snap.Generation)
			moved <- err
		}()
		select {
		case <-changed:
			stop()
			<-moved
		case err := <-moved:
			stop()
			if err != nil {
				p.Fatalf("waited in vain until %s\n%s\nrows:\n%s", what, p.out.String(), p.dump())
			}
		}
	}
}

// dump is everything, for a test that failed.
func (p *player) dump() string {
	var b strings.Builder
	for _, r := range p.s.rows("") {
		fmt.Fprintf(&b, "%s %s: %s\n", r.Time.Format("15:04:05.000"), r.Reason, r.Text)
	}
	for _, l := range p.s.lines() {
		fmt.Fprintf(&b, "%s %s | %s\n", l.Time.Format("15:04:05.000"), l.Container, l.Text)
	}
	return b.String()
}

func (p *player) count(text string) int {
	n := 0
	for _, r := range p.s.rows("") {
		if strings.Contains(r.Text, text) {
			n++
		}
	}
	return n
}

func (p *player) matching(text string) []explain.Output {
	return slices.DeleteFunc(slices.Clone(p.s.lines()), func(l explain.Output) bool { return !strings.Contains(l.Text, text) })
}

func (p *player) printLines(args []string) {
	for _, l := range p.matching(strings.Join(args, " ")) {
		p.printf("%s | %s\n", l.Container, p.plain(l.Text))
	}
}

// printRows prints the new rows, those that repeat as one. Where times and
// counts vary from run to run they are left out.
func (p *player) printRows(reasons []string) {
	rows := p.s.rows("")
	var fresh []event.Row
	for _, r := range rows[p.seen:] {
		if len(reasons) == 0 || slices.Contains(reasons, r.Reason) {
			fresh = append(fresh, r)
		}
	}
	p.seen = len(rows)
	for i := 0; i < len(fresh); {
		n := i + 1
		for n < len(fresh) && fresh[n].Text == fresh[i].Text {
			n++
		}
		p.printRow(fresh[i:n])
		i = n
	}
}

func (p *player) printRow(same []event.Row) {
	first, last := same[0], same[len(same)-1]
	mark := "~"
	if first.Warning {
		mark = "!"
	}
	text := fmt.Sprintf("%s %s: %s", mark, first.Reason, p.plain(first.Text))
	switch {
	case !p.s.exact():
		p.printf("%s\n", text)
	case len(same) == 1:
		p.printf("%9s %s (%d)\n", p.offset(first.Time), text, first.Count)
	default:
		p.printf("%9s %s (%d to %d, until %s)\n", p.offset(first.Time), text, first.Count, last.Count, p.offset(last.Time))
	}
}

func (p *player) offset(at time.Time) string {
	return fmt.Sprintf("+%.3f", at.Sub(p.begin).Seconds())
}

// plain replaces what is drawn at random.
func (p *player) plain(text string) string {
	if p.app == "" {
		return text
	}
	text = replicaName.ReplaceAllString(text, "${1}REP")
	text = suffix.ReplaceAllStringFunc(text, func(name string) string {
		if _, err := strconv.Atoi(name[len(name)-7:]); err == nil {
			return name // a counter, not drawn
		}
		return name[:len(name)-7] + "FIRST"
	})
	text = pullTime.ReplaceAllString(text, "in TIME. Image size: BYTES bytes.")
	text = pid.ReplaceAllString(text, "pid: N")
	text = gunicornHead.ReplaceAllString(text, "[TIME] [N]")
	return text
}

var (
	replicaName  = regexp.MustCompile(`([a-z0-9-]+--[a-z0-9]{7}-)[a-z0-9]{7,10}-[a-z0-9]{5}`)
	suffix       = regexp.MustCompile(`[a-z0-9-]+--[a-z0-9]{7}\b`)
	pullTime     = regexp.MustCompile(`in [0-9.]+m?s\. Image size: \d+ bytes\.`)
	pid          = regexp.MustCompile(`pid:? ?\d+`)
	gunicornHead = regexp.MustCompile(`\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000\] \[\d+\]`)
)

// states prints the words of every revision that is active or has replicas.
func (p *player) states(_ []string) {
	a, _ := p.latest()
	p.printf("%s provisioning=%s running=%s latest=%s ready=%s\n", a.Name, a.Properties.ProvisioningState, a.Properties.RunningStatus,
		p.plain(a.Properties.LatestRevisionName), p.plain(a.Properties.LatestReadyRevisionName))
	for _, rev := range a.Revisions {
		if !rev.Properties.Active && len(rev.Replicas) == 0 {
			continue
		}
		pr := rev.Properties
		p.printf("  %s %s %s %s weight=%d serving=%d%s\n", p.plain(rev.Name), pr.ProvisioningState, pr.RunningState, pr.HealthState, pr.TrafficWeight, rev.Serving, details(pr))
		for _, r := range rev.Replicas {
			p.replica(r)
		}
	}
}

func details(pr aca.RevisionProperties) string {
	text := ""
	if pr.RunningStateDetails != "" {
		text += fmt.Sprintf(" details=%q", pr.RunningStateDetails)
	}
	if pr.ProvisioningError != "" {
		text += fmt.Sprintf(" error=%q", pr.ProvisioningError)
	}
	return text
}

func (p *player) replica(r emulator.Replica) {
	p.printf("    replica %s ready=%t", r.Properties.RunningState, r.Ready)
	if r.Draining {
		p.printf(" draining")
	}
	for _, l := range r.Local.Listening {
		p.printf(" listening=%d", l.Port)
		if l.Loopback {
			p.printf("(loopback)")
		}
	}
	p.printf("\n")
	for i, c := range slices.Concat(r.Properties.InitContainers, r.Properties.Containers) {
		p.printf("      %s %s", c.Name, c.RunningState)
		if c.RunningState == "Waiting" {
			p.printf(" %q", c.RunningStateDetails)
		}
		if p.s.exact() {
			p.printf(" restarts=%d", c.RestartCount)
		} else {
			p.printf(" restarted=%t", c.RestartCount > 0)
		}
		if end := r.Local.Containers[i].LastEnd; end != nil {
			p.printf(" last=%s/%d", end.Reason, end.ExitCode)
			if end.Forced {
				p.printf("/forced")
			}
		}
		if n := r.Local.Containers[i].OOMKills; n > 0 {
			p.printf(" killed for memory")
		}
		p.printf("\n")
	}
}

// get makes a request and prints what came of it.
func (p *player) get(args []string) {
	limit := 10 * time.Second
	if len(args) > 1 {
		limit = p.duration(args[1])
	}
	p.printf("%s\n", p.fetch(args[0], limit))
}

func (p *player) fetch(path string, limit time.Duration) string { return p.ask(p.app, "", path, limit) }

// ask makes a request to the port of an app or, with app "", to a host name.
func (p *player) ask(app, host, path string, limit time.Duration) string {
	base, rt := p.s.transport(app)
	ctx, cancel := context.WithTimeout(p.Context(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return err.Error()
	}
	if host != "" {
		req.Host = host
	}
	begin := time.Now()
	resp, err := rt.RoundTrip(req)
	if err != nil {
		if ctx.Err() != nil {
			return "no answer within " + limit.String()
		}
		return "no answer: " + err.Error()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 300))
	if err != nil {
		return fmt.Sprintf("%d, then %v", resp.StatusCode, err)
	}
	text := fmt.Sprintf("%d %s", resp.StatusCode, strings.TrimSpace(string(body)))
	if p.s.exact() && time.Since(begin) > time.Second {
		text += fmt.Sprintf(" after %.0fs", time.Since(begin).Seconds())
	}
	return text
}

func (p *player) begin1(args []string) {
	r := &request{path: args[0], answer: make(chan string, 1)}
	p.reqs = append(p.reqs, r)
	go func() { r.answer <- p.fetch(r.path, 5*time.Minute) }()
}

func (p *player) answers(_ []string) {
	for _, r := range p.reqs {
		p.printf("%s %s\n", r.path, <-r.answer)
	}
	p.reqs = nil
}

// explain prints the verdict without what differs from run to run.
func (p *player) explain(args []string) {
	a, rev := p.latest()
	if len(args) > 0 {
		rev = &a.Revisions[0]
	}
	e := explain.Of(a, rev.Name, time.Now())
	e.Rows = p.s.rows(rev.Name)
	for _, l := range p.s.lines() {
		if strings.HasPrefix(l.Replica, rev.Name+"-") {
			e.Console = append(e.Console, l)
		}
	}
	e.File = explain.File{Path: "containerapp.yaml", Text: []byte(p.f.section("app.yaml"))}
	text := stamp.ReplaceAllString(explain.Explain(*e).String(), "TIME        ")
	if !p.s.exact() {
		text = p.plain(killed.ReplaceAllString(counted.ReplaceAllString(text, ""), "killed N processes"))
		text = ended.ReplaceAllString(text, "ended N times")
		text = startedIn.ReplaceAllString(text, "$1 N s")
		text = threshold.ReplaceAllString(text, "${1}failureThreshold$2 N")
		text = strings.Replace(text, "\nevidence  ", "\nevidence\n          ", 1) // so that lines that repeat are alike
		text = strings.Join(slices.Compact(strings.Split(text, "\n")), "\n")
	}
	p.printf("%s", p.plain(text))
}

var (
	stamp     = regexp.MustCompile(`\d\d:\d\d:\d\d\.\d\d\d`)
	counted   = regexp.MustCompile(` \(×\d+\)|, \d+ times? so far`)
	ended     = regexp.MustCompile(`ended \d+ times?`)
	startedIn = regexp.MustCompile(`(it started in|needs|Give it) [0-9.]+ s`)
	threshold = regexp.MustCompile(`(\+ +|: )failureThreshold(:?) \d+`)
	killed    = regexp.MustCompile(`killed \d+ process(?:es)?`)
)
