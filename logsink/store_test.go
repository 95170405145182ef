package logsink

import (
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var epoch = time.Date(2026, 6, 26, 8, 19, 7, 0, time.UTC)

var web = Container{
	App: "web", Revision: "web--0000001", Replica: "web--0000001-6bffcf46d6-j79zb", ReplicaID: "b0b1",
	Name: "app", ID: "c0ffee", Image: "reg.example/web:v1",
}

// mustOpen opens a store that the test closes. Unless it says otherwise, rows
// of any age are kept.
func mustOpen(t testing.TB, opts Options) *Store {
	t.Helper()
	if opts.MaxAge == 0 {
		opts.MaxAge = 100 * 365 * 24 * time.Hour
	}
	s, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error("close:", err)
		}
	})
	return s
}

// entries returns a next function that yields the entries and then err.
func entries(err error, list ...Entry) func() (Entry, error) {
	return func() (Entry, error) {
		if len(list) == 0 {
			return Entry{}, err
		}
		e := list[0]
		list = list[1:]
		return e, nil
	}
}

// line returns an entry n ticks after epoch.
func line(n int, stream Stream, text string) Entry {
	return Entry{Time: epoch.Add(time.Duration(n) * 100), Stream: stream, Data: []byte(text)}
}

func mustIngest(t testing.TB, s *Store, c Container, list ...Entry) {
	t.Helper()
	if err := s.Ingest(context.Background(), c, entries(io.EOF, list...)); err != nil {
		t.Fatal(err)
	}
}

// printed returns all console rows, one string each: tick, stream, tag, text.
func printed(t testing.TB, s *Store, f Filter) []string {
	t.Helper()
	var out []string
	for l, err := range s.TailConsole(context.Background(), f, 1<<30, false) {
		if err != nil {
			t.Fatal(err)
		}
		tag := tagFull
		if l.Partial {
			tag = tagPartial
		}
		out = append(out, fmt.Sprintf("%d %s %s %s", l.Time.Sub(epoch)/100, l.Stream, tag, l.Text))
	}
	return out
}

func TestRowsSurviveReopening(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	mustIngest(t, s, web, line(1, Stdout, "one\n"), line(2, Stderr, "two\r\n"), line(3, Stdout, "\n"))
	want := []string{"1 stdout F one", "2 stderr F two", "3 stdout F "}
	if diff := cmp.Diff(want, printed(t, s, Filter{})); diff != "" {
		t.Error("before closing (-want +got)\n", diff)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, Options{Dir: dir})
	if diff := cmp.Diff(want, printed(t, s, Filter{})); diff != "" {
		t.Error("after opening again (-want +got)\n", diff)
	}
	if p := s.Problems(); len(p) != 0 {
		t.Error("problems:", p)
	}
}

func TestManyRowsPassThroughSealingAndReopening(t *testing.T) {
	dir := t.TempDir()
	const n = 25_000
	s := mustOpen(t, Options{Dir: dir})
	i := 0
	err := s.Ingest(context.Background(), web, func() (Entry, error) {
		if i == n {
			return Entry{}, io.EOF
		}
		i++
		return line(i, Stream(i&1), fmt.Sprintf("line %d of many\n", i)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		got := printed(t, s, Filter{App: "web"})
		if len(got) != n {
			t.Fatalf("%s: %d rows, want %d; problems %v", when, len(got), n, s.Problems())
		}
		for i, g := range got {
			if want := fmt.Sprintf("%d %s F line %d of many", i+1, Stream((i+1)&1), i+1); g != want {
				t.Fatalf("%s: row %d is %q, want %q", when, i, g, want)
			}
		}
	}
	check("before closing")
	for range 3 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, Options{Dir: dir})
		check("after opening again")
	}
	if p := s.Problems(); len(p) != 0 {
		t.Error("problems:", p)
	}
}
