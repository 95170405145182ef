package daemon

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/scaler/externalscaler"
)

// streamApp says when /slow arrived and answers it once it may, and sends each event on /events until there
// are no more.
func streamApp(arrived chan<- struct{}, mayAnswer <-chan struct{}, events <-chan string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "old") })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-mayAnswer
		fmt.Fprint(w, "old, late")
	})
	mux.HandleFunc("/events", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		for e := range events {
			fmt.Fprintf(w, "data: %s\n\n", e)
			w.(http.Flusher).Flush()
		}
	})
	return mux
}

// webSocketApp speaks WebSocket on /ws: it sends one text frame and keeps what comes.
func webSocketApp(fromEdge chan<- []byte) http.Handler {
	mux := http.NewServeMux()
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

// webURL is where the app is reached, once it is ready.
func (m *machine) webURL() string {
	m.Helper()
	return strings.TrimSuffix(m.waitFor("web is ready", webReady).App("web").Local.URL, "/")
}

// swap brings the second revision and returns when it has the traffic.
func (m *machine) swap() {
	m.Helper()
	m.apply("web:2")
	m.waitFor("the new revision serves", func(s *emulator.Snapshot) bool {
		app := s.App("web")
		return len(app.Revisions) == 2 && app.Revisions[1].Serving == 100
	})
}

// wantOldDrains checks that the replica of the old revision lives on without new requests.
func (m *machine) wantOldDrains() {
	m.Helper()
	if all := m.daemon.Engine.Snapshot().App("web").Revisions[0].Replicas; len(all) != 1 || !all[0].Draining {
		m.Errorf("with requests in flight the old revision has the replicas %+v", all)
	}
}

func (m *machine) waitOldGone() {
	m.Helper()
	m.waitFor("the old revision is gone", func(s *emulator.Snapshot) bool { return len(s.App("web").Revisions[0].Replicas) == 0 })
}

// A swap moves new requests at once, on kept connections, too, and lets what is
// in flight at the old revision end by itself: an answer and server-sent events.
func TestSwapFinishesWhatIsInFlight(t *testing.T) {
	m := newMachine(t)
	arrived, mayAnswer, events := make(chan struct{}), make(chan struct{}), make(chan string)
	m.runtime.Serve("web:1", streamApp(arrived, mayAnswer, events))
	m.boot()
	defer m.stop()
	m.apply("web:1")
	url := m.webURL()
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
	stream, err := http.Get(url + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := bufio.NewReader(stream.Body)
	send := func(event string) {
		t.Helper()
		events <- event
		if got, err := lines.ReadString('\n'); err != nil || got != "data: "+event+"\n" {
			t.Fatalf("event %q, %v; want %s", got, err, event)
		}
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	send("before")

	m.swap()
	ask("web:2")
	m.wantOldDrains()
	send("after")
	close(mayAnswer)
	if got := <-late; got != "200 OK old, late" {
		t.Errorf("the request in flight got %q", got)
	}
	send("last")
	m.wantOldDrains()
	close(events)
	if rest, err := io.ReadAll(lines); err != nil || len(rest) > 0 {
		t.Errorf("the events end with %q, %v", rest, err)
	}
	m.waitOldGone()
}

// watched is a gRPC service that streams what it is told.
type watched struct {
	externalscaler.UnimplementedExternalScalerServer
	states <-chan bool
}

func (w *watched) StreamIsActive(_ *externalscaler.ScaledObjectRef, stream grpc.ServerStreamingServer[externalscaler.IsActiveResponse]) error {
	for s := range w.states {
		if err := stream.Send(&externalscaler.IsActiveResponse{Result: s}); err != nil {
			return err
		}
	}
	return nil
}

// A stream of gRPC in flight ends by itself, with the status of the app.
func TestSwapFinishesAStreamOfGRPC(t *testing.T) {
	m := newMachine(t)
	m.speaks = aca.TransportHTTP2
	states := make(chan bool)
	server := grpc.NewServer()
	externalscaler.RegisterExternalScalerServer(server, &watched{states: states})
	m.runtime.Serve("web:1", server)
	m.boot()
	defer m.stop()
	m.apply("web:1")
	conn, err := grpc.NewClient("passthrough:///"+strings.TrimPrefix(m.webURL(), "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	stream, err := externalscaler.NewExternalScalerClient(conn).StreamIsActive(t.Context(), &externalscaler.ScaledObjectRef{})
	if err != nil {
		t.Fatal(err)
	}
	send := func(state bool) {
		t.Helper()
		states <- state
		if got, err := stream.Recv(); err != nil || got.Result != state {
			t.Fatalf("got %v, %v; want %v", got, err, state)
		}
	}
	send(true)
	m.swap()
	m.wantOldDrains()
	send(false)
	send(true)
	m.wantOldDrains()
	close(states)
	if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
		t.Errorf("the stream ends with %v", err)
	}
	m.waitOldGone()
}

// A WebSocket may never end: when the drain is over, both sides get a Close frame.
func TestSwapSaysGoodbyeOnWebSockets(t *testing.T) {
	m := newMachine(t)
	m.scale = 10 // the drain is over after 3 s
	fromEdge := make(chan []byte, 1)
	m.runtime.Serve("web:1", webSocketApp(fromEdge))
	m.boot()
	defer m.stop()
	m.apply("web:1")
	_, ws := m.dialWebSocket(m.webURL())
	m.swap()
	bye := make([]byte, 2)
	if _, err := io.ReadFull(ws, bye); err != nil || bye[0] != 0x88 {
		t.Errorf("the client of the WebSocket got % x, %v; want a Close frame", bye, err)
	}
	if got := <-fromEdge; got[0] != 0x88 {
		t.Errorf("the app got % x on its WebSocket, want a Close frame", got)
	}
	m.waitOldGone()
}
