package ingress

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
)

// upgrade joins client and app after an answer of 101.
func (x *exchange) upgrade(res *response) {
	client, buffered, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		x.cutOff(err)
	}
	t := &tunnel{client: client, app: res.tunnel, ws: true, moved: x.watch.touch}
	x.watch.unlimit()
	if !x.g.enterTunnel(x.ep.replica, t) {
		t.close(ErrClosed)
		return
	}
	defer x.g.leaveTunnel(x.ep.replica, t)
	defer x.l.follow(t)()
	stop := context.AfterFunc(x.ctx, func() { t.close(context.Cause(x.ctx)) })
	defer stop()
	if err := writeUpgrade(client, x.w.Header()); err != nil {
		t.close(err)
	}
	err = t.run(afterHijack(client, buffered.Reader))
	x.rec.BytesReceived, x.rec.BytesSent = t.received.Load(), t.sent.Load()
	x.rec.Flag, x.rec.Reason = tunnelEnd(err)
}

// afterHijack reads what net/http has read already, then the connection itself:
// the reader of net/http would end the request's context when it is woken.
func afterHijack(client net.Conn, r *bufio.Reader) io.Reader {
	early, _ := r.Peek(r.Buffered()) // they are there
	if len(early) == 0 {
		return client
	}
	return io.MultiReader(bytes.NewReader(bytes.Clone(early)), client)
}

// writeUpgrade sends the 101 with the app's headers, which net/http leaves to
// whoever takes the connection over.
func writeUpgrade(client net.Conn, h http.Header) error {
	w := bufio.NewWriter(client)
	// A bufio.Writer keeps its first error for Flush.
	_, _ = w.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
	_ = h.Write(w)
	_, _ = w.WriteString("\r\n")
	return w.Flush()
}

// tunnelEnd says how a tunnel ended, as flag and words.
func tunnelEnd(err error) (flag, reason string) {
	switch {
	case err == nil || err == io.EOF:
		return "", ""
	case errors.Is(err, errIdle):
		return "SI", err.Error()
	case errors.Is(err, errSevered), errors.Is(err, errListenerGone), errors.Is(err, ErrClosed):
		return "LR", err.Error()
	}
	return "DC", "a connection broke: " + err.Error()
}
