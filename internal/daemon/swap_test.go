package daemon

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
)

// webSocketApp says when /slow arrived and answers it once it may, and speaks WebSocket on /ws: it sends
// one text frame and keeps what comes.
func webSocketApp(arrived chan<- struct{}, mayAnswer <-chan struct{}, fromEdge chan<- []byte) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "old") })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-mayAnswer
		fmt.Fprint(w, "old, late")
	})
	mux.HandleFunc("/ws", func(w http.ResponseWriter, _ *http.Request) {
		conn, rw, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprint(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n\x81\x02hi")
		head := make([]byte, 2) // of a frame; a close frame is 0x88
		if _, err := io.ReadFull(rw, head); err == nil {
			fromEdge <- head
		}
	})
	return mux
}

// dialWebSocket opens a WebSocket to the app and reads the frame it begins with.
func (m *machine) dialWebSocket(url string) (net.Conn, *bufio.Reader) {
	m.Helper()
	address := strings.TrimPrefix(url, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) // a TCP connection takes any
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", address)
	r := bufio.NewReader(conn)
	resp, err := http.ReadResponse(r, nil)
	if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
		m.Fatalf("upgrade: %v, %v", resp, err)
	}
	hi := make([]byte, 4)
	if _, err := io.ReadFull(r, hi); err != nil || !bytes.Equal(hi, []byte("\x81\x02hi")) {
		m.Fatalf("first frame % x, %v", hi, err)
	}
	return conn, r
}

// A swap moves new requests at once, finishes what is in flight at the old
// revision, and says goodbye on its WebSockets.
func TestSwapFinishesWhatIsInFlight(t *testing.T) {
	m := newMachine(t)
	m.scale = 10 // the drain of a WebSocket is over after 3 s
	arrived, mayAnswer, fromEdge := make(chan struct{}), make(chan struct{}), make(chan []byte, 1)
	m.runtime.Serve("web:1", webSocketApp(arrived, mayAnswer, fromEdge))
	m.boot()
	defer m.stop()
	m.apply("web:1")
	url := strings.TrimSuffix(m.waitFor("web is ready", webReady).App("web").Local.URL, "/")
	_, ws := m.dialWebSocket(url)
	kept, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	onKept := bufio.NewReader(kept)
	ask := func(want string) {
		t.Helper()
		fmt.Fprint(kept, "GET / HTTP/1.1\r\nHost: web\r\n\r\n")
		resp, err := http.ReadResponse(onKept, nil)
		if err != nil {
			t.Fatalf("on a kept connection: %v", err)
		}
		defer resp.Body.Close()
		if body, err := io.ReadAll(resp.Body); err != nil || strings.TrimSpace(string(body)) != want {
			t.Errorf("on a kept connection: %q, %v; want %s", body, err, want)
		}
	}
	ask("old")
	late := make(chan string, 1)
	go func() { late <- m.get(url+"/slow", "") }()
	<-arrived

	m.apply("web:2")
	m.waitFor("the new revision serves", func(s *emulator.Snapshot) bool {
		app := s.App("web")
		return len(app.Revisions) == 2 && app.Revisions[1].Serving == 100
	})
	ask("web:2")
	close(mayAnswer)
	if got := <-late; got != "200 OK old, late" {
		t.Errorf("the request in flight got %q", got)
	}
	bye := make([]byte, 2)
	if _, err := io.ReadFull(ws, bye); err != nil || bye[0] != 0x88 {
		t.Errorf("the client of the WebSocket got % x, %v; want a Close frame", bye, err)
	}
	if got := <-fromEdge; got[0] != 0x88 {
		t.Errorf("the app got % x on its WebSocket, want a Close frame", got)
	}
	m.waitFor("the old revision is gone", func(s *emulator.Snapshot) bool { return len(s.App("web").Revisions[0].Replicas) == 0 })
}
