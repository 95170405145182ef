package ingress

import (
	"strings"
	"testing"
)

func TestFoldingStopsAtTheBody(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"answer", "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain\r\nX-A: B:C\r\n\r\nBody: X\r\n\r\nY", "HTTP/1.1 200 OK\r\ncontent-type: Text/Plain\r\nx-a: B:C\r\n\r\nBody: X\r\n\r\nY"},
		{"no header", "HTTP/1.1 204 No Content\r\n\r\nHTTP", "HTTP/1.1 204 No Content\r\n\r\nHTTP"},
		{"interim", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: A\r\n\r\nHTTP/1.1 200 OK\r\nDate: D\r\n\r\nZ: Z",
			"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: A\r\n\r\nHTTP/1.1 200 OK\r\ndate: D\r\n\r\nZ: Z"},
		{"upgrade", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: X\r\n\r\nA\r\nB: C", "HTTP/1.1 101 Switching Protocols\r\nupgrade: X\r\n\r\nA\r\nB: C"},
		{"401", "HTTP/1.1 401 X\r\nA: B\r\n\r\nA\r\nB: C", "HTTP/1.1 401 X\r\na: B\r\n\r\nA\r\nB: C"},
		{"201", "HTTP/1.1 201 X\r\nA: B\r\n\r\nA\r\nB: C", "HTTP/1.1 201 X\r\na: B\r\n\r\nA\r\nB: C"},
	}
	for _, tt := range tests {
		for size := 1; size <= len(tt.in); size++ {
			var f headFolder
			f.start()
			b := []byte(tt.in)
			for rest := b; len(rest) > 0; rest = rest[min(size, len(rest)):] {
				f.fold(rest[:min(size, len(rest))])
			}
			if string(b) != tt.want {
				t.Fatalf("%s in pieces of %d:\n got %q\nwant %q", tt.name, size, b, tt.want)
			}
		}
	}
	var zero headFolder
	b := []byte("Not: A\r\nHead: At All")
	zero.fold(b)
	if !strings.HasPrefix(string(b), "Not") {
		t.Errorf("got %q", b)
	}
}
