package docker

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/agent"
	"github.com/acalocal/acalocal/internal/container"
)

// Agent implements container.Runtime.
func (e *Engine) Agent(ctx context.Context, holder container.ID) (container.Agent, error) {
	l, err := e.agents.link(e, holder)
	if err != nil {
		return nil, err
	}
	if _, err := l.session(ctx); err != nil {
		return nil, err
	}
	return l, nil
}

// agentPool holds one link per holder.
type agentPool struct {
	mu     sync.Mutex
	links  map[container.ID]*link // guarded by mu
	closed bool                   // guarded by mu
}

var errEngineClosed = errors.New("the engine has been closed")

func (p *agentPool) link(e *Engine, id container.ID) (*link, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errEngineClosed
	}
	l := p.links[id]
	if l == nil {
		l = &link{engine: e, id: id, turn: make(chan struct{}, 1)}
		if p.links == nil {
			p.links = map[container.ID]*link{}
		}
		p.links[id] = l
	}
	return l, nil
}

// drop ends the link to a holder that is going away.
func (p *agentPool) drop(id container.ID) {
	p.mu.Lock()
	l := p.links[id]
	delete(p.links, id)
	p.mu.Unlock()
	if l != nil {
		l.close()
	}
}

func (p *agentPool) close() {
	p.mu.Lock()
	links := p.links
	p.links, p.closed = nil, true
	p.mu.Unlock()
	for _, l := range links {
		l.close()
	}
}

// link is the connection to the agent of one holder. It attaches when it is
// first used, and again when it has broken.
type link struct {
	engine *Engine
	id     container.ID
	accept agent.Accept

	turn   chan struct{} // one attach at a time; held while current and closed are used
	client *agent.Client
	closed bool
}

var _ container.Agent = (*link)(nil)

// take waits for the turn.
func (l *link) take(ctx context.Context) error {
	select {
	case l.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *link) release() { <-l.turn }

// session returns the living session, attaching if there is none.
func (l *link) session(ctx context.Context) (*agent.Client, error) {
	if err := l.take(ctx); err != nil {
		return nil, l.engine.wrap(err, "attach to agent of %s", short(l.id))
	}
	defer l.release()
	if l.closed {
		return nil, container.Errorf(container.CodeNotFound, "", "attach to agent of %s: its container was removed", short(l.id))
	}
	if l.client != nil {
		select {
		case <-l.client.Done():
			_ = l.client.Close() // it has ended; only to free what served it
			l.client = nil
		default:
			return l.client, nil
		}
	}
	c, err := l.engine.attachAgent(ctx, l.id, l.accept)
	if err != nil {
		return nil, l.engine.wrap(err, "attach to agent of %s", short(l.id))
	}
	l.client = c
	return c, nil
}

func (l *link) close() {
	if l.take(context.Background()) != nil { // never: an attach under way is bounded
		return
	}
	defer l.release()
	l.closed = true
	if l.client != nil {
		_ = l.client.Close() // nothing is left to be written
		l.client = nil
	}
}

// attachWithin bounds the way from asking the engine to the agent's greeting.
const attachWithin = 10 * time.Second

// attachAgent attaches to a running holder and greets its agent.
func (e *Engine) attachAgent(ctx context.Context, id container.ID, accept agent.Accept) (*agent.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, attachWithin)
	defer cancel()
	r, err := e.client.ContainerInspect(ctx, string(id), client.ContainerInspectOptions{})
	if err != nil {
		return nil, err
	}
	// An engine attaches to what does not run, too, and then nobody answers.
	if r.Container.State == nil || !r.Container.State.Running {
		return nil, container.Errorf(container.CodeNotFound, "", "the holder does not run")
	}
	att, err := e.client.ContainerAttach(ctx, string(id), client.ContainerAttachOptions{
		Stream: true, Stdin: true, Stdout: true, Stderr: true,
	})
	if err != nil {
		return nil, err
	}
	out := &stdoutReader{frames: newFrames(att.Reader), complain: e.agentComplaint(id)}
	return agent.Connect(ctx, out, att.Conn, att.Conn, accept)
}

// agentComplaint logs what an agent writes to its standard error, which is
// nothing unless it is broken.
func (e *Engine) agentComplaint(id container.ID) func([]byte) {
	return func(text []byte) {
		e.log.Warn().Str("container", short(id)).Bytes("text", text).Msg("agent complains")
	}
}

// stdoutReader reads standard output out of the engine's multiplexed format.
type stdoutReader struct {
	frames   *frames
	rest     []byte // of the frame being read
	complain func([]byte)
}

func (s *stdoutReader) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		stream, data, err := s.frames.next()
		if err != nil {
			return 0, err
		}
		if stream == streamStderr {
			s.complain(data)
			continue
		}
		s.rest = data
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// use runs f with a session, once more with a new one when the first turns out
// to be broken.
func use[T any](ctx context.Context, l *link, f func(*agent.Client) (T, error)) (T, error) {
	for again := true; ; again = false {
		c, err := l.session(ctx)
		if err != nil {
			var none T
			return none, err
		}
		result, err := f(c)
		if again && errors.Is(err, agent.ErrLost) && ctx.Err() == nil {
			continue
		}
		return result, err
	}
}

// Check implements container.Agent.
func (l *link) Check(ctx context.Context, check container.Check) (container.CheckResult, error) {
	return use(ctx, l, func(c *agent.Client) (container.CheckResult, error) { return c.Check(ctx, check) })
}

// Listeners implements container.Agent.
func (l *link) Listeners(ctx context.Context) ([]container.Listener, error) {
	return use(ctx, l, func(c *agent.Client) ([]container.Listener, error) { return c.Listeners(ctx) })
}

// Dial implements container.Agent.
func (l *link) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	return use(ctx, l, func(c *agent.Client) (net.Conn, error) { return c.Dial(ctx, host, port) })
}

var _ io.Reader = (*stdoutReader)(nil)
