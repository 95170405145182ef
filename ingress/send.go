package ingress

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strconv"
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
		if err == nil {
			x.deliver(res)
			return
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

// prepareRetry finds another endpoint after a failed try, or the answer that
// ends the request.
func (x *exchange) prepareRetry(err error) *answer {
	reason := classify(err)
	retried := x.rec.Tries > 1
	if x.rec.Tries > max(0, x.g.opts.Retries) {
		return reason.answer(retried).because(x.describe(reason, err))
	}
	if x.body != nil && !x.body.replayable() {
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

func (x *exchange) describe(reason resetReason, err error) string {
	return "replica " + x.ep.name + ", port " + strconv.Itoa(x.ep.spec.Port) + ": " + reason.text +
		" (" + err.Error() + "), after " + strconv.Itoa(x.rec.Tries) + " tries"
}

// pause waits before the next try, longer each time.
func (x *exchange) pause() *answer {
	limit := min(retryBase*(1<<x.rec.Tries-1), retryMax)
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
func (x *exchange) try() (*http.Response, error) {
	began := time.Now()
	out := x.outgoing()
	res, err := x.ep.up.RoundTrip(out.WithContext(httptrace.WithClientTrace(x.ctx, x.trace(began))))
	if err != nil {
		return nil, err
	}
	if res.StatusCode == http.StatusSwitchingProtocols && !isWebSocket(x.r) {
		res.Body.Close()
		return nil, &protocolError{"the app switched protocols without being asked"}
	}
	return res, nil
}

func (x *exchange) trace(began time.Time) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { x.rec.Connect = time.Since(began) },
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			x.inform(code, http.Header(header))
			return nil
		},
	}
}

// inform passes an interim answer on. 100 is the server's own business: it
// sends it when the body is first read.
func (x *exchange) inform(code int, header http.Header) {
	x.watch.touch()
	if code == http.StatusContinue || x.r.ProtoMajor == 1 && x.r.ProtoMinor == 0 {
		return
	}
	h := x.w.Header()
	copyResponseHeader(h, header)
	x.w.WriteHeader(code)
	clear(h)
}

// outgoing makes the request of one try.
func (x *exchange) outgoing() *http.Request {
	x.describeForward()
	out := &http.Request{
		Method: x.r.Method, Host: x.r.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		URL:           x.outgoingURL(),
		Header:        requestHeader(x.r.Header, x.forward.fields(make([]field, 0, 20), x.r.Header)),
		ContentLength: x.r.ContentLength,
		Trailer:       x.r.Trailer,
	}
	if _, ok := out.Header["User-Agent"]; !ok {
		out.Header["User-Agent"] = nil // none of our own
	}
	if x.body != nil {
		out.Body = x.body.attempt()
	}
	return out
}

// outgoingURL keeps the path exactly as the client wrote it.
func (x *exchange) outgoingURL() *url.URL {
	u := &url.URL{Scheme: "http", Host: x.ep.name, Opaque: x.path}
	if x.ep.up.kind().tls {
		u.Scheme = "https"
	}
	if len(x.path) > 1 && x.path[0] == '/' && x.path[1] == '/' {
		// An opaque part that begins with two slashes would be read as a host.
		u.Opaque, u.Path, u.RawQuery = "", x.r.URL.Path, x.r.URL.RawQuery
		u.RawPath = x.r.URL.RawPath
	}
	return u
}

// describeForward fills in what the app is told about the request.
func (x *exchange) describeForward() {
	f := &x.forward
	f.proto = x.rec.Scheme
	f.client = x.c.client.ip
	if x.short {
		f.proto, f.client = "https", ""
	}
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
func (x *exchange) deliver(res *http.Response) {
	defer res.Body.Close()
	if x.body != nil {
		x.body.settle()
	}
	x.watch.touch()
	x.wroteHead.Store(true)
	x.rec.Status = res.StatusCode
	x.rec.FirstByte = time.Since(x.rec.Time)
	h := x.w.Header()
	copyResponseHeader(h, res.Header)
	x.decorate(h)
	if res.StatusCode == http.StatusSwitchingProtocols {
		x.upgrade(res)
		return
	}
	if len(res.Trailer) > 0 {
		for name := range res.Trailer {
			h.Add("Trailer", name)
		}
	}
	x.w.WriteHeader(res.StatusCode)
	if err := x.copyBody(res); err != nil {
		x.cutOff(err)
	}
	x.copyTrailer(res)
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

// copyBody copies the body of the answer, flushing whenever more is still to
// come.
func (x *exchange) copyBody(res *http.Response) error {
	if res.ContentLength == 0 || x.r.Method == http.MethodHead {
		return nil
	}
	buf := getBuffer()
	defer putBuffer(buf)
	flusher := http.NewResponseController(x.w)
	for {
		n, err := res.Body.Read(*buf)
		if n > 0 {
			x.watch.touch()
			m, werr := x.w.Write((*buf)[:n])
			x.rec.BytesSent += int64(m)
			if werr != nil {
				return &copyError{werr, true}
			}
			if err == nil && x.rec.BytesSent != res.ContentLength {
				if werr := flusher.Flush(); werr != nil {
					return &copyError{werr, true}
				}
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return &copyError{err, false}
		}
	}
}

// cutOff ends an answer that cannot be completed, so that the client does not
// take it for a complete one.
func (x *exchange) cutOff(err error) {
	var side *copyError
	switch cause := context.Cause(x.ctx); {
	case cause == errIdle:
		x.rec.Flag, x.rec.Reason = "SI", "nothing was sent for "+x.watch.idle.String()+", in the middle of the answer"
	case cause == errTotal:
		x.rec.Flag, x.rec.Reason = "UT", "took longer than "+x.watch.total.String()+", in the middle of the answer"
	case cause != nil || errors.As(err, &side) && side.client:
		x.rec.Flag, x.rec.Reason = "DC", "the client left in the middle of the answer"
	default:
		x.rec.Flag, x.rec.Reason = "UC", "the app ended the connection in the middle of the answer: "+err.Error()
	}
	panic(http.ErrAbortHandler)
}

// copyTrailer sends the trailers, announced or not.
func (x *exchange) copyTrailer(res *http.Response) {
	if len(res.Trailer) == 0 {
		return
	}
	h := x.w.Header()
	announced := h["Trailer"]
	for name, values := range res.Trailer {
		if hasToken(announced, name) {
			h[name] = values
		} else {
			h[http.TrailerPrefix+name] = values
		}
	}
}
