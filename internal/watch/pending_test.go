package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPending(t *testing.T) {
	begin := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	p := pending{quiet: 40 * time.Millisecond}
	if _, ok := p.due(); ok {
		t.Error("nothing happened and something is due")
	}
	p.note(at(0), "b")
	p.note(at(30), "a")
	p.note(at(35), "b")
	if b, ok := p.take(at(74)); ok {
		t.Errorf("took %+v before it rested", b)
	}
	b, ok := p.take(at(75))
	if diff := cmp.Diff(Batch{Paths: []string{"a", "b"}}, b); !ok || diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if b, ok := p.take(at(1000)); ok {
		t.Errorf("took %+v twice", b)
	}
}

func TestBurstsRestLonger(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	p := pending{quiet: 40 * time.Millisecond}
	for i := range burst {
		p.note(now, fmt.Sprint(i))
	}
	if at, _ := p.due(); at.Sub(now) != 400*time.Millisecond {
		t.Errorf("due after %s, want 400ms", at.Sub(now))
	}
}

func TestTooManyPathsAreARescan(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	p := pending{quiet: time.Millisecond}
	for i := range maxPaths + 1 {
		p.note(now, fmt.Sprint(i))
	}
	b, ok := p.take(now.Add(time.Minute))
	if diff := cmp.Diff(Batch{Rescan: true}, b); !ok || diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestATreeThatNeverRestsIsHeard(t *testing.T) {
	begin := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	p := pending{quiet: 40 * time.Millisecond}
	now := begin
	for range 10000 {
		p.note(now, "log")
		if _, ok := p.take(now); ok {
			if got := now.Sub(begin); got < maxWait || got > maxWait+time.Second {
				t.Errorf("heard after %s, want %s", got, maxWait)
			}
			return
		}
		now = now.Add(10 * time.Millisecond)
	}
	t.Error("never heard")
}
