package api_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator/emulatortest"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/google/go-cmp/cmp"
)

// caller calls a real environment over TCP and holds each answer to the
// document.
type caller struct {
	*testing.T
	env    *emulatortest.Env
	doc    *openapi3.T
	router routers.Router
	called map[string]bool // operations that were called with success
}

func newCaller(t *testing.T) *caller {
	t.Helper()
	env := emulatortest.Start(t, emulatortest.Run("web", "web:1", 8000), emulatortest.Simulated(map[string]emulatortest.Simulation{
		"web:1": {Listens: []int{8000}, Prints: []string{"hello"}}, "port:1": {Listens: []int{1}},
	}))
	env.WaitReady()
	c := &caller{T: t, env: env, called: map[string]bool{}}
	resp := c.send("GET", "/acalocal/v1/openapi.json", "")
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if c.doc, err = openapi3.NewLoader().LoadFromData(text); err != nil {
		t.Fatal(err)
	}
	if err := c.doc.Validate(t.Context()); err != nil {
		t.Fatalf("the document is not valid: %v", err)
	}
	c.doc.Servers = openapi3.Servers{{URL: env.APIURL()}}
	if c.router, err = gorillamux.NewRouter(c.doc); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *caller) request(ctx context.Context, method, target, body string) *http.Request {
	c.Helper()
	r, err := http.NewRequestWithContext(ctx, method, c.env.APIURL()+target, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+c.env.Token())
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func (c *caller) send(method, target, body string) *http.Response {
	c.Helper()
	resp, err := c.env.Client().Do(c.request(c.Context(), method, target, body))
	if err != nil {
		c.Fatal(err)
	}
	return resp
}

// call makes one call, checks question and answer, and returns the answer.
// Streams are read for as long as one line takes.
func (c *caller) call(status int, method, target, body string) string {
	c.Helper()
	ctx, cancel := context.WithCancel(c.Context())
	defer cancel()
	question := c.request(ctx, method, target, body)
	route, params, err := c.router.FindRoute(question)
	if err != nil {
		c.Errorf("%s %s: %v", method, target, err)
		return ""
	}
	in := &openapi3filter.RequestValidationInput{
		Request: c.request(ctx, method, target, body), PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	if err := openapi3filter.ValidateRequest(ctx, in); err != nil && status < 400 {
		c.Errorf("%s %s: the question is not as in the document: %v", method, target, err)
	}
	resp, err := c.env.Client().Do(question)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	text := c.read(resp, strings.Contains(target, "/watch") || strings.Contains(target, "/stream"))
	if resp.StatusCode != status {
		c.Errorf("%s %s: status %d, want %d: %s", method, target, resp.StatusCode, status, text)
	}
	err = openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(text)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	if err != nil && !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/x-ndjson") {
		c.Errorf("%s %s: the answer is not as in the document: %v\n%s", method, target, err, text)
	}
	if status < 400 {
		c.called[method+" "+route.Path] = true
	}
	return string(text)
}

// read reads a whole answer, or one line of an answer without end.
func (c *caller) read(resp *http.Response, endless bool) []byte {
	c.Helper()
	if !endless {
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			c.Fatal(err)
		}
		return text
	}
	line := make([]byte, 1)
	if _, err := io.ReadFull(resp.Body, line); err != nil {
		c.Fatal(err)
	}
	return line
}

func TestDocumentHasTheRoutesThereAre(t *testing.T) {
	c := newCaller(t)
	got := map[string]string{}
	for path, item := range c.doc.Paths.Map() {
		for method := range item.Operations() {
			got[path] = method
		}
	}
	if diff := cmp.Diff(api.Routes(), got); diff != "" {
		t.Errorf("routes (-served +documented):\n%s", diff)
	}
}

func TestAnswersAreAsInTheDocument(t *testing.T) {
	c := newCaller(t)
	const web = `{"name":"web","properties":{"configuration":{"ingress":{"external":true,"targetPort":8000}},"template":{"containers":[{"name":"web","image":"web:1","env":[{"name":"A","value":"1"}]}]}}}`
	c.call(200, "GET", "/acalocal/v1/info", "")
	c.call(200, "GET", "/acalocal/v1/openapi.json", "")
	c.call(200, "GET", "/acalocal/v1/status", "")
	code := c.call(200, "GET", "/acalocal/v1/access", "")
	_, code, _ = strings.Cut(code, `"code":"`)
	code, _, _ = strings.Cut(code, `"`)
	c.call(200, "POST", "/acalocal/v1/session", fmt.Sprintf(`{"code":%q}`, code))
	c.call(403, "POST", "/acalocal/v1/session", `{"code":"wrong"}`)
	c.call(200, "GET", "/acalocal/v1/watch", "")
	c.call(200, "POST", "/acalocal/v1/apply", `{"app":`+web+`}`)
	c.call(400, "POST", "/acalocal/v1/apply", `{"app":{"name":"BAD","properties":{}}}`)
	c.call(200, "POST", "/acalocal/v1/update", `{"app":`+web+`,"dryRun":true}`)
	if got := c.call(200, "GET", "/acalocal/v1/wait?for=ready&timeout=30s", ""); !strings.Contains(got, `"web--`) {
		t.Errorf("wait answers %s", got)
	}
	c.call(200, "GET", "/acalocal/v1/wait?for=revision&app=web", "")
	c.call(200, "GET", "/acalocal/v1/wait?for=log&text=hello", "")
	c.call(200, "GET", "/acalocal/v1/wait?for=log&query=ContainerAppSystemLogs_CL", "")
	c.call(408, "GET", "/acalocal/v1/wait?for=log&text=never&timeout=50ms", "")
	c.call(408, "GET", "/acalocal/v1/wait?for=ready&app=nobody&timeout=50ms", "")
	if got := c.call(408, "GET", "/acalocal/v1/wait?for=revision&app=web&revision=none&timeout=50ms", ""); !strings.Contains(got, "Not ready after 50ms: web--none is not there yet") {
		t.Errorf("a wait for one revision speaks of another: %s", got)
	}
	c.call(400, "GET", "/acalocal/v1/wait?for=something", "")
	c.call(400, "GET", "/acalocal/v1/wait?for=log&query=Nothing", "")
	c.call(200, "POST", "/acalocal/v1/query", `{"query":"ContainerAppConsoleLogs_CL | take 1 | project Log_s, TimeGenerated"}`)
	c.call(400, "POST", "/acalocal/v1/query", `{"query":"Nothing"}`)
	c.call(200, "POST", "/acalocal/v1/export", `{"query":"ContainerAppConsoleLogs_CL"}`)
	c.call(400, "POST", "/acalocal/v1/export", `{"query":"Nothing"}`)
	c.call(200, "POST", "/acalocal/v1/import", `[{"TimeGenerated":"2026-11-20T08:00:00Z","Log_s":"imported","ContainerAppName_s":"old"}]`)
	c.call(400, "POST", "/acalocal/v1/import", `[{"TimeGenerated":`)
	c.call(200, "POST", "/acalocal/v1/kql/check", `{"text":"Nothing | where x == 1"}`)
	c.call(200, "POST", "/acalocal/v1/kql/complete", `{"text":"ContainerAppCons","offset":16}`)
	c.call(200, "POST", "/acalocal/v1/kql/format", `{"text":"print 1"}`)
	c.call(400, "POST", "/acalocal/v1/kql/format", `{"text":"print ("}`)
	c.call(200, "GET", "/acalocal/v1/kql/saved", "")
	c.call(200, "GET", "/acalocal/v1/kql/schema", "")
	c.call(200, "GET", "/acalocal/v1/events?app=web&tail=5", "")
	c.call(200, "GET", "/acalocal/v1/explain", "")
	c.call(404, "GET", "/acalocal/v1/explain?app=nobody", "")
	revision := c.env.App("web").Properties.LatestRevisionName
	c.call(200, "GET", "/acalocal/v1/probes?revision="+revision, "")
	resp, err := c.env.Client().Get(c.env.URL("web"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	c.call(200, "GET", "/acalocal/v1/requests?tail=5", "")
	c.call(200, "POST", "/acalocal/v1/requests/replay", fmt.Sprintf(`{"id":1,"revisions":[%q]}`, revision))
	c.call(200, "GET", "/acalocal/v1/logs/console?app=web&output=text", "")
	c.call(200, "GET", "/acalocal/v1/logs/system?app=web", "")
	c.call(200, "GET", "/acalocal/v1/stream?tailLines=1", "")
	c.call(200, "POST", "/acalocal/v1/restart?app=web", "")
	c.call(200, "POST", "/acalocal/v1/routeconfigs/apply", `{"name":"routes","properties":{"rules":[{"targets":[{"containerApp":"web"}],"routes":[{"match":{"prefix":"/"}}]}]}}`)
	c.call(200, "POST", "/acalocal/v1/routeconfigs/delete?name=routes", "")
	c.call(200, "POST", "/acalocal/v1/faults/add", `{"kind":"slow-link","delay":"1ms","request":{"path":"/x"}}`)
	c.call(400, "POST", "/acalocal/v1/faults/add", `{"kind":"slow-link"}`)
	c.call(400, "POST", "/acalocal/v1/faults/add", `{"kind":"cut-link","aap":"web"}`)
	c.call(200, "GET", "/acalocal/v1/faults", "")
	c.call(200, "POST", "/acalocal/v1/faults/remove?name=slow-link-1", "")
	c.call(101, "POST", "/acalocal/v1/exec?command=sh", "")
	if got := c.call(200, "POST", "/acalocal/v1/reset", ""); got != `{"apps":["web"],"faults":0}`+"\n" {
		t.Errorf("reset answers %s", got)
	}
	for path, item := range c.doc.Paths.Map() {
		for method := range item.Operations() {
			if !c.called[method+" "+path] && path != "/acalocal/v1/shutdown" {
				t.Errorf("%s %s was not called with success", method, path)
			}
		}
	}
}

func TestWaitSaysWhyARevisionWillNotBeReady(t *testing.T) {
	t.Parallel()
	env := emulatortest.Start(t, emulatortest.TimeScale(50), emulatortest.Run("web", "crash:1", 8000), emulatortest.Simulated(map[string]emulatortest.Simulation{
		"crash:1": {ExitAfter: time.Millisecond, ExitCode: 3},
	}))
	c := &caller{T: t, env: env}
	resp := c.send("GET", "/acalocal/v1/wait?for=ready&timeout=30s", "")
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 409 || !strings.Contains(string(text), `"code":"RevisionNotReady","message":"web--`) {
		t.Errorf("got %d %s", resp.StatusCode, text)
	}
}
