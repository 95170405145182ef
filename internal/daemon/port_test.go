package daemon

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/home"
)

// access asks the daemon's socket how to come by TCP.
func (m *machine) access() (a api.AccessAnswer) {
	m.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", m.daemon.files.Socket())
	}}}
	resp, err := c.Get("http://acalocal/acalocal/v1/access")
	if err != nil {
		m.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
		m.Fatal(err)
	}
	return a
}

// ask sends a request with a token and returns the status.
func ask(t *testing.T, c *http.Client, url, token string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/acalocal/v1/info", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

func TestTheAPIAnswersPlainAndTLSOnOnePort(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("ACALOCAL_CA_DIR", dir)
	m := newMachine(t)
	m.boot()
	a := m.access()
	if got := m.daemon.Engine.Snapshot().API; got != a.URL {
		t.Errorf("the snapshot says %q, the daemon %q", got, a.URL)
	}
	authority, err := ingress.OpenAuthority(dir)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority.Certificate())
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	t.Cleanup(trusting.CloseIdleConnections)
	_, port, _ := net.SplitHostPort(a.URL[len("http://"):])
	for _, base := range []string{a.URL, "https://127.0.0.1:" + port, "https://localhost:" + port} {
		if got := ask(t, trusting, base, a.Token); got != 200 {
			t.Errorf("%s answers %d with the token", base, got)
		}
		if got := ask(t, trusting, base, "wrong"); got != 401 {
			t.Errorf("%s answers %d with a wrong token", base, got)
		}
	}
	// A caller who says nothing does not hold the daemon up.
	silent, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	m.stop()
}

// A page of another site has no token, may have been opened under a name that
// leads here (DNS rebinding), and can send what browsers send without asking.
// Even a token it had come by would not help it.
func TestPagesOfOthersReadAndChangeNothing(t *testing.T) {
	m := newMachine(t)
	m.boot()
	defer m.stop()
	a := m.access()
	client := &http.Client{
		Timeout:       10 * time.Second, // a stream that is admitted does not end
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	send := func(method, path, body string, header ...string) (int, http.Header, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, a.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			if header[i] == "Host" {
				req.Host = header[i+1]
			}
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header, string(text)
	}
	code := fmt.Sprintf(`{"code":%q}`, a.Code)
	targets := []struct{ method, path, body string }{
		{"GET", "/", ""}, {"GET", "/logs/", ""}, {"GET", "/logs/main.js", ""}, {"GET", "/metrics", ""},
		{"POST", "/acalocal/v1/session", code},
		{"GET", "/acalocal/v1/access", ""}, {"GET", "/acalocal/v1/status", ""}, {"GET", "/acalocal/v1/stream", ""},
		{"POST", "/acalocal/v1/query", `{"query":"print 1"}`}, {"POST", "/acalocal/v1/faults/add", `{"kind":"lose-engine"}`},
		{"POST", "/acalocal/v1/shutdown", ""}, {"POST", "/v1/workspaces/" + a.Workspace + "/query", `{"query":"print 1"}`},
		{"OPTIONS", "/acalocal/v1/query", ""}, {"DELETE", "/subscriptions/s/resourceGroups/g/providers/Microsoft.App/containerApps/web", ""},
	}
	token := []string{"Authorization", "Bearer " + a.Token}
	pages := map[string][]string{
		"a rebound name":                  {"Host", "evil.example"},
		"a rebound name with this port":   {"Host", "evil.example:" + a.URL[strings.LastIndex(a.URL, ":")+1:]},
		"a name that begins as loopback":  {"Host", "127.0.0.1.evil.example"},
		"another origin":                  {"Origin", "http://evil.example"},
		"another port of this machine":    {"Origin", "http://localhost:3000"},
		"a sandboxed frame":               {"Origin", "null"},
		"a form that says it is text":     {"Origin", "http://evil.example", "Content-Type", "text/plain"},
		"a form without an origin":        {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Content-Type", "text/plain"},
		"an image":                        {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "image"},
		"a script of another port":        {"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "script"},
		"a frame":                         {"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"},
		"a preflight from another origin": {"Origin", "http://evil.example", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization"},
	}
	for name, header := range pages {
		for _, x := range targets {
			status, got, body := send(x.method, x.path, x.body, append(header, token...)...)
			if status != 403 || strings.Contains(body, a.Token) {
				t.Errorf("%s, %s %s: %d %s, want 403", name, x.method, x.path, status, body)
			}
			for key := range got {
				if strings.HasPrefix(key, "Access-Control-") {
					t.Errorf("%s, %s %s: the answer has %s", name, x.method, x.path, key)
				}
			}
		}
	}
	// A form posted from a link, without a token, changes nothing either.
	if status, _, _ := send("POST", "/acalocal/v1/shutdown", "x=1", "Content-Type", "text/plain"); status != 401 {
		t.Errorf("a form of nobody: %d, want 401", status)
	}
	// Links lead to the page, and the code is still good for its own page.
	if status, _, _ := send("GET", "/logs/", "", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"); status != 200 {
		t.Errorf("a link to the page: %d, want 200", status)
	}
	status, _, body := send("POST", "/acalocal/v1/session", code, "Origin", a.URL, "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors")
	if status != 200 || !strings.Contains(body, a.Token) {
		t.Errorf("the page's own exchange: %d %s", status, body)
	}
}

func TestTheAPIKeepsItsPortAndToken(t *testing.T) {
	files := home.At(t.TempDir()).Environment("dev")
	if err := files.Create(); err != nil {
		t.Fatal(err)
	}
	open := func(wanted int) (port int, token string, close func()) {
		t.Helper()
		p, err := openAPIPort(files, "", wanted)
		if err != nil {
			t.Fatal(err)
		}
		return p.Addr().(*net.TCPAddr).Port, p.token, func() { p.Close() }
	}
	first, token, stop := open(freePort(t))
	stop()
	again, same, stop := open(0)
	if again != first || same != token || token == "" {
		t.Errorf("got port %d and token %q, had %d and %q", again, same, first, token)
	}
	// Taken by somebody else: another one, and the token stays.
	other, same, stop2 := open(0)
	if other == first || same != token {
		t.Errorf("got port %d and token %q while %d is taken", other, same, first)
	}
	stop()
	stop2()
	info, err := os.Stat(files.Access())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the token's file has mode %v, %v", info.Mode(), err)
	}
	// A file that was cut short makes a new token.
	if err := os.WriteFile(files.Access(), []byte(`{"port":`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, fresh, stop := open(freePort(t))
	stop()
	if fresh == token || fresh == "" {
		t.Errorf("token %q after the file was damaged", fresh)
	}
}

func TestAPortThatIsAskedForAndTakenIsAnError(t *testing.T) {
	files := home.At(t.TempDir()).Environment("dev")
	if err := files.Create(); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	if _, err := openAPIPort(files, "", port); err == nil {
		t.Errorf("port %s was opened twice", strconv.Itoa(port))
	}
}

func TestClosingEndsTheWaitForTheFirstByte(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	c := &eitherConn{Conn: server}
	ended := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1))
		ended <- err
	}()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the reader still waits")
	}
}
