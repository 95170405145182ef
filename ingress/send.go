package ingress

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// affinityCookie is the name of the cookie of sticky sessions.
const affinityCookie = "acaAffinity"

// Pauses between tries are Envoy's: random, up to 25 ms times a growing
// factor, at most 250 ms. Five of them make a refused connection take the 250
// to 500 ms seen on Azure.
const (
	retryBase = 25 * time.Millisecond
	retryMax  = 250 * time.Millisecond
)

// send brings the request to its endpoint, to others when that fails, and the
// answer back.
func (x *exchange) send() {
	for {
		x.rec.Tries++
		res, err := x.try()
		x.reportOutcome(err != nil || res.status >= 500)
		if err == nil && !x.wantsRetry(res.status) {
			x.deliver(res)
			return
		}
		if err == nil {
			res.finish(false)
			err = &statusError{res.status}
		}
		if x.ctx.Err() != nil {
			x.reply(x.ended("waiting for the answer of " + x.ep.name))
			return
		}
		if a := x.prepareRetry(err); a != nil {
			x.reply(a)
			return
		}
	}
}

// statusError is an answer of the app that a policy wants asked for again.
type statusError struct{ status int }

func (e *statusError) Error() string { return "the app answered " + strconv.Itoa(e.status) }

// prepareRetry finds another endpoint after a failed try, or the answer that
// ends the request.
func (x *exchange) prepareRetry(err error) *answer {
	if errors.Is(err, errClient) {
		return x.clientFailed()
	}
	reason := classify(err)
	retried := x.rec.Tries > 1
	if x.rec.Tries > x.maxRetries() {
		return reason.answer(retried).because(x.describe(reason, err))
	}
	if reason.delivered() && len(x.target.rev.set.Load().list) == 0 {
		// Its replica is gone and nobody else is ready: captures show 503 at the
		// moment of the kill, not a wait for the next replica
		// (yeongseon/azure-paas-troubleshooting-labs, liveness-probe-failures).
		return reason.answer(retried).because(x.describe(reason, err))
	}
	if !x.replayable() {
		return answerTooLarge.because("the body is over " + strconv.Itoa(replayLimit) + " bytes, and " + x.describe(reason, err))
	}
	if reason.delivered() {
		x.rec.Replays++
	}
	failed := x.ep
	x.ep.release()
	x.ep = nil
	if a := x.pause(); a != nil {
		return a
	}
	return x.place(failed.replica)
}

// clientFailed ends a request whose body did not come whole: the client has
// left, or has broken the framing.
func (x *exchange) clientFailed() *answer {
	if !x.replayable() && x.body.failure() == nil {
		return answerTooLarge.because("the body is over " + strconv.Itoa(replayLimit) + " bytes")
	}
	if errors.Is(x.body.failure(), io.ErrUnexpectedEOF) {
		return &answer{flag: "DC", details: detailsClientGone, reason: "the client left in the middle of its request"}
	}
	return answerBadRequest.because("the body is malformed")
}

func (x *exchange) describe(reason resetReason, err error) string {
	return "replica " + x.ep.name + ", port " + strconv.Itoa(x.ep.spec.Port) + ": " + reason.text +
		" (" + err.Error() + "), after " + tries(x.rec.Tries)
}

func tries(n int) string {
	if n == 1 {
		return "1 try"
	}
	return strconv.Itoa(n) + " tries"
}

// pause waits before the next try, longer each time.
func (x *exchange) pause() *answer {
	base, most := x.pauses()
	limit := max(1, min(base*(1<<min(x.rec.Tries, 16)-1), most))
	draw, _ := x.g.random()
	timer := time.NewTimer(time.Duration(draw % uint64(limit)))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-x.ctx.Done():
		return x.ended("before another try")
	}
}

// try sends the request to the endpoint once and returns the head of the
// answer.
func (x *exchange) try() (*response, error) {
	x.describeForward()
	if err := x.g.before(x.ctx, x.ep.spec, x.r); err != nil {
		return nil, err
	}
	return x.ep.up.roundTrip(x)
}

// inform passes an interim answer on. 100 is the server's own business: it
// sends it when the body is first read.
func (x *exchange) inform(code int, header http.Header) {
	x.watch.touch()
	if code == http.StatusContinue || x.r.ProtoMajor == 1 && x.r.ProtoMinor == 0 {
		return
	}
	h := x.w.Header()
	(&response{header: header}).copyHeader(h)
	x.w.WriteHeader(code)
	clear(h)
}

// describeForward fills in what the app is told about the request.
func (x *exchange) describeForward() {
	f := &x.forward
	f.proto = x.rec.Scheme
	f.client = x.c.client.ip
	if x.short {
		f.proto, f.client = "https", ""
	}
	f.forwardedFor = x.rec.ForwardedFor
	f.path = pathOf(x.rec.Path)
	f.certificate = x.forwardedCertificate()
	f.app, f.revision = x.target.rev.app, x.target.rev.name
	f.http2 = x.ep.up.kind().http2
	f.webSocket = isWebSocket(x.r)
	if f.requestID == "" {
		f.requestID = x.newRequestID()
	}
	x.rec.RequestID = f.requestID
}

func (x *exchange) forwardedCertificate() string {
	if x.target.app.certificate == CertificateIgnore {
		return ""
	}
	return x.c.certificate(x.r.TLS)
}

func (x *exchange) newRequestID() string {
	if id := x.r.Header["X-Request-Id"]; len(id) > 0 && id[0] != "" {
		return clientRequestID(id[0])
	}
	hi, lo := x.g.random()
	var buf [36]byte
	return string(appendUUID(buf[:0], hi, lo))
}

// deliver sends the app's answer to the client.
func (x *exchange) deliver(res *response) {
	complete := false
	defer func() { res.finish(complete) }()
	if x.body != nil {
		x.body.settle()
	}
	x.watch.touch()
	x.rec.Status, x.rec.Details = res.status, detailsApp
	x.rec.FirstByte = time.Since(x.rec.Time)
	h := x.w.Header()
	res.copyHeader(h)
	x.decorate(h)
	if res.tunnel != nil {
		x.upgrade(res)
		return
	}
	x.tellToGo(h)
	if res.length >= 0 && res.header == nil {
		h["Content-Length"] = []string{strconv.FormatInt(res.length, 10)}
	}
	x.w.WriteHeader(res.status)
	if err := x.copyBody(res); err != nil {
		x.cutOff(err)
	}
	complete = true
	x.copyTrailer(h, res.trailer())
}

// tellToGo ends the client's connection with this answer when the listener
// drains. net/http makes a GOAWAY of it on HTTP/2.
func (x *exchange) tellToGo(h http.Header) {
	if x.l.drains() {
		h["Connection"] = []string{"close"}
	}
}

// decorate adds what the edge adds to an app's answer: the affinity cookie and
// CORS headers.
func (x *exchange) decorate(h http.Header) {
	app := x.target.app
	if app.sticky && x.cookie() != x.ep.cookie {
		h["Set-Cookie"] = append(h["Set-Cookie"], affinityCookie+`="`+x.ep.cookie+`"; Path=/; HttpOnly; SameSite=None; Secure;`)
	}
	if app.cors != nil {
		app.cors.decorate(h, x.r.Header.Get("Origin"))
	}
}

// copyError says on which side a body stopped.
type copyError struct {
	err    error
	client bool
}

func (e *copyError) Error() string { return e.err.Error() }

// copyBody copies the body of the answer. It flushes whenever the next read
// may have to wait, so that events and chunks pass at once.
func (x *exchange) copyBody(res *response) error {
	if res.body == nil || x.r.Method == http.MethodHead {
		return nil
	}
	buf := getBuffer()
	defer putBuffer(buf)
	if err := x.flush(res); err != nil {
		return err
	}
	for {
		n, err := res.body.Read(*buf)
		if n > 0 {
			x.watch.touch()
			m, werr := x.w.Write((*buf)[:n])
			x.rec.BytesSent += int64(m)
			if werr != nil {
				return &copyError{werr, true}
			}
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return &copyError{err, false}
		}
		if err := x.flush(res); err != nil {
			return err
		}
	}
}

// flush sends what has been written, unless more can be written at once.
func (x *exchange) flush(res *response) error {
	if x.rec.BytesSent == res.length || res.ready != nil && res.ready() {
		return nil
	}
	if err := http.NewResponseController(x.w).Flush(); err != nil {
		return &copyError{err, true}
	}
	return nil
}

// cutOff ends an answer that cannot be completed, so that the client does not
// take it for a complete one.
func (x *exchange) cutOff(err error) {
	var side *copyError
	switch cause := context.Cause(x.ctx); {
	case cause == errIdle:
		x.rec.Details = detailsIdle
		x.rec.Flag, x.rec.Reason = "SI", "nothing was sent for "+x.watch.idle.String()+", in the middle of the answer"
	case cause == errTotal:
		x.rec.Details = detailsTotal
		x.rec.Flag, x.rec.Reason = "UT", "took longer than "+x.watch.limit().String()+", in the middle of the answer"
	case cause != nil || errors.As(err, &side) && side.client:
		x.rec.Details = detailsClientGone
		x.rec.Flag, x.rec.Reason = "DC", "the client left in the middle of the answer"
	default:
		x.rec.Details = detailsCut
		x.rec.Flag, x.rec.Reason = "UC", "the app ended the connection in the middle of the answer: "+err.Error()
	}
	panic(http.ErrAbortHandler)
}

// copyTrailer sends the trailers of an answer, announced or not.
func (x *exchange) copyTrailer(dst, trailer http.Header) {
	if len(trailer) == 0 {
		return
	}
	// Once the head is out net/http cannot turn a short answer into one with a
	// content-length, which would have no room for trailers.
	if err := http.NewResponseController(x.w).Flush(); err != nil {
		x.cutOff(&copyError{err, true})
	}
	for name, values := range trailer {
		if x.r.ProtoMajor == 1 {
			name = strings.ToLower(name) // HTTP/2 does so itself
		}
		dst[http.TrailerPrefix+name] = values
	}
}
