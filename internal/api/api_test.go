package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/api/apitest"
	"github.com/google/go-cmp/cmp"
)

const apps = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/containerApps"

// server is a handler over fakes, and what they were asked.
type server struct {
	emulator *apitest.Emulator
	logs     *apitest.Logs
	handler  http.Handler
	shutdown []bool
}

func newServer(edit func(*api.Options)) *server {
	s := &server{emulator: apitest.New(apitest.OneApp()), logs: apitest.NewLogs()}
	o := api.Options{
		Emulator: s.emulator, Logs: s.logs,
		Info:     api.Info{Environment: "local", Version: "1.2.3", PID: 7},
		Shutdown: func(remove bool) { s.shutdown = append(s.shutdown, remove) },
	}
	if edit != nil {
		edit(&o)
	}
	s.handler = api.New(o)
	return s
}

// do returns the status and body of one request.
func (s *server) do(method, target, body string, header ...string) (int, string) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	b, _ := io.ReadAll(w.Body) // reading a buffer cannot fail
	return w.Code, string(b)
}

func TestRequestsAreAnswered(t *testing.T) {
	f := func(method, target, body string, status int, want string) {
		t.Helper()
		gotStatus, got := newServer(nil).do(method, target, body)
		if gotStatus != status || !strings.Contains(got, want) {
			t.Errorf("%s %s: got %d %s\nwant %d …%s…", method, target, gotStatus, got, status, want)
		}
	}
	f("GET", "/acalocal/v1/info", "", 200, `{"environment":"local","version":"1.2.3","pid":7}`)
	f("GET", "/ACALOCAL/v1/Info/", "", 200, `"environment":"local"`)
	f("GET", "/acalocal/v1/status", "", 200, `"defaultDomain":"local.localhost"`)
	f("GET", "/acalocal/v1/probes?revision=web--abc1234", "", 200, `"probe":"Startup"`)
	f("GET", "/acalocal/v1/probes?revision=web--gone", "", 200, `[]`)
	f("GET", "/acalocal/v1/probes", "", 400, "name the revision")
	f("POST", "/acalocal/v1/restart?app=web", "", 200, `"Restart succeeded"`)
	f("POST", "/acalocal/v1/restart", "", 200, `"Restart succeeded"`)
	f("POST", "/acalocal/v1/shutdown?remove=true", "", 202, "")
	f("POST", "/acalocal/v1/apply", `{"app":{"name":"api","properties":{}},"hostPort":9000,"dryRun":true}`, 200, `"revision":"api--0000001"`)

	f("GET", apps, "", 200, `{"value":[{"id":"/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/containerapps/web","name":"web"`)
	f("GET", "/subscriptions/s/providers/Microsoft.App/containerApps?api-version=2025-07-01", "", 200, `"value":[{"id":"/subscriptions/s/resourceGroups/local/providers/Microsoft.App/containerapps/web"`)
	f("GET", apps+"/web", "", 200, `"latestRevisionName":"web--abc1234"`)
	f("GET", strings.ToUpper(apps+"/web"), "", 200, `"name":"web"`)
	f("GET", apps+"/web/revisions", "", 200, `{"value":[{"id":"/subscriptions/s/resourceGroups/rg/providers/Microsoft.App/containerapps/web/revisions/web--abc1234","name":"web--abc1234"`)
	f("GET", apps+"/web/revisions/web--abc1234", "", 200, `"healthState":"Healthy"`)
	f("GET", apps+"/web/revisions/web--abc1234/replicas", "", 200, `/revisions/web--abc1234/replicas/web--abc1234-7d9c6b5f4-x2k8p","name":"web--abc1234-7d9c6b5f4-x2k8p"`)
	f("GET", apps+"/web/revisions/web--abc1234/replicas/web--abc1234-7d9c6b5f4-x2k8p", "", 200, `"containerId":"containerd://4f1d"`)
	f("POST", apps+"/web/revisions/web--abc1234/restart", "", 200, `"Restart succeeded"`)
	f("PUT", apps+"/api", `{"properties":{"template":{"containers":[{"name":"api","image":"api:1"}]}}}`, 200, `"latestRevisionName":"api--0000001"`)
	f("DELETE", apps+"/web", "", 200, "")
	f("DELETE", apps+"/none", "", 204, "")
}

func TestRequestsAreRefused(t *testing.T) {
	f := func(method, target, body string, status int, want string) {
		t.Helper()
		gotStatus, got := newServer(nil).do(method, target, body)
		if diff := cmp.Diff(want, strings.TrimSpace(got)); gotStatus != status || diff != "" {
			t.Errorf("%s %s: got %d, want %d; body (-want +got):\n%s", method, target, gotStatus, status, diff)
		}
	}
	f("GET", "/", "", 404, `{"error":{"code":"InvalidResourceType","message":"There is nothing at '/'.","target":"/"}}`)
	f("GET", "/acalocal/v1/nothing", "", 404, `{"error":{"code":"InvalidResourceType","message":"There is nothing at '/acalocal/v1/nothing'.","target":"/acalocal/v1/nothing"}}`)
	f("GET", "/acalocal/v1/shutdown", "", 405, `{"error":{"code":"MethodNotAllowed","message":"'/acalocal/v1/shutdown' does not answer GET, only POST."}}`)
	f("POST", "/acalocal/v1/shutdown?remove=maybe", "", 400, `{"error":{"code":"InvalidRequestContent","message":"'maybe' is neither true nor false.","target":"remove"}}`)
	f("POST", apps, "", 405, `{"error":{"code":"MethodNotAllowed","message":"'`+apps+`' does not answer POST, only GET."}}`)
	f("GET", apps+"/none", "", 404, `{"error":{"code":"ResourceNotFound","message":"The Resource 'Microsoft.App/containerApps/none' under resource group 'rg' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix","target":"containerApps/none"}}`)
	f("GET", apps+"/web/revisions/none", "", 404, `{"error":{"code":"ResourceNotFound","message":"The Resource 'Microsoft.App/containerApps/web/revisions/none' under resource group 'rg' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix","target":"containerApps/web/revisions/none"}}`)
	f("GET", apps+"/web/nothing", "", 404, `{"error":{"code":"InvalidResourceType","message":"There is nothing at '`+apps+`/web/nothing'.","target":"`+apps+`/web/nothing"}}`)
	f("PUT", apps+"/api", `{`, 400, `{"error":{"code":"InvalidRequestContent","message":"The request content was invalid and could not be deserialized: 'unexpected EOF'."}}`)
	f("PUT", apps+"/api", `{"properties":{"template":{"containers":[{"name":"api"}]}}}`, 400, `{"error":{"code":"ContainerAppImageRequired","message":"Container with name 'api' must have an 'Image' property specified.","target":"properties.template.containers[0]"}}`)
	f("POST", "/acalocal/v1/apply", `[]`, 400, `{"error":{"code":"InvalidRequestContent","message":"The request content was invalid and could not be deserialized: 'json: cannot unmarshal array into Go value of type emulator.ApplyRequest'."}}`)
	f("POST", "/acalocal/v1/exec?container=none", "", 404, `{"error":{"code":"ResourceNotFound","message":"No such container: none","target":"web--abc1234","innererror":{"hint":"there is: web, side"}}}`)
}

func TestCallsReachTheEmulator(t *testing.T) {
	s := newServer(nil)
	s.do("POST", "/acalocal/v1/restart?app=WEB", "")
	s.do("POST", apps+"/web/revisions/WEB--abc1234/restart", "")
	s.do("DELETE", apps+"/Web", "")
	s.do("POST", "/acalocal/v1/apply", `{"app":{"name":"api","properties":{}},"hostPort":9000,"localImages":["a"]}`)
	s.do("POST", "/acalocal/v1/shutdown", "")
	s.do("POST", "/acalocal/v1/shutdown?remove=1", "")
	want := []string{`restart web ""`, `restart web "web--abc1234"`, "delete web", "apply api hostPort=9000 local=[a] dryRun=false"}
	if diff := cmp.Diff(want, s.emulator.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]bool{false, true}, s.shutdown); diff != "" {
		t.Errorf("shutdowns (-want +got):\n%s", diff)
	}
}

func TestGuardAdmitsOnlyLoopbackNamesOwnPagesAndTheToken(t *testing.T) {
	s := newServer(func(o *api.Options) { o.TCP, o.Access = true, api.NewAccess("secret") })
	f := func(host, origin, token string, want int) {
		t.Helper()
		header := []string{"Host", host}
		if origin != "" {
			header = append(header, "Origin", origin)
		}
		if token != "" {
			header = append(header, "Authorization", token)
		}
		if got, body := s.do("GET", "/acalocal/v1/info", "", header...); got != want {
			t.Errorf("host %s, origin %s, token %s: got %d %s, want %d", host, origin, token, got, body, want)
		}
	}
	f("127.0.0.1:7000", "", "Bearer secret", 200)
	f("[::1]:7000", "", "Bearer secret", 200)
	f("localhost", "", "Bearer secret", 200)
	f("LOCALHOST.:7000", "", "Bearer secret", 200)
	f("web.local.localhost:7000", "", "Bearer secret", 200)
	f("localhost:7000", "http://localhost:7000", "Bearer secret", 200)
	f("localhost:7000", "http://localhost:7001", "Bearer secret", 403)
	f("localhost:7000", "null", "Bearer secret", 403)
	f("evil.example:7000", "", "Bearer secret", 403)
	f("127.0.0.1.evil.example", "", "Bearer secret", 403)
	f("127.0.0.1:7000.evil.example", "", "Bearer secret", 403)
	f("10.0.0.1:7000", "", "Bearer secret", 403)
	f("", "", "Bearer secret", 403)
	f("localhost", "", "", 401)
	f("localhost", "", "Bearer secre", 401)
	f("localhost", "", "secret", 401)
}

func TestBodiesAreBounded(t *testing.T) {
	status, body := newServer(nil).do("POST", "/acalocal/v1/apply", strings.Repeat(" ", 5<<20))
	want := `{"error":{"code":"InvalidRequestContent","message":"The request body is larger than 4194304 bytes."}}`
	if status != 400 || strings.TrimSpace(body) != want {
		t.Errorf("got %d %s, want 400 %s", status, body, want)
	}
}
