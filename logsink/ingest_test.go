package logsink

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var errBroken = errors.New("connection to the engine broke")

func TestBrokenStreamIsTakenUpAgain(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	log := &fakeLog{entries: []Entry{
		line(1, Stdout, "one\n"), line(1, Stdout, "two\n"), line(2, Stdout, "half "), line(2, Stderr, "err\n"),
		line(3, Stdout, "and half\n"), line(4, Stdout, "last, no line end"),
	}}
	for n := range log.entries {
		next := log.since(s.Cursor(web.ID).Since)
		broken := func() (Entry, error) {
			e, err := next()
			if err != nil || !e.Time.Before(log.entries[n].Time) && string(e.Data) == string(log.entries[n].Data) {
				return Entry{}, errBroken
			}
			return e, nil
		}
		if err := s.Ingest(context.Background(), web, broken); !errors.Is(err, errBroken) {
			t.Fatalf("error %v, want that of the stream", err)
		}
	}
	if err := s.Ingest(context.Background(), web, log.since(s.Cursor(web.ID).Since)); err != nil {
		t.Fatal(err)
	}
	want := []string{"1 stdout F one", "2 stdout F two", "3 stderr F err", "4 stdout F half and half", "5 stdout F last, no line end"}
	if diff := cmp.Diff(want, printed(t, s, Filter{})); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}

func TestCancelledReadingStoresWhatItHasRead(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	ctx, cancel := context.WithCancel(context.Background())
	i := 0
	err := s.Ingest(ctx, web, func() (Entry, error) {
		if i++; i > 3 {
			cancel()
			return Entry{}, ctx.Err()
		}
		return line(i, Stdout, fmt.Sprintf("line %d\n", i)), nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	mustHaveLines(t, s, 3)
}

func TestOneReadingOfAContainerAtATime(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	began, finish := make(chan struct{}), make(chan struct{})
	errs := make(chan error, 2)
	log := []Entry{line(1, Stdout, "line 1\n"), line(2, Stdout, "line 2\n")}
	go func() {
		first := entries(io.EOF, log...)
		errs <- s.Ingest(context.Background(), web, func() (Entry, error) {
			e, err := first()
			if err == nil && string(e.Data) == "line 2\n" {
				close(began)
				<-finish
			}
			return e, err
		})
	}()
	<-began
	go func() { errs <- s.Ingest(context.Background(), web, entries(io.EOF, log...)) }()
	close(finish)
	if err := errors.Join(<-errs, <-errs); err != nil {
		t.Fatal(err)
	}
	mustHaveLines(t, s, 2)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	blocked, release := make(chan struct{}), make(chan struct{})
	go func() {
		errs <- s.Ingest(context.Background(), web, func() (Entry, error) {
			close(blocked)
			<-release
			return Entry{}, io.EOF
		})
	}()
	<-blocked
	if err := s.Ingest(ctx, web, entries(io.EOF)); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting with a context that is done: %v, want context.Canceled", err)
	}
	close(release)
	if err := <-errs; err != nil {
		t.Fatal(err)
	}
}

func TestContainerWithoutIDIsRefused(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	err := s.Ingest(context.Background(), Container{Name: "app"}, entries(io.EOF))
	if err == nil || err.Error() != "ingest logs of app: the container has no id" {
		t.Errorf("error %v", err)
	}
}

func TestLongFieldsAreCutAsTheCollectorDoes(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	long := make([]byte, MaxField+100)
	for i := range long {
		long[i] = 'x'
	}
	if err := s.AppendEvent(Event{Msg: string(long)}); err != nil {
		t.Fatal(err)
	}
	for e := range s.TailEvents(context.Background(), Filter{}, 1, false) {
		if len(e.Msg) != MaxField {
			t.Errorf("%d bytes, want %d", len(e.Msg), MaxField)
		}
	}
}

func TestManyRequestsAtOnce(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	const n = 3*sealRows + 1
	list := make([]Request, n)
	for i := range list {
		list[i] = Request{StartTime: epoch, Path: fmt.Sprint("/", i), StatusCode: 200 + i%2*300}
	}
	if err := s.AppendRequests(list); err != nil {
		t.Fatal(err)
	}
	want := []string{"200 | 12289", "500 | 12288"}
	got := answer(t, s.Catalog(), "ContainerAppHTTPLogs | summarize dcount(Path, 4) by StatusCode | project StatusCode | order by StatusCode asc")
	if diff := cmp.Diff([]string{"200", "500"}, got); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
	got = answer(t, s.Catalog(), "ContainerAppHTTPLogs | distinct StatusCode, Path | summarize count() by StatusCode | order by StatusCode asc")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}
