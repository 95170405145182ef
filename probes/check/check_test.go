package check

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// serve answers one connection with answer, then closes it, and returns what
// the client sent. An answer that ends in HANG is left unfinished.
func serve(t *testing.T, c net.Conn, answer string) string {
	t.Helper()
	req, err := readRequest(c)
	if err != nil {
		return req
	}
	text, hang := strings.CutSuffix(answer, "HANG")
	_, _ = io.WriteString(c, text) // the client may have seen enough
	if hang {
		_, _ = c.Read(make([]byte, 1)) // until the client gives up
	}
	_ = c.Close()
	return req
}

func readRequest(c net.Conn) (string, error) {
	var all strings.Builder
	for r := bufio.NewReader(c); ; {
		line, err := r.ReadString('\n')
		all.WriteString(line)
		if err != nil || line == "\r\n" {
			return all.String(), err
		}
	}
}

// ask runs c against answer over a pipe, in virtual time.
func ask(t *testing.T, c Check, timeout time.Duration, answer string) (res Result, request, dialed string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		sent := make(chan string, 1)
		cl := Client{Dial: func(_ context.Context, network, address string) (net.Conn, error) {
			dialed = network + " " + address
			near, far := net.Pipe()
			go func() { sent <- serve(t, far, answer) }()
			return near, nil
		}}
		res = cl.Do(t.Context(), c, timeout)
		request = <-sent
	})
	return res, request, dialed
}

func httpCheck(path string, headers ...Header) Check {
	return Check{HTTP: &HTTP{Port: 3000, Path: path, Headers: headers}}
}

func TestHTTPAnswers(t *testing.T) {
	const (
		head   = "HTTP/1.1 200 OK\r\n"
		get    = `Get "http://localhost:3000/health": `
		broken = get + "net/http: HTTP/1.x transport connection broken: malformed HTTP response "
	)
	failure := func(status, detail string) Result {
		return Result{Outcome: Failure, Status: status, Detail: detail}
	}
	timeout := func(doing string) Result {
		return Result{
			Outcome: Failure, Timeout: true, Duration: 3 * time.Second,
			Detail: get + "context deadline exceeded (Client.Timeout exceeded while " + doing + ")",
		}
	}
	ok := func(status string) Result { return Result{Outcome: Success, Status: status} }
	for _, c := range []struct {
		row, answer string
		want        Result
	}{
		{"200 is success", head + "Content-Length: 2\r\n\r\nok", ok("200")},
		{"399 is success", "HTTP/1.1 399 Odd\r\nContent-Length: 0\r\n\r\n", ok("399")},
		{"400 and up fails", "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", failure("400", "HTTP probe failed with statuscode: 400")},
		{"404 fails with its status", "HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nnot found", failure("404", "HTTP probe failed with statuscode: 404")},
		{"503 fails with its status", "HTTP/1.0 503 Service Unavailable\r\n\r\nnot ready", failure("503", "HTTP probe failed with statuscode: 503")},
		{"a redirect is not followed, its status decides", "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://localhost/\r\nContent-Length: 0\r\n\r\n", ok("307")},
		{"1xx is not the answer", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + head + "Content-Length: 0\r\n\r\n", ok("200")},
		{"204 has no body to wait for", "HTTP/1.1 204 No Content\r\n\r\nHANG", ok("204")},
		{"a body of known length is not waited for beyond it", head + "content-length: 2\r\n\r\nokHANG", ok("200")},
		{"chunks end with the empty one", head + "Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\n\r\nHANG", ok("200")},
		{"chunks may have trailers", head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\nHANG", ok("200")},
		{"a body without length ends with the connection", head + "\r\nok", ok("200")},
		{"10 KiB of body are enough", head + "\r\n" + strings.Repeat("x", maxBody) + "HANG", ok("200")},
		{"10 KiB of chunks are enough", head + "Transfer-Encoding: chunked\r\n\r\n3000\r\n" + strings.Repeat("x", maxBody) + "HANG", ok("200")},
		{"no reason phrase", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", ok("200")},
		{"bare line feeds", "HTTP/1.1 200 OK\nContent-Length: 0\n\n", ok("200")},
		{"no answer at all: nothing after the colon", "", failure("", get+"EOF")},
		{"not HTTP", "SSH-2.0-OpenSSH_9.2\r\n", failure("", broken+`"SSH-2.0-OpenSSH_9.2"`)},
		{"HTTP/2 preface", "HTTP/2 200\r\n\r\n", failure("", broken+`"HTTP/2 200"`)},
		{"cut in the status line", "HTTP/1.1 20", failure("", get+"unexpected EOF")},
		{"cut in the headers", head + "Content-Le", failure("", get+"unexpected EOF")},
		{"cut in the body", head + "Content-Length: 10\r\n\r\nok", failure("", get+"unexpected EOF")},
		{"cut in a chunk", head + "Transfer-Encoding: chunked\r\n\r\n5\r\nab", failure("", get+"unexpected EOF")},
		{"bad chunk length", head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", failure("", get+"invalid byte in chunk length")},
		{"bad end of chunk", head + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", failure("", get+"malformed chunked encoding")},
		{"bad length", head + "Content-Length: -1\r\n\r\n", failure("", get+`bad Content-Length "-1"`)},
		{"bad header", head + "oops\r\n\r\n", failure("", get+"malformed MIME header line: oops")},
		{"endless 1xx", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 6), failure("", get+"too many 1xx informational responses")},
		{"endless headers", head + "X: " + strings.Repeat("x", maxHead), failure("", get+"net/http: server response headers exceeded 1048576 bytes; aborted")},
		{"timeout covers the answer", "HANG", timeout("awaiting headers")},
		{"timeout covers slow headers", head + "X: yHANG", timeout("awaiting headers")},
		{"timeout covers the body", head + "Content-Length: 10\r\n\r\nokHANG", timeout("reading body")},
	} {
		t.Run(c.row, func(t *testing.T) {
			got, _, _ := ask(t, httpCheck("/health"), 3*time.Second, c.answer)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestHTTPRequests(t *testing.T) {
	const (
		host   = "Host: localhost:3000\r\n"
		agent  = "User-Agent: curl/8.11.1\r\n"
		accept = "Accept: */*\r\n"
	)
	for _, c := range []struct {
		row  string
		http HTTP
		want string
	}{
		{"headers of curl", HTTP{Port: 3000, Path: "/health"}, "GET /health HTTP/1.1\r\n" + host + agent + accept},
		{"the scheme's port is not in Host", HTTP{Port: 80}, "GET / HTTP/1.1\r\nHost: localhost\r\n" + agent + accept},
		{"the port of another scheme is", HTTP{Port: 443}, "GET / HTTP/1.1\r\nHost: localhost:443\r\n" + agent + accept},
		{"another host", HTTP{Host: "10.0.0.4", Port: 80}, "GET / HTTP/1.1\r\nHost: 10.0.0.4\r\n" + agent + accept},
		{"an IPv6 host", HTTP{Host: "fd00::4", Port: 80}, "GET / HTTP/1.1\r\nHost: [fd00::4]\r\n" + agent + accept},
		{"a query is kept, a fragment is not", HTTP{Port: 3000, Path: "/a?b=c#d"}, "GET /a?b=c HTTP/1.1\r\n" + host + agent + accept},
		{"a path without slash gets one", HTTP{Port: 3000, Path: "healthz"}, "GET /healthz HTTP/1.1\r\n" + host + agent + accept},
		{"a path is made fit for the line", HTTP{Port: 3000, Path: "/é \r\nX: y"}, "GET /%C3%A9%20%0D%0AX:%20y HTTP/1.1\r\n" + host + agent + accept},
		{
			"own Host, User-Agent and Accept win",
			HTTP{Port: 3000, Headers: []Header{{"host", "example.com"}, {"user-agent", "me"}, {"ACCEPT", "text/html"}}},
			"GET / HTTP/1.1\r\nHost: example.com\r\nuser-agent: me\r\nACCEPT: text/html\r\n",
		},
		{"an empty Accept removes it", HTTP{Port: 3000, Headers: []Header{{"Accept", ""}}}, "GET / HTTP/1.1\r\n" + host + agent},
		{
			"names may repeat, in order",
			HTTP{Port: 3000, Headers: []Header{{"X-A", "1"}, {"X-B", ""}, {"X-A", "2"}}},
			"GET / HTTP/1.1\r\n" + host + agent + accept + "X-A: 1\r\nX-B: \r\nX-A: 2\r\n",
		},
	} {
		t.Run(c.row, func(t *testing.T) {
			_, got, _ := ask(t, Check{HTTP: &c.http}, time.Second, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			if diff := cmp.Diff(c.want+"\r\n", got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAttemptsThatCannotBeMade(t *testing.T) {
	for _, c := range []struct {
		row   string
		check Check
		want  string
	}{
		{"neither HTTP nor TCP", Check{}, "a check is either HTTP or TCP"},
		{"both", Check{HTTP: &HTTP{}, TCP: &TCP{}}, "a check is either HTTP or TCP"},
		{"a header name with a colon", httpCheck("/", Header{"A:", "b"}), `header "A:" is not a name and a value on one line`},
		{"a header value of two lines", httpCheck("/", Header{"A", "b\r\nC: d"}), `header "A" is not a name and a value on one line`},
		{"HTTPS without TLS", Check{HTTP: &HTTP{Scheme: "HTTPS", Port: 443}}, `Get "https://localhost:443/": no TLS in this program`},
	} {
		t.Run(c.row, func(t *testing.T) {
			cl := Client{Dial: func(context.Context, string, string) (net.Conn, error) {
				t.Error("dialed")
				return nil, errors.New("dialed")
			}}
			got := cl.Do(t.Context(), c.check, time.Second)
			got.Duration = 0
			if diff := cmp.Diff(Result{Outcome: Error, Detail: c.want}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestLocalhostIsDialedInTheOrderOfCurl(t *testing.T) {
	var dialed []string
	cl := Client{Dial: func(_ context.Context, network, address string) (net.Conn, error) {
		dialed = append(dialed, network+" "+address)
		return nil, errors.New("dial " + network + " " + address + ": connect: connection refused")
	}}
	got := cl.Do(t.Context(), Check{TCP: &TCP{Port: 9999}}, time.Second)
	got.Duration = 0
	want := Result{Outcome: Failure, Status: "1", Detail: "dial tcp 127.0.0.1:9999: connect: connection refused"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"tcp [::1]:9999", "tcp 127.0.0.1:9999"}, dialed); diff != "" {
		t.Errorf("dialed (-want +got):\n%s", diff)
	}
}

func TestCancelledAttemptIsNoVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer far.Close()
		cl := Client{Dial: func(context.Context, string, string) (net.Conn, error) { return near, nil }}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go io.Copy(io.Discard, far)
		got := cl.Do(ctx, httpCheck("/"), 5*time.Second)
		want := Result{Outcome: Error, Detail: "attempt cut short before its timeout", Duration: time.Second}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// FuzzAnswer feeds any bytes as an answer: it never panics and never reads on
// for ever.
func FuzzAnswer(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
	f.Add("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 X\r\n\r\n")
	f.Fuzz(func(t *testing.T, answer string) {
		a := newAnswer(strings.NewReader(answer))
		status, err := a.readHead()
		if err == nil && (status < 101 || status > 999) {
			t.Errorf("status %d", status)
		}
		if err == nil {
			_ = a.skipBody() // any error will do, as long as it returns
		}
	})
}

// FuzzAnswerOfGo writes answers with net/http and reads them back whole.
func FuzzAnswerOfGo(f *testing.F) {
	f.Add(200, "ok", true, "v")
	f.Add(404, "", false, "")
	f.Fuzz(func(t *testing.T, status int, body string, known bool, value string) {
		if status < 200 || status > 599 || len(body) > maxBody {
			t.Skip("no final status, or a body above what is read")
		}
		resp := &http.Response{
			StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"X-Value": {value}},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
			Request: &http.Request{Method: "GET"},
		}
		if !known {
			resp.ContentLength, resp.TransferEncoding = -1, []string{"chunked"}
		}
		var text strings.Builder
		if err := resp.Write(&text); err != nil {
			t.Skip("not an answer that can be written:", err)
		}
		a := newAnswer(strings.NewReader(text.String()))
		got, err := a.readHead()
		if err == nil {
			err = a.skipBody()
		}
		if err != nil || got != status {
			t.Errorf("status %d, error %v of\n%s", got, err, strconv.Quote(text.String()))
		}
	})
}
