package logsink

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// readUntil feeds a reader the entries from the position on and returns the
// lines and the position after each entry, until the stream is left or, with
// end, has ended.
func readUntil(pos position, limit int, next func() (Entry, error), n int, end bool) (lines []string, after position) {
	t := &table{}
	t.queue.wake = make(chan struct{}, 1)
	src := newSource(t, web)
	r := newReader(src, pos, limit)
	for i := 0; i < n; i++ {
		e, err := next()
		if err != nil {
			break
		}
		r.take(e)
	}
	if end {
		r.end()
	}
	b := src.cur
	from := uint32(0)
	for i, to := range b.ends {
		lines = append(lines, fmt.Sprintf("%s %s", strings.Join(b.kinds[i].names(), " "), b.data[from:to]))
		from = to
	}
	if !b.moved {
		return lines, pos
	}
	return lines, b.pos
}

// smallLog makes a log of n entries with all that makes resuming hard. Steps
// of its clock are longer than the slack, so that slack hides nothing.
func smallLog(rnd *rand.Rand, n int) *fakeLog {
	l := &fakeLog{container: web}
	now := epoch
	for i := range n {
		switch rnd.IntN(12) {
		case 0, 1, 2, 3, 4, 5:
			now = now.Add(time.Duration(rnd.IntN(5000)) * time.Millisecond)
		case 6:
			now = now.Add(-time.Duration(rnd.IntN(20)) * time.Second)
		}
		data := fmt.Sprintf("%d%s", i, strings.Repeat("-", rnd.IntN(12)))
		switch rnd.IntN(5) {
		case 0:
		case 1:
			data += "\r\n"
		case 2:
			data += "\nmore\n"
		default:
			data += "\n"
		}
		l.entries = append(l.entries, Entry{Time: now, Stream: Stream(rnd.IntN(2)), Data: []byte(data)})
	}
	return l
}

func TestStreamResumesAtAnyEntry(t *testing.T) {
	const limit = 8
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		l := smallLog(rnd, 5+rnd.IntN(25))
		want, _ := readUntil(position{}, limit, l.since(time.Time{}), len(l.entries), true)
		for cut := range len(l.entries) {
			got, pos := readUntil(position{}, limit, l.since(time.Time{}), cut, false)
			since := pos.cursor().Since
			rest, _ := readUntil(pos, limit, l.since(since), len(l.entries), true)
			got = append(got, rest...)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("seed %d, resumed after entry %d from %v (-want +got)\n%s", seed, cut, since, diff)
			}
		}
	}
}

// Some engines look at the time of every entry, and so hide those written
// after the clock was set back by more than the slack. All they give is stored
// once still.
func TestStreamResumesBehindEngineThatFilters(t *testing.T) {
	const limit = 8
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 2))
		l := smallLog(rnd, 5+rnd.IntN(25))
		for cut := range len(l.entries) {
			got, pos := readUntil(position{}, limit, l.since(time.Time{}), cut, false)
			since := pos.cursor().Since
			var given, all fakeLog
			for i, e := range l.entries {
				if !e.Time.Before(since) {
					given.entries = append(given.entries, e)
				}
				if i < cut || !e.Time.Before(since) {
					all.entries = append(all.entries, e)
				}
			}
			want, _ := readUntil(position{}, limit, all.since(time.Time{}), len(all.entries), true)
			rest, _ := readUntil(pos, limit, given.since(time.Time{}), len(given.entries), true)
			if diff := cmp.Diff(want, append(got, rest...)); diff != "" {
				t.Fatalf("seed %d, resumed after entry %d from %v (-want +got)\n%s", seed, cut, since, diff)
			}
		}
	}
}

// An engine that has rotated its log does not repeat the entries a position is
// about. What is newer than all that was seen must be stored all the same.
func TestStreamResumesWhenItsLogWasRotated(t *testing.T) {
	at := func(s int, text string) Entry {
		return Entry{Time: epoch.Add(time.Duration(s) * time.Second), Data: []byte(text)}
	}
	before := &fakeLog{entries: []Entry{at(50, "high\n"), at(10, "set back\n"), at(11, "last\n")}}
	_, pos := readUntil(position{}, 100, before.since(time.Time{}), 3, false)
	after := &fakeLog{entries: []Entry{at(60, "new\n"), at(61, "newer\n")}}
	got, _ := readUntil(pos, 100, after.since(time.Time{}), 2, false)
	want := []string{"stdout F new", "stdout F newer"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}
