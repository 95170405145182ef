package check

import (
	"context"
	"net"
	"strconv"
	"strings"
)

// userAgent is what captures of Azure's probes from 2026 show.
const userAgent = "curl/8.11.1"

// doHTTP sends one GET and reads its answer.
func (cl Client) doHTTP(ctx context.Context, h *HTTP) Result {
	target := newTarget(h)
	req, err := target.request()
	if err != nil {
		return unmade(err.Error())
	}
	conn, err := cl.open(ctx, h, target)
	if err != nil {
		return failed(err, "", target.describe(err, "awaiting headers"))
	}
	defer conn.Close()
	// The deadline ends reads and writes in time; closing ends them at once
	// when nobody wants the answer any more.
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return failed(err, "", target.describe(err, "awaiting headers"))
		}
	}
	if _, err := conn.Write(req); err != nil {
		return failed(err, "", target.describe(orDeadline(ctx, err), "awaiting headers"))
	}
	return judge(ctx, target, newAnswer(conn))
}

// judge reads the answer: the status decides, once the body has come as well.
func judge(ctx context.Context, t target, a *answer) Result {
	status, err := a.readHead()
	if err != nil {
		err = orDeadline(ctx, err)
		return failed(err, "", t.describe(err, "awaiting headers"))
	}
	if err := a.skipBody(); err != nil {
		err = orDeadline(ctx, err)
		return failed(err, "", t.describe(err, "reading body"))
	}
	res := Result{Outcome: Success, Status: strconv.Itoa(status)}
	if status < 200 || status > 399 {
		res.Outcome = Failure
		res.Detail = "HTTP probe failed with statuscode: " + res.Status
	}
	return res
}

// orDeadline returns why the attempt really ended: a connection whose time is
// over says "i/o timeout", and one closed under a read says it was closed.
func orDeadline(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if isTimeout(err) {
		return context.DeadlineExceeded
	}
	return err
}

// open connects and, for HTTPS, shakes hands.
func (cl Client) open(ctx context.Context, h *HTTP, t target) (net.Conn, error) {
	if t.scheme == "https" && cl.TLS == nil {
		return nil, noTLS{}
	}
	conn, err := cl.dial(ctx, h.Host, h.Port)
	if err != nil || t.scheme != "https" {
		return conn, err
	}
	secure, err := cl.TLS(ctx, conn, t.host)
	if err != nil {
		_ = conn.Close() // of no use any more; err is what matters
		return nil, orDeadline(ctx, err)
	}
	return secure, nil
}

type noTLS struct{}

func (noTLS) Error() string { return "no TLS in this program" }
func (noTLS) Unwrap() error { return errUnable }

// target is the URL of a check, taken apart.
type target struct {
	scheme, host, path string
	port               int
	headers            []Header
}

func newTarget(h *HTTP) target {
	t := target{scheme: "http", host: h.Host, path: escape(h.Path), port: h.Port, headers: h.Headers}
	if strings.EqualFold(h.Scheme, "https") {
		t.scheme = "https"
	}
	if t.host == "" {
		t.host = "localhost"
	}
	return t
}

// describe says what went wrong in the words of Go's HTTP client, which are
// kubelet's.
func (t target) describe(err error, doing string) string {
	text := err.Error()
	if isTimeout(err) {
		text += " (Client.Timeout exceeded while " + doing + ")"
	}
	url := t.scheme + "://" + net.JoinHostPort(t.host, strconv.Itoa(t.port)) + t.path
	return "Get " + strconv.Quote(url) + ": " + text
}

// request writes the request as curl does: Host, User-Agent and Accept unless
// the check brings its own, then the check's headers.
func (t target) request() ([]byte, error) {
	var b strings.Builder
	b.WriteString("GET " + t.path + " HTTP/1.1\r\n")
	for _, d := range []Header{{"Host", t.authority()}, {"User-Agent", userAgent}, {"Accept", "*/*"}} {
		if own, ok := lookup(t.headers, d.Name); !ok {
			b.WriteString(d.Name + ": " + d.Value + "\r\n")
		} else if d.Name == "Host" {
			b.WriteString("Host: " + own + "\r\n") // there can be only one
		}
	}
	for _, h := range t.headers {
		if strings.ContainsAny(h.Name, "\r\n: ") || strings.ContainsAny(h.Value, "\r\n") || h.Name == "" {
			return nil, badHeader(h.Name)
		}
		if strings.EqualFold(h.Name, "Host") || (h.Value == "" && removable(h.Name)) {
			continue
		}
		b.WriteString(h.Name + ": " + h.Value + "\r\n")
	}
	b.WriteString("\r\n")
	return []byte(b.String()), nil
}

// removable says whether an empty value removes the header, as it does with
// curl and, for Accept, with kubelet.
func removable(name string) bool {
	return strings.EqualFold(name, "Accept") || strings.EqualFold(name, "User-Agent")
}

type badHeader string

func (h badHeader) Error() string {
	return "header " + strconv.Quote(string(h)) + " is not a name and a value on one line"
}

// authority is the Host header. Like curl it leaves the scheme's own port out:
// captures show "localhost" on port 80 and "localhost:3000" elsewhere.
func (t target) authority() string {
	if (t.scheme == "http" && t.port == 80) || (t.scheme == "https" && t.port == 443) {
		if strings.Contains(t.host, ":") {
			return "[" + t.host + "]"
		}
		return t.host
	}
	return net.JoinHostPort(t.host, strconv.Itoa(t.port))
}

// lookup returns the first value of the header called name, in any case.
func lookup(headers []Header, name string) (string, bool) {
	for _, h := range headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value, true
		}
	}
	return "", false
}

// escape makes path fit for a request line: rooted, without fragment, and with
// whatever may not stand there percent-encoded.
func escape(path string) string {
	path, _, _ = strings.Cut(path, "#")
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(path) {
		if c := path[i]; c <= ' ' || c >= 0x7f {
			b.WriteString("%" + hex[c>>4:c>>4+1] + hex[c&15:c&15+1])
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
