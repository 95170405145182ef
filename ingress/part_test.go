package ingress

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"testing"
	"time"
)

// wsApp upgrades and hands the connection over.
func wsApp(t *testing.T, handle func(net.Conn, *bufio.Reader)) Endpoint {
	return rawBackend(t, "web--a-1", func(c net.Conn) {
		readHead(c)
		io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n")
		handle(c, bufio.NewReader(c))
	})
}

// dialWS opens a WebSocket through the edge and returns it after its head.
func dialWS(t *testing.T, g *Ingress) (net.Conn, *bufio.Reader) {
	t.Helper()
	return dialWSBy(t, g, ListenSpec{Kind: HTTP})
}

// dialWSBy is dialWS by a listener of its own.
func dialWSBy(t *testing.T, g *Ingress, spec ListenSpec) (net.Conn, *bufio.Reader) {
	t.Helper()
	c := mustDial(t, mustListen(t, g, spec))
	io.WriteString(c, wsRequest)
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if line == "\r\n" {
			return c, r
		}
	}
}

func TestSeverSaysGoodbyeBetweenFrames(t *testing.T) {
	half := frame(2, false, 1000)
	goOn := make(chan struct{})
	fromEdge := make(chan []byte, 1)
	g := newEdge(t, Options{}, oneApp(wsApp(t, func(c net.Conn, r *bufio.Reader) {
		c.Write(half[:500])
		<-goOn
		c.Write(append(half[500:], frame(1, false, 5)...)) // the second frame comes too late
		got := make([]byte, len(closeFrame(true)))
		io.ReadFull(r, got)
		fromEdge <- got
		c.Write(frame(wsClose, false, 2))
		io.Copy(io.Discard, r)
	})))
	c, r := dialWS(t, g)
	got := make([]byte, len(half))
	if _, err := io.ReadFull(r, got[:500]); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	drained := g.Drain("web--a-1")
	mustApply(t, g, oneApp())
	g.Sever("web--a-1")
	close(goOn)
	if _, err := io.ReadFull(r, got[500:]); err != nil || !bytes.Equal(got, half) {
		t.Fatalf("the frame that had begun came broken: %v", err)
	}
	bye := make([]byte, len(closeFrame(false)))
	if _, err := io.ReadFull(r, bye); err != nil || !bytes.Equal(bye, closeFrame(false)) {
		t.Fatalf("got % x, %v", bye, err)
	}
	if got := <-fromEdge; got[0] != 0x88 || got[1]&0x80 == 0 {
		t.Errorf("the app got % x, want a masked Close frame", got)
	}
	c.Write(frame(wsClose, true, 2))
	if rest, err := io.ReadAll(r); err != nil || len(rest) > 0 {
		t.Errorf("after Close came % x, %v", rest, err)
	}
	<-drained
	if rec := recordOf(t, g, 1); rec.Flag != "LR" || rec.Status != 101 {
		t.Errorf("record: status %d, flag %q", rec.Status, rec.Flag)
	}
	if took := time.Since(began); took >= partFor {
		t.Errorf("took %v although both sides answered", took)
	}
}

func TestSeverDoesNotWaitForASilentSide(t *testing.T) {
	g := newEdge(t, Options{}, oneApp(wsApp(t, func(c net.Conn, r *bufio.Reader) { io.Copy(io.Discard, r) })))
	_, r := dialWS(t, g)
	drained := g.Drain("web--a-1")
	mustApply(t, g, oneApp())
	g.Sever("web--a-1")
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, closeFrame(false)) {
		t.Errorf("got % x, %v", got, err)
	}
	select {
	case <-drained:
	case <-time.After(patience):
		t.Fatal("the tunnel is still there")
	}
}

func TestSeverOfAListenerLeavesOthersAlone(t *testing.T) {
	g := newEdge(t, Options{}, oneApp(wsApp(t, func(c net.Conn, r *bufio.Reader) { io.Copy(c, r) })))
	sever := make(chan struct{})
	_, r := dialWSBy(t, g, ListenSpec{Kind: HTTP, Drain: sever, Sever: sever})
	other, otherReader := dialWS(t, g)
	close(sever)
	if got, err := io.ReadAll(r); err != nil || !bytes.HasPrefix(got, closeFrame(false)) {
		t.Errorf("got % x, %v", got, err)
	}
	if rec := recordOf(t, g, 1); rec.Flag != "LR" || rec.Reason != errListenerGone.Error() {
		t.Errorf("record: flag %q, %s", rec.Flag, rec.Reason)
	}
	ping := frame(2, true, 4)
	other.Write(ping)
	if _, err := io.ReadFull(otherReader, make([]byte, len(ping))); err != nil {
		t.Errorf("a WebSocket by another listener: %v", err)
	}
}

func TestSeverLetsAnotherGoodbyeBe(t *testing.T) {
	g := newEdge(t, Options{}, oneApp(wsApp(t, func(c net.Conn, r *bufio.Reader) {
		c.Write(frame(wsClose, false, 2))
		io.Copy(io.Discard, r)
	})))
	c, r := dialWS(t, g)
	bye := make([]byte, len(frame(wsClose, false, 2)))
	if _, err := io.ReadFull(r, bye); err != nil {
		t.Fatal(err)
	}
	g.Sever("web--a-1")
	c.Write(frame(wsClose, true, 2))
	if rest, _ := io.ReadAll(r); len(rest) > 0 {
		t.Errorf("a second Close frame came: % x", rest)
	}
}

func TestShutdownSaysGoodbyeToWebSockets(t *testing.T) {
	g, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustApply(t, g, oneApp(wsApp(t, func(c net.Conn, r *bufio.Reader) { io.Copy(io.Discard, r) })))
	_, r := dialWS(t, g)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := g.Shutdown(ctx); err == nil {
		t.Error("Shutdown did not say that it ended something")
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, closeFrame(false)) {
		t.Errorf("got % x, %v", got, err)
	}
}

// leavingApp hangs up when it hears goodbye, before the edge's reader wakes.
type leavingApp struct{ told chan struct{} }

func (a *leavingApp) Read([]byte) (int, error) {
	<-a.told
	return 0, io.EOF
}

func (a *leavingApp) Write(p []byte) (int, error) {
	close(a.told)
	return len(p), nil
}

func (a *leavingApp) SetReadDeadline(time.Time) error {
	<-a.told // so late that there is nobody any more
	return io.ErrClosedPipe
}

func (a *leavingApp) Close() error { return nil }

func TestAppThatHangsUpAtGoodbyeLeavesNoClientWithout(t *testing.T) {
	client, edge := net.Pipe()
	tun := &tunnel{client: edge, app: &leavingApp{told: make(chan struct{})}, ws: true, moved: func() {}}
	ended := make(chan error, 1)
	go func() { ended <- tun.run(edge) }()
	tun.part(io.ErrNoProgress)
	if got, err := io.ReadAll(client); err != nil || !bytes.Equal(got, closeFrame(false)) {
		t.Errorf("got % x, %v; want a Close frame", got, err)
	}
	if err := <-ended; err != io.ErrNoProgress {
		t.Errorf("it ended because of %v", err)
	}
}
