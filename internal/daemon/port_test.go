package daemon

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
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
	case <-time.After(10 * time.Second):
		t.Fatal("the reader still waits")
	}
}
