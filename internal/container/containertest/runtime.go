package containertest

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

// Runtime is a World in real time behind container.Runtime. It works inside a
// synctest bubble. All methods may be called concurrently.
type Runtime struct {
	mu       sync.Mutex
	world    *World                                   // guarded by mu
	changed  chan struct{}                            // closed at the next change, guarded by mu
	readers  map[chan container.Hint]struct{}         // guarded by mu
	handlers map[string]http.Handler                  // guarded by mu
	tls      map[string]*tls.Config                   // guarded by mu
	refuse   func(op string, key container.Key) error // guarded by mu
	usage    func(container.Key) container.Stats      // guarded by mu
	written  func(container.Key) int64                // guarded by mu
}

var _ container.Runtime = (*Runtime)(nil)

// NewRuntime returns an engine with the given images.
func NewRuntime(images map[string]Program) *Runtime {
	return &Runtime{
		world:    NewWorld(images),
		changed:  make(chan struct{}),
		readers:  map[chan container.Hint]struct{}{},
		handlers: map[string]http.Handler{},
		tls:      map[string]*tls.Config{},
	}
}

// Serve makes containers of an image answer HTTP, 1.1 and 2 without TLS, with h;
// without it they answer 200 and their image.
func (r *Runtime) Serve(image string, h http.Handler) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handlers[image] = h
}

// ServeTLS makes containers of an image speak TLS on every port.
func (r *Runtime) ServeTLS(image string, c *tls.Config) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tls[image] = c
}

// Install adds an image, or replaces it for containers made from now on.
func (r *Runtime) Install(image string, p Program) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.world.Images[image] = p
}

// Refuse makes operations ("create", "start", "stop", "remove", "list", "stats") fail
// with what f returns for them; nil lets all pass again.
func (r *Runtime) Refuse(f func(op string, key container.Key) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refuse = f
}

// Use makes f say what containers use; At is filled in. Without it they use
// nothing.
func (r *Runtime) Use(f func(container.Key) container.Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.usage = f
}

// Stats implements container.Runtime.
func (r *Runtime) Stats(_ context.Context, id container.ID) (container.Stats, error) {
	defer r.lock()()
	if err := r.refused("stats", id); err != nil {
		return container.Stats{}, err
	}
	b := r.world.box(id)
	if b == nil || b.status.State != container.Running {
		return container.Stats{}, container.Errorf(container.CodeNotFound, "", "container %s does not run", id)
	}
	var st container.Stats
	if r.usage != nil {
		st = r.usage(b.status.Key)
	}
	if st.At.IsZero() {
		st.At = time.Now()
	}
	return st, nil
}

// Write makes f say what containers have written; without it that is nothing. F
// may take its time.
func (r *Runtime) Write(f func(container.Key) int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.written = f
}

// Written implements container.Runtime.
func (r *Runtime) Written(_ context.Context, id container.ID) (int64, error) {
	unlock := r.lock()
	b, written := r.world.box(id), r.written
	unlock()
	switch {
	case b == nil:
		return 0, container.Errorf(container.CodeNotFound, "", "no such container: %s", id)
	case written == nil:
		return 0, nil
	}
	return written(b.spec.Key), nil
}

// Kill ends a container as if the kernel had.
func (r *Runtime) Kill(id container.ID) {
	defer r.lock()()
	r.world.Kill(time.Now(), id)
}

// String lists the containers, one a line.
func (r *Runtime) String() string {
	defer r.lock()()
	return r.world.String()
}

// Spec is what a container was made of; ok is false when there is none of that
// ID.
func (r *Runtime) Spec(id container.ID) (s container.Spec, ok bool) {
	defer r.lock()()
	if b := r.world.box(id); b != nil {
		return b.spec, true
	}
	return container.Spec{}, false
}

// lock takes the world, lets happen what is due, and returns the unlock, which
// tells of changes.
func (r *Runtime) lock() func() {
	r.mu.Lock()
	before := r.world.keys()
	r.world.Advance(time.Now())
	return func() {
		after := r.world.keys()
		for key, state := range after {
			if before[key] != state {
				r.tellLocked(key)
			}
			delete(before, key)
		}
		for key := range before {
			r.tellLocked(key)
		}
		r.mu.Unlock()
	}
}

func (r *Runtime) tellLocked(key container.Key) {
	close(r.changed)
	r.changed = make(chan struct{})
	for ch := range r.readers {
		select {
		case ch <- container.Hint{Key: key}:
		default: // a slow reader loses hints
		}
	}
}

// keys are the containers and what they do.
func (w *World) keys() map[container.Key]container.State {
	out := map[container.Key]container.State{}
	for _, b := range w.boxes {
		out[b.status.Key] = b.status.State
	}
	return out
}

// waitChange waits until something changes, by itself or not.
func (r *Runtime) waitChange(ctx context.Context) error {
	r.mu.Lock()
	changed, next := r.changed, r.world.Next()
	r.mu.Unlock()
	var due <-chan time.Time
	if !next.IsZero() {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-changed:
	case <-due:
		r.lock()() // let it happen, and tell
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func (r *Runtime) refused(op string, id container.ID) error {
	if r.refuse == nil {
		return nil
	}
	var key container.Key
	if b := r.world.box(id); b != nil {
		key = b.status.Key
	}
	return r.refuse(op, key)
}

// List implements container.Runtime.
func (r *Runtime) List(_ context.Context, env string) ([]container.Status, error) {
	defer r.lock()()
	if err := r.refused("list", ""); err != nil {
		return nil, err
	}
	return r.world.List(env), nil
}

// Create implements container.Runtime.
func (r *Runtime) Create(_ context.Context, s container.Spec) (container.ID, error) {
	defer r.lock()()
	if r.refuse != nil {
		if err := r.refuse("create", s.Key); err != nil {
			return "", err
		}
	}
	return r.world.Create(time.Now(), s)
}

// Start implements container.Runtime.
func (r *Runtime) Start(_ context.Context, id container.ID) error {
	defer r.lock()()
	if err := r.refused("start", id); err != nil {
		return err
	}
	return r.world.Start(time.Now(), id)
}

// Stop implements container.Runtime.
func (r *Runtime) Stop(ctx context.Context, id container.ID, grace time.Duration) error {
	unlock := r.lock()
	err := r.refused("stop", id)
	if err == nil {
		r.world.Stop(time.Now(), id, grace)
	}
	unlock()
	for err == nil && r.running(id) {
		err = r.waitChange(ctx)
	}
	return err
}

func (r *Runtime) running(id container.ID) bool {
	defer r.lock()()
	b := r.world.box(id)
	return b != nil && b.status.State == container.Running
}

// Remove implements container.Runtime.
func (r *Runtime) Remove(_ context.Context, id container.ID) error {
	defer r.lock()()
	if err := r.refused("remove", id); err != nil {
		return err
	}
	r.world.Remove(id)
	return nil
}

// Events implements container.Runtime.
func (r *Runtime) Events(ctx context.Context, _ string) (<-chan container.Hint, error) {
	ch := make(chan container.Hint, 16)
	r.mu.Lock()
	r.readers[ch] = struct{}{}
	r.mu.Unlock()
	go func() { // ends with ctx, as the contract says
		for r.waitChange(ctx) == nil {
		}
		r.mu.Lock()
		delete(r.readers, ch)
		close(ch)
		r.mu.Unlock()
	}()
	return ch, nil
}

// Logs implements container.Runtime.
func (r *Runtime) Logs(ctx context.Context, id container.ID, since time.Time) (container.LogReader, error) {
	defer r.lock()()
	b := r.world.box(id)
	if b == nil {
		return nil, container.Errorf(container.CodeNotFound, "", "no such container: %s", id)
	}
	ctx, cancel := context.WithCancel(ctx)
	return &logReader{r: r, b: b, ctx: ctx, cancel: cancel, since: since}, nil
}

type logReader struct {
	r      *Runtime
	b      *box
	ctx    context.Context // of one stream, ended by Close
	cancel context.CancelFunc
	since  time.Time
	next   int
}

func (l *logReader) Next() (container.LogEntry, error) {
	for {
		e, ended, ok := l.poll()
		switch {
		case ok && !e.Time.Before(l.since):
			return e, nil
		case ok:
			continue
		case ended:
			return e, io.EOF
		}
		if err := l.r.waitChange(l.ctx); err != nil {
			return e, err
		}
	}
}

func (l *logReader) poll() (e container.LogEntry, ended, ok bool) {
	defer l.r.lock()()
	if l.next < len(l.b.output) {
		l.next++
		return l.b.output[l.next-1], false, true
	}
	return e, l.b.status.State == container.Exited || l.r.world.box(l.b.status.ID) == nil, false
}

func (l *logReader) Close() error {
	l.cancel()
	return nil
}

// Exec implements container.Runtime: a World runs no commands.
func (r *Runtime) Exec(context.Context, container.ID, container.ExecSpec) (int, error) {
	return 0, container.Errorf(container.CodeCreate, "", "a simulated container runs no commands")
}

// Resolve implements container.Runtime.
func (r *Runtime) Resolve(_ context.Context, s container.PullSpec) error {
	defer r.lock()()
	_, err := r.world.Pull(s.Image)
	return err
}

// Pull implements container.Runtime.
func (r *Runtime) Pull(_ context.Context, s container.PullSpec, _ func(container.PullProgress)) (container.Image, error) {
	defer r.lock()()
	return r.world.Pull(s.Image)
}

// EnsureEnvironment implements container.Runtime.
func (r *Runtime) EnsureEnvironment(context.Context, string) error { return nil }

// RemoveEnvironment implements container.Runtime.
func (r *Runtime) RemoveEnvironment(_ context.Context, env string) error {
	defer r.lock()()
	r.world.RemoveAll(env)
	return nil
}

// Agent implements container.Runtime.
func (r *Runtime) Agent(_ context.Context, holder container.ID) (container.Agent, error) {
	if !r.running(holder) {
		return nil, fmt.Errorf("holder %s does not run", holder)
	}
	return agent{r, holder}, nil
}

// agent answers for a replica of the World.
type agent struct {
	r      *Runtime
	holder container.ID
}

func (a agent) Check(ctx context.Context, c container.Check) (container.CheckResult, error) {
	if c.Scheme == "" {
		if a.listening(c.Port) {
			return container.CheckResult{OK: true}, nil
		}
		return container.CheckResult{Status: "1", Detail: "connection refused"}, nil
	}
	conn, err := a.Dial(ctx, c.Host, c.Port)
	if err != nil {
		return container.CheckResult{Detail: err.Error()}, nil
	}
	defer conn.Close()
	deadline := time.Now().Add(c.Timeout)
	_ = conn.SetDeadline(deadline) // a pipe takes any
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl/8.11.1\r\n\r\n", c.Path)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return container.CheckResult{Timeout: !time.Now().Before(deadline), Detail: err.Error()}, nil
	}
	defer resp.Body.Close()
	result := container.CheckResult{OK: resp.StatusCode >= 200 && resp.StatusCode < 400, Status: strconv.Itoa(resp.StatusCode)}
	if !result.OK {
		result.Detail = resp.Status
	}
	return result, nil
}

func (a agent) listening(port int) bool {
	defer a.r.lock()()
	return a.r.world.Listening(time.Now(), a.holder, port)
}

func (a agent) Listeners(context.Context) ([]container.Listener, error) {
	defer a.r.lock()()
	return a.r.world.Listeners(time.Now(), a.holder), nil
}

// Dial connects to the handler of the image that listens on the port.
func (a agent) Dial(_ context.Context, _ string, port int) (net.Conn, error) {
	h, secure := a.handler(port)
	if h == nil {
		return nil, fmt.Errorf("dial port %d: %w", port, syscall.ECONNREFUSED)
	}
	client, server := net.Pipe()
	if secure != nil {
		server = tls.Server(server, secure)
	}
	l := &oneConn{conn: server, closed: make(chan struct{})}
	s := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = s.Serve(l) }() // ends when the connection is closed
	return client, nil
}

// handler is what answers on a port, or nil, and the TLS it speaks, or nil.
func (a agent) handler(port int) (http.Handler, *tls.Config) {
	defer a.r.lock()()
	image := a.r.world.listener(time.Now(), a.holder, port)
	if image == "" {
		return nil, nil
	}
	if h := a.r.handlers[image]; h != nil {
		return h, a.r.tls[image]
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, image) }), a.r.tls[image]
}

// listener is the image that listens on a port of a replica, or "".
func (w *World) listener(now time.Time, holder container.ID, port int) string {
	h := w.box(holder)
	if h == nil {
		return ""
	}
	for _, b := range w.boxes {
		up := b.status.State == container.Running && now.Sub(b.status.StartedAt) >= b.program.ListenAfter
		if !up || b.env != h.env || b.status.Key.Replica != h.status.Key.Replica {
			continue
		}
		for _, p := range b.program.Listens {
			if p == port {
				return b.spec.Image
			}
		}
	}
	return ""
}

// oneConn is a listener that accepts one connection and ends with it.
type oneConn struct {
	conn   net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	var c net.Conn
	l.once.Do(func() { c = &closer{l.conn, l} })
	if c != nil {
		return c, nil
	}
	<-l.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

type closer struct {
	net.Conn
	l *oneConn
}

func (c *closer) Close() error {
	select {
	case <-c.l.closed:
	default:
		close(c.l.closed)
	}
	return c.Conn.Close()
}

// sameLabels says that a container was made with the labels of a Spec.
func (b *box) sameLabels(s container.Spec) bool { return maps.Equal(b.spec.Labels, s.Labels) }
