// Package websocket tests the edge as a tunnel for WebSockets, with two
// independent libraries at either end: text, binary, fragments, ping and pong,
// close codes, large messages, many connections at once.
package websocket

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"

	"github.com/acalocal/acalocal/ingress"
)

const closeCode = 4001

// echoGorilla and echoCoder echo messages until they are told to close with
// the code 4001.
func echoGorilla(w http.ResponseWriter, r *http.Request) {
	up := gorilla.Upgrader{Subprotocols: []string{"echo"}}
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer c.Close()
	for {
		kind, msg, err := c.ReadMessage()
		if err != nil {
			return
		}
		if string(msg) == "close" {
			c.WriteControl(gorilla.CloseMessage, gorilla.FormatCloseMessage(closeCode, "asked"), time.Now().Add(time.Second))
			return
		}
		// Fragments of 1,000 bytes, by writing in pieces.
		out, err := c.NextWriter(kind)
		if err != nil {
			return
		}
		for len(msg) > 0 {
			n := min(len(msg), 1000)
			if _, err := out.Write(msg[:n]); err != nil {
				return
			}
			msg = msg[n:]
		}
		if out.Close() != nil {
			return
		}
	}
}

func echoCoder(w http.ResponseWriter, r *http.Request) {
	c, err := coder.Accept(w, r, &coder.AcceptOptions{Subprotocols: []string{"echo"}, InsecureSkipVerify: true})
	if err != nil {
		return
	}
	defer c.CloseNow()
	c.SetReadLimit(4 << 20)
	for {
		kind, msg, err := c.Read(r.Context())
		if err != nil {
			return
		}
		if string(msg) == "close" {
			c.Close(closeCode, "asked")
			return
		}
		if c.Write(r.Context(), kind, msg) != nil {
			return
		}
	}
}

// edge serves an app behind the edge and returns its address.
func edge(t *testing.T, app http.HandlerFunc) string {
	t.Helper()
	_, addr := edgeOf(t, app)
	return addr
}

func edgeOf(t *testing.T, app http.HandlerFunc) (*ingress.Ingress, string) {
	t.Helper()
	s := httptest.NewServer(app)
	t.Cleanup(s.Close)
	ap := netip.MustParseAddrPort(s.Listener.Addr().String())
	g, err := ingress.New(ingress.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		g.Shutdown(ctx)
	})
	_, err = g.Apply(ingress.Table{Generation: 1, Domain: "local.localhost", Apps: []ingress.App{{
		Name: "ws", External: true, Enabled: true,
		Revisions: []ingress.Revision{{Name: "ws--a", Endpoints: []ingress.Endpoint{{Replica: "ws--a-1", Port: int(ap.Port()), Addr: ap.Addr().String()}}}},
		Split:     []ingress.Weight{{Revision: "ws--a", Weight: 100}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	addr, err := g.Listen(ingress.ListenSpec{Kind: ingress.AppPort, App: "ws", Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	return g, addr.String()
}

var messages = [][]byte{[]byte("hello"), {}, bytes.Repeat([]byte("0123456789"), 1000), bytes.Repeat([]byte{0, 255, 'x'}, 1<<20/3)}

func gorillaClient(addr string) error {
	d := gorilla.Dialer{Subprotocols: []string{"echo"}}
	c, res, err := d.Dial("ws://"+addr+"/", nil)
	if err != nil {
		return err
	}
	defer c.Close()
	if got := res.Header.Get("Sec-Websocket-Protocol"); got != "echo" {
		return fmt.Errorf("subprotocol %q", got)
	}
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	ponged := false
	c.SetPongHandler(func(s string) error { ponged = s == "are you there"; return nil })
	if err := c.WriteControl(gorilla.PingMessage, []byte("are you there"), time.Now().Add(time.Second)); err != nil {
		return err
	}
	for _, kind := range []int{gorilla.TextMessage, gorilla.BinaryMessage} {
		for i, want := range messages {
			if kind == gorilla.TextMessage && !utf8.Valid(want) {
				continue
			}
			if err := c.WriteMessage(kind, want); err != nil {
				return err
			}
			gotKind, got, err := c.ReadMessage()
			if err != nil {
				return err
			}
			if gotKind != kind || !bytes.Equal(got, want) {
				return fmt.Errorf("message %d came back changed: kind %d, %d bytes", i, gotKind, len(got))
			}
		}
	}
	if !ponged {
		return fmt.Errorf("no pong")
	}
	if err := c.WriteMessage(gorilla.TextMessage, []byte("close")); err != nil {
		return err
	}
	if _, _, err := c.ReadMessage(); !gorilla.IsCloseError(err, closeCode) {
		return fmt.Errorf("closed with %w, want code %d", err, closeCode)
	}
	return nil
}

func coderClient(addr string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, _, err := coder.Dial(ctx, "ws://"+addr+"/", &coder.DialOptions{Subprotocols: []string{"echo"}})
	if err != nil {
		return err
	}
	defer c.CloseNow()
	c.SetReadLimit(4 << 20)
	if c.Subprotocol() != "echo" {
		return fmt.Errorf("subprotocol %q", c.Subprotocol())
	}
	for _, kind := range []coder.MessageType{coder.MessageText, coder.MessageBinary} {
		for i, want := range messages {
			if kind == coder.MessageText && !utf8.Valid(want) {
				continue
			}
			if err := c.Write(ctx, kind, want); err != nil {
				return err
			}
			gotKind, got, err := c.Read(ctx)
			if err != nil {
				return err
			}
			if gotKind != kind || !bytes.Equal(got, want) {
				return fmt.Errorf("message %d came back changed: kind %d, %d bytes", i, gotKind, len(got))
			}
		}
	}
	if err := c.Write(ctx, coder.MessageText, []byte("close")); err != nil {
		return err
	}
	if _, _, err := c.Read(ctx); coder.CloseStatus(err) != closeCode {
		return fmt.Errorf("closed with %w, want code %d", err, closeCode)
	}
	return nil
}

func TestEcho(t *testing.T) {
	apps := map[string]http.HandlerFunc{"gorilla app": echoGorilla, "coder app": echoCoder}
	clients := map[string]func(string) error{"gorilla client": gorillaClient, "coder client": coderClient}
	for appName, app := range apps {
		for clientName, client := range clients {
			t.Run(clientName+", "+appName, func(t *testing.T) {
				addr := edge(t, app)
				var wg sync.WaitGroup
				for range 8 {
					wg.Go(func() {
						if err := client(addr); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
			})
		}
	}
}
