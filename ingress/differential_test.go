package ingress

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sort"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// mirror is an app that tells in its answer what it was asked, and answers as
// the request wishes: x-want-status, x-want-body bytes, x-want-form length or
// chunked, x-want-trailer.
func mirror(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	h := w.Header()
	h.Set("X-Saw", fmt.Sprintf("%s %s %s %d %x", r.Method, r.RequestURI, r.Host, len(body), sum(body)))
	h.Set("X-Saw-Header", seenHeader(r.Header))
	h["X-Multi"] = []string{"a", "b, c"}
	if r.Header.Get("X-Want-Trailer") != "" {
		h.Set("Trailer", "X-Tail")
	}
	n := 0
	fmt.Sscan(r.Header.Get("X-Want-Body"), &n)
	status := 200
	fmt.Sscan(r.Header.Get("X-Want-Status"), &status)
	if status == 204 || status == 304 {
		n = 0
	} else if r.Header.Get("X-Want-Form") == "length" {
		h.Set("Content-Length", fmt.Sprint(n))
	}
	w.WriteHeader(status)
	for left := n; left > 0 && r.Method != "HEAD"; {
		part := min(left, 5000)
		w.Write(bytes.Repeat([]byte("z"), part))
		left -= part
	}
	if r.Header.Get("X-Want-Trailer") != "" {
		h.Set("X-Tail", "tail")
	}
}

func sum(b []byte) (s uint32) {
	for _, c := range b {
		s = s*31 + uint32(c)
	}
	return s
}

// seenHeader prints the headers both proxies are meant to pass on alike.
func seenHeader(h http.Header) string {
	var lines []string
	for name, values := range h {
		if strings.HasPrefix(name, "X-Test-") || name == "Cookie" || name == "Te" || name == "Content-Type" || name == "User-Agent" {
			lines = append(lines, name+"="+strings.Join(values, "|"))
		}
	}
	sort.Strings(lines)
	return strings.Join(lines, ";")
}

// TestSameAsReverseProxy sends random valid requests through the edge and
// through the standard library's reverse proxy, and wants the same from both,
// with either version of HTTP on either side.
func TestSameAsReverseProxy(t *testing.T) {
	app := httptest.NewUnstartedServer(http.HandlerFunc(mirror))
	app.Config.Protocols = bothVersions()
	app.Start()
	defer app.Close()
	u, _ := url.Parse(app.URL)
	ep := endpointOf(t, "web--a-1", app.Listener.Addr())
	for _, transport := range []Transport{TransportAuto, TransportHTTP2} {
		toApp := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
		toApp.Protocols.SetHTTP1(transport == TransportAuto)
		toApp.Protocols.SetUnencryptedHTTP2(transport == TransportHTTP2)
		defer toApp.CloseIdleConnections()
		oracle := httptest.NewUnstartedServer(fullDuplex(&httputil.ReverseProxy{Transport: toApp, FlushInterval: -1, Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(u)
			r.Out.Host = r.In.Host
			r.Out.URL.RawQuery = r.In.URL.RawQuery
		}}))
		oracle.Config.Protocols = bothVersions()
		oracle.Start()
		defer oracle.Close()
		table := oneApp(ep)
		table.Apps[0].Transport = transport
		g := newEdge(t, Options{}, table)
		addr := mustListen(t, g, ListenSpec{Kind: HTTP})
		for version, c := range map[string]*http.Client{"HTTP/1.1": client(t), "h2c": {Transport: h2cTransport()}} {
			t.Run(version+" to "+string(transport), func(t *testing.T) {
				compare(t, c, oracle.Listener.Addr().String(), addr)
				c.CloseIdleConnections()
			})
		}
	}
}

// fullDuplex lets a reverse proxy read a request while it answers. Otherwise
// net/http closes the request's body when the answer begins; if the transport has
// yet to see the end of it, it takes that for a failure and cuts the answer
// short, about once in 10,000 requests with a body.
func fullDuplex(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			panic(err)
		}
		h.ServeHTTP(w, r)
	})
}

func bothVersions() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

func compare(t *testing.T, c *http.Client, oracle, edge string) {
	const seed = 1
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range 300 {
		r := randomRequest(rng)
		want, got := r.do(t, c, oracle), r.do(t, c, edge)
		if want.Length < 0 {
			got.Length = -1 // a body at hand may be sent with its length
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("request %d of seed %d: %+v\n(-reverse proxy +edge):\n%s", i, seed, r, diff)
		}
	}
}

type validRequest struct {
	method, path string
	header       [][2]string
	body         int // -1: none
	chunked      bool
}

func randomRequest(rng *rand.Rand) validRequest {
	pick := func(s ...string) string { return s[rng.IntN(len(s))] }
	r := validRequest{
		method: pick("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"),
		path:   pick("/", "/a/b", "/a%2Fb", "/a%20b", "/~u/", "/x;y=1/") + pick("", "?q=1", "?q=a%26b&c=d", "?"),
	}
	for range rng.IntN(4) {
		r.header = append(r.header, [2]string{pick("X-Test-A", "X-Test-B", "Cookie", "Content-Type", "User-Agent"), pick("a", "b c", "d,e", "\"q\"")})
	}
	r.header = append(r.header, [2]string{"X-Want-Status", pick("200", "201", "204", "304", "404", "500", "503")})
	if rng.IntN(2) == 0 {
		r.header = append(r.header, [2]string{"X-Want-Body", fmt.Sprint(rng.IntN(70_000))})
		r.header = append(r.header, [2]string{"X-Want-Form", pick("length", "chunked")})
	}
	if rng.IntN(4) == 0 {
		r.header = append(r.header, [2]string{"X-Want-Trailer", "1"})
	}
	r.body = -1
	if r.method == "POST" || r.method == "PUT" || r.method == "PATCH" {
		r.body = rng.IntN(3) * rng.IntN(60_000)
		r.chunked = rng.IntN(2) == 0
	}
	return r
}

// outcome is all a client can tell about an answer.
type outcome struct {
	Status  int
	Length  int64
	Header  map[string][]string
	Body    int
	Sum     uint32
	Trailer http.Header
}

func (r validRequest) do(t *testing.T, c *http.Client, addr string) outcome {
	t.Helper()
	var body io.Reader
	if r.body >= 0 {
		body = bytes.NewReader(bytes.Repeat([]byte("ab"), r.body/2))
		if r.chunked {
			body = io.NopCloser(body) // hides the length
		}
	}
	req, err := http.NewRequest(r.method, "http://"+addr+r.path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "web.local.localhost"
	for _, h := range r.header {
		req.Header.Add(h[0], h[1])
	}
	res, err := c.Do(req)
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatalf("%+v: %v", r, err)
	}
	res.Header.Del("Date")
	// How a message is framed and announced is each proxy's own business.
	res.Header.Del("Content-Length")
	res.Header.Del("Trailer")
	var trailer http.Header
	for name, values := range res.Trailer {
		if len(values) > 0 {
			trailer = http.Header{name: values}
		}
	}
	return outcome{res.StatusCode, res.ContentLength, res.Header, len(got), sum(got), trailer}
}
