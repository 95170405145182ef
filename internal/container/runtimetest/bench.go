package runtimetest

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

// bench is what one rule is checked with.
type bench struct {
	*testing.T
	Subject
	ctx context.Context
}

// replica is the one replica of most rules.
const replica = "web--abc1234-x1y2z"

func holderKey() container.Key {
	return container.Key{App: "web", Revision: "web--abc1234", Replica: replica, Role: container.RoleHolder, Attempt: 1}
}

func appKey(attempt int) container.Key {
	k := holderKey()
	k.Container, k.Role, k.Attempt = "app", container.RoleApp, attempt
	return k
}

func (b *bench) must(what string, err error) {
	b.Helper()
	if err != nil {
		b.Fatalf("%s: %v", what, err)
	}
}

// holder makes and starts the holder of the replica.
func (b *bench) holder() container.ID {
	b.Helper()
	id, err := b.Runtime.Create(b.ctx, container.Spec{Env: b.Env, Key: holderKey(), Hostname: replica})
	b.must("create holder", err)
	b.must("start holder", b.Runtime.Start(b.ctx, id))
	return id
}

func (b *bench) spec(program string, attempt int) container.Spec {
	return container.Spec{Env: b.Env, Key: appKey(attempt), Image: b.Image(program)}
}

// create makes a container of the replica.
func (b *bench) create(program string, attempt int) container.ID {
	b.Helper()
	id, err := b.Runtime.Create(b.ctx, b.spec(program, attempt))
	b.must("create "+program, err)
	return id
}

// run makes and starts a container of the replica.
func (b *bench) run(program string, attempt int) container.ID {
	b.Helper()
	id := b.create(program, attempt)
	b.must("start "+program, b.Runtime.Start(b.ctx, id))
	return id
}

// status returns the listed status of a container, and whether there is one.
func (b *bench) status(id container.ID) (container.Status, bool) {
	b.Helper()
	all, err := b.Runtime.List(b.ctx, b.Env)
	b.must("list", err)
	i := slices.IndexFunc(all, func(s container.Status) bool { return s.ID == id })
	if i < 0 {
		return container.Status{}, false
	}
	return all[i], true
}

// waitFor polls until cond holds: what an engine does by itself it does not
// always announce.
func (b *bench) waitFor(what string, cond func() bool) {
	b.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-b.ctx.Done():
			b.Fatalf("waited in vain until %s", what)
		}
	}
}

// waitExit waits until a container has exited and returns its status.
func (b *bench) waitExit(id container.ID) (st container.Status) {
	b.Helper()
	b.waitFor("the container exits", func() bool {
		st, _ = b.status(id)
		return st.State == container.Exited
	})
	return st
}

func (b *bench) agent(holder container.ID) container.Agent {
	b.Helper()
	a, err := b.Runtime.Agent(b.ctx, holder)
	b.must("connect to agent", err)
	return a
}

// waitPort waits until a port of the replica is listened on.
func (b *bench) waitPort(a container.Agent, port int) {
	b.Helper()
	b.waitFor("the port is listened on", func() bool {
		all, err := a.Listeners(b.ctx)
		b.must("listeners", err)
		return slices.ContainsFunc(all, func(l container.Listener) bool { return l.Port == port })
	})
}
