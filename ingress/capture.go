package ingress

import (
	"maps"
	"net/http"
	"slices"
	"sync"
)

// captureBody is how much of a body is kept with a captured request, in either
// direction.
const captureBody = 64 << 10

// Captured is a request as it came in, kept so that it can be sent again.
type Captured struct {
	Record Record
	Header http.Header
	// Body is the first 64 KiB of the request body; BodyCut says that there was
	// more, and then the request cannot be sent again.
	Body    []byte
	BodyCut bool
	// Answer is what the client got.
	Answer Answer
}

// Answer is an answer of an app, or of the edge in its place.
type Answer struct {
	Revision, Replica string
	Status            int
	Flag              string // Envoy's response flag when the edge answered
	Header            http.Header
	// Body is the first 64 KiB of the body; BodyCut says that there was more.
	Body    []byte
	BodyCut bool
}

// captures keeps the newest captured requests.
type captures struct {
	mu    sync.Mutex
	limit int                  // 0 keeps nothing
	byID  map[uint64]*Captured // guarded by mu
	order []uint64             // guarded by mu; oldest first
}

func (c *captures) add(r *Captured) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.order) >= c.limit {
		delete(c.byID, c.order[0])
		c.order = slices.Delete(c.order, 0, 1)
	}
	c.byID[r.Record.ID] = r
	c.order = append(c.order, r.Record.ID)
}

// Captured returns a captured request by the ID of its record. The caller must
// not change what it refers to.
func (g *Ingress) Captured(id uint64) (Captured, bool) {
	g.captures.mu.Lock()
	defer g.captures.mu.Unlock()
	c := g.captures.byID[id]
	if c == nil {
		return Captured{}, false
	}
	return *c, true
}

// prefix collects the first bytes of a body.
type prefix struct {
	bytes []byte
	cut   bool
}

func (p *prefix) add(b []byte) {
	room := captureBody - len(p.bytes)
	if len(b) > room {
		b, p.cut = b[:room], true
	}
	p.bytes = append(p.bytes, b...)
}

// capture copies what passes through a ResponseWriter. It is nil unless
// requests are captured.
type capture struct {
	http.ResponseWriter
	header http.Header
	status int
	body   prefix
}

// Unwrap leads http.ResponseController to the real one.
func (c *capture) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *capture) WriteHeader(status int) {
	if status >= 200 || status == http.StatusSwitchingProtocols {
		c.status, c.header = status, maps.Clone(c.Header())
	}
	c.ResponseWriter.WriteHeader(status)
}

func (c *capture) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.body.add(b[:n])
	return n, err
}

// startCapture arranges for the request to be kept.
func (x *exchange) startCapture() {
	if x.g.captures.limit == 0 {
		return
	}
	x.capture = &capture{ResponseWriter: x.w}
	x.w = x.capture
	if x.body != nil {
		x.body.capture = &prefix{}
	}
}

// finishCapture keeps the request under the ID of its record.
func (x *exchange) finishCapture() {
	if x.capture == nil {
		return
	}
	c := &Captured{Record: x.rec, Header: x.r.Header, Answer: x.answerOf(x.capture)}
	if x.body != nil {
		c.Body, c.BodyCut = x.body.capture.bytes, x.body.capture.cut || !x.body.complete()
	}
	x.g.captures.add(c)
}

func (x *exchange) answerOf(c *capture) Answer {
	h := maps.Clone(c.header)
	maps.DeleteFunc(h, func(_ string, values []string) bool { return len(values) == 0 })
	return Answer{
		Revision: x.rec.Revision, Replica: x.rec.Replica, Status: c.status, Flag: x.rec.Flag,
		Header: h, Body: c.body.bytes, BodyCut: c.body.cut,
	}
}
