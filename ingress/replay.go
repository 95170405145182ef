package ingress

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// Replay sends a captured request again, to the named revision whatever its
// weight, and returns the answer. Everything happens as for a client's
// request: it may be held, retried and recorded. Changes nothing else: an app
// that books an order books another one.
func (g *Ingress) Replay(ctx context.Context, id uint64, revision string) (Answer, error) {
	c, ok := g.Captured(id)
	if !ok {
		return Answer{}, fmt.Errorf("replay request %d: it is not kept any more, or was never captured", id)
	}
	if c.BodyCut {
		return Answer{}, fmt.Errorf("replay request %d: its body was not kept whole", id)
	}
	table := g.table.Load()
	t, ok := table.revision(c.Record.App, revision)
	if !ok {
		return Answer{}, fmt.Errorf("replay request %d: app %s has no active revision %s", id, c.Record.App, revision)
	}
	req, err := c.request(ctx)
	if err != nil {
		return Answer{}, fmt.Errorf("replay request %d: %w", id, err)
	}
	if isWebSocket(req) {
		return Answer{}, fmt.Errorf("replay request %d: a WebSocket cannot be replayed", id)
	}
	return g.replay(c, t, req)
}

func (g *Ingress) replay(c Captured, t target, req *http.Request) (a Answer, err error) {
	out := &capture{ResponseWriter: &sink{header: http.Header{}}}
	l := &listener{g: g, spec: ListenSpec{Kind: c.Record.Listener, Inside: true}}
	from := clientAddr{addr: c.Record.Client}
	if c.Record.Client.IsValid() {
		from.ip = c.Record.Client.Addr().WithZone("").String()
	}
	x := newExchange(l, &conn{client: from}, out, req)
	x.forced, x.rec.Scheme = &t, c.Record.Scheme
	defer func() {
		// An answer that was cut off panics, as net/http wants it.
		if v := recover(); v != nil && v != http.ErrAbortHandler {
			panic(v)
		} else if v != nil {
			err = errors.New("the answer was cut off: " + x.rec.Reason)
		}
		a = x.answerOf(out)
	}()
	defer x.end()
	x.serve()
	return a, nil
}

// request makes the request anew.
func (c Captured) request(ctx context.Context) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, c.Record.Method, "http://"+c.Record.Host+pathOf(c.Record.Path), nil)
	if err != nil {
		return nil, err
	}
	req.RequestURI, req.Host = c.Record.Path, c.Record.Host
	req.Header = maps.Clone(c.Header)
	delete(req.Header, "Expect")
	delete(req.Header, "X-Request-Id")
	req.ContentLength = int64(len(c.Body))
	req.Body = http.NoBody
	if len(c.Body) > 0 {
		req.Body = io.NopCloser(bytes.NewReader(c.Body))
	}
	return req, nil
}

// revision finds an active revision of an app.
func (t *routing) revision(app, name string) (target, bool) {
	if t == nil {
		return target{}, false
	}
	h := t.revisions[app+"/"+name]
	return h, h.rev != nil
}

// sink is a ResponseWriter whose client is nobody.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(b []byte) (int, error) { return len(b), nil }
func (s *sink) WriteHeader(int)             {}
func (s *sink) FlushError() error           { return nil }

// volatile are headers that differ between any two answers.
var volatile = map[string]bool{"Date": true, "X-Request-Id": true, "Set-Cookie": true}

// Diff compares two answers and returns one line per difference: status,
// headers but those that always differ, and the body. It is empty when the
// answers are the same.
func (a Answer) Diff(b Answer) []string {
	var lines []string
	if a.Status != b.Status {
		lines = append(lines, fmt.Sprintf("status: %d, %d", a.Status, b.Status))
	}
	names := slices.Sorted(maps.Keys(a.Header))
	for name := range b.Header {
		if _, ok := a.Header[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		have, want := strings.Join(a.Header[name], ", "), strings.Join(b.Header[name], ", ")
		if have != want && !volatile[name] {
			lines = append(lines, fmt.Sprintf("%s: %q, %q", strings.ToLower(name), have, want))
		}
	}
	return append(lines, diffBody(a.Body, b.Body)...)
}

func diffBody(a, b []byte) []string {
	if bytes.Equal(a, b) {
		return nil
	}
	at := 0
	for at < len(a) && at < len(b) && a[at] == b[at] {
		at++
	}
	const around = 40
	from := max(0, at-around/2)
	part := func(s []byte) []byte { return s[min(from, len(s)):min(from+around, len(s))] }
	return []string{fmt.Sprintf("body: %d bytes, %d bytes, from byte %d on: %q, %q", len(a), len(b), at, part(a), part(b))}
}
