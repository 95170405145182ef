package cli

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// startEdge runs "acalocal edge" with the flags until the test ends, and
// returns the addresses it prints.
func startEdge(t *testing.T, flags ...string) []string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	ended := make(chan int, 1)
	var complaints strings.Builder
	go func() {
		ended <- Main(ctx, append([]string{"edge"}, flags...), Streams{Out: w, Err: &complaints})
		w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		go io.Copy(io.Discard, r)
		if code := <-ended; code != exitDone {
			t.Errorf("exit code %d: %s", code, complaints.String())
		}
	})
	lines := bufio.NewScanner(r)
	var addrs []string
	for range strings.Count(strings.Join(flags, " "), ":0") {
		if !lines.Scan() {
			t.Fatalf("the edge ended: %s", complaints.String())
		}
		_, addr, _ := strings.Cut(lines.Text(), "://")
		addrs = append(addrs, addr)
	}
	return addrs
}

func TestEdgeServesAFixedBackend(t *testing.T) {
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Host+" "+r.Header.Get("X-Forwarded-Proto"))
	}))
	defer app.Close()
	addrs := startEdge(t, "--listen", "127.0.0.1:0", "--backend", app.Listener.Addr().String())
	res, err := http.Get("http://" + addrs[0] + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if want := addrs[0] + " http"; err != nil || string(got) != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestEdgeSaysWhatIsMissing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := []struct {
		flags []string
		code  int
		want  string
	}{
		{nil, exitMisuse, "there is nothing to listen on: give --listen, --tls or --h2c"},
		{[]string{"--listen", "127.0.0.1:0"}, exitMisuse, "--listen and --tls need --backend"},
		{[]string{"--h2c", "127.0.0.1:0"}, exitMisuse, "--h2c needs --h2-backend"},
		{[]string{"--tls", "127.0.0.1:0", "--backend", "127.0.0.1:1"}, exitMisuse, "--tls needs --cert and --key"},
		{[]string{"--listen", "127.0.0.1:0", "--backend", "example.test:80"}, exitMisuse, `backend "example.test:80" is not an IP address and a port`},
		{[]string{"--listen", "127.0.0.1:0", "--backend", "3000"}, exitMisuse, `backend "3000" is not HOST:PORT`},
		{[]string{"--listen", taken.Addr().String(), "--backend", "127.0.0.1:1"}, exitFailed, "hint: is another program using the address?"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			var out strings.Builder
			code := Main(t.Context(), append([]string{"edge"}, tt.flags...), Streams{Out: &out, Err: &out})
			if code != tt.code || !strings.Contains(out.String(), tt.want) {
				t.Errorf("exit code %d, said\n%s", code, out.String())
			}
		})
	}
}
