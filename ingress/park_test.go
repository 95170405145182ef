package ingress

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// parkingEdge starts an edge that parks connections after so long.
func parkingEdge(t *testing.T, after time.Duration, table Table) (g *Ingress, addr string, p *parking) {
	t.Helper()
	if !canPeek {
		t.Skip("connections are not parked on this system")
	}
	g = newEdge(t, Options{}, table)
	g.parkAfter = after
	addr = mustListen(t, g, ListenSpec{Kind: HTTP})
	g.mu.Lock()
	defer g.mu.Unlock()
	for l := range g.listeners {
		p = l.parked
	}
	return g, addr, p
}

const parkRequest = "GET /%d HTTP/1.1\r\nHost: web.local.localhost\r\n\r\n"

// readAnswer reads one answer with a content-length and returns its body.
func readAnswer(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	res, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// path is an app that says the path of the request and its body.
func path(t *testing.T) Endpoint {
	return backend(t, "web--a-1", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s%s", r.URL.Path, body)
	})
}

func TestParkedConnectionsGoOn(t *testing.T) {
	g, addr, p := parkingEdge(t, time.Millisecond, oneApp(path(t)))
	c := mustDial(t, addr)
	r := bufio.NewReader(c)
	for i := range 5 {
		fmt.Fprintf(c, parkRequest, i)
		if got, want := readAnswer(t, r), fmt.Sprintf("/%d", i); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		waitFor(t, "the connection to be parked", func() bool { return p.len() == 1 })
	}
	if first, last := recordOf(t, g, 1), recordOf(t, g, 5); first.ConnectionID != last.ConnectionID || last.Client != first.Client {
		t.Errorf("the connection was %d of %v, then %d of %v", first.ConnectionID, first.Client, last.ConnectionID, last.Client)
	}
	c.Close()
	waitFor(t, "the connection to be forgotten", func() bool { return p.len() == 0 })
}

func TestNothingIsLostByParking(t *testing.T) {
	const end = "\r\n\r\n"
	get := strings.TrimSuffix(parkRequest, end)
	tests := []struct {
		name   string
		first  string // sent before the pause
		later  string
		want   []string
		parked bool // during the pause
	}{
		{"a whole request", fmt.Sprintf(parkRequest, 1), fmt.Sprintf(parkRequest, 2), []string{"/1", "/2"}, true},
		{"an empty line more", fmt.Sprintf(parkRequest, 1) + "\r\n", fmt.Sprintf(parkRequest, 2), []string{"/1", "/2"}, true},
		{"two requests", fmt.Sprintf(parkRequest, 1) + fmt.Sprintf(parkRequest, 2), fmt.Sprintf(parkRequest, 3), []string{"/1", "/2", "/3"}, true},
		{"one byte of the next", fmt.Sprintf(parkRequest, 1) + "G", fmt.Sprintf(parkRequest, 2)[1:], []string{"/1", "/2"}, false},
		{"three bytes of the next", fmt.Sprintf(parkRequest, 1) + "GET", fmt.Sprintf(parkRequest, 2)[3:], []string{"/1", "/2"}, false},
		{"half of the next", fmt.Sprintf(parkRequest, 1) + fmt.Sprintf(get, 2), end, []string{"/1", "/2"}, false},
		{"all but one byte of the next", fmt.Sprintf(parkRequest, 1) + fmt.Sprintf(get, 2) + "\r\n\r", "\n", []string{"/1", "/2"}, false},
		{"a body that is no line", "POST /b HTTP/1.1\r\nHost: web.local.localhost\r\nContent-Length: 2\r\n\r\nhi", fmt.Sprintf(parkRequest, 2), []string{"/bhi", "/2"}, false},
		{"a body that ends in an empty line", "POST /b HTTP/1.1\r\nHost: web.local.localhost\r\nContent-Length: 5\r\n\r\nh\r\n\r\n", fmt.Sprintf(parkRequest, 2), []string{"/bh\r\n\r\n", "/2"}, true},
		{"a chunked body", "POST /b HTTP/1.1\r\nHost: web.local.localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", fmt.Sprintf(parkRequest, 2), []string{"/bhi", "/2"}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, addr, p := parkingEdge(t, 5*time.Millisecond, oneApp(path(t)))
			c := mustDial(t, addr)
			r := bufio.NewReader(c)
			io.WriteString(c, tt.first)
			var got []string
			for len(got) < len(tt.want)-1 {
				got = append(got, readAnswer(t, r))
			}
			if tt.parked {
				waitFor(t, "the connection to be parked", func() bool { return p.len() == 1 })
			} else {
				<-time.After(30 * time.Millisecond) // what is not parked cannot be waited for
				if p.len() != 0 {
					t.Error("the connection was parked with bytes of a request")
				}
			}
			io.WriteString(c, tt.later)
			got = append(got, readAnswer(t, r))
			if strings.Join(got, " ") != strings.Join(tt.want, " ") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRequestsThatMeetParkingAreServed(t *testing.T) {
	_, addr, _ := parkingEdge(t, time.Millisecond, oneApp(path(t)))
	var clients sync.WaitGroup
	for n := range 20 {
		clients.Go(func() {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			r := bufio.NewReader(c)
			for i := range 50 {
				fmt.Fprintf(c, parkRequest, i)
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					t.Errorf("client %d, request %d: %v", n, i, err)
					return
				}
				io.Copy(io.Discard, res.Body)
				// Around the moment of parking, before and after.
				<-time.After(time.Millisecond + time.Duration(i-25)*20*time.Microsecond)
			}
		})
	}
	clients.Wait()
}

func TestShutdownClosesParkedConnections(t *testing.T) {
	g, addr, p := parkingEdge(t, time.Millisecond, oneApp(path(t)))
	c := mustDial(t, addr)
	r := bufio.NewReader(c)
	fmt.Fprintf(c, parkRequest, 1)
	readAnswer(t, r)
	waitFor(t, "the connection to be parked", func() bool { return p.len() == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := g.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("after shutdown came %q, %v", rest, err)
	}
}

func TestHTTP2IsNotParked(t *testing.T) {
	g, addr, p := parkingEdge(t, time.Millisecond, oneApp(path(t)))
	tr := h2cTransport()
	t.Cleanup(tr.CloseIdleConnections)
	c := &http.Client{Transport: tr}
	for i := range 3 {
		if got := get(t, c, addr, "web.local.localhost", fmt.Sprintf("/%d", i)); got.Body != fmt.Sprintf("/%d", i) {
			t.Errorf("got %d %q", got.Status, got.Body)
		}
		<-time.After(20 * time.Millisecond) // what is not parked cannot be waited for
	}
	if first, last := recordOf(t, g, 1), recordOf(t, g, 3); p.len() != 0 || first.ConnectionID != last.ConnectionID {
		t.Errorf("%d connections are parked; the first request came on connection %d, the last on %d", p.len(), first.ConnectionID, last.ConnectionID)
	}
}
