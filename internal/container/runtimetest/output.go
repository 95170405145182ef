package runtimetest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/internal/container"
)

// entry is a LogEntry that can be kept.
type entry struct {
	Time   time.Time
	Stderr bool
	Text   string
}

// readAll reads a container's output to its end.
func (b *bench) readAll(id container.ID, since time.Time) []entry {
	b.Helper()
	r, err := b.Runtime.Logs(b.ctx, id, since)
	b.must("logs", err)
	defer r.Close()
	var all []entry
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		b.must("next entry", err)
		all = append(all, entry{e.Time, e.Stderr, string(e.Data)})
	}
}

func logsInOrder(b *bench) {
	b.holder()
	id := b.run(Fails, 1)
	all := b.readAll(id, time.Time{}) // follows until the program ends
	var text bytes.Buffer
	for i, e := range all {
		text.WriteString(e.Text)
		if e.Time.IsZero() || i > 0 && e.Time.Before(all[i-1].Time) {
			b.Errorf("entry %d is of %v", i, e.Time)
		}
	}
	if diff := cmp.Diff("one\ntwo\n", text.String()); diff != "" {
		b.Errorf("output (-want +got):\n%s", diff)
	}
}

func logsSince(b *bench) {
	b.holder()
	id := b.waitExit(b.run(Fails, 1)).ID
	all := b.readAll(id, time.Time{})
	if len(all) != 2 {
		b.Fatalf("%d entries, want 2", len(all))
	}
	second := b.readAll(id, all[1].Time)
	if len(second) == 0 || second[len(second)-1] != all[1] {
		b.Errorf("since is not inclusive: %+v of %+v", second, all)
	}
	if late := b.readAll(id, all[1].Time.Add(time.Nanosecond)); len(late) != 0 {
		b.Errorf("output from after the last entry: %+v", late)
	}
}

func eventsHint(b *bench) {
	hints, err := b.Runtime.Events(b.ctx, b.Env)
	b.must("events", err)
	b.holder()
	id := b.run(Fails, 1)
	b.waitHint(hints, holderKey())
	b.waitHint(hints, appKey(1))
	b.waitExit(id)
}

// waitHint reads hints up to one at the key.
func (b *bench) waitHint(hints <-chan container.Hint, key container.Key) {
	b.Helper()
	for {
		select {
		case h, ok := <-hints:
			if !ok {
				b.Fatal("the events have ended")
			}
			if h.Key == key {
				return
			}
		case <-b.ctx.Done():
			b.Fatalf("no hint at %+v", key)
		}
	}
}

func eventsEnd(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	hints, err := b.Runtime.Events(ctx, b.Env)
	b.must("events", err)
	cancel()
	for range hints { // ends when the channel is closed
	}
}

func execs(b *bench) {
	if b.Exec == nil {
		b.Skip("this runtime runs no commands")
	}
	b.holder()
	id := b.run(Serves, 1)
	var out, errOut bytes.Buffer
	code, err := b.Runtime.Exec(b.ctx, id, container.ExecSpec{Command: b.Exec, Stdout: &out, Stderr: &errOut})
	b.must("exec", err)
	if code != 5 || out.String() != "out\n" || errOut.String() != "err\n" {
		b.Errorf("code %d, stdout %q, stderr %q; want 5, out, err", code, out.String(), errOut.String())
	}
}
