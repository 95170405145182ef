package fault

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

// dueStrikes returns what is due and sets when it is due again.
func (s *Set) dueStrikes(now time.Time) []*standing {
	s.mu.Lock()
	defer s.mu.Unlock()
	var due []*standing
	for _, f := range s.faults {
		if !f.Kind.strikes() || f.Phase != Active || f.next.IsZero() || now.Before(f.next) || f.overAt(now) || f.Times > 0 && f.Count+f.striking >= f.Times {
			continue
		}
		f.next = time.Time{}
		if f.Every > 0 {
			f.next = now.Add(time.Duration(f.Every))
		}
		if f.drawn() {
			f.striking++
			due = append(due, f)
		}
	}
	return due
}

// strikePatience bounds one strike.
const strikePatience = 30 * time.Second

func (s *Set) strike(ctx context.Context, f *standing) {
	ctx, cancel := context.WithTimeout(ctx, strikePatience)
	defer cancel()
	victim, did, err := s.hit(ctx, f)
	now := time.Now()
	s.mu.Lock()
	f.striking--
	var e Event
	if err == nil {
		e, _ = f.happened(now, victim, did)
	} else {
		f.Last = err.Error()
		e = Event{Time: now, Warning: true, App: literal(f.App), Reason: "FaultFailed", Text: fmt.Sprintf("Fault '%s' could not happen: %v", f.Name, err), Count: 1}
	}
	s.mu.Unlock()
	if !errors.Is(ctx.Err(), context.Canceled) {
		s.report(e)
	}
	s.wake() // it may have been the last one
}

// hit chooses a victim and does to it what the fault says.
func (s *Set) hit(ctx context.Context, f *standing) (place, string, error) {
	statuses, err := s.runtime.List(ctx, s.env)
	if err != nil {
		return place{}, "", err
	}
	s.mu.Lock()
	target, err := f.choose(statuses)
	s.mu.Unlock()
	if err != nil {
		return place{}, "", err
	}
	where := place{target.Key.App, target.Key.Revision, target.Key.Replica, target.Key.Container}
	switch {
	case f.Kind == ExhaustMemory:
		return where, fmt.Sprintf("exhausted the memory of container '%s'", where.container), s.exhaust(ctx, target.ID)
	case f.Container != "":
		return where, fmt.Sprintf("killed container '%s'", where.container), s.runtime.Stop(ctx, target.ID, 0)
	}
	return where, "killed replica " + where.replica, s.killReplica(ctx, statuses, where.replica)
}

// choose draws one of the running containers that fit. Its Set is locked.
func (f *standing) choose(statuses []container.Status) (container.Status, error) {
	var fitting []container.Status
	for _, st := range statuses {
		k := st.Key
		if k.Role == container.RoleApp && st.State == container.Running && f.matches(place{k.App, k.Revision, k.Replica, k.Container}) {
			fitting = append(fitting, st)
		}
	}
	if len(fitting) == 0 {
		return container.Status{}, errors.New("no running container fits")
	}
	slices.SortFunc(fitting, func(a, b container.Status) int {
		return cmp.Or(cmp.Compare(a.Key.Replica, b.Key.Replica), cmp.Compare(a.Key.Container, b.Key.Container))
	})
	return fitting[f.rand.IntN(len(fitting))], nil
}

// killReplica kills the containers of a replica, its namespace last.
func (s *Set) killReplica(ctx context.Context, statuses []container.Status, replica string) error {
	var errs []error
	for _, holders := range []bool{false, true} {
		for _, st := range statuses {
			if st.Key.Replica == replica && st.State == container.Running && (st.Key.Role == container.RoleHolder) == holders {
				errs = append(errs, s.runtime.Stop(ctx, st.ID, 0))
			}
		}
	}
	return errors.Join(errs...)
}

// hog takes all the memory its container may have. The first process is made
// the one the kernel kills; a container without a limit is left alone, for the
// machine's memory is nobody's to take.
const hog = `max=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null)
case "$max" in ''|max) exit 64 ;; esac
[ "$max" -le 68719476736 ] || exit 64
echo 1000 > /proc/1/oom_score_adj || exit 65
exec tail /dev/zero`

// exhaust runs the hog. That it is killed with the container is how it should
// end.
func (s *Set) exhaust(ctx context.Context, id container.ID) error {
	var said bytes.Buffer
	code, err := s.runtime.Exec(ctx, id, container.ExecSpec{Command: []string{"sh", "-c", hog}, Stdout: &said, Stderr: &said})
	switch {
	case err != nil:
		return fmt.Errorf("take its memory: %w", err)
	case code == 64:
		return errors.New("the container has no memory limit")
	case code == 65:
		return errors.New("the user of the container may not choose what the kernel kills")
	case code == 137 || code < 0: // killed
		return nil
	}
	return fmt.Errorf("the program that takes the memory ended with code %d: %s", code, strings.TrimSpace(said.String()))
}
