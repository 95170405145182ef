package websocket

import (
	"context"
	"net/http"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
)

// goingAway is the code both ends get when their replica is stopped.
const goingAway = 1001

// waiting returns an app that says "ready", reads on, and tells the code its
// connection was closed with.
func waitingGorilla(closed chan<- int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var up gorilla.Upgrader
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		if c.WriteMessage(gorilla.TextMessage, []byte("ready")) != nil {
			return
		}
		_, _, err = c.ReadMessage()
		code := -1
		if e, ok := err.(*gorilla.CloseError); ok {
			code = e.Code
		}
		closed <- code
	}
}

func waitingCoder(closed chan<- int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := coder.Accept(w, r, &coder.AcceptOptions{InsecureSkipVerify: true})
		if err != nil {
			return
		}
		defer c.CloseNow()
		if c.Write(r.Context(), coder.MessageText, []byte("ready")) != nil {
			return
		}
		_, _, err = c.Read(r.Context())
		closed <- int(coder.CloseStatus(err))
	}
}

// closeCodeGorilla and closeCodeCoder connect, call ready at the first message,
// and return the code of the end.
func closeCodeGorilla(t *testing.T, addr string, ready func()) int {
	c, _, err := gorilla.DefaultDialer.Dial("ws://"+addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, _, err := c.ReadMessage(); err != nil {
		t.Fatal(err)
	}
	ready()
	_, _, err = c.ReadMessage()
	if e, ok := err.(*gorilla.CloseError); ok {
		return e.Code
	}
	t.Errorf("the connection ended with %v", err)
	return -1
}

func closeCodeCoder(t *testing.T, addr string, ready func()) int {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, _, err := coder.Dial(ctx, "ws://"+addr+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	if _, _, err := c.Read(ctx); err != nil {
		t.Fatal(err)
	}
	ready()
	_, _, err = c.Read(ctx)
	if code := coder.CloseStatus(err); code >= 0 {
		return int(code)
	}
	t.Errorf("the connection ended with %v", err)
	return -1
}

func TestBothEndsOfAStoppingReplicaGetAClose(t *testing.T) {
	apps := map[string]func(chan<- int) http.HandlerFunc{"gorilla app": waitingGorilla, "coder app": waitingCoder}
	clients := map[string]func(*testing.T, string, func()) int{"gorilla client": closeCodeGorilla, "coder client": closeCodeCoder}
	for appName, app := range apps {
		for clientName, client := range clients {
			t.Run(clientName+", "+appName, func(t *testing.T) {
				closed := make(chan int, 1)
				g, addr := edgeOf(t, app(closed))
				if code := client(t, addr, func() { g.Sever("ws--a-1") }); code != goingAway {
					t.Errorf("the client got %d, want %d", code, goingAway)
				}
				if code := <-closed; code != goingAway {
					t.Errorf("the app got %d, want %d", code, goingAway)
				}
			})
		}
	}
}
