package ingress

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

// FuzzResponseHead parses heads of answers. Where net/http accepts too, both
// must read the same message; and a body must never be longer than the input.
func FuzzResponseHead(f *testing.F) {
	for _, s := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
		"HTTP/1.0 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\nA: b\n\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n0\r\nT: u\r\n\r\n",
		"HTTP/1.1 200 OK\r\nConnection: close\r\nKeep-Alive: timeout=5\r\n\r\nrest",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := &h1Conn{r: bufio.NewReaderSize(strings.NewReader(text), h1Buffer)}
		if err := c.readHead(); err != nil {
			return
		}
		theirs, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
		if err != nil {
			return // net/http is stricter about a few things, such as status texts
		}
		if theirs.StatusCode != c.parsed.status {
			t.Fatalf("status %d, net/http reads %d", c.parsed.status, theirs.StatusCode)
		}
		if c.parsed.status < 200 {
			return
		}
		body, _ := c.body("GET")
		var ours []byte
		var ourErr error
		if body != nil {
			ours, ourErr = io.ReadAll(body)
		}
		want, theirErr := io.ReadAll(theirs.Body)
		if ourErr == nil && theirErr == nil && !bytes.Equal(ours, want) {
			t.Fatalf("body %q, net/http reads %q", ours, want)
		}
		if len(ours) > len(text) {
			t.Fatalf("body of %d bytes out of %d", len(ours), len(text))
		}
	})
}

// FuzzChunked reads chunked bodies in pieces of every size: the result must not
// depend on the sizes, and an error must never look like the end.
func FuzzChunked(f *testing.F) {
	for _, s := range []string{"2\r\nok\r\n0\r\n\r\n", "2;a=b\r\nok\r\n0\r\nT: u\r\n\r\n", "0x2\r\nok", "2\r\nokXX0\r\n\r\n", "ffffffffffffffff\r\n", "2\r\no"} {
		f.Add(s, uint8(1))
	}
	f.Fuzz(func(t *testing.T, text string, size uint8) {
		whole, err := readChunked(text, 4096)
		pieces, pieceErr := readChunked(text, int(size)+1)
		if string(whole) != string(pieces) && err == nil || (err == nil) != (pieceErr == nil) {
			t.Fatalf("%q, %v; in pieces of %d: %q, %v", whole, err, size, pieces, pieceErr)
		}
		if err == nil && !strings.Contains(text, "\r\n\r\n") {
			t.Fatal("the body ended without its last line")
		}
	})
}

func readChunked(text string, size int) (out []byte, err error) {
	b := &chunkedBody{r: bufio.NewReaderSize(inPieces(text, size), h1Buffer)}
	buf := make([]byte, size)
	for {
		n, err := b.Read(buf)
		out = append(out, buf[:n]...)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}

// inPieces returns a reader that gives at most size bytes at a time.
func inPieces(s string, size int) io.Reader { return &slowReader{strings.NewReader(s), size} }

type slowReader struct {
	r    io.Reader
	size int
}

func (s *slowReader) Read(p []byte) (int, error) { return s.r.Read(p[:min(len(p), s.size)]) }

// FuzzHost normalises Host values: whatever comes out is a host name that
// stays as it is, and nothing with a separator gets through.
func FuzzHost(f *testing.F) {
	for _, s := range []string{"web.local.localhost:80", "WEB.", "[::1]:80", "a b", "a/b", "u@h", "", ":80", "a..b", "a:b:c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n := normalHost(s)
		if n == "" {
			return
		}
		if !validHost(n) || normalHost(n) != n || strings.ContainsAny(n, " /@:?#\\") {
			t.Fatalf("%q became %q", s, n)
		}
		if !validHostValue(s) {
			t.Fatalf("%q has the name %q and is not valid", s, n)
		}
	})
}

// FuzzRoute matches and rewrites paths without ever losing the query.
func FuzzRoute(f *testing.F) {
	f.Add("/app5/x?q=1", "/app5", "/", false)
	f.Add("/A", "/a", "", true)
	f.Fuzz(func(t *testing.T, target, path, rewrite string, fold bool) {
		for _, kind := range []MatchKind{MatchPath, MatchPrefix, MatchPathSeparatedPrefix} {
			r := Route{Kind: kind, Path: path, PrefixRewrite: rewrite, IgnoreCase: fold}
			n, ok := r.match(pathOf(target))
			if !ok {
				continue
			}
			out := r.rewrite(target, n)
			if q := target[len(pathOf(target)):]; !strings.HasSuffix(out, q) {
				t.Fatalf("%s %q: %q became %q", kind, path, target, out)
			}
		}
	})
}

// FuzzTable applies tables: what passes Validate compiles.
func FuzzTable(f *testing.F) {
	f.Add("web", "local.localhost", "web--a", uint8(50))
	f.Fuzz(func(t *testing.T, app, domain, revision string, weight uint8) {
		table := Table{Domain: domain, Apps: []App{{
			Name: app, Enabled: true, Revisions: []Revision{{Name: revision}},
			Split: []Weight{{revision, int(weight)}, {"other", 100 - int(weight)}},
		}}}
		g, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = g.Apply(table)
		if (err == nil) != (table.Validate() == nil) {
			t.Fatalf("applied: %v, valid: %v", err, table.Validate())
		}
	})
}
