package logsink

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"
	"time"
)

// A container that prints as fast as it is read must not keep another one's lines
// from being stored, nor lose any of its own.
func TestAContainerThatPrintsALotSlowsNobody(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir(), MaxBytes: 1 << 30})
	quiet := make(chan struct{}) // closed when all quiet lines have been seen
	loud := make(chan int, 1)
	text := append(bytes.Repeat([]byte("x"), 1000), '\n')
	go func() {
		n := 0
		err := s.Ingest(context.Background(), Container{App: "loud", ID: "loud"}, func() (Entry, error) {
			if isClosed(quiet) {
				return Entry{}, io.EOF
			}
			n++
			return Entry{Time: epoch.Add(time.Duration(n) * time.Microsecond), Data: text}, nil
		})
		if err != nil {
			t.Error(err)
		}
		loud <- n
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	const lines = 30
	seen := make(chan string, 1)
	tail := s.TailConsole(ctx, Filter{App: "quiet"}, 0, true) // from here on
	go func() {
		defer close(seen)
		for l, err := range tail {
			if err != nil {
				t.Error(err)
				return
			}
			seen <- l.Text
		}
	}()
	i := 0
	err := s.Ingest(ctx, Container{App: "quiet", ID: "quiet"}, func() (Entry, error) {
		if i > 0 { // the next line is printed once the last is seen
			if got, want := <-seen, fmt.Sprint("line ", i); got != want {
				return Entry{}, fmt.Errorf("the tail has %q, want %q", got, want)
			}
		}
		if i == lines {
			return Entry{}, io.EOF
		}
		i++
		return Entry{Time: epoch.Add(time.Duration(i) * time.Millisecond), Data: fmt.Appendf(nil, "line %d\n", i)}, nil
	})
	close(quiet)
	if err != nil {
		t.Fatal(err)
	}
	n := <-loud
	if got := answer(t, s.Catalog(), `ContainerAppConsoleLogs_CL | where ContainerAppName_s == "loud" | count`); got[0] != fmt.Sprint(n) || n < lines {
		t.Errorf("%s lines of the loud container are stored, want %d", got[0], n)
	}
}
