package daemon

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/logsink"
	"github.com/acalocal/acalocal/logsink/kql"
	"github.com/google/go-cmp/cmp"
)

// hasty is an engine whose streams end before the log does: each goes on to one
// more of its entries than the one before.
type hasty struct {
	container.Runtime
	entries []container.LogEntry
	asked   int
}

func (h *hasty) Logs(_ context.Context, _ container.ID, since time.Time) (container.LogReader, error) {
	h.asked++
	r := &entryReader{}
	for _, e := range h.entries[:min(h.asked-1, len(h.entries))] {
		if !e.Time.Before(since) {
			r.left = append(r.left, e)
		}
	}
	return r, nil
}

type entryReader struct{ left []container.LogEntry }

func (r *entryReader) Next() (container.LogEntry, error) {
	if len(r.left) == 0 {
		return container.LogEntry{}, io.EOF
	}
	e := r.left[0]
	r.left = r.left[1:]
	return e, nil
}

func (r *entryReader) Close() error { return nil }

func TestALogIsReadUntilItHasNothingNew(t *testing.T) {
	store, err := logsink.Open(logsink.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	at := time.Date(2026, 11, 26, 9, 0, 0, 0, time.UTC)
	engine := &hasty{entries: []container.LogEntry{
		{Time: at, Data: []byte("first\n")},
		{Time: at.Add(time.Minute), Stderr: true, Data: []byte("second\n")},
		{Time: at.Add(time.Minute), Data: []byte("last words")},
	}}
	source := emulator.LogSource{Key: container.Key{App: "a", Replica: "r", Container: "c"}, ID: "id"}
	if err := (follower{store, engine}).Follow(t.Context(), source); err != nil {
		t.Fatal(err)
	}
	res, err := store.Query(t.Context(), "ContainerAppConsoleLogs_CL | order by _seq_d asc | project Stream_s, Log_s", kql.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	res.Tables[0].Each(func(row []kql.Value) bool {
		got = append(got, strings.Join([]string{row[0].Str, row[1].Str}, " "))
		return true
	})
	if diff := cmp.Diff([]string{"stdout first", "stderr second", "stdout last words"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
