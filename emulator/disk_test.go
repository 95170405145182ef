package emulator

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/container"
)

// A minute is six seconds at a scale of ten, and each replica has its one row.
func TestDiskIsReadInScaledTimeAndToldOnce(t *testing.T) {
	inBubble(t, func(w *world) {
		w.stop()
		w.scale = 10
		w.boot()
		var rounds atomic.Int64
		w.runtime.Write(func(key container.Key) int64 {
			if key.Role != container.RoleApp {
				t.Errorf("%+v is read", key)
			}
			rounds.Add(1)
			return 5 << 30
		})
		w.applyOne()
		if time.Sleep(time.Minute); rounds.Load() < 9 || rounds.Load() > 10 {
			t.Errorf("read %d times in a minute, want 9 or 10", rounds.Load())
		}
		if rows := w.reasons("EphemeralStorage"); len(rows) != 1 || !strings.HasPrefix(rows[0], `acalocal: Container app exceeded its local ephemeral storage limit "2Gi". `) {
			t.Errorf("rows %q", rows)
		}
	})
}

// An engine that takes ten seconds to look is asked every 500, not every 60.
func TestDiskIsReadSeldomWhereThatIsSlow(t *testing.T) {
	inBubble(t, func(w *world) {
		w.stop()
		var rounds atomic.Int64
		w.runtime.Write(func(container.Key) int64 { rounds.Add(1); time.Sleep(10 * time.Second); return 0 })
		w.boot()
		w.applyOne()
		if time.Sleep(10 * time.Minute); rounds.Load() != 2 {
			t.Errorf("read %d times in ten minutes, want 2", rounds.Load())
		}
	})
}

// applyOne applies an app whose one replica stays.
func (w *world) applyOne() {
	w.Helper()
	app, one := w.app("web:1"), 1
	app.Properties.Template.Scale = &aca.Scale{MinReplicas: &one}
	if _, err := w.engine.Apply(w.Context(), ApplyRequest{App: app}); err != nil {
		w.Fatal(err)
	}
	w.waitFor("web is ready", ready)
}

// reasons are the rows of a reason so far, with their sources.
func (w *world) reasons(reason string) []string {
	w.memory.mu.Lock()
	defer w.memory.mu.Unlock()
	var out []string
	for _, r := range w.memory.rows {
		if r.Reason == reason {
			out = append(out, r.Source+": "+r.Msg)
		}
	}
	return out
}
