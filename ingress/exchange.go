package ingress

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"
)

// exchange is one request on its way through the edge.
type exchange struct {
	g *Ingress
	l *listener
	c *conn
	w http.ResponseWriter
	r *http.Request

	ctx    context.Context // ends with the client, or with a time limit
	cancel context.CancelCauseFunc
	watch  watch

	table   *routing
	short   bool // called by short name inside the environment
	target  target
	counted *revision // where the request is counted in
	ep      *endpoint
	body    *replayBody // nil for a request without a body
	forward forwarding
	fields  [20]field      // room for the headers of forward
	senders sync.WaitGroup // goroutines that read body
	path    string         // the request target the app gets
	rec     Record
	capture *capture // nil unless requests are captured
	forced  *target  // of a replay: no lookup, no policies
}

// Why a request is ended before its time.
var (
	errIdle     = errors.New("nothing was sent for the idle timeout")
	errTotal    = errors.New("the request took longer than the total timeout")
	errSevered  = errors.New("the replica's connections were closed")
	errFinished = errors.New("the request has ended")

	errListenerGone = errors.New("the listener by which it came is gone")
)

func newExchange(l *listener, c *conn, w http.ResponseWriter, r *http.Request) *exchange {
	x := &exchange{g: l.g, l: l, c: c, w: w, r: r, path: requestTarget(r)}
	x.ctx, x.cancel = context.WithCancelCause(r.Context())
	x.rec = Record{
		Time: time.Now(), Listener: l.spec.Kind, Client: c.client.addr, Protocol: r.Proto, Scheme: x.scheme(),
		Method: r.Method, Host: r.Host, Path: x.path, UserAgent: r.UserAgent(),
		ConnectionID: c.id, ForwardedFor: c.client.ip, TraceID: traceID(r.Header["Traceparent"]),
	}
	if lines := r.Header["X-Forwarded-For"]; len(lines) > 0 && c.client.ip != "" {
		x.rec.ForwardedFor = appendForwardedFor(lines, c.client.ip)
	}
	if hasBody(r) {
		x.body = &replayBody{src: r.Body, moved: x.watch.touch, ended: x.watch.requestEnded}
	}
	return x
}

// hasBody reports whether a body may follow the head. Over HTTP/2 a request that
// ended with its head has one that is empty, and neither a length nor a header
// of it.
func hasBody(r *http.Request) bool {
	return r.Body != nil && r.Body != http.NoBody && (r.ContentLength != 0 || r.Header["Content-Length"] != nil)
}

func (x *exchange) scheme() string {
	if x.r.TLS != nil || x.l.spec.Kind == AppPort {
		return "https"
	}
	return "http"
}

// serve brings the request to a replica and the answer back.
func (x *exchange) serve() {
	x.startCapture()
	x.table = x.g.table.Load()
	idle, total := x.limits()
	x.watch.start(x.cancel, idle, total)
	if x.body == nil {
		x.watch.requestEnded()
	}
	if a := x.findTarget(); a != nil {
		x.reply(a)
		return
	}
	if a := x.place(nil); a != nil {
		x.reply(a)
		return
	}
	x.send()
}

func (x *exchange) limits() (idle, total time.Duration) {
	idle = x.g.opts.Timeouts.Idle
	if x.table != nil && x.table.idle != 0 {
		idle = x.table.idle
	}
	return idle, x.g.opts.Timeouts.Total
}

// findTarget finds the revision that is to answer, or an answer of the edge.
func (x *exchange) findTarget() *answer {
	if a := x.awaitTable(); a != nil {
		return a
	}
	x.rec.Generation = x.table.generation
	x.path = x.rec.Path // an earlier table may have rewritten it
	if a := x.checkHead(); a != nil {
		return a
	}
	if x.forced != nil {
		x.aim(*x.forced)
		return nil
	}
	t, a := x.lookup()
	if a != nil {
		return a
	}
	if t.app != nil {
		x.rec.App = t.app.name
	}
	if t.missing != "" {
		return answerNotFound.because(t.missing)
	}
	if t.app != nil {
		if a := decide(t.app, x.facts(), x.r); a != nil {
			return a
		}
	}
	t = t.resolve()
	if t.rev == nil {
		return answerNotFound.because(t.missing)
	}
	x.aim(t)
	return nil
}

// aim settles on the revision that is to answer.
func (x *exchange) aim(t target) {
	x.target = t
	if r := t.app.resiliency; r != nil && r.ResponseTimeout > 0 {
		x.watch.limitTotal(x.g.opts.scale(r.ResponseTimeout))
	}
	x.rec.App, x.rec.Revision, x.rec.RevisionWhy = t.rev.app, t.rev.name, t.why
}

// awaitTable holds requests that come before the first table.
func (x *exchange) awaitTable() *answer {
	if x.table != nil {
		return nil
	}
	began := time.Now()
	select {
	case <-x.g.ready:
		x.table = x.g.table.Load()
		x.rec.Hold += time.Since(began)
		return nil
	case <-x.g.closing:
		return answerShutdown.because("the edge is shut down")
	case <-x.ctx.Done():
		return x.ended("before the first table")
	}
}

// checkHead refuses what no app may see.
func (x *exchange) checkHead() *answer {
	if x.r.ProtoMajor == 1 && x.r.ProtoMinor == 0 {
		return answerVersion.because("the edge does not speak HTTP/1.0; nginx needs proxy_http_version 1.1")
	}
	if x.r.Method == http.MethodConnect {
		return answerBadRequest.because("CONNECT is not offered")
	}
	if x.r.Host != "" && !validHostValue(x.r.Host) {
		return answerBadRequest.because("the host is not a name or an address")
	}
	if !isVisible(x.path) {
		return answerBadRequest.because("the path has a space or a control character")
	}
	if x.path[0] != '/' {
		return answerTarget.because("the path does not begin with a slash")
	}
	switch lines, size := x.headSize(); {
	case lines > x.table.headerLimit:
		return answerHeaders.because(strconv.Itoa(lines) + " header lines, the limit is " + strconv.Itoa(x.table.headerLimit))
	case size > maxHeadBytes:
		return answerHeadSize.because("the head has " + strconv.Itoa(size) + " bytes, the limit is " + strconv.Itoa(maxHeadBytes))
	}
	return nil
}

// headSize returns the number of header lines and the bytes of their names and
// values and of the path, as Envoy counts them. Host is among them.
func (x *exchange) headSize() (lines, size int) {
	size = len(x.path)
	if x.r.Host != "" {
		lines, size = 1, size+len("host")+len(x.r.Host)
	}
	for name, values := range x.r.Header {
		lines += len(values)
		for _, v := range values {
			size += len(name) + len(v)
		}
	}
	return lines, size
}

func (x *exchange) facts() facts {
	return facts{
		client: x.c.client.addr.Addr(), secure: x.rec.Scheme == "https", inside: x.l.spec.Inside,
		redirects: x.l.spec.Kind == HTTP && !x.short, certificate: x.c.certificate(x.r.TLS) != "",
		https: x.l,
	}
}

// ended returns the answer for a request whose context is done: a time limit,
// or nothing when the client has gone.
func (x *exchange) ended(while string) *answer {
	switch context.Cause(x.ctx) {
	case errIdle:
		a := answerStreamTimeout
		if x.body != nil && !x.body.complete() {
			a.status = http.StatusRequestTimeout
		}
		return a.because("nothing was sent for " + x.watch.idle.String() + ", " + while)
	case errTotal:
		return answerRequestTimeout.because("took longer than " + x.watch.limit().String() + ", " + while)
	}
	return &answer{flag: "DC", details: detailsClientGone, reason: "the client left, " + while}
}

// reply sends an answer of the edge. An answer without status means that there
// is nobody to send it to.
func (x *exchange) reply(a *answer) {
	x.rec.Flag, x.rec.Details, x.rec.Reason = a.flag, a.details, a.reason
	if a.status == 0 {
		panic(http.ErrAbortHandler)
	}
	x.stopBody()
	x.rec.Status = a.status
	x.rec.FirstByte = time.Since(x.rec.Time)
	if isGRPC(x.r.Header) {
		x.rec.Status = http.StatusOK
	}
	x.tellToGo(x.w.Header())
	x.rec.BytesSent = a.write(x.w, x.r, x.g.opts.HideReason)
}

// stopBody ends reading from the client, so that the answer can be sent while
// it is still talking.
func (x *exchange) stopBody() {
	if x.body == nil {
		return
	}
	rc := http.NewResponseController(x.w)
	x.body.close(func() {
		// Not every connection has deadlines; one without blocks nobody but itself.
		_ = rc.SetReadDeadline(time.Unix(1, 0))
	})
}

// replayable reports whether the request can be sent again.
func (x *exchange) replayable() bool { return x.body == nil || x.body.replayable() }

// appendBody appends the whole body, which is small, to b.
func (x *exchange) appendBody(b []byte) ([]byte, error) {
	// A time limit must reach a client that has stopped in the middle.
	stop := context.AfterFunc(x.ctx, x.stopBody)
	defer stop()
	body := x.body.attempt()
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, smallBody)
		}
		n, err := body.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, errClient
		}
	}
}

// recover reports a panic that is a bug, and lets net/http cut the client off.
func (x *exchange) recover() {
	v := recover()
	if v == nil {
		return
	}
	if v != http.ErrAbortHandler {
		err := fmt.Errorf("bug: request %s %s: %v\n%s", x.r.Method, x.rec.Path, v, debug.Stack())
		x.rec.Flag, x.rec.Reason = "LR", "the edge failed: "+fmt.Sprint(v)
		x.g.opts.OnError(err)
	}
	panic(http.ErrAbortHandler)
}

// end lets go of everything and writes the record. It runs when the handler
// returns or panics.
func (x *exchange) end() {
	x.watch.stop()
	x.cancel(errFinished)
	x.stopBody()
	x.senders.Wait()
	if x.ep != nil {
		x.ep.release()
	}
	if x.counted != nil {
		x.counted.finished.Add(1)
	}
	x.leave()
	if x.body != nil {
		x.rec.BytesReceived = x.body.size()
	}
	x.rec.Total = time.Since(x.rec.Time)
	x.g.records.add(&x.rec)
	x.finishCapture()
	x.g.opts.OnRecord(x.rec)
}
