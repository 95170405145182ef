package ingress

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// h2Upstream speaks HTTP/2 to an endpoint, with prior knowledge unless it is
// behind TLS.
type h2Upstream struct {
	k upstreamKind
	t *http.Transport
	// spoke says that the app has sent an HTTP/2 frame once. An app that never
	// did speaks something else, however its connections end.
	spoke atomic.Bool
}

func newH2Upstream(kind upstreamKind, dial func(context.Context) (net.Conn, error)) *h2Upstream {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(!kind.tls)
	p.SetHTTP2(kind.tls)
	u := &h2Upstream{k: kind}
	u.spoke.Store(kind.tls) // encrypted: ALPN has settled it
	u.t = &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			c, err := dial(ctx)
			if err != nil || kind.tls {
				return c, err
			}
			return &sniffedConn{Conn: c, spoke: &u.spoke}, nil
		},
		Protocols: p,
		// As on Azure, the certificate of an app is not verified.
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: true},
		DisableCompression:     true,
		IdleConnTimeout:        upstreamIdle,
		MaxResponseHeaderBytes: maxHeadBytes,
	}
	return u
}

// sniffedConn looks whether what comes first is a SETTINGS frame.
type sniffedConn struct {
	net.Conn
	spoke *atomic.Bool
	begun bool // only the one goroutine that reads looks at it
}

func (c *sniffedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if !c.begun && n > 0 {
		c.begun = true
		const settings, typeAt = 0x4, 3
		if n > typeAt && p[typeAt] == settings {
			c.spoke.Store(true)
		}
	}
	return n, err
}

func (u *h2Upstream) kind() upstreamKind { return u.k }
func (u *h2Upstream) close()             { u.t.CloseIdleConnections() }

func (u *h2Upstream) roundTrip(x *exchange) (*response, error) {
	began := time.Now()
	trace := &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { x.rec.Connect = time.Since(began) },
		Got1xxResponse: func(code int, header textproto.MIMEHeader) error {
			x.inform(code, http.Header(header))
			return nil
		},
	}
	res, err := u.t.RoundTrip(u.request(x).WithContext(httptrace.WithClientTrace(x.ctx, trace)))
	if err != nil {
		return nil, u.explain(err)
	}
	return &response{
		status: res.StatusCode, header: res.Header, length: res.ContentLength, body: res.Body,
		trailer: func() http.Header { return res.Trailer },
		// A body of HTTP/2 that is not read to the end cancels its stream.
		finish: func(bool) { _ = res.Body.Close() },
	}, nil
}

// explain tells an app that does not speak HTTP/2 from one that broke off.
func (u *h2Upstream) explain(err error) error {
	var dial *dialError
	if errors.As(err, &dial) || u.spoke.Load() {
		return err
	}
	return &protocolError{"the app does not speak HTTP/2: " + err.Error()}
}

func (u *h2Upstream) request(x *exchange) *http.Request {
	out := &http.Request{
		Method: x.r.Method, Host: x.r.Host, Proto: "HTTP/2.0", ProtoMajor: 2,
		URL:           u.url(x),
		Header:        requestHeader(x.r.Header, x.forward.fields(x.fields[:0], x.r.Header)),
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

// url keeps the path exactly as the client wrote it.
func (u *h2Upstream) url(x *exchange) *url.URL {
	out := &url.URL{Scheme: "http", Host: x.ep.name, Opaque: x.path}
	if u.k.tls {
		out.Scheme = "https"
	}
	if strings.HasPrefix(x.path, "//") {
		// An opaque part that begins with two slashes would be read as a host.
		out.Opaque, out.Path, out.RawPath, out.RawQuery = "", x.r.URL.Path, x.r.URL.RawPath, x.r.URL.RawQuery
	}
	return out
}

// isHTTP2ProtocolError reports an answer that made no sense as HTTP/2.
// net/http has no types for these errors; TestProtocolErrorsAreRecognised
// holds the texts.
func isHTTP2ProtocolError(err error) bool {
	s := err.Error()
	for _, text := range []string{"http2: frame too large", "PROTOCOL_ERROR", "malformed HTTP", "FRAME_SIZE_ERROR", "COMPRESSION_ERROR"} {
		if strings.Contains(s, text) {
			return true
		}
	}
	return false
}
