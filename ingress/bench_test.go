package ingress

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"net/http/httptest"
	"testing"
)

// frugalBackend answers every request with 1 KiB and allocates nothing doing so.
func frugalBackend(b *testing.B) Endpoint {
	answer := append([]byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Mon, 05 Jan 2026 00:00:00 GMT\r\nContent-Length: 1024\r\n\r\n"), make([]byte, 1024)...)
	return rawBackend(b, "web--a-1", func(c net.Conn) {
		buf := make([]byte, 8<<10)
		for {
			n, err := c.Read(buf)
			if err != nil || !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
				return
			}
			if _, err := c.Write(answer); err != nil {
				return
			}
		}
	})
}

// BenchmarkKeepAlive sends requests over one connection. Client and app
// allocate nothing, so allocations are those of the edge and net/http's server.
func BenchmarkKeepAlive(b *testing.B) {
	for _, apps := range []int{1, 1000} {
		b.Run(fmt.Sprintf("apps=%d", apps), func(b *testing.B) {
			table := oneApp(frugalBackend(b))
			for i := range apps - 1 {
				a := table.Apps[0]
				a.Name = fmt.Sprintf("web%04d", i)
				a.Revisions = []Revision{{Name: a.Name + "--a"}}
				a.Split = []Weight{{a.Name + "--a", 100}}
				table.Apps = append(table.Apps, a)
			}
			g := newEdge(b, Options{}, table)
			c, err := net.Dial("tcp", mustListen(b, g, ListenSpec{Kind: HTTP}))
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			request := []byte("GET /1k HTTP/1.1\r\nHost: web.local.localhost\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n")
			r := bufio.NewReaderSize(c, 8<<10)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				if _, err := c.Write(request); err != nil {
					b.Fatal(err)
				}
				if err := skipAnswer(r); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func skipAnswer(r *bufio.Reader) error {
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			_, err = r.Discard(1024)
			return err
		}
	}
}

// BenchmarkApply compiles and publishes a table of 1,000 apps.
func BenchmarkApply(b *testing.B) {
	table := Table{Domain: testDomain}
	for i := range 1000 {
		name := fmt.Sprintf("web%04d", i)
		table.Apps = append(table.Apps, App{Name: name, External: true, Enabled: true,
			Revisions: []Revision{{Name: name + "--a", Endpoints: []Endpoint{{Replica: name + "--a-1", Port: 80, Addr: "127.0.0.1"}}}},
			Split:     []Weight{{name + "--a", 100}}})
	}
	g := newEdge(b, Options{}, table)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Apply(table); err != nil {
			b.Fatal(err)
		}
	}
}

// TestDecisionsAllocateNothing holds what a request needs beside net/http to
// zero allocations: lookup, policies, weights, endpoint, record.
func TestDecisionsAllocateNothing(t *testing.T) {
	table := oneApp(Endpoint{Replica: "web--a-1", Port: 80}, Endpoint{Replica: "web--a-2", Port: 80})
	table.Apps[0].Revisions = append(table.Apps[0].Revisions, Revision{Name: "web--b", Endpoints: []Endpoint{{Replica: "web--b-1", Port: 80}}})
	table.Apps[0].Split = []Weight{{"web--a", 50}, {"web--b", 50}}
	table.Apps[0].IPRules = []IPRule{{Range: "127.0.0.0/8", Action: IPAllow}}
	g := newEdge(t, Options{}, table)
	l := &listener{g: g, spec: ListenSpec{Kind: HTTP}}
	r := httptest.NewRequest("GET", "http://web.local.localhost/", nil)
	routing := g.table.Load()
	x := &exchange{g: g, l: l, c: &conn{client: parseClient(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1})}, r: r, path: "/", table: routing}
	x.rec.Scheme, x.rec.Path = "http", "/"
	allocs := testing.AllocsPerRun(1000, func() {
		if a := x.findTarget(); a != nil {
			t.Fatal(a.reason)
		}
		ep, _ := x.target.rev.acquire("", nil)
		ep.release()
		g.records.add(&x.rec)
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
