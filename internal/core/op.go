package core

import (
	"fmt"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

// OpID numbers the operations of one State.
type OpID uint64

// OpKind is what an operation does.
type OpKind string

// The operations.
const (
	OpPull   OpKind = "pull"
	OpCreate OpKind = "create"
	OpStart  OpKind = "start"
	OpStop   OpKind = "stop"
	OpRemove OpKind = "remove"
)

// Op is one operation of the container engine on one container, with the
// reason it was ordered.
type Op struct {
	ID    OpID
	Kind  OpKind
	Key   container.Key
	Cause string

	Pull  container.PullSpec // OpPull
	Spec  container.Spec     // OpCreate
	On    container.ID       // OpStart, OpStop, OpRemove
	Grace time.Duration      // OpStop
}

// String is the one line a plan shows of o.
func (o Op) String() string {
	return fmt.Sprintf("%s %s (%s)", o.Kind, opObject(o), o.Cause)
}

func opObject(o Op) string {
	if o.Kind == OpPull {
		return o.Pull.Image
	}
	if o.Key.Role == container.RoleHolder {
		return "replica " + o.Key.Replica
	}
	return fmt.Sprintf("%s/%s #%d", o.Key.Replica, o.Key.Container, o.Key.Attempt)
}

// PlanText is the lines of ops, one each.
func PlanText(ops []Op) string {
	var b strings.Builder
	for _, o := range ops {
		b.WriteString(o.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// order gives an operation out. The caller has checked that none is in
// flight for the container, and remembers the returned number.
func (s *State) order(o Op) OpID {
	s.lastOp++
	s.seq++
	o.ID = s.lastOp
	if o.Kind != OpPull {
		s.touched[o.Key] = s.seq
	}
	s.emit(RunOp{o})
	return o.ID
}
