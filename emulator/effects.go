package emulator

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/core"
	"github.com/acalocal/acalocal/probes"
)

// carryOut begins what the core ordered. Loop only; nothing here waits.
func (e *Engine) carryOut(ctx context.Context, effect core.Effect) {
	switch o := effect.(type) {
	case core.RunOp:
		e.start(func() { e.runOp(ctx, o.Op) })
	case core.Relist:
		e.relist(ctx)
	case core.SetProbes:
		e.prober.Set(o.Targets)
	case core.SetTriggers:
		if e.o.Triggers != nil {
			e.o.Triggers.Set(o.Triggers)
		}
	case core.PublishTable:
		if err := e.o.Router.Apply(o.Table); err != nil {
			e.o.Log.Error().Err(err).Msg("bug: the core made an invalid table")
		}
	case core.Drain:
		e.start(func() { e.drain(ctx, o.Replica) })
	case core.Sever:
		e.o.Router.Sever(o.Replica)
	case core.FollowLogs:
		e.start(func() { e.follow(ctx, o) })
	case core.ScanListeners:
		e.start(func() { e.scan(ctx, o) })
	case core.WatchListeners:
		e.watchListeners(ctx, o)
	case core.EmitSystemLog:
		e.rows = append(e.rows, o.Row)
	case core.SetTimer:
		e.setTimer(o.At)
	case core.SaveApp:
		e.saved(e.o.History.Save(o.App), o.App.App.Name)
	case core.ForgetApp:
		e.o.Router.Unlisten(o.App)
		e.saved(e.o.History.Forget(o.App), o.App)
	case core.SaveRouteConfigs:
		if err := e.o.History.SaveRouteConfigs(o.Configs); err != nil {
			e.o.Log.Error().Err(err).Msg("route configs are not saved: a later daemon will not know them")
		}
	case core.Finished:
		e.finished = true
	default:
		panic(fmt.Sprintf("bug: unknown effect %T", effect))
	}
}

func (e *Engine) saved(err error, app string) {
	if err != nil {
		e.o.Log.Error().Err(err).Str("app", app).Msg("history is not saved: after a crash it is rebuilt from what runs")
	}
}

// writeRows stores the rows of a pass, before its Snapshot is published: who
// sees a state finds the rows that led to it. Together they wait for the disk
// once. Loop only.
func (e *Engine) writeRows() {
	if len(e.rows) == 0 {
		return
	}
	for _, row := range e.rows {
		e.o.Log.Debug().Str("app", row.App).Str("revision", row.Revision).Str("replica", row.Replica).Str("reason", row.Reason).Msg(row.Msg)
	}
	if err := e.o.Logs.Append(e.rows); err != nil {
		e.o.Log.Error().Err(err).Int("rows", len(e.rows)).Msg("system log rows are late or lost")
	}
	e.rows = e.rows[:0]
}

func (e *Engine) setTimer(at time.Time) {
	if at.IsZero() {
		e.timer.Stop()
		return
	}
	e.timer.Reset(time.Until(at))
}

// runOp carries out one operation and answers.
func (e *Engine) runOp(ctx context.Context, o core.Op) {
	if o.Kind == core.OpStart && o.Key.Role != container.RoleHolder && e.o.AwaitNames != nil {
		e.o.AwaitNames(ctx)
	}
	if o.Kind != core.OpPull {
		select {
		case e.ops <- struct{}{}:
			defer func() { <-e.ops }()
		case <-ctx.Done():
			return // nobody waits for an answer any more
		}
	}
	begin := time.Now()
	e.o.Log.Debug().Uint64("op", uint64(o.ID)).Str("cause", o.Cause).Msg(o.String())
	fin := core.OpFinished{Op: o.ID}
	fin.Image, fin.Err = e.doOp(ctx, o)
	fin.At, fin.Duration = time.Now(), time.Since(begin)
	if fin.Err != nil && ctx.Err() == nil {
		e.o.Log.Debug().Err(fin.Err).Uint64("op", uint64(o.ID)).Msg(o.String())
	}
	e.post(fin)
}

// Limits of one operation; past them the engine counts as hanging, and what
// it did is found out by listing.
const (
	opTimeout   = time.Minute
	pullTimeout = 30 * time.Minute
)

func (e *Engine) doOp(ctx context.Context, o core.Op) (image container.Image, err error) {
	limit := opTimeout + o.Grace
	if o.Kind == core.OpPull {
		limit = pullTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	r := e.o.Runtime
	switch o.Kind {
	case core.OpPull:
		return r.Pull(ctx, o.Pull, nil)
	case core.OpCreate:
		_, err = r.Create(ctx, o.Spec)
	case core.OpStart:
		err = r.Start(ctx, o.On)
	case core.OpStop:
		err = r.Stop(ctx, o.On, o.Grace)
	case core.OpRemove:
		err = r.Remove(ctx, o.On)
	default:
		panic("bug: unknown operation " + string(o.Kind))
	}
	return container.Image{}, err
}

func (e *Engine) drain(ctx context.Context, replica string) {
	select {
	case <-e.o.Router.Drain(replica):
		e.post(core.DrainFinished{Replica: replica})
	case <-ctx.Done():
	}
}

// follow stores a container's output to its end, beginning again where it
// stopped when the engine's stream breaks.
func (e *Engine) follow(ctx context.Context, o core.FollowLogs) {
	source := LogSource{Key: o.Key, ID: o.ID, Image: o.Image}
	for delay := 50 * time.Millisecond; ; delay = min(2*delay, 5*time.Second) {
		err := e.o.Logs.Follow(ctx, source)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil, container.CodeOf(err) == container.CodeNotFound:
			e.post(core.LogsStored{Key: o.Key})
			return
		}
		e.o.Log.Warn().Err(err).Str("replica", o.Key.Replica).Str("container", o.Key.Container).Msg("the log stream broke")
		pause(ctx, delay)
	}
}

func (e *Engine) scan(ctx context.Context, o core.ScanListeners) {
	seen := core.ListenersSeen{Replica: o.Replica}
	seen.Listeners, seen.Err = e.listeners(ctx, o.Holder)
	e.post(seen)
}

// agent is the program in a replica's namespace.
func (e *Engine) agent(ctx context.Context, replica string) (container.Agent, error) {
	e.mu.Lock()
	id, ok := e.holders[replica]
	e.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("replica %s has no running holder", replica)
	}
	return e.o.Runtime.Agent(ctx, id)
}

// Dial opens a stream to a port of a replica through its agent. The replica's
// name is its host name, so the connection comes by its own address and not by
// loopback: a program that is bound to loopback only refuses it, as on ACA.
func (e *Engine) Dial(ctx context.Context, replica string, port int) (net.Conn, error) {
	agent, err := e.agent(ctx, replica)
	if err != nil {
		return nil, err
	}
	return agent.Dial(ctx, replica, port)
}

var _ probes.Checker = (*Engine)(nil)

// Check makes one probe attempt from inside the replica, as ACA does: the
// client is ::1 and the Host header localhost.
func (e *Engine) Check(ctx context.Context, t probes.Target) probes.Result {
	agent, err := e.agent(ctx, t.Replica)
	if err != nil {
		return probes.Result{Outcome: probes.Error, Detail: err.Error()}
	}
	got, err := agent.Check(ctx, checkOf(t))
	if err != nil {
		return probes.Result{Outcome: probes.Error, Detail: err.Error()}
	}
	r := probes.Result{Outcome: probes.Failure, Status: got.Status, Timeout: got.Timeout, Detail: got.Detail, Duration: got.Duration}
	if got.OK {
		r.Outcome = probes.Success
	}
	return r
}

func checkOf(t probes.Target) container.Check {
	if tcp := t.Check.TCP; tcp != nil {
		return container.Check{Host: tcp.Host, Port: tcp.Port, Timeout: t.Timeout}
	}
	h := t.Check.HTTP
	c := container.Check{Scheme: h.Scheme, Host: h.Host, Port: h.Port, Path: h.Path, Timeout: t.Timeout}
	if c.Scheme == "" {
		c.Scheme = "HTTP"
	}
	for _, header := range h.Headers {
		c.Headers = append(c.Headers, container.Header(header))
	}
	return c
}
