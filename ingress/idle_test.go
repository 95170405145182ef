package ingress

import (
	"io"
	"net"
	"runtime"
	"testing"
)

// BenchmarkIdleConnections reports what a kept connection costs in heap and
// stack, with the client's own half left out as far as it can be: clients here
// are bare sockets.
func BenchmarkIdleConnections(b *testing.B) {
	const count = 2000
	for range b.N {
		g := newEdge(b, Options{}, oneApp(frugalBackend(b)))
		addr := mustListen(b, g, ListenSpec{Kind: HTTP})
		before := memoryInUse()
		conns := make([]net.Conn, count)
		buf := make([]byte, 8<<10)
		for i := range conns {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				b.Fatal(err)
			}
			conns[i] = c
			io.WriteString(c, "GET /1k HTTP/1.1\r\nHost: web.local.localhost\r\n\r\n")
			if _, err := io.ReadAtLeast(c, buf, 1024); err != nil {
				b.Fatal(err)
			}
		}
		after := memoryInUse()
		b.ReportMetric(float64(after.HeapInuse-before.HeapInuse)/count, "heap-B/conn")
		b.ReportMetric(float64(after.StackInuse-before.StackInuse)/count, "stack-B/conn")
		for _, c := range conns {
			c.Close()
		}
	}
}

func memoryInUse() runtime.MemStats {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}
