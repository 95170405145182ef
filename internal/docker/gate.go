package docker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/errdefs"
	apicontainer "github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/agent"
	"github.com/acalocal/acalocal/internal/container"
)

var _ container.Gate = (*Engine)(nil)

// OpenGate implements container.Gate with a container of its own in the
// environment's network: the engine's DNS makes the names lead to it, and the
// agent in it hands its connections over. It cannot be one of the replicas: an
// agent that listened on port 80 in a replica would take that port from the
// app.
func (e *Engine) OpenGate(ctx context.Context, s container.GateSpec) (container.GateListener, error) {
	id, err := e.ensureGate(ctx, s)
	if err != nil {
		return nil, err
	}
	g := &gate{
		engine: e, id: id, env: s.Env, names: s.Names, addr: s.Ports, ports: s.Ports, silent: s.Silent,
		conns:  make(chan net.Conn),
		closed: make(chan struct{}),
		ended:  make(chan struct{}),
	}
	g.link = &link{engine: e, id: id, accept: g.handOver, turn: make(chan struct{}, 1)}
	listening, err := g.listen(ctx)
	if err == nil {
		err = e.nameGate(ctx, s, id)
	}
	if err != nil {
		return nil, errors.Join(err, g.remove())
	}
	if err := e.gates.add(g); err != nil {
		g.link.close()
		return nil, err
	}
	go g.keep(listening)
	if err := e.removeDeadGates(ctx, s); err != nil {
		e.log.Warn().Err(err).Strs("names", s.Names).Msg("a gate of a daemon that died stays: some calls by name are refused")
	}
	return g, nil
}

// removeDeadGates removes the gates a dead daemon has left that have one of
// the names: the engine's DNS would send callers to them, too, where nobody
// listens.
func (e *Engine) removeDeadGates(ctx context.Context, s container.GateSpec) error {
	list, err := e.summaries(ctx, s.Env)
	if err != nil {
		return err
	}
	for _, c := range list {
		if !isGate(c, s.Env) || e.gates.has(container.ID(c.ID)) {
			continue
		}
		r, err := e.client.ContainerInspect(ctx, c.ID, client.ContainerInspectOptions{})
		if errdefs.IsNotFound(err) {
			continue
		}
		if err != nil {
			return e.wrap(err, "look at gate %s", c.Names[0])
		}
		n := r.Container.NetworkSettings.Networks[networkName(s.Env)]
		if n == nil || !slices.ContainsFunc(n.Aliases, func(name string) bool { return slices.Contains(s.Names, name) }) {
			continue
		}
		if err := e.Remove(ctx, container.ID(c.ID)); err != nil {
			return err
		}
	}
	return nil
}

func isGate(c apicontainer.Summary, env string) bool {
	return isHelper(c.Labels) && slices.ContainsFunc(c.Names, func(name string) bool {
		return strings.HasPrefix(name, "/"+gatePrefix(env))
	})
}

func gatePrefix(env string) string { return "acalocal-" + env + "-gate-" }

// Caller implements container.Gate.
func (e *Engine) Caller(ctx context.Context, env string, addr netip.Addr) (container.Key, bool, error) {
	list, err := e.summaries(ctx, env)
	if err != nil {
		return container.Key{}, false, err
	}
	for _, s := range list {
		if isHelper(s.Labels) || s.NetworkSettings == nil {
			continue
		}
		for _, n := range s.NetworkSettings.Networks {
			if n == nil || n.IPAddress != addr && n.GlobalIPv6Address != addr {
				continue
			}
			_, key, err := container.DecodeLabels(s.Labels)
			return key, err == nil, nil // of another version, as List leaves out
		}
	}
	return container.Key{}, false, nil
}

// gateName names a gate after what it is for, so that it is found again.
func gateName(s container.GateSpec) string {
	names := slices.Sorted(slices.Values(s.Names))
	ports, silent := slices.Sorted(slices.Values(s.Ports)), slices.Sorted(slices.Values(s.Silent))
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %v %v", names, ports, silent))
	return gatePrefix(s.Env) + hex.EncodeToString(sum[:])[:8]
}

// ensureGate returns the running container of a gate.
func (e *Engine) ensureGate(ctx context.Context, s container.GateSpec) (container.ID, error) {
	name := gateName(s)
	aliases := s.Names
	if e.gates.share(s.Names) {
		aliases = nil // they come when it listens, see nameGate
	}
	_, err := e.createOurs(ctx, client.ContainerCreateOptions{
		Name:       name,
		Config:     holderConfig("", helperLabels(s.Env)),
		HostConfig: holderHost(s.Env),
		NetworkingConfig: &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{
			networkName(s.Env): {Aliases: aliases},
		}},
	})
	if err != nil && !errdefs.IsConflict(err) {
		return "", e.wrap(err, "make gate %s", name)
	}
	r, err := e.client.ContainerInspect(ctx, name, client.ContainerInspectOptions{})
	if err != nil {
		return "", e.wrap(err, "make gate %s", name)
	}
	id := container.ID(r.Container.ID)
	if !isHelper(r.Container.Config.Labels) {
		return "", container.Errorf(container.CodeConflict, fmt.Sprintf(`remove it with "docker rm -f %s"`, name),
			"make gate %s: the name is taken by another container", name)
	}
	if r.Container.State.Status == apicontainer.StateExited { // after a restart of the engine
		if err := e.Remove(ctx, id); err != nil {
			return "", err
		}
		return e.ensureGate(ctx, s)
	}
	if err := e.Start(ctx, id); err != nil {
		e.removeHelper(ctx, id)
		return "", err
	}
	return id, nil
}

// nameGate makes the names lead to a gate, unless they do. Aliases are an
// endpoint's from its beginning, so it gets another: with the names from the
// start, whoever has another gate of a name would be refused by this one until
// it listens.
func (e *Engine) nameGate(ctx context.Context, s container.GateSpec, id container.ID) error {
	r, err := e.client.ContainerInspect(ctx, string(id), client.ContainerInspectOptions{})
	if err != nil {
		return e.wrap(err, "name gate %s", short(id))
	}
	if n := r.Container.NetworkSettings.Networks[networkName(s.Env)]; n != nil {
		if !slices.ContainsFunc(s.Names, func(name string) bool { return !slices.Contains(n.Aliases, name) }) {
			return nil
		}
		if err := e.disconnectGate(ctx, s.Env, id); err != nil {
			return err
		}
	}
	_, err = e.client.NetworkConnect(ctx, networkName(s.Env), client.NetworkConnectOptions{
		Container: string(id), EndpointConfig: &network.EndpointSettings{Aliases: s.Names},
	})
	if err != nil {
		return e.wrap(err, "name gate %s", short(id))
	}
	return nil
}

// disconnectGate takes the names away, and cuts the connections.
func (e *Engine) disconnectGate(ctx context.Context, env string, id container.ID) error {
	_, err := e.client.NetworkDisconnect(ctx, networkName(env), client.NetworkDisconnectOptions{Container: string(id), Force: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return e.wrap(err, "take the names of gate %s away", short(id))
	}
	return nil
}

// gate is an open gate.
type gate struct {
	engine *Engine
	id     container.ID
	env    string
	names  []string
	addr   gateAddr
	link   *link
	conns  chan net.Conn
	closed chan struct{} // closed by Close
	ended  chan struct{} // closed when keep has returned
	once   sync.Once

	answering sync.Mutex       // one change of ports at a time, calls of the agent included
	ports     []int            // guarded by answering, as all that follows
	silent    []int            //
	session   *agent.Client    // whose ports are held
	held      map[int]heldPort // by port
}

var _ container.GateListener = (*gate)(nil)

// heldPort is a port as the agent treats it until the Closer is closed.
type heldPort struct {
	io.Closer
	silent bool
}

// Answer implements container.GateListener.
func (g *gate) Answer(ctx context.Context, ports, silent []int) error {
	g.answering.Lock()
	defer g.answering.Unlock()
	g.ports, g.silent = ports, silent
	_, err := g.answerLocked(ctx)
	return err
}

// listen makes the agent listen in the current session, attaching if need be,
// and returns what is closed when that session has ended.
func (g *gate) listen(ctx context.Context) (<-chan struct{}, error) {
	g.answering.Lock()
	defer g.answering.Unlock()
	return g.answerLocked(ctx)
}

func (g *gate) answerLocked(ctx context.Context) (<-chan struct{}, error) {
	return use(ctx, g.link, func(c *agent.Client) (<-chan struct{}, error) {
		if g.session != c { // the ports of another have ended with it
			g.session, g.held = c, map[int]heldPort{}
		}
		return c.Done(), errors.Join(g.freeLocked(), g.holdLocked(ctx, c))
	})
}

// freeLocked frees the ports that are no longer to be treated as they are.
func (g *gate) freeLocked() error {
	var errs []error
	for port, h := range g.held {
		wanted := g.ports
		if h.silent {
			wanted = g.silent
		}
		if !slices.Contains(wanted, port) {
			errs = append(errs, h.Close())
			delete(g.held, port)
		}
	}
	return errors.Join(errs...)
}

// holdLocked makes the agent listen, or be silent, where it does not yet.
func (g *gate) holdLocked(ctx context.Context, c *agent.Client) error {
	for _, port := range g.ports {
		if _, ok := g.held[port]; ok {
			continue
		}
		h, err := c.Listen(ctx, []int{port})
		if err != nil {
			return err
		}
		g.held[port] = heldPort{Closer: h}
	}
	for _, port := range g.silent {
		if _, ok := g.held[port]; ok {
			continue
		}
		h, err := c.Silence(ctx, []int{port})
		if errors.Is(err, agent.ErrLost) {
			return err
		}
		if err != nil {
			g.engine.log.Debug().Err(err).Int("port", port).Msg("a port that is not exposed refuses instead of timing out")
			continue
		}
		g.held[port] = heldPort{h, true}
	}
	return nil
}

// Pauses between attempts to open a gate again.
const (
	gateRetry    = 200 * time.Millisecond
	gateRetryMax = 5 * time.Second
)

// keep listens again whenever the session has ended, until the gate is closed.
func (g *gate) keep(listening <-chan struct{}) {
	defer close(g.ended)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-g.closed:
			cancel()
		case <-ctx.Done():
		}
	}()
	for {
		select {
		case <-g.closed:
			return
		case <-listening:
		}
		if listening = g.listenAgain(ctx); listening == nil {
			return
		}
	}
}

// listenAgain tries until it succeeds or ctx is done; it returns nil then.
func (g *gate) listenAgain(ctx context.Context) <-chan struct{} {
	for pause := gateRetry; ; pause = min(2*pause, gateRetryMax) {
		listening, err := g.listen(ctx)
		if err == nil {
			return listening
		}
		g.engine.log.Debug().Err(err).Dur("pause", pause).Msg("gate not open, trying again")
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil
		}
	}
}

// handOver gives a connection to Accept.
func (g *gate) handOver(c net.Conn, lost <-chan struct{}) {
	select {
	case g.conns <- c:
	case <-lost:
	case <-g.closed:
		_ = c.Close() // nobody takes it
	}
}

// Accept implements net.Listener.
func (g *gate) Accept() (net.Conn, error) {
	select {
	case c := <-g.conns:
		return c, nil
	case <-g.closed:
		return nil, &net.OpError{Op: "accept", Net: "gate", Addr: g.Addr(), Err: net.ErrClosed}
	}
}

// Addr implements net.Listener.
func (g *gate) Addr() net.Addr { return g.addr }

type gateAddr []int

func (gateAddr) Network() string { return "gate" }
func (a gateAddr) String() string {
	return strings.Trim(strings.Join(strings.Fields(fmt.Sprint([]int(a))), ","), "[]")
}

// Close implements net.Listener. It takes the names away first: a container that
// ends is named for a moment longer, and refuses.
func (g *gate) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), removeWithin)
	defer cancel()
	if err := g.engine.disconnectGate(ctx, g.env, g.id); err != nil {
		g.engine.log.Debug().Err(err).Msg("a gate is removed with its names")
	}
	g.stop()
	g.engine.gates.forget(g)
	return g.remove()
}

// stop ends what serves the gate and leaves the container.
func (g *gate) stop() {
	g.once.Do(func() { close(g.closed) })
	<-g.ended
	g.link.close()
}

// remove removes the container; Close has no context of its own.
func (g *gate) remove() error {
	ctx, cancel := context.WithTimeout(context.Background(), removeWithin)
	defer cancel()
	return g.engine.Remove(ctx, g.id)
}

// gateSet holds the open gates, for Close of the engine.
type gateSet struct {
	mu     sync.Mutex
	open   []*gate // guarded by mu
	closed bool    // guarded by mu
}

func (s *gateSet) add(g *gate) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errEngineClosed
	}
	s.open = append(s.open, g)
	return nil
}

func (s *gateSet) has(id container.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.open, func(g *gate) bool { return g.id == id })
}

// share reports whether an open gate has one of the names.
func (s *gateSet) share(names []string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.open, func(g *gate) bool {
		return slices.ContainsFunc(g.names, func(name string) bool { return slices.Contains(names, name) })
	})
}

func (s *gateSet) forget(g *gate) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = slices.DeleteFunc(s.open, func(o *gate) bool { return o == g })
}

func (s *gateSet) close() {
	s.mu.Lock()
	open := s.open
	s.open, s.closed = nil, true
	s.mu.Unlock()
	for _, g := range open {
		g.stop()
	}
}
