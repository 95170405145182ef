package docker

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"
)

// TestFollowerSeesAllOutputOnce follows a container that writes much, faster than
// it is read.
func TestFollowerSeesAllOutputOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 100 MB")
	}
	e := newEngine(t)
	r := newReplica(t, e)
	const count = 7000
	id := r.app("app", nil, "do", "lines", fmt.Sprint(count), "15000")
	l, err := e.Logs(t.Context(), id, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for i := range count {
		entry, err := l.Next()
		if err != nil {
			t.Fatalf("line %d: %v", i, err)
		}
		if want := fmt.Appendf(nil, "%08d ", i); !bytes.HasPrefix(entry.Data, want) {
			t.Fatalf("line %d starts %q", i, entry.Data[:min(20, len(entry.Data))])
		}
	}
	if _, err := l.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("after the last line: %v", err)
	}
}
