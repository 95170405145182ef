package page_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/logsink"
)

// browser is a tab of a real Chromium on the page of a real daemon.
//
// Tests that need it skip unless ACALOCAL_CHROMIUM=1 is set, and then fail
// where there is none. Their screenshots are kept by "go test -artifacts".
type browser struct {
	*testing.T
	ctx    context.Context
	client *client.Client
	said   chan string // what the page complained about

	options daemon.Options
	daemon  *daemon.Daemon
	stop    func() // ends the daemon
}

func requireChromium(t *testing.T) {
	t.Helper()
	if os.Getenv("ACALOCAL_CHROMIUM") != "1" {
		t.Skip("needs Chromium: set ACALOCAL_CHROMIUM=1")
	}
}

func open(t *testing.T) *browser {
	requireChromium(t)
	files := home.At(t.TempDir())
	b := &browser{T: t, client: client.New(files.Environment(home.DefaultEnvironment)), options: daemon.Options{
		Home: files, Runtime: containertest.NewRuntime(nil), Port: freePort(t), TLSPort: freePort(t), APIPort: freePort(t), Log: zerolog.New(zerolog.NewTestWriter(t)),
	}}
	b.boot()
	t.Cleanup(func() { b.stop() })
	b.start()
	return b
}

// boot starts a daemon, with what the one before it has left; stop ends it.
func (b *browser) boot() {
	b.Helper()
	d, err := daemon.New(b.options)
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- d.Run(ctx, func() { close(ready) }) }()
	<-ready
	b.daemon, b.stop = d, func() {
		b.Helper()
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	}
}

// shared is the one Chromium of all tests, once one has asked for it.
var shared struct {
	ctx  context.Context
	stop func()
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.stop != nil {
		shared.stop()
	}
	os.Exit(code)
}

// chromium starts the browser or returns the one that runs. Tests of this
// package are not parallel.
func chromium(t testing.TB) context.Context {
	t.Helper()
	if shared.ctx != nil {
		return shared.ctx
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", false), chromedp.WindowSize(1360, 860))
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, stopTab := chromedp.NewContext(alloc)
	stop := func() { stopTab(); stopAlloc() }
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		stop()
		t.Fatal(err)
	}
	shared.ctx, shared.stop = ctx, stop
	return ctx
}

// start opens a tab, with a storage of its own. Anything the page writes to its console as an error, a
// breach of its policy too, fails the test.
func (b *browser) start() {
	b.Helper()
	ctx, stop := chromedp.NewContext(chromium(b), chromedp.WithNewBrowserContext())
	b.Cleanup(stop)
	b.ctx = ctx
	b.do(chromedp.Navigate("about:blank"))
	b.listen()
}

// listen keeps what the page writes to its console as an error.
func (b *browser) listen() {
	b.said = make(chan string, 100)
	messages := chromedp.Console(b.ctx)
	go func() { // ends with the tab
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.IsException() {
				b.said <- m.String()
			}
		}
	}()
}

// trouble returns what the page complained about since it was last asked.
func (b *browser) trouble() (list []string) {
	for {
		select {
		case s := <-b.said:
			list = append(list, s)
		default:
			return list
		}
	}
}

// freePort is a port that was free just now.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.shot("failed")
		b.Fatalf("%v; the page said %q", err, b.trouble())
	}
}

// visit opens a link as "acalocal logs page" prints it.
func (b *browser) visit(query, timespan, view string) {
	b.Helper()
	a, err := b.client.Access(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	f := url.Values{"code": {a.Code}}
	for name, value := range map[string]string{"q": query, "t": timespan, "view": view} {
		if value != "" || name == "t" {
			f.Set(name, value)
		}
	}
	b.do(chromedp.Navigate(a.URL+"/logs/#"+f.Encode()), chromedp.WaitReady(chromedp.CSS("#saved li")))
}

// patience is how long the page may take for anything.
const patience = time.Minute

// wait looks at an expression in each frame of the page until it is true.
func (b *browser) wait(what, expression string) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	look := fmt.Sprintf("new Promise(done => { const look = () => { if (%s) done(true); else requestAnimationFrame(look); }; look(); })", expression)
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](look, chromedp.EvalAwaitPromise)); err != nil {
		b.shot("failed")
		b.Fatalf("waited in vain until %s: %v; the page said %q", what, err, b.trouble())
	}
}

// eval returns the value of an expression of the page.
func eval[T any](b *browser, expression string) T {
	b.Helper()
	out, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%s: %v", expression, err)
	}
	return out
}

func (b *browser) text(selector string) string {
	b.Helper()
	return eval[string](b, fmt.Sprintf("document.querySelector(%q).innerText", selector))
}

// shot keeps a screenshot.
func (b *browser) shot(name string) {
	b.Helper()
	png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		b.Errorf("screenshot %s: %v", name, err)
		return
	}
	if err := os.WriteFile(filepath.Join(b.ArtifactDir(), name+".png"), png, 0o644); err != nil {
		b.Error(err)
	}
}

// quiet fails the test when the page complained.
func (b *browser) quiet() {
	b.Helper()
	if said := b.trouble(); len(said) > 0 {
		b.Errorf("the page said %q", said)
	}
}

// dark makes the system prefer dark colours.
func (b *browser) dark() {
	b.Helper()
	b.do(func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		return cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
		})
	})
}

// print stores console lines of a revision of the app web, at times.
func (b *browser) print(revision string, at func(i int) time.Time, lines ...string) {
	b.Helper()
	i := 0
	from := logsink.Container{App: "web", Revision: revision, Replica: revision + "-7d9c6b5f4-x2k8p", Name: "web", ID: "id-" + revision + at(0).String(), Image: "web:1"}
	err := b.daemon.Logs.Ingest(b.Context(), from, func() (logsink.Entry, error) {
		if i == len(lines) {
			return logsink.Entry{}, io.EOF
		}
		i++
		return logsink.Entry{Time: at(i - 1), Data: []byte(lines[i-1] + "\n"), Stream: logsink.Stderr}, nil
	})
	if err != nil && !errors.Is(err, io.EOF) {
		b.Fatal(err)
	}
}

func (b *browser) say(revision, reason, msg string, kind logsink.EventType) {
	b.Helper()
	err := b.daemon.Logs.AppendEvent(logsink.Event{
		Time: time.Now(), Type: kind, App: "web", Revision: revision, Replica: revision + "-7d9c6b5f4-x2k8p", Reason: reason, Source: "ContainerAppController", Msg: msg, Count: 1,
	})
	if err != nil {
		b.Fatal(err)
	}
}

// past are n times that end now, apart by step.
func past(n int, step time.Duration) func(i int) time.Time {
	now := time.Now()
	return func(i int) time.Time { return now.Add(-time.Duration(n-i) * step) }
}

var traceback = []string{
	"[2026-11-25 21:00:00 +0000] [7] [INFO] GET /orders/42",
	"Traceback (most recent call last):",
	`  File "/app/app.py", line 48, in order`,
	"    return jsonify(load(order_id))",
	`  File "/app/store.py", line 17, in load`,
	`    raise KeyError(order_id)`,
	"KeyError: 42",
	`{"level":"error","msg":"request failed","order":{"id":42,"items":[{"sku":"a-1","count":2},{"sku":"b-2","count":1}]},"duration_ms":12.5}`,
	"[2026-11-25 21:00:01 +0000] [7] [INFO] GET /healthz",
}

// errorsOf are lines of which every n-th is an error.
func errorsOf(count, n int) (lines []string) {
	for i := range count {
		if i%n == 0 {
			lines = append(lines, fmt.Sprintf("ERROR: payment %d was refused", i))
			continue
		}
		lines = append(lines, fmt.Sprintf("GET /orders/%d 200", i))
	}
	return lines
}

func TestAStackTraceIsFound(t *testing.T) {
	b := open(t)
	b.print("web--0000001", past(len(traceback), 20*time.Millisecond), traceback...)
	b.visit(`ContainerAppConsoleLogs_CL
| where Log_s has "Traceback" or Log_s startswith " " or Log_s has "KeyError" or Log_s has "request failed"
| project TimeGenerated, RevisionName_s, Stream_s, Log_s
| order by TimeGenerated asc`, "", "")
	b.wait("there are rows", `document.querySelectorAll("#grid .row").length == 7`)
	b.do(chromedp.Click(chromedp.CSS(`#grid .row:nth-child(7) .cell:nth-child(4)`)), chromedp.WaitVisible(chromedp.CSS("#drawer .tree")))
	if got := b.text("#drawer .tree"); !strings.Contains(got, "items: [2]") || !strings.Contains(got, "duration_ms: 12.5") {
		t.Errorf("the row unfolds to %q", got)
	}
	if got := b.text("#summary"); !strings.HasPrefix(got, "7 rows, ") {
		t.Errorf("summary %q", got)
	}
	b.shot("stack-trace")
	if fragment := eval[string](b, "location.hash"); strings.Contains(fragment, "code=") || !strings.Contains(fragment, "q=ContainerAppConsoleLogs_CL") {
		t.Errorf("the address ends in %q: it should hold the query and no code", fragment)
	}
	b.quiet()
}

func TestErrorsByRevisionAreDrawn(t *testing.T) {
	b := open(t)
	b.print("web--0000001", past(600, 3*time.Second), errorsOf(600, 7)...)
	b.print("web--0000002", past(300, 3*time.Second), errorsOf(300, 3)...)
	b.visit(`ContainerAppConsoleLogs_CL
| where Log_s has "error"
| summarize Errors = count() by bin(TimeGenerated, 1m), RevisionName_s
| order by TimeGenerated asc
| render timechart with (title="Errors by revision")`, "PT1H", "")
	b.wait("there are two lines", `document.querySelectorAll("#chart path.line").length == 2`)
	if got := b.text("#chart h2"); got != "Errors by revision" {
		t.Errorf("title %q", got)
	}
	b.do(chromedp.MouseEvent("mouseMoved", 900, 560))
	b.wait("values are shown", `!document.querySelector("#chart .tip").hidden`)
	b.shot("timechart")
	b.do(chromedp.Click(chromedp.CSS(`#chart .legend button`)))
	b.wait("a series is hidden", `document.querySelectorAll("#chart path.line").length == 1`)
	b.dark()
	b.wait("it is dark", `document.documentElement.dataset.theme == "dark"`)
	b.do(chromedp.Click(chromedp.CSS(`#chart .legend button`)))
	b.shot("dark")
	b.quiet()
}

func TestEveryChartIsDrawn(t *testing.T) {
	b := open(t)
	const rows = `datatable(When:datetime, App:string, n:long) [datetime(2026-01-01 08:00), "web", 4, datetime(2026-01-01 08:05), "web", 9, datetime(2026-01-01 08:10), "web", 6, datetime(2026-01-01 08:00), "api", 2, datetime(2026-01-01 08:05), "api", 3, datetime(2026-01-01 08:10), "api", 8]`
	b.visit("print 1", "", "")
	for _, c := range []struct{ query, shape string }{
		{rows + "| render timechart", `path.line`},
		{rows + "| render linechart", `path.line`},
		{rows + "| render areachart", `path.area`},
		{rows + "| render areachart with (kind=stacked)", `path.stack`},
		{rows + "| summarize sum(n) by App | render barchart", `rect.fill`},
		{rows + "| render columnchart with (kind=stacked)", `rect.fill`},
		{rows + "| summarize sum(n) by App | render piechart", `path.stack`},
		{rows + "| extend m = n * 2 | project n, m | render scatterchart", `circle.fill`},
		{rows + "| count | render card", `.card-value`},
		{`print a = 5, b = "six" | render card`, `.card-value:nth-child(2)`},
	} {
		name := c.query[strings.LastIndex(c.query, "render ")+7:]
		b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`location.hash = new URLSearchParams({q: %q, t: ""})`, c.query)))
		b.wait(name+" is drawn", fmt.Sprintf(`!document.querySelector("#results").matches('[aria-busy="true"]') && document.querySelectorAll("#chart %s").length > 0 && document.querySelector("#text").value == %q`, c.shape, c.query))
		b.shot("chart-" + strings.Fields(name)[0] + strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(name, strings.Fields(name)[0]), " with (kind="), ")"))
	}
	b.quiet()
}

func TestChartsHeedWhatRenderAsks(t *testing.T) {
	b := open(t)
	const rows = `datatable(App: string, Kind: string, n: long) ["web", "a", 1, "web", "b", 3, "api", "a", -100] | `
	b.visit("print 1", "", "")
	f := func(name, query, drawn string) {
		t.Helper()
		b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`location.hash = new URLSearchParams({q: %q, t: ""})`, query)))
		b.wait(name+" is drawn", fmt.Sprintf(`((c, texts) => document.querySelector("#text").value == %q && (%s))(document.querySelector("#chart"), [...document.querySelectorAll("#chart text")].map((t) => t.textContent))`, query, drawn))
		b.shot("asked-" + name)
	}
	f("negative-bars", rows+`summarize sum(n) by App | render barchart`, `(([web, api]) => web && Number(api.getAttribute("width")) == 25 * web.getAttribute("width") && Number(api.getAttribute("x")) < web.getAttribute("x"))(c.querySelectorAll("rect"))`)
	f("stacked100", rows+`where n > 0 | render columnchart with (kind=stacked100)`, `texts.includes("100%") && (([a, b]) => b && Math.abs(b.getAttribute("height") / a.getAttribute("height") - 3) < .01)(c.querySelectorAll("rect"))`)
	f("log", `range n from 0 to 6 step 1 | extend y = pow(10, n) | project n, y | render linechart with (yaxis=log)`, `texts.includes("1M") && texts.includes("1") && (([a, b, c]) => c && Math.abs(a.getAttribute("cy") - 2 * b.getAttribute("cy") + Number(c.getAttribute("cy"))) < .01)(c.querySelectorAll("circle"))`)
	f("titles", rows+`render columnchart with (title="All", xtitle="the app", ytitle="the count", legend=hidden)`, `texts.includes("the app") && texts.includes("the count") && c.querySelector("h2")?.textContent == "All" && !c.querySelector(".legend")`)
	f("accumulate", `range n from 1 to 3 step 1 | extend y = n | render linechart with (accumulate=true, xcolumn=n, ycolumns=y)`, `c.querySelector("svg")?.getAttribute("aria-label").includes("y: 1 to 6")`)
	const two = `range n from 1 to 4 step 1 | extend Small = n, Great = n * 1000 | project n, Small, Great | `
	const cy = `((i) => Number(c.querySelectorAll("circle")[i].getAttribute("cy")))`
	f("log-x", `range n from 0 to 4 step 1 | extend x = toint(pow(10, n)) | project x, n | render scatterchart with (xaxis=log)`, `texts.join().includes("1,10,100,1000,10k") && (([a, b, c]) => c && Math.abs(a - 2 * b + c) < .5)([...c.querySelectorAll("circle")].map((e) => Number(e.getAttribute("cx"))))`)
	f("log-x-narrow", `range n from 2 to 40 step 1 | extend y = n | project n, y | render linechart with (xaxis=log)`, `[...c.querySelectorAll(".x-axis text")].map((t) => t.textContent).join() == "2,5,10,20"`)
	f("log-x-astray", `range n from -2 to 100 step 1 | extend y = n | project n, y | render linechart with (xaxis=log)`, `c.innerText.includes("3 points are not drawn: a logarithmic axis begins above zero")`)
	f("axes", two+`render linechart with (ysplit=axes)`, `c.querySelectorAll(".panel").length == 1 && c.querySelectorAll(".y-axis").length == 2 && c.querySelectorAll("path.line").length == 2 && `+cy+`(0) == `+cy+`(4) && texts.includes("4000") && texts.includes("4") && texts.includes("Small") && texts.includes("Great")`)
	f("no-split", two+`render linechart with (ysplit=none)`, `c.querySelectorAll(".panel").length == 1 && c.querySelectorAll(".y-axis").length == 1 && !texts.includes("Small")`)
	f("panels", two+`render linechart with (ysplit=panels)`, `c.querySelectorAll(".panel").length == 2 && c.querySelectorAll(".y-axis").length == 2 && c.querySelectorAll(".x-axis").length == 1 && texts.includes("Small") && `+cy+`(4) - `+cy+`(0) > 100`)
	f("panels-of-series", `range n from 1 to 60 step 1 | extend s = strcat("s", n % 7), t = n / 7 | project t, s, n | render areachart with (ysplit=panels)`, `c.querySelectorAll(".panel").length == 5 && c.innerText.includes("2 more panels are not drawn")`)
	f("panels-of-bars", rows+`where n > 0 | extend m = n * 10 | summarize n = sum(n), m = sum(m) by App, Kind | render barchart with (ysplit=panels, kind=stacked)`, `c.querySelectorAll(".panel").length == 2 && c.querySelectorAll(".panel rect").length == 4 && texts.includes("n") && texts.includes("m")`)
	f("axes-of-columns", rows+`where n > 0 | extend m = n * 10 | summarize n = sum(n), m = sum(m) by Kind | render columnchart with (ysplit=axes)`, `c.querySelectorAll(".y-axis").length == 2 && (([a, b, x, y]) => y && a.getAttribute("height") == x.getAttribute("height") && Number(a.getAttribute("x")) < x.getAttribute("x"))(c.querySelectorAll("g > rect.fill"))`)
	f("log-x-one-astray", `range n from 0 to 9 step 1 | extend y = n | project n, y | render linechart with (xaxis=log)`, `c.innerText.includes("1 point is not drawn: a logarithmic axis begins above zero")`)
	f("log-x-nothing", `range n from -2 to 0 step 1 | extend y = n | project n, y | render linechart with (xaxis=log)`, `c.innerText.includes("3 points are not drawn") && texts.includes("10")`)
	f("ends", `range n from 1 to 100 step 1 | extend y = n | project n, y | render linechart with (xmin=10, xmax=20, ymin=-5, ymax=15)`, `[...c.querySelectorAll(".x-axis text")].map((t) => t.textContent).slice(0, 1) == "10" && texts.includes("20") && texts.includes("15") && texts.includes("-5") && !texts.includes("100")`)
	f("ends-of-log", `range n from 0 to 4 step 1 | extend y = pow(10, n) | project n, y | render linechart with (yaxis=log, ymin=10)`, `(([a, b]) => b && a.getAttribute("cy") - b.getAttribute("cy") > 50)(c.querySelectorAll("circle"))`)
	f("ends-of-time", `range t from datetime(2026-01-01) to datetime(2026-01-02) step 1h | extend y = 1 | render timechart with (xmin=datetime(2026-01-01 06:00), xmax=datetime(2026-01-01 12:00))`, `texts.includes("06:00") && texts.includes("12:00") && !texts.includes("13:00") && !texts.includes("00:00")`)
	f("log-bars", `datatable(a: string, n: long) ["x", 10, "y", 1000] | render barchart with (yaxis=log, ymin=1, xtitle="the a", ytitle="the n")`, `texts.includes("the a") && texts.includes("the n") && (([x, y]) => y && Math.abs(y.getAttribute("width") / x.getAttribute("width") - 3) < .01)(c.querySelectorAll("rect"))`)
	f("one-series", rows+`where App == "web" | summarize sum(n) by Kind, App | where Kind == "b" | project App, sum_n, x = 1 | render linechart with (xcolumn=x, ycolumns=sum_n)`, `c.querySelector(".legend")?.innerText == "web"`)
	f("one-column", `range n from 1 to 9 step 1 | extend y = n | project n, y | render linechart`, `c.querySelector("path.line") && !c.querySelector(".legend")`)
	const series = `range n from 0 to 11 step 1 | extend k = iff(n < 6, "a", "b"), t = datetime(2026-01-01) + n * 1h | make-series c = count(), m = max(n) on t from datetime(2026-01-01) to datetime(2026-01-01 12:00) step 1h by k`
	f("series", series+` | render timechart`, `c.querySelectorAll("path.line").length == 4 && c.innerText.includes("a · c") && texts.includes("06:00") && c.querySelectorAll("circle").length == 48`)
	f("series-fitted", series+` | project t, m, k | extend (r, Slope, v, rv, i, Fit) = series_fit_line(m) | render timechart with (ycolumns=m, Fit)`, `c.querySelectorAll("path.line").length == 4 && c.innerText.includes("b · Fit") && !c.innerText.includes("Slope")`)
	f("series-of-numbers", `print id = "x", at = range(1, 10, 1), y = dynamic([2, 5, 6, 8, 11, null, 12, 14, 17, 20]) | render linechart with (xcolumn=at)`, `c.querySelectorAll("path.line").length == 1 && c.querySelectorAll("circle").length == 9 && texts.includes("10")`)
	f("one-area", `print t = datetime(2026-01-01), a = 5, b = 3 | render areachart`, `c.querySelectorAll("circle.fill").length == 2`)
	f("stacked-below-zero", `datatable(x: string, k: string, n: long) ["x", "p", 5, "x", "q", -3, "x", "r", 4] | render columnchart with (kind=stacked)`, `(([p, q, r]) => r && p.y.baseVal.value == q.y.baseVal.value - p.height.baseVal.value && Math.abs(r.y.baseVal.value + r.height.baseVal.value - p.y.baseVal.value) < .01 && Math.abs(q.height.baseVal.value / p.height.baseVal.value - .6) < .01)(c.querySelectorAll("rect"))`)
	f("days-by-hours", `range t from datetime(2026-01-01) to datetime(2026-01-05) step 6h | extend n = 1 | render columnchart`, `(([, second]) => second?.textContent == "01-01 06:00 · n: 1")(c.querySelectorAll("rect title"))`)
	f("whole-labels", `range t from datetime(2026-01-01 08:00) to datetime(2026-01-01 08:00:50) step 10s | extend y = 1 | render timechart`, `texts.includes("08:00:50") && [...c.querySelectorAll("text")].every((t) => t.getBoundingClientRect().right <= c.querySelector("svg").getBoundingClientRect().right && t.getBoundingClientRect().left >= c.querySelector("svg").getBoundingClientRect().left)`)
	f("many-series", `range n from 1 to 2000 step 1 | summarize count() by bin(n, 100), s = strcat("a series with a rather long name ", n % 50) | project n, s, count_ | render linechart`, `c.innerText.includes("10 more series are not drawn") && c.scrollHeight <= c.clientHeight`)
	b.quiet()
}

// Panels share the place of the pointer, and a chart that is split has room on
// a phone and colours in the dark.
func TestSplitChartsAreSeenAnywhere(t *testing.T) {
	b := open(t)
	const rows = `range n from 0 to 47 step 1 | extend t = datetime(2026-01-01) + n * 30m | extend Requests = 40 + n * n, Errors = n %% 7, Latency = round(0.02 + n / 500.0, 3), Replicas = 1 + n / 12, Bytes = 1000000 * (n %% 13) | project-away n | render timechart with (title="An app", ysplit=%s)`
	drawn := func(split string) {
		t.Helper()
		b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`location.hash = new URLSearchParams({q: %q, t: ""})`, fmt.Sprintf(rows, split))))
		want := map[string]int{"axes": 1, "panels": 5}[split]
		b.wait(split+" are drawn", fmt.Sprintf(`document.querySelectorAll("#chart .panel").length == %d && document.querySelectorAll("#chart .y-axis").length == 5`, want))
	}
	b.visit("print 1", "", "")
	drawn("panels")
	b.do(chromedp.Evaluate[chromedp.Void](`(({ left, top, width, height }) => document.querySelector("#chart svg.plot").dispatchEvent(new PointerEvent("pointermove", { clientX: left + width / 2, clientY: top + height / 2 })))(document.querySelector("#chart svg.plot").getBoundingClientRect())`))
	b.wait("values of all panels are shown", `document.querySelectorAll("#chart .tip div").length == 5`)
	b.shot("split-panels")
	drawn("axes")
	b.shot("split-axes")
	b.dark()
	b.wait("it is dark", `document.documentElement.dataset.theme == "dark"`)
	b.shot("split-axes-dark")
	drawn("panels")
	b.shot("split-panels-dark")
	b.do(chromedp.EmulateViewport(390, 780, chromedp.EmulateScale(2), chromedp.EmulateMobile))
	b.do(chromedp.Click(chromedp.CSS("#side-toggle")), chromedp.WaitNotVisible(chromedp.CSS("#side")))
	b.wait("it is drawn for a phone", `document.querySelector("#chart svg.plot").viewBox.baseVal.width < 390`)
	b.shot("split-panels-phone")
	drawn("axes")
	for _, found := range eval[[]string](b, `(({ left, right }) => [...document.querySelectorAll("#chart text")].filter((t) => { const r = t.getBoundingClientRect(); return r.left < left - 1 || r.right > right + 1; }).map((t) => t.textContent))(document.querySelector("#chart svg.plot").getBoundingClientRect())`) {
		t.Errorf("%q is outside of the chart", found)
	}
	b.shot("split-axes-phone")
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("#chart .legend button").forEach((_, i) => document.querySelectorAll("#chart .legend button")[i].click())`))
	b.wait("no series is left", `document.querySelectorAll("#chart .y-axis").length == 1 && !document.querySelector("#chart path.line")`)
	b.quiet()
}

func TestTheLiveTailShowsASwap(t *testing.T) {
	b := open(t)
	b.print("web--0000001", past(6, time.Second), errorsOf(6, 4)...)
	b.visit("", "PT1H", "tail")
	b.wait("old lines are there", `document.querySelectorAll("#tail .l").length == 6`)
	b.say("web--0000002", "RevisionCreation", "Revision web--0000002 was created", logsink.Normal)
	b.say("web--0000002", "ProbeFailure", "Readiness probe failed: connection refused", logsink.Warning)
	b.print("web--0000002", past(5, time.Millisecond), "Starting gunicorn 21.2.0", "Listening at: http://0.0.0.0:8000", "GET /healthz 200", "ERROR: payment 3 was refused", "GET /orders/9 200")
	b.say("web--0000002", "RevisionReady", "Successfully provisioned revision 'web--0000002'", logsink.Normal)
	b.print("web--0000001", past(2, time.Millisecond), "Handling signal: term", "Shutting down: Master")
	b.say("web--0000001", "ContainerTerminated", "Container 'web' was terminated with exit code '' and reason 'ManuallyStopped'", logsink.Normal)
	b.wait("the swap is seen", `document.querySelectorAll("#tail .l").length == 17`)
	if got := eval[int](b, `new Set([...document.querySelectorAll("#tail .l")].map(l => [...l.classList].find(c => c.startsWith("s-")))).size`); got != 2 {
		t.Errorf("two revisions have %d colours", got)
	}
	b.shot("tail-swap")

	b.do(chromedp.SendKeys(chromedp.CSS("#tail-filter"), "payment"))
	b.wait("the filter holds", `document.querySelectorAll("#tail .l").length == 3 && document.querySelectorAll("#tail mark").length == 3`)
	b.do(chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`), chromedp.KeyEvent(" "))
	b.wait("it is paused", `document.querySelector("#pause").getAttribute("aria-pressed") == "true"`)
	b.print("web--0000002", past(1, 0), "ERROR: payment 77 was refused")
	b.wait("new lines are counted", `document.querySelector("#tail-new").innerText == "1 new"`)
	for _, shown := range []string{"as it was", "under another filter"} {
		if got := eval[int](b, `document.querySelectorAll("#tail .l").length`); got != 3 {
			t.Errorf("a paused tail shows %d lines %s, want 3", got, shown)
		}
		b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#tail-kind").dispatchEvent(new Event("change"))`))
	}
	b.do(chromedp.Click(chromedp.CSS("#tail-new")))
	b.wait("it goes on", `document.querySelectorAll("#tail .l").length == 4`)
	b.quiet()
}

func TestTheLiveTailOutlivesADaemon(t *testing.T) {
	b := open(t)
	b.visit("", "PT1H", "tail")
	b.wait("it is live before anything was printed", `document.querySelector("#tail-state").innerText == "live"`)
	b.say("web--0000001", "RevisionReady", "an event from before many lines", logsink.Normal)
	b.print("web--0000001", past(700, 10*time.Millisecond), slices.Repeat([]string{"one of many"}, 700)...)
	b.print("web--0000001", past(2, time.Second), "first", "second")
	b.wait("lines are there", `document.querySelectorAll("#tail .l").length == 703`)
	b.stop()
	b.wait("the page says that it is alone", `document.querySelector("#tail-state").innerText == "no connection; trying again…" && !document.body.classList.contains("live")`)
	b.do(chromedp.Click(chromedp.CSS("#pause")), chromedp.Click(chromedp.CSS("#pause")))
	if got := b.text("#tail-state"); got == "live" {
		t.Error("pausing makes the page believe that it has a connection")
	}
	b.boot()
	b.print("web--0000001", past(1, 0), "printed before the page was back")
	b.wait("it is live again", `document.querySelector("#tail-state").innerText == "live"`)
	b.print("web--0000001", past(1, 0), "and after")
	b.wait("nothing is lost", `document.querySelector("#tail").innerText.includes("and after")`)
	got := eval[[]string](b, `[...document.querySelectorAll("#tail .l")].map((l) => (l.querySelector(".text") ?? l).innerText.replace(/^[\d:.]+ · /, ""))`)
	many := len(got)
	got = slices.DeleteFunc(got, func(line string) bool { return line == "one of many" })
	if many -= len(got); many != 700 {
		t.Errorf("the tail shows %d of 700 lines", many)
	}
	if want := []string{"RevisionReady an event from before many lines", "first", "second", "the connection was lost", "printed before the page was back", "and after"}; !slices.Equal(got, want) {
		t.Errorf("the tail shows %q, want %q", got, want)
	}
	_ = b.trouble() // a lost connection is an error of the network to Chromium
}

// A query that nobody answers says so, and is sent again by itself.
func TestAQueryOutlivesADaemon(t *testing.T) {
	b := open(t)
	b.visit("print n = 1", "", "")
	b.wait("it is answered", `document.querySelector("#cell-0-0")?.innerText == "1"`)
	b.stop()
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), "1"), chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.wait("the page says that nobody answers", `document.querySelector("#blank").innerText.includes("The environment does not answer") && document.querySelector("#blank").innerText.includes("sent again")`)
	b.boot()
	b.wait("it is answered by the next one", `document.querySelector("#cell-0-0")?.innerText == "11" && document.querySelector("#blank").hidden`)
	_ = b.trouble() // a lost connection is an error of the network to Chromium
}

func TestWhatIsBeingWrittenIsNotSentForAQueryThatWasLost(t *testing.T) {
	b := open(t)
	b.visit("print n = 1", "", "")
	b.wait("it is answered", `document.querySelector("#cell-0-0")?.innerText == "1"`)
	b.stop()
	b.do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.wait("the page says that nobody answers", `document.querySelector("#blank").innerText.includes("sent again")`)
	b.do(chromedp.SendKeys(chromedp.CSS("#text"), " | where"))
	b.boot()
	b.wait("it says that there is somebody", `document.querySelector("#blank").innerText.includes("answers again")`)
	_ = b.trouble() // a lost connection is an error of the network to Chromium
}

func TestAFilterThatIsNoneSaysSo(t *testing.T) {
	b := open(t)
	b.print("web--0000001", past(2, time.Second), "first", "second")
	b.visit("", "PT1H", "tail")
	b.wait("lines are there", `document.querySelectorAll("#tail .l").length == 2`)
	b.do(chromedp.SendKeys(chromedp.CSS("#tail-filter"), "/fir(st"))
	b.wait("it is told", `document.querySelector("#tail-fault").innerText.includes("Invalid regular expression") && document.querySelector("#tail-filter").getAttribute("aria-invalid") == "true"`)
	b.shot("filter-fault")
	b.do(chromedp.SendKeys(chromedp.CSS("#tail-filter"), ")"))
	b.wait("then it holds", `document.querySelectorAll("#tail .l").length == 1 && document.querySelector("#tail-fault").innerText == "" && document.querySelector("#tail-filter").getAttribute("aria-invalid") == "false"`)
	b.quiet()
}

func TestATimeRangeNeedsItsEnds(t *testing.T) {
	b := open(t)
	b.visit("print 1", "2026-06-01T10:00:00Z/2026-06-01T11:00:00Z", "")
	b.wait("it is answered", `document.querySelector("#cell-0-0")?.innerText == "1"`)
	f := func(to, want string) {
		t.Helper()
		b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`document.querySelector("#to").value = %q; document.querySelector("#run").click()`, to)))
		b.wait("it says "+want, fmt.Sprintf(`document.querySelector("#blank").innerText == %q`, want))
		if got := b.text("#summary"); got != "" {
			t.Errorf("summary %q", got)
		}
	}
	f("", "The time range needs both ends.")
	f("2026-06-01T09:00:00", "The time range ends before it begins.")
	b.quiet()
}

// What does not fit into a low window, such as that of a page at 200 %, is
// scrolled to.
func TestALowWindowReachesEverything(t *testing.T) {
	b := open(t)
	b.do(chromedp.EmulateViewport(640, 360))
	b.visit("print 1 | where A | where B | where C | where D | where E", "", "")
	b.wait("faults are told", `document.querySelectorAll("#problems li").length == 5`)
	f := func(selector string) {
		t.Helper()
		got := eval[float64](b, fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({ block: "end" }); const r = e.getBoundingClientRect(); return Math.min(r.bottom, innerHeight) - Math.max(r.top, 0); })()`, selector))
		if got < 100 {
			t.Errorf("%s: %.0f pixels of its height can be seen", selector, got)
		}
	}
	f("#results")
	b.shot("low")
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#tab-tail").click()`))
	f("#tail")
	b.shot("low-tail")
	_ = b.trouble() // the refused query is an error of the network to Chromium
}

func TestCellsShowWhatTheyHold(t *testing.T) {
	b := open(t)
	b.visit("datatable(n: long, r: real, s: string, d: dynamic) ["+
		`9223372036854775807, real(nan), "\u001b[31mred\u001b[0m <script>alert(1)</script>", dynamic({"id": 9007199254740993}),`+
		`9223372036854775806, 2.5, "שלום", dynamic(null),`+
		`1, -1.5, "a", dynamic(["\u202e"])]`, "", "")
	b.wait("there are rows", `document.querySelectorAll("#grid .row").length == 3`)
	column := func(n int) []string {
		return eval[[]string](b, fmt.Sprintf(`[...document.querySelectorAll("#grid .row .cell:nth-child(%d)")].map((c) => c.textContent)`, n))
	}
	f := func(n int, want ...string) {
		t.Helper()
		if got := column(n); !slices.Equal(got, want) {
			t.Errorf("column %d: got %q, want %q", n, got, want)
		}
	}
	f(1, "9223372036854775807", "9223372036854775806", "1")
	f(2, "NaN", "2.5", "-1.5")
	f(3, "red <script>alert(1)</script>", "שלום", "a")
	sort := `document.querySelector("#grid .head .cell:nth-child(%d)").click()`
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(sort, 2)), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(sort, 2)))
	f(2, "-1.5", "2.5", "NaN")
	b.do(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(sort, 1)), chromedp.Evaluate[chromedp.Void](fmt.Sprintf(sort, 1)))
	f(1, "1", "9223372036854775806", "9223372036854775807")
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#cell-2-0").click()`), chromedp.WaitVisible(chromedp.CSS("#drawer .tree")))
	if got := b.text("#drawer"); !strings.Contains(got, "id: 9007199254740993") {
		t.Errorf("the row unfolds to %q", got)
	}
	if got := b.text("#drawer .a-red"); got != "red" {
		t.Errorf("%q is red", got)
	}
	b.shot("cells")
	b.quiet()
}

func TestALinkMayHaveAnyTimeRange(t *testing.T) {
	b := open(t)
	chosen := func() string { return eval[string](b, `document.querySelector("#range").value`) }
	b.visit("print 1", "PT2H", "")
	b.wait("it has run", `document.querySelector("#summary").innerText.startsWith("1 row")`)
	if got := chosen(); got != "PT2H" {
		t.Errorf("the range is %q, want PT2H", got)
	}
	if got := eval[string](b, "location.hash"); !strings.Contains(got, "t=PT2H") {
		t.Errorf("the address ends in %q", got)
	}
	// A link without a range means the usual one, whatever was chosen before.
	b.do(chromedp.Evaluate[chromedp.Void](`location.hash = new URLSearchParams({q: "print 1"})`))
	b.wait("the usual range is back", `document.querySelector("#range").value == "PT1H"`)
	b.do(chromedp.Evaluate[chromedp.Void](`location.hash = new URLSearchParams({q: "print 1", t: "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z"})`))
	b.wait("the interval is shown", `document.querySelector("#from").value.startsWith("2026-01-01T00:00") && !document.querySelector("#custom").hidden`)
	b.wait("the query over the interval has run", `document.querySelector("#results").getAttribute("aria-busy") == "false" && document.querySelector("#blank").hidden`)
	if got := eval[string](b, `new URLSearchParams(location.hash.slice(1)).get("t")`); got != "2026-01-01T00:00:00Z/2026-01-02T00:00:00Z" {
		t.Errorf("the interval of the address is %q", got)
	}
	b.quiet()
}

func TestKeysAreEnough(t *testing.T) {
	b := open(t)
	b.visit("print 1", "", "")
	b.wait("the editor has the keys", `document.activeElement.id == "text"`)
	b.do(chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#text").select()`), chromedp.SendKeys(chromedp.CSS("#text"), "range n from 1 to 9 step 1 "), chromedp.KeyEvent(kb.Escape),
		chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.wait("it has run", `document.querySelector("#summary").innerText.startsWith("9 rows")`)
	b.do(chromedp.Focus(chromedp.CSS("#text")), chromedp.KeyEvent(kb.Escape))
	b.wait("the rows have the keys", `document.activeElement.id == "grid"`)
	b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter))
	b.wait("the second row is unfolded", `document.querySelector("#drawer h2")?.innerText == "Row 2 of 9"`)
	b.do(chromedp.KeyEvent(kb.Escape))
	b.wait("it is folded", `document.querySelector("#drawer").hidden && document.activeElement.id == "grid"`)
	b.do(chromedp.KeyEvent("e"))
	b.wait("the editor has the keys again", `document.activeElement.id == "text"`)
	b.do(chromedp.KeyEvent(kb.ArrowUp, chromedp.KeyModifiers(chromedp.ModifierAlt)), chromedp.KeyEvent(kb.ArrowUp, chromedp.KeyModifiers(chromedp.ModifierAlt)))
	b.wait("the query before is back", `document.querySelector("#text").value == "print 1"`)
	b.do(chromedp.KeyEvent("2", chromedp.KeyModifiers(chromedp.ModifierAlt)), chromedp.Focus(chromedp.CSS("#tail-filter")), chromedp.KeyEvent("x"), chromedp.KeyEvent(kb.Escape))
	b.wait("the filter is empty", `document.querySelector("#tail-filter").value == "" && document.activeElement.id == "tail-filter"`)
	b.do(chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent(" "))
	b.wait("the tail is paused", `document.activeElement.id == "tail" && document.querySelector("#pause").innerText == "Resume"`)
	b.quiet()
}

func TestAPhoneIsWideEnough(t *testing.T) {
	b := open(t)
	b.do(chromedp.EmulateViewport(390, 780, chromedp.EmulateScale(2), chromedp.EmulateMobile))
	b.print("web--0000001", past(40, time.Second), errorsOf(40, 5)...)
	b.visit(`ContainerAppConsoleLogs_CL | where Log_s has "error" | project TimeGenerated, Log_s`, "", "")
	b.wait("there are rows", `document.querySelectorAll("#grid .row").length == 8`)
	if got := eval[int](b, `document.documentElement.scrollWidth`); got > 390 {
		t.Errorf("the page is %d pixels wide", got)
	}
	b.shot("phone")
	b.do(chromedp.Click(chromedp.CSS("#side-toggle")), chromedp.WaitVisible(chromedp.CSS("#saved button")))
	b.shot("phone-side")
	b.do(chromedp.Click(chromedp.CSS("#side-toggle")), chromedp.WaitNotVisible(chromedp.CSS("#side")), chromedp.Click(chromedp.CSS("#tab-tail")))
	b.wait("the tail is there", `document.querySelectorAll("#tail .l").length > 0`)
	b.shot("phone-tail")
	b.quiet()
}

func TestTheEditorCompletesAndPointsAtFaults(t *testing.T) {
	b := open(t)
	b.visit("print 1", "", "")
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#text").value = ""`), chromedp.SendKeys(chromedp.CSS("#text"), "ContainerAppCons"))
	b.wait("tables are offered", `[...document.querySelectorAll("#suggest li")].some(l => l.innerText.includes("ContainerAppConsoleLogs_CL"))`)
	b.do(chromedp.KeyEvent(kb.ArrowDown), chromedp.KeyEvent(kb.Enter), chromedp.SendKeys(chromedp.CSS("#text"), "| where Lo"))
	b.wait("columns are offered", `[...document.querySelectorAll("#suggest li")].some(l => l.innerText.includes("Log_s"))`)
	b.shot("completion")
	b.do(chromedp.KeyEvent(kb.Escape), chromedp.SendKeys(chromedp.CSS("#text"), `gs == "x"`))
	b.wait("the fault is marked", `document.querySelectorAll("#paint .wrong").length == 1`)
	if got := b.text("#problems"); !strings.Contains(got, "The name 'Logs' does not refer to any known column") {
		t.Errorf("problems: %q", got)
	}
	b.shot("fault")
	b.do(chromedp.KeyEvent("\r", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	b.wait("running it fails, too", `document.querySelector("#blank").innerText.includes("fault")`)
	_ = b.trouble() // the refused query is an error of the network to Chromium
}

// Asking for completions right after typing is not undone by what typing
// itself would have offered.
func TestAskedCompletionsStay(t *testing.T) {
	b := open(t)
	b.visit("print 1", "", "")
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#text").value = ""`), chromedp.Focus(chromedp.CSS("#text")))
	closed := eval[bool](b, `new Promise((done) => {
		const text = document.querySelector("#text"), list = document.querySelector("#suggest");
		text.value = "ContainerAppConsoleLogs_CL | where ";
		text.setSelectionRange(text.value.length, text.value.length);
		text.dispatchEvent(new InputEvent("input"));
		text.dispatchEvent(new KeyboardEvent("keydown", { key: " ", ctrlKey: true, bubbles: true }));
		let shown = false;
		new MutationObserver(() => { if (!list.hidden) shown = true; else if (shown) done(true); }).observe(list, { attributes: true });
		setTimeout(() => done(!shown), 1000); // typing offers after 90 ms
	})`)
	if closed {
		t.Error("the list of completions is gone again")
	}
	b.quiet()
}

// scrolled is what was seen on the way through a table: how long frames were
// and how long the page took to draw its rows in each, in milliseconds, the most
// rows that were in the page at once, and what was not as it should be.
type scrolled struct {
	Frames []float64 `json:"frames"`
	Draws  []float64 `json:"draws"`
	Most   int       `json:"most"`
	Wrong  []string  `json:"wrong"`
}

// scroll moves the rows by so many pixels in each frame, and looks after each
// whether all rows that should be in sight are, each where it belongs, with the
// number that firstCell gives the row of an index.
func (b *browser) scroll(pixels, frames int, firstCell string) scrolled {
	b.Helper()
	return eval[scrolled](b, fmt.Sprintf(`new Promise((done) => {
		const grid = document.querySelector("#grid"), head = grid.querySelector(".head"), out = { frames: [], draws: [], most: 0, wrong: [] };
		const rowHeight = 28, count = Number(grid.getAttribute("aria-rowcount")) - 1, numberOf = %s;
		let last = 0;
		const look = (now) => {
			if (last) out.frames.push(now - last);
			void grid.offsetHeight; // layout is part of drawing
			out.draws.push(performance.now() - now);
			last = now;
			const rows = [...grid.querySelectorAll(".row")];
			out.most = Math.max(out.most, rows.length);
			const box = grid.getBoundingClientRect(), top = box.top + head.offsetHeight, seen = new Map(rows.map((r) => [Number(r.dataset.row), r]));
			const from = Math.max(0, Math.floor(grid.scrollTop / rowHeight)), to = Math.min(count, Math.floor((grid.scrollTop + grid.clientHeight - head.offsetHeight) / rowHeight));
			for (let i = from; i < to; i++) {
				const row = seen.get(i), y = top + i * rowHeight - grid.scrollTop;
				if (!row) out.wrong.push("row " + i + " is not there");
				else if (Math.abs(row.getBoundingClientRect().top - y) > 1) out.wrong.push("row " + i + " is at " + row.getBoundingClientRect().top + ", want " + y);
				else if (Number(row.children[0].textContent) !== numberOf(i)) out.wrong.push("row " + i + " shows " + row.children[0].textContent);
			}
			out.wrong.length = Math.min(out.wrong.length, 5);
			if (out.frames.length === %d || grid.scrollTop + grid.clientHeight >= grid.scrollHeight - 1) { grid.removeEventListener("scroll", later); done(out); }
			else grid.scrollTop += %d;
		};
		// Rows are drawn in the frame that follows a scroll event; this looks after.
		const later = () => requestAnimationFrame(look);
		grid.addEventListener("scroll", later);
		grid.scrollTop += %[3]d;
	})`, firstCell, frames, pixels))
}

// smooth fails the test for what was wrong, and logs the times of frames. They
// are of this machine, so no time is too long.
func (s scrolled) smooth(b *browser, how string) {
	b.Helper()
	if s.Most > 120 || len(s.Frames) < 100 {
		b.Errorf("%s: %d rows were in the page at once, over %d frames", how, s.Most, len(s.Frames))
	}
	if len(s.Wrong) > 0 {
		b.Errorf("%s: %q", how, s.Wrong)
	}
	b.Logf("%s: %d frames of %s, the rows drawn in %s; %d rows in the page at most", how, len(s.Frames), spread(s.Frames), spread(s.Draws), s.Most)
}

func spread(ms []float64) string {
	slices.Sort(ms)
	at := func(share float64) float64 { return ms[int(share*float64(len(ms)-1))] }
	return fmt.Sprintf("p50 %.1f p99 %.1f longest %.1f ms", at(.5), at(.99), at(1))
}

func TestAHundredThousandRowsScroll(t *testing.T) {
	b := open(t)
	b.visit(`range n from 1 to 100000 step 1 | extend Text = strcat("line number ", n), Even = n % 2 == 0, At = datetime(2026-01-01) + n * 1s, Bag = bag_pack("n", n)`, "", "")
	b.wait("there are rows", `document.querySelector("#summary").innerText.startsWith("100,000 rows")`)
	b.scroll(120, 120, `(i) => i + 1`).smooth(b, "as a wheel turns")
	b.scroll(20_000, 1000, `(i) => i + 1`).smooth(b, "from top to bottom")
	b.shot("rows-end")
	b.do(chromedp.Focus(chromedp.CSS("#grid")), chromedp.KeyEvent(kb.Home))
	b.wait("the first row is there", `document.querySelector("#cell-0-0.active") !== null`)
	b.do(chromedp.KeyEvent(kb.End))
	b.wait("the last row is there", `document.querySelector("#cell-99999-0.active")?.innerText == "100000"`)
	b.do(chromedp.KeyEvent("s"))
	b.wait("the greatest number is first", `document.querySelector("#cell-0-0")?.innerText == "100000" && document.querySelector("#grid .head .cell").getAttribute("aria-sort") == "descending"`)
	b.scroll(20_000, 1000, `(i) => 100000 - i`).smooth(b, "sorted by number")
	b.do(chromedp.Click(chromedp.CSS(`#grid .head .cell:nth-child(2)`)))
	b.wait("it is sorted by text", `document.querySelector("#grid .row .cell:nth-child(2)").innerText == "line number 1" && document.querySelector("#grid .head .cell:nth-child(2)").getAttribute("aria-sort") == "ascending"`)
	b.shot("rows")
	b.quiet()
}

func TestALinkWorksOnce(t *testing.T) {
	b := open(t)
	a, err := b.client.Access(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(a.URL+"/logs/"), chromedp.WaitVisible(chromedp.CSS("#login")))
	b.shot("login")
	b.do(chromedp.Navigate(a.URL+"/logs/?again#code="+a.Code), chromedp.WaitReady(chromedp.CSS("#saved li")))
	b.do(chromedp.Evaluate[chromedp.Void](`localStorage.removeItem("acalocal-token")`))
	b.do(chromedp.Navigate(a.URL+"/logs/?once-more#code="+a.Code), chromedp.WaitVisible(chromedp.CSS("#login")))
	_ = b.trouble() // the refused code is an error of the network to Chromium
}

// Who gets the link of a query from somebody else has to ask for a link to be
// let in, and opens it in another tab.
func TestASharedLinkGoesOnOnceItsBrowserIsLetIn(t *testing.T) {
	b := open(t)
	a, err := b.client.Access(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Navigate(a.URL+"/logs/#"+url.Values{"q": {"print Answer = 42"}}.Encode()), chromedp.WaitVisible(chromedp.CSS("#login")))
	tab, stop := chromedp.NewContext(b.ctx)
	defer stop()
	if err := chromedp.Do(tab, chromedp.Navigate(a.URL+"/logs/#code="+a.Code), chromedp.WaitReady(chromedp.CSS("#saved li"))); err != nil {
		t.Fatal(err)
	}
	b.wait("the query has run", `document.querySelector("#cell-0-0")?.innerText == "42" && !document.querySelector("#login").open`)
	b.quiet()
}

func TestAGreatCellUnfoldsInParts(t *testing.T) {
	b := open(t)
	b.visit(`print Json = strcat('{"a":[', strrep(strrep("1,", 200), 100), '2]}'), Text = strrep(strrep("0123456789", 100), 100)`, "", "")
	b.wait("there is a row", `document.querySelectorAll("#grid .row").length == 1`)
	if got := eval[int](b, `Math.max(...[...document.querySelectorAll("#grid .row .cell")].map((c) => c.textContent.length))`); got != 601 {
		t.Errorf("a cell on its line has %d characters, want 600 and an ellipsis", got)
	}
	b.do(chromedp.Click(chromedp.CSS("#cell-0-0")), chromedp.WaitVisible(chromedp.CSS("#drawer .tree")))
	count := `document.querySelectorAll("#drawer .tree .lit").length`
	if got := eval[int](b, count); got != 300 {
		t.Errorf("%d elements are in the page, want 300", got)
	}
	b.do(chromedp.Evaluate[chromedp.Void](`document.querySelector("#drawer .tree button").click()`))
	if got, text := eval[int](b, count), b.text("#drawer .tree button"); got != 600 || text != "19,401 more" {
		t.Errorf("then %d, and %q", got, text)
	}
	if got := eval[int](b, `document.querySelector("#drawer dd:last-child").textContent.length`); got != 100_000 {
		t.Errorf("the text unfolds to %d characters", got)
	}
	b.shot("great-cell")
	b.quiet()
}
