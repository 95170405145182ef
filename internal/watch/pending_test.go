package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func here(string) bool { return false }

func TestTemporaryFilesAreLeftOut(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	p := pending{quiet: time.Millisecond}
	for path, made := range map[string]bool{"sedX1": true, "app.py": true, "removed.py": false} {
		p.note(now, path, made)
	}
	p.note(now, "removed.py", true)
	gone := func(path string) bool { return path != "app.py" }
	b, ok := p.take(now.Add(time.Second), gone)
	if diff := cmp.Diff(Batch{Paths: []string{"app.py", "removed.py"}}, b); !ok || diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	p.note(now, "sedX2", true)
	if b, ok := p.take(now.Add(time.Second), gone); ok {
		t.Errorf("a batch of nothing: %+v", b)
	}
}

func TestPending(t *testing.T) {
	begin := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	p := pending{quiet: 40 * time.Millisecond}
	if _, ok := p.due(); ok {
		t.Error("nothing happened and something is due")
	}
	p.note(at(0), "b", false)
	p.note(at(30), "a", false)
	p.note(at(35), "b", false)
	if b, ok := p.take(at(74), here); ok {
		t.Errorf("took %+v before it rested", b)
	}
	b, ok := p.take(at(75), here)
	if diff := cmp.Diff(Batch{Paths: []string{"a", "b"}}, b); !ok || diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if b, ok := p.take(at(1000), here); ok {
		t.Errorf("took %+v twice", b)
	}
}

func TestBurstsRestLonger(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	p := pending{quiet: 40 * time.Millisecond}
	for i := range burst {
		p.note(now, fmt.Sprint(i), false)
	}
	if at, _ := p.due(); at.Sub(now) != 400*time.Millisecond {
		t.Errorf("due after %s, want 400ms", at.Sub(now))
	}
}

func TestTooManyPathsAreARescan(t *testing.T) {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	p := pending{quiet: time.Millisecond}
	for i := range maxPaths + 1 {
		p.note(now, fmt.Sprint(i), false)
	}
	b, ok := p.take(now.Add(time.Minute), here)
	if diff := cmp.Diff(Batch{Rescan: true}, b); !ok || diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestATreeThatNeverRestsIsHeard(t *testing.T) {
	begin := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	p := pending{quiet: 40 * time.Millisecond}
	now := begin
	for range 10000 {
		p.note(now, "log", false)
		if _, ok := p.take(now, here); ok {
			if got := now.Sub(begin); got < maxWait || got > maxWait+time.Second {
				t.Errorf("heard after %s, want %s", got, maxWait)
			}
			return
		}
		now = now.Add(10 * time.Millisecond)
	}
	t.Error("never heard")
}
