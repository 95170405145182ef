package api_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/acalocal/acalocal/internal/api"
)

// served returns two handlers of one environment: as its socket serves it and
// as its port does.
func served(mounts ...api.Mount) (socket, port *server) {
	access := api.NewAccess("secret")
	edit := func(o *api.Options) {
		o.Access, o.Address, o.Workspace, o.Mounts = access, "http://127.0.0.1:8079", "ws", mounts
	}
	return newServer(edit), newServer(func(o *api.Options) { edit(o); o.TCP = true })
}

func TestACodeIsExchangedOnce(t *testing.T) {
	socket, port := served()
	code := func() string {
		status, body := socket.do("GET", "/acalocal/v1/access", "")
		var a api.AccessAnswer
		if err := json.Unmarshal([]byte(body), &a); err != nil || status != 200 {
			t.Fatalf("access: %d %s %v", status, body, err)
		}
		if a.URL != "http://127.0.0.1:8079" || a.Token != "secret" || a.Workspace != "ws" {
			t.Errorf("access: %+v", a)
		}
		return a.Code
	}
	exchange := func(code string, want int) {
		t.Helper()
		status, body := port.do("POST", "/acalocal/v1/session", `{"code":"`+code+`"}`, "Host", "127.0.0.1:8079")
		if status != want || want == 200 && body != `{"token":"secret"}`+"\n" {
			t.Errorf("session: got %d %s, want %d", status, body, want)
		}
	}
	first, second := code(), code()
	exchange(first, 200)
	exchange(first, 403)
	exchange("", 403)
	exchange("guessed", 403)
	exchange(second, 200)
	third := code()
	for range 100 {
		code()
	}
	exchange(third, 403) // pushed out by later ones
}

func TestMountsAreGuarded(t *testing.T) {
	say := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) })
	}
	socket, port := served(
		api.Mount{Path: "/", Open: true, Handler: say("page")},
		api.Mount{Path: "/secret/", Handler: say("secret")},
		api.Mount{Path: "/secret/door", Open: true, Handler: say("door")})
	f := func(s *server, path, token, host, origin string, status int, want string) {
		t.Helper()
		header := []string{"Host", host}
		if token != "" {
			header = append(header, "Authorization", "Bearer "+token)
		}
		if origin != "" {
			header = append(header, "Origin", origin)
		}
		got, body := s.do("GET", path, "", header...)
		if got != status || want != "" && body != want {
			t.Errorf("%s: got %d %s, want %d %s", path, got, body, status, want)
		}
	}
	const here = "localhost:8079"
	f(socket, "/secret/x", "", "acalocal", "", 200, "secret")
	f(port, "/", "", here, "", 200, "page")
	f(port, "/x", "", here, "", 401, "")
	f(port, "/x", "secret", here, "", 404, "")
	f(port, "/", "", "evil.example", "", 403, "")
	f(port, "/", "", here, "http://evil.example", 403, "")
	f(port, "/secret/x", "", here, "", 401, "")
	f(port, "/secret/x", "wrong", here, "", 401, "")
	f(port, "/secret/x", "secret", here, "", 200, "secret")
	f(port, "/secret/door", "", here, "", 200, "door")
	f(port, "/acalocal/v1/status", "", here, "", 401, "")
	f(port, "/acalocal/v1/access", "", here, "", 401, "")
	f(port, apps, "", here, "", 401, "")
	f(port, "/secret/../secret/x", "", here, "", 401, "")
	f(port, "//secret/x", "", here, "", 401, "")
}
