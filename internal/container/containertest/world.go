// Package containertest is a container runtime in memory: World is the
// machine, with time passed in, for simulations; Runtime is World behind the
// container.Runtime interface, for tests of code with goroutines.
package containertest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

// Program is what an image does when it runs.
type Program struct {
	// Listens are the ports it listens on once ListenAfter has passed.
	Listens     []int
	ListenAfter time.Duration
	Loopback    bool // it listens on loopback only
	// ExitAfter ends it with ExitCode; 0 lets it run until it is stopped.
	ExitAfter time.Duration
	ExitCode  int
	// IgnoresStop makes it wait for the kill at the end of the grace.
	IgnoresStop bool
	// Broken is why it cannot be started, "" if it can.
	Broken string
	// Prints are the lines it writes when it starts.
	Prints []string
	// Digest tells images apart that had the name one after the other.
	Digest string
}

// World is the machine and its containers. It is not safe for concurrent use.
type World struct {
	// Images are the programs by image name. The zero name is the holder.
	Images map[string]Program

	boxes map[string]*box // by engine name
	made  int
}

type box struct {
	status  container.Status
	env     string
	spec    container.Spec
	program Program
	killAt  time.Time // end of the grace of a stop
	output  []container.LogEntry
}

// NewWorld returns a machine with the given images and no containers.
func NewWorld(images map[string]Program) *World {
	return &World{Images: images, boxes: map[string]*box{}}
}

// Pull describes an image.
func (w *World) Pull(image string) (container.Image, error) {
	program, ok := w.Images[image]
	if !ok {
		return container.Image{}, container.Errorf(container.CodeImageMissing, "", "no such image: %s", image)
	}
	return container.Image{ID: "sha256:" + image + program.Digest, Size: 27 << 20, Platform: "linux/amd64"}, nil
}

// Create makes a container.
func (w *World) Create(now time.Time, s container.Spec) (container.ID, error) {
	name := s.Key.Name(s.Env)
	if b := w.boxes[name]; b != nil {
		if !b.sameLabels(s) {
			return "", container.Errorf(container.CodeConflict, "", "create %s: the name is taken", name)
		}
		return b.status.ID, nil
	}
	program, ok := w.Images[s.Image]
	if !ok && s.Key.Role != container.RoleHolder {
		return "", container.Errorf(container.CodeImageMissing, "", "no such image: %s", s.Image)
	}
	if s.Key.Role != container.RoleHolder && w.holder(s.Env, s.Key.Replica) == nil {
		return "", container.Errorf(container.CodeNotFound, "", "create %s: replica %s has no holder", name, s.Key.Replica)
	}
	w.made++
	labels := container.EncodeLabels(s.Env, s.Key)
	maps.Copy(labels, s.Labels)
	w.boxes[name] = &box{
		env: s.Env, spec: s, program: program,
		status: container.Status{
			Key: s.Key, ID: container.ID(fmt.Sprintf("c%06d", w.made)), State: container.Created,
			Image: s.Image, Labels: labels, CreatedAt: now,
		},
	}
	return w.boxes[name].status.ID, nil
}

// Start starts a container.
func (w *World) Start(now time.Time, id container.ID) error {
	b := w.box(id)
	if b == nil {
		return container.Errorf(container.CodeNotFound, "", "no such container: %s", id)
	}
	if b.status.State == container.Running {
		return nil
	}
	if h := w.holder(b.env, b.status.Key.Replica); b.status.Key.Role != container.RoleHolder && (h == nil || h.status.State != container.Running) {
		return container.Errorf(container.CodeNotFound, "", "start %s: its holder does not run", id)
	}
	if b.program.Broken != "" {
		b.status.Error = b.program.Broken
		return container.Errorf(container.CodeCreate, "", "%s", b.program.Broken)
	}
	b.status.State = container.Running
	b.status.StartedAt = now
	for i, line := range b.program.Prints {
		at := now.Add(time.Duration(i) * time.Microsecond)
		b.output = append(b.output, container.LogEntry{Time: at, Data: []byte(line + "\n")})
	}
	return nil
}

// Stop sends the stop signal; the container ends at once or, when it ignores
// the signal, after grace. It returns when that is.
func (w *World) Stop(now time.Time, id container.ID, grace time.Duration) time.Time {
	b := w.box(id)
	if b == nil || b.status.State != container.Running {
		return now
	}
	if !b.program.IgnoresStop || grace == 0 {
		w.exit(b, now, exitOf(grace))
		return now
	}
	if kill := now.Add(grace); b.killAt.IsZero() || kill.Before(b.killAt) {
		b.killAt = kill
	}
	return b.killAt
}

func exitOf(grace time.Duration) int {
	if grace == 0 {
		return 137
	}
	return 0
}

// Kill ends a container as if a signal or the kernel had.
func (w *World) Kill(now time.Time, id container.ID) {
	if b := w.box(id); b != nil && b.status.State == container.Running {
		w.exit(b, now, 137)
	}
}

// Remove removes a container, running or not.
func (w *World) Remove(id container.ID) {
	for name, b := range w.boxes {
		if b.status.ID == id {
			delete(w.boxes, name)
		}
	}
}

// RemoveAll removes everything of an environment.
func (w *World) RemoveAll(env string) {
	maps.DeleteFunc(w.boxes, func(_ string, b *box) bool { return b.env == env })
}

// Advance lets pass what happens until now, programs that end and graces that
// are over, and says whether anything did.
func (w *World) Advance(now time.Time) bool {
	happened := false
	if next := w.Next(); next.IsZero() || next.After(now) {
		return false
	}
	for _, name := range slices.Sorted(maps.Keys(w.boxes)) {
		b := w.boxes[name]
		if at, code := b.end(); !at.IsZero() && !at.After(now) {
			w.exit(b, at, code)
			happened = true
		}
	}
	return happened
}

// Next is when the next thing happens by itself, or zero.
func (w *World) Next() time.Time {
	var next time.Time
	for _, b := range w.boxes {
		if at, _ := b.end(); !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}

// end is when and how a running container will end by itself.
func (b *box) end() (time.Time, int) {
	switch {
	case b.status.State != container.Running:
	case !b.killAt.IsZero():
		return b.killAt, 137
	case b.program.ExitAfter > 0:
		return b.status.StartedAt.Add(b.program.ExitAfter), b.program.ExitCode
	}
	return time.Time{}, 0
}

// exit ends a container, and with a holder everything in its namespace.
func (w *World) exit(b *box, at time.Time, code int) {
	b.status.State = container.Exited
	b.status.FinishedAt = at
	b.status.ExitCode = code
	if b.status.Key.Role != container.RoleHolder {
		return
	}
	for _, other := range w.boxes {
		if other.env == b.env && other.status.Key.Replica == b.status.Key.Replica && other.status.State == container.Running {
			w.exit(other, at, 137)
		}
	}
}

// List returns the containers of an environment, sorted by name.
func (w *World) List(env string) []container.Status {
	var out []container.Status
	for _, name := range slices.Sorted(maps.Keys(w.boxes)) {
		if b := w.boxes[name]; b.env == env {
			out = append(out, b.status)
		}
	}
	return out
}

// Listeners are the sockets listened on in the replica of a holder.
func (w *World) Listeners(now time.Time, holder container.ID) []container.Listener {
	h := w.box(holder)
	if h == nil {
		return nil
	}
	var out []container.Listener
	for _, b := range w.boxes {
		if b.env != h.env || b.status.Key.Replica != h.status.Key.Replica || b.status.State != container.Running {
			continue
		}
		if now.Sub(b.status.StartedAt) < b.program.ListenAfter {
			continue
		}
		for _, port := range b.program.Listens {
			out = append(out, container.Listener{Port: port, Loopback: b.program.Loopback})
		}
	}
	slices.SortFunc(out, func(a, b container.Listener) int { return a.Port - b.Port })
	return out
}

// Listening says whether a port of the replica of a holder answers.
func (w *World) Listening(now time.Time, holder container.ID, port int) bool {
	return slices.ContainsFunc(w.Listeners(now, holder), func(l container.Listener) bool { return l.Port == port })
}

func (w *World) holder(env, replica string) *box {
	return w.boxes[container.Key{Replica: replica, Role: container.RoleHolder}.Name(env)]
}

func (w *World) box(id container.ID) *box {
	for _, b := range w.boxes {
		if b.status.ID == id {
			return b
		}
	}
	return nil
}

// String lists the containers, one a line.
func (w *World) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(w.boxes)) {
		st := w.boxes[name].status
		fmt.Fprintf(&b, "%s %s exit=%d\n", name, st.State, st.ExitCode)
	}
	return b.String()
}
