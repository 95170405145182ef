package scenario

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/core"
	"github.com/acalocal/acalocal/internal/core/coretest"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/explain/event"
	"github.com/acalocal/acalocal/internal/scaler"
)

// virtual is a whole environment over a machine in memory, in a bubble of
// virtual time: the real engine, prober and edge.
type virtual struct {
	machine *machine
	logs    *memory
	edge    *pipes
	e       *emulator.Engine
	end     func()
	cookie  string // the last one that "ask" was given
}

func newVirtual(t *testing.T, f *file) *virtual {
	m := newMachine(t, f.section("images"))
	if f.flags != "" && f.flags != "--enforce-ephemeral-storage" {
		t.Fatalf("flags %q", f.flags)
	}
	v := &virtual{machine: m, logs: newMemory(m)}
	v.edge = newPipes(t, func(ctx context.Context, ep ingress.Endpoint) (net.Conn, error) {
		return v.e.Dial(ctx, ep.Replica, ep.Port)
	}, func(app, revision string) { v.e.Demand(app, revision) })
	v.edge.open("", ingress.ListenSpec{Kind: ingress.HTTP, Inside: true})
	v.edge.open(doorHTTP, ingress.ListenSpec{Kind: ingress.HTTP, HTTPSPort: 443})
	v.edge.open(doorHTTPS, ingress.ListenSpec{Kind: ingress.HTTPS})
	v.e = emulator.New(emulator.Options{
		Environment: "local", Domain: "local.localhost", Runtime: m, Router: v.edge, Logs: v.logs, History: v.logs,
		Triggers: scaler.NewPoller(scaler.Options{}), Rand: rand.New(rand.NewPCG(1, 2)), Log: zerolog.Nop(),
		EnforceEphemeralStorage: f.flags != "",
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- v.e.Run(ctx) }()
	v.end = func() {
		v.edge.close()
		cancel()
		if err := <-done; err != nil {
			t.Error("run:", err)
		}
	}
	return v
}

func (v *virtual) play(t *testing.T, f *file) string { return play(t, f, v) }
func (v *virtual) stop()                             { v.end() }
func (v *virtual) engine() *emulator.Engine          { return v.e }
func (v *virtual) settle()                           { synctest.Wait() }
func (v *virtual) exact() bool                       { return true }
func (v *virtual) changed() <-chan struct{}          { return v.logs.next() }

func (v *virtual) rows(revision string) []event.Row {
	v.logs.mu.Lock()
	defer v.logs.mu.Unlock()
	return v.logs.rows.of(revision)
}

func (v *virtual) lines() []explain.Output {
	v.logs.mu.Lock()
	defer v.logs.mu.Unlock()
	return slices.Clone(v.logs.lines)
}

func (v *virtual) transport(app string) (string, http.RoundTripper) {
	return "http://" + app + ".local.localhost", &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return v.edge.dial(ctx, app) },
	}
}

// do carries out what only a machine in memory can be told:
//
//	serve IMAGE [/PATH=STATUS|/PATH=DELAY|/PATH=TRICK]...   what its containers answer from now on
//	ask [KEY=VALUE]... URL                      a request by another door of the edge, see ask
//	served N ask's words                        how many replicas answer as many requests
//	record                                      what the edge noted of the last request
//	tcp APP PORT                                a raw connection from another app
//	print CONTAINER TEXT                        one more console line
//	oom CONTAINER                               the kernel kills a process that is not the first
//	kill CONTAINER                              the kernel kills the first one for memory
//	write CONTAINER MIB                         so much is in its own file system now
//	remove IMAGE                                the registry has it no longer
func (v *virtual) do(t *testing.T, words []string) (string, bool) {
	switch words[0] {
	case "serve":
		v.machine.answer(t, words[1], words[2:])
	case "print":
		v.machine.print(v.current(t, words[1]), strings.Join(words[2:], " "))
	case "ask":
		return v.ask(t, words[1:]), true
	case "served":
		return v.served(t, words[1:]), true
	case "record":
		return v.record(), true
	case "tcp":
		return v.tcp(t, words[1], words[2]), true
	case "oom":
		v.machine.hint(v.current(t, words[1]).Key)
	case "kill":
		st := v.current(t, words[1])
		v.machine.hint(st.Key)
		v.machine.Kill(st.ID)
	case "write":
		mebi, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		v.machine.write(v.current(t, words[1]).Key, mebi<<20)
	case "refuse":
		v.machine.refusePulls(words[1], strings.Join(words[2:], " "))
	default:
		return "", false
	}
	return "", true
}

// current is the running attempt of a container.
func (v *virtual) current(t *testing.T, name string) container.Status {
	t.Helper()
	list, err := v.machine.List(t.Context(), "local")
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range list {
		if st.Key.Container == name && st.State == container.Running {
			return st
		}
	}
	t.Fatalf("no container %s runs", name)
	return container.Status{}
}

// machine is the machine in memory, with more ways to misbehave.
type machine struct {
	*containertest.Runtime

	mu      sync.Mutex
	hints   []chan container.Hint // guarded by mu
	pulls   map[string]error      // guarded by mu
	mounts  map[string]string     // images whose volumes cannot be mounted, and why
	printed map[container.ID][]string
	more    chan struct{}           // closed at the next printed line, guarded by mu
	written map[container.Key]int64 // guarded by mu
}

// newMachine reads images, one a line:
//
//	NAME [listens=PORT,PORT] [after=D] [loopback] [exit=D/CODE] [stays] [broken=WORDS...] [unmountable=WORDS...]
//	     [tls] [/PATH=STATUS|/PATH=DELAY|/PATH=TRICK]... [prints=TEXT...]
func newMachine(t *testing.T, text string) *machine {
	programs := map[string]containertest.Program{}
	answers, mounts := map[string][]string{}, map[string]string{}
	var secure []string
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		p, seen := programs[words[0]]
		if !seen {
			p.ListenAfter = 40 * time.Millisecond // no program listens at once
		}
		line = strings.TrimSpace(line)
		if _, rest, ok := strings.Cut(line, " prints="); ok {
			p.Prints = append(p.Prints, rest)
			words = strings.Fields(strings.TrimSuffix(line, " prints="+rest))
		}
		if _, rest, ok := strings.Cut(line, " unmountable="); ok {
			mounts[words[0]] = rest
			words = words[:1]
		}
		if _, rest, ok := strings.Cut(line, " broken="); ok {
			p.Broken = rest
			words = words[:1]
		}
		for _, w := range words[1:] {
			if strings.HasPrefix(w, "/") {
				answers[words[0]] = append(answers[words[0]], w)
				continue
			}
			if w == "tls" {
				secure = append(secure, words[0])
				continue
			}
			readProgram(t, &p, w)
		}
		programs[words[0]] = p
	}
	m := &machine{Runtime: containertest.NewRuntime(programs), pulls: map[string]error{}, mounts: mounts, printed: map[container.ID][]string{}, more: make(chan struct{}), written: map[container.Key]int64{}}
	m.Write(func(key container.Key) int64 {
		m.mu.Lock()
		defer m.mu.Unlock()
		return m.written[key]
	})
	for image, list := range answers {
		m.answer(t, image, list)
	}
	for _, image := range secure {
		m.ServeTLS(image, &tls.Config{Certificates: []tls.Certificate{*selfSigned(t)}})
	}
	return m
}

func readProgram(t *testing.T, p *containertest.Program, word string) {
	t.Helper()
	key, value, _ := strings.Cut(word, "=")
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("image: %s: %v", word, err)
		}
		return n
	}
	span := func(text string) time.Duration {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("image: %s: %v", word, err)
		}
		return d
	}
	switch key {
	case "listens":
		for _, port := range strings.Split(value, ",") {
			p.Listens = append(p.Listens, number(port))
		}
	case "after":
		p.ListenAfter = span(value)
	case "loopback":
		p.Loopback = true
	case "stays":
		p.IgnoresStop = true
	case "exit":
		after, code, _ := strings.Cut(value, "/")
		p.ExitAfter, p.ExitCode = span(after), number(code)
	default:
		t.Fatalf("image: unknown word %q", word)
	}
}

// tricks are what else an app can do at a path: say the request's header
// fields, or how long its body is, or end the connection.
var tricks = map[string]http.HandlerFunc{
	"headers": func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "host: %s\n", r.Host)
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			fmt.Fprintf(w, "%s: %s\n", strings.ToLower(name), strings.Join(r.Header[name], " + "))
		}
	},
	"length": func(w http.ResponseWriter, r *http.Request) {
		n, err := io.Copy(io.Discard, r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(w, "%d bytes\n", n)
	},
	"resets": func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // whatever there is of it
		panic(http.ErrAbortHandler)
	},
}

// answer makes an image answer paths: a number is a status, a duration a wait,
// a word a trick.
func (m *machine) answer(t *testing.T, image string, rules []string) {
	t.Helper()
	status, delay, do := map[string]int{}, map[string]time.Duration{}, map[string]http.HandlerFunc{}
	for _, r := range rules {
		path, value, _ := strings.Cut(r, "=")
		if do[path] = tricks[value]; do[path] != nil {
			continue
		}
		if n, err := strconv.Atoi(value); err == nil {
			status[path] = n
		} else if delay[path], err = time.ParseDuration(value); err != nil {
			t.Fatalf("image %s: %s: %v", image, r, err)
		}
	}
	m.Serve(image, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f := do[r.URL.Path]; f != nil {
			f(w, r)
			return
		}
		if d := delay[r.URL.Path]; d > 0 {
			select {
			case <-time.After(d):
			case <-r.Context().Done():
				return
			}
		}
		if n := status[r.URL.Path]; n != 0 {
			w.WriteHeader(n)
		}
		fmt.Fprintln(w, image)
	}))
}

func (m *machine) refusePulls(image, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	code := container.CodeImageMissing
	if strings.Contains(text, "unauthorized") {
		code = container.CodeUnauthorized
	}
	m.pulls[image] = container.Errorf(code, "", "%s", text)
}

// Create implements container.Runtime.
func (m *machine) Create(ctx context.Context, s container.Spec) (container.ID, error) {
	if why := m.mounts[s.Image]; why != "" {
		return "", container.Errorf(container.CodeMount, "", "%s", why)
	}
	return m.Runtime.Create(ctx, s)
}

// Pull implements container.Runtime.
func (m *machine) Pull(ctx context.Context, s container.PullSpec, progress func(container.PullProgress)) (container.Image, error) {
	m.mu.Lock()
	err := m.pulls[s.Image]
	m.mu.Unlock()
	if err != nil {
		return container.Image{}, err
	}
	return m.Runtime.Pull(ctx, s, progress)
}

// hint tells of a memory kill.
func (m *machine) hint(key container.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, ch := range m.hints {
		ch <- container.Hint{Key: key, OOM: true}
	}
}

// Events implements container.Runtime: the machine's own hints and those of
// memory kills.
func (m *machine) Events(ctx context.Context, env string) (<-chan container.Hint, error) {
	in, err := m.Runtime.Events(ctx, env)
	if err != nil {
		return nil, err
	}
	kills, out := make(chan container.Hint, 16), make(chan container.Hint)
	m.mu.Lock()
	m.hints = append(m.hints, kills)
	m.mu.Unlock()
	go func() { // ends with in, which ends with ctx
		defer close(out)
		for {
			var h container.Hint
			ok := true
			select {
			case h, ok = <-in:
			case h = <-kills:
			}
			if !ok {
				return
			}
			select {
			case out <- h:
			case <-ctx.Done():
			}
		}
	}()
	return out, nil
}

// write sets how many bytes a container has written.
func (m *machine) write(key container.Key, bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written[key] = bytes
}

// print makes a running container print a line.
func (m *machine) print(st container.Status, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.printed[st.ID] = append(m.printed[st.ID], text)
	close(m.more)
	m.more = make(chan struct{})
}

// Logs implements container.Runtime.
func (m *machine) Logs(ctx context.Context, id container.ID, since time.Time) (container.LogReader, error) {
	ctx, cancel := context.WithCancel(ctx)
	r, err := m.Runtime.Logs(ctx, id, since)
	if err != nil {
		cancel()
		return nil, err
	}
	l := &lineReader{m: m, id: id, in: r, entries: make(chan container.LogEntry), cancel: cancel}
	go l.read(ctx)
	return l, nil
}

// lineReader merges what a program prints at its start with what a script
// makes it print.
type lineReader struct {
	m       *machine
	id      container.ID
	in      container.LogReader
	entries chan container.LogEntry
	cancel  context.CancelFunc
	next    int
}

func (l *lineReader) read(ctx context.Context) {
	defer close(l.entries)
	for {
		e, err := l.in.Next()
		if err != nil {
			return
		}
		select {
		case l.entries <- e:
		case <-ctx.Done():
			return
		}
	}
}

func (l *lineReader) Next() (container.LogEntry, error) {
	for {
		l.m.mu.Lock()
		more := l.m.more
		if printed := l.m.printed[l.id]; l.next < len(printed) {
			l.next++
			l.m.mu.Unlock()
			return container.LogEntry{Time: time.Now(), Stderr: true, Data: []byte(printed[l.next-1] + "\n")}, nil
		}
		l.m.mu.Unlock()
		select {
		case e, ok := <-l.entries:
			if !ok {
				return e, io.EOF
			}
			return e, nil
		case <-more:
		}
	}
}

func (l *lineReader) Close() error {
	l.cancel()
	return l.in.Close()
}

// memory is logs and history in memory.
type memory struct {
	coretest.History
	runtime container.Runtime

	mu    sync.Mutex
	rows  rowList          // guarded by mu
	lines []explain.Output // guarded by mu
	more  chan struct{}    // guarded by mu; closed at the next row or line
}

func newMemory(rt container.Runtime) *memory {
	return &memory{runtime: rt, more: make(chan struct{})}
}

func (m *memory) next() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.more
}

func (m *memory) add(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
	close(m.more)
	m.more = make(chan struct{})
}

func (m *memory) Follow(ctx context.Context, source emulator.LogSource) error {
	return containertest.Follow(ctx, m.runtime, source.ID, func(e container.LogEntry) {
		m.add(func() {
			m.lines = append(m.lines, explain.Output{Time: e.Time, Replica: source.Key.Replica, Container: source.Key.Container, Text: strings.TrimSuffix(string(e.Data), "\n")})
		})
	})
}

func (m *memory) Append(rows []core.SystemLog) error {
	m.add(func() {
		for _, r := range rows {
			m.rows = append(m.rows, revisionRow{r.Revision, event.Row{Time: r.Time, Warning: r.Warning, Replica: r.Replica, Reason: r.Reason, Text: r.Msg, Count: r.Count}})
		}
	})
	return nil
}

// pipes is the real edge, listening on pipes in memory.
type pipes struct {
	*ingress.Ingress
	t       *testing.T
	serving sync.WaitGroup

	mu   sync.Mutex
	apps map[string]*pipeListener // guarded by mu
}

func newPipes(t *testing.T, dial func(context.Context, ingress.Endpoint) (net.Conn, error), demand func(app, revision string)) *pipes {
	cert := selfSigned(t)
	g, err := ingress.New(ingress.Options{
		Dial: dial, Activate: demand, Rand: rand.New(rand.NewPCG(3, 4)),
		Certificates: func(string) (*tls.Certificate, error) { return cert, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return &pipes{Ingress: g, t: t, apps: map[string]*pipeListener{}}
}

func (p *pipes) Apply(table ingress.Table) error {
	_, err := p.Ingress.Apply(table)
	return err
}

func (p *pipes) Addr() string       { return "127.0.0.1:8080" }
func (p *pipes) SecureAddr() string { return "" }

func (p *pipes) Listen(app string, port int) (int, error) {
	p.open(app, ingress.ListenSpec{Kind: ingress.AppPort, App: app})
	return max(port, 8081), nil
}

// open opens a listener under a name, unless it is open.
func (p *pipes) open(name string, spec ingress.ListenSpec) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.apps[name] != nil {
		return
	}
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	p.apps[name] = l
	p.serving.Go(func() { _ = p.Serve(l, spec) }) // ends with the listener
}

func (p *pipes) Unlisten(app string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l := p.apps[app]; l != nil {
		l.Close()
		delete(p.apps, app)
	}
}

func (p *pipes) dial(ctx context.Context, app string) (net.Conn, error) {
	p.mu.Lock()
	l := p.apps[app]
	p.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("app %s has no port", app)
	}
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *pipes) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = p.Shutdown(ctx) // requests that a script left are cut off
	p.mu.Lock()
	for _, l := range p.apps {
		l.Close()
	}
	p.mu.Unlock()
	p.serving.Wait()
}

// pipeListener accepts pipes.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return &pipeConn{c}, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8081} }

// pipeConn has addresses as a connection over TCP has.
type pipeConn struct{ net.Conn }

func (pipeConn) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8081} }
func (pipeConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 50000} }
