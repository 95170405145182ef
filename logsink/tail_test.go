package logsink

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pulled returns a function that gives the next n rows of a tail.
func pulled(t *testing.T, seq iter.Seq2[ConsoleLine, error]) func(n int) []string {
	t.Helper()
	next, stop := iter.Pull2(seq)
	t.Cleanup(stop)
	return func(n int) []string {
		t.Helper()
		var out []string
		for range n {
			l, err, ok := next()
			if !ok || err != nil {
				t.Fatalf("after %q: %v", out, err)
			}
			text := l.Container.App + " " + l.Text
			if l.Lost > 0 {
				text = fmt.Sprintf("%d lost, %s", l.Lost, text)
			}
			out = append(out, text)
		}
		return out
	}
}

func TestTailGivesLastLinesThenLiveOnes(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	a, b := Container{App: "a", Revision: "a--1", ID: "1"}, Container{App: "b", Revision: "b--1", ID: "2"}
	for i := range 5 {
		mustIngest(t, s, a, line(i, Stdout, fmt.Sprintln(i)))
		mustIngest(t, s, b, line(i, Stdout, fmt.Sprintln(i)))
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	all := pulled(t, s.TailConsole(ctx, Filter{}, 3, true))
	onlyB := pulled(t, s.TailConsole(ctx, Filter{App: "b", Revision: "b--1"}, 2, true))
	if diff := cmp.Diff([]string{"b 3", "a 4", "b 4"}, all(3)); diff != "" {
		t.Error("last three (-want +got)\n", diff)
	}
	if diff := cmp.Diff([]string{"b 3", "b 4"}, onlyB(2)); diff != "" {
		t.Error("last two of b (-want +got)\n", diff)
	}
	mustIngest(t, s, a, line(5, Stdout, "5\n"))
	mustIngest(t, s, b, line(5, Stdout, "5\n"), line(6, Stdout, "6\n"))
	if diff := cmp.Diff([]string{"a 5", "b 5", "b 6"}, all(3)); diff != "" {
		t.Error("live (-want +got)\n", diff)
	}
	if diff := cmp.Diff([]string{"b 5", "b 6"}, onlyB(2)); diff != "" {
		t.Error("live of b (-want +got)\n", diff)
	}
}

func TestTailFollowsThroughSealing(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	const n = 3*sealRows + 5
	done := make(chan error, 1)
	tail := pulled(t, s.TailConsole(context.Background(), Filter{}, 0, true))
	mustIngest(t, s, Container{App: "x", ID: "first"}, line(0, Stdout, "0\n"))
	go func() {
		done <- s.Ingest(context.Background(), Container{App: "x", ID: "second"}, numberedLines(n, nil))
	}()
	if diff := cmp.Diff([]string{"x 0"}, tail(1)); diff != "" {
		t.Fatal("(-want +got)\n", diff)
	}
	for i, got := range tail(n) {
		if want := fmt.Sprintf("x line %d", i+1); got != want {
			t.Fatalf("row %d is %q, want %q", i, got, want)
		}
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestSlowTailIsToldWhatItLost(t *testing.T) {
	s := mustOpen(t, Options{Dir: filled(t, 2*sealRows)})
	tail := pulled(t, s.TailConsole(context.Background(), Filter{}, 0, true))
	mustIngest(t, s, Container{App: "x", ID: "x"}, line(0, Stdout, "first\n"))
	tail(1)
	var list []Entry
	for i := range sealRows {
		list = append(list, line(i, Stdout, fmt.Sprintf("%d\n", i)))
	}
	mustIngest(t, s, Container{App: "x", ID: "y"}, list...)
	waitSealed(t, s)
	kept := s.console.state.open.first // the open block is never retired
	end := s.console.state.end()
	if gone := s.console.state.retire(); gone == nil {
		t.Fatal("the tail holds on to the segment")
	}
	mustIngest(t, s, Container{App: "x", ID: "z"}, line(0, Stdout, "last\n"))
	lost := int64(kept) - (2*sealRows + 1)
	want := fmt.Sprintf("%d lost, x last", lost)
	if kept < end {
		rest := tail(int(end - kept))
		want = "x last"
		if rest[0][:4] == "x la" {
			t.Errorf("rows %q", rest)
		}
	}
	if got := tail(1); got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTailEndsWithItsContext(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(Options{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		for l, err := range s.TailConsole(ctx, Filter{}, 5, true) {
			t.Errorf("row %v, error %v", l, err)
		}
		if ctx.Err() == nil {
			t.Error("the tail ended before its context")
		}
	})
}

func TestTailEndsWithTheStore(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	go func() { _ = s.Close() }() // again at the end of the test
	for _, err := range s.TailEvents(context.Background(), Filter{}, 5, true) {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("error %v, want ErrClosed", err)
		}
	}
}

func TestTailFiltersEvents(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	for i, app := range []string{"a", "b", "a"} {
		e := Event{Time: epoch, App: app, Reason: "R", Source: "KEDA", Msg: fmt.Sprint(i), Count: i}
		if err := s.AppendEvent(e); err != nil {
			t.Fatal(err)
		}
	}
	var got []EventLine
	for e, err := range s.TailEvents(context.Background(), Filter{App: "a", Container: "ignored"}, 10, false) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	want := []EventLine{
		{Seq: 0, Event: Event{Time: epoch, App: "a", Reason: "R", Source: "KEDA", Msg: "0"}},
		{Seq: 2, Event: Event{Time: epoch, App: "a", Reason: "R", Source: "KEDA", Msg: "2", Count: 2}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}
