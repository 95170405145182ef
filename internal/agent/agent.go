// Package agent talks to the small program in the holder container of every
// replica, and provides that program's executable.
//
// The program (package holder) carries bytes and reads the table of sockets;
// everything that is decided is decided here: a probe is an ordinary HTTP
// exchange of the daemon's over a connection that begins inside the replica.
package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/acalocal/acalocal/internal/agent/mux"
	"github.com/acalocal/acalocal/internal/container"
)

// ErrLost says that the connection to the agent has broken.
var ErrLost = mux.ErrClosed

// Accept takes a connection somebody has made to a port the agent listens on
// for us. The addresses of c are those of the TCP connection in the replica's
// namespace. It runs in a goroutine of its own, owns c, and must return soon
// after lost is closed, when c is of no use any more.
type Accept func(c net.Conn, lost <-chan struct{})

// Client is one session with an agent. It implements container.Agent.
type Client struct {
	session *mux.Session
	pipes   io.Closer
	ended   chan error
}

var _ container.Agent = (*Client)(nil)

// Connect starts a session over the agent's standard streams; pipes closes
// them. accept gets the connections of Listen and may be nil when Listen is not
// used. The caller must Close the client.
func Connect(ctx context.Context, r io.Reader, w io.Writer, pipes io.Closer, accept Accept) (*Client, error) {
	stop := context.AfterFunc(ctx, func() { _ = pipes.Close() }) // unblocks the greeting
	session, run, err := mux.Dial(r, w, handler(accept))
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = pipes.Close() // nothing of value was written
		return nil, fmt.Errorf("greet agent: %w", errors.Join(err, ctx.Err()))
	}
	c := &Client{session: session, pipes: pipes, ended: make(chan error, 1)}
	go func() {
		// At once, before the streams are closed by their owners: an engine
		// waits for all who are attached, so nobody else hears the agent
		// while we are there and do not read.
		<-session.Done()
		_ = pipes.Close() // Close says so, too
	}()
	go func() { c.ended <- run() }()
	return c, nil
}

// Close ends the session and waits until everything that served it has ended.
func (c *Client) Close() error {
	err := c.pipes.Close()
	c.ended <- <-c.ended // so that a second Close finds it again
	return err
}

// Done is closed when the session has ended, for whatever reason.
func (c *Client) Done() <-chan struct{} { return c.session.Done() }

// handler passes on the connections the agent has accepted.
func handler(accept Accept) mux.Handler {
	return func(st *mux.Stream, request []byte) {
		words := strings.Fields(string(request))
		if len(words) != 3 || words[0] != "accepted" || accept == nil {
			_ = st.Refuse("unexpected request") // fails only with the session
			return
		}
		st.SetAddrs(tcpAddr(words[1]), tcpAddr(words[2]))
		if st.Accept(nil) == nil {
			accept(st, st.Lost())
		}
	}
}

// tcpAddr parses an address the agent has written.
func tcpAddr(s string) net.Addr {
	a, err := netip.ParseAddrPort(s)
	if err != nil {
		return &net.TCPAddr{}
	}
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
}

// dialTimeout bounds a Dial whose context has no deadline.
const dialTimeout = 30 * time.Second

// Dial opens a connection to a TCP port from inside the replica. A failure to
// connect is a *net.OpError that wraps syscall.ECONNREFUSED or
// os.ErrDeadlineExceeded where that was the reason; a lost agent is ErrLost.
func (c *Client) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	timeout := dialTimeout
	if by, ok := ctx.Deadline(); ok {
		timeout = max(time.Until(by), time.Millisecond)
	}
	request := fmt.Sprintf("dial %s %d %d", host, port, timeout.Milliseconds())
	st, reply, err := c.session.Open(ctx, []byte(request))
	if err != nil {
		return nil, dialError(host, port, err)
	}
	if local, remote, ok := strings.Cut(string(reply), " "); ok {
		st.SetAddrs(tcpAddr(local), tcpAddr(remote))
	}
	return st, nil
}

// dialError turns the agent's reason into the error a local dial would give.
func dialError(host string, port int, err error) error {
	var refusal mux.Refusal
	if !errors.As(err, &refusal) {
		return fmt.Errorf("dial %s in replica: %w", net.JoinHostPort(host, strconv.Itoa(port)), err)
	}
	return refused(refusal)
}

// failure is a reason that came from the agent with its kind.
type failure struct {
	text string
	kind error // nil when it is none that callers ask for
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.kind }

// Timeout says whether the failure was one of time; it makes a failure a
// net.Error.
func (f *failure) Timeout() bool { return f.kind == os.ErrDeadlineExceeded }

// Temporary is part of net.Error.
func (f *failure) Temporary() bool { return f.Timeout() }

var _ net.Error = (*failure)(nil)

// kinds maps the agent's words for a kind of failure to the error it is.
var kinds = map[string]error{
	"refused": syscall.ECONNREFUSED,
	"reset":   syscall.ECONNRESET,
	"timeout": os.ErrDeadlineExceeded,
}

func refused(r mux.Refusal) error {
	kind, text, _ := strings.Cut(string(r), " ")
	return &failure{text, kinds[kind]}
}

// Listeners implements container.Agent.
func (c *Client) Listeners(ctx context.Context) ([]container.Listener, error) {
	st, _, err := c.session.Open(ctx, []byte("listeners"))
	if err != nil {
		return nil, fmt.Errorf("list sockets in replica: %w", err)
	}
	defer st.Close()
	stop := context.AfterFunc(ctx, st.Abort)
	defer stop()
	text, err := io.ReadAll(st)
	if err != nil {
		return nil, fmt.Errorf("list sockets in replica: %w", err)
	}
	return parseListeners(string(text))
}

// engineResolver is where an engine answers DNS inside every namespace of a
// network of its own, by sockets that are neither the app's nor ours.
var engineResolver = netip.MustParseAddr("127.0.0.11")

// parseListeners reads one ADDRESS:PORT per line and merges those of one port:
// a port is on loopback only when all of its sockets are.
func parseListeners(text string) ([]container.Listener, error) {
	loopback := map[int]bool{}
	for line := range strings.Lines(text) {
		a, err := netip.ParseAddrPort(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("list sockets in replica: %w", err)
		}
		if a.Addr() == engineResolver {
			continue
		}
		only, seen := loopback[int(a.Port())]
		loopback[int(a.Port())] = a.Addr().Unmap().IsLoopback() && (only || !seen)
	}
	all := make([]container.Listener, 0, len(loopback))
	for port, only := range loopback {
		all = append(all, container.Listener{Port: port, Loopback: only})
	}
	slices.SortFunc(all, func(a, b container.Listener) int { return a.Port - b.Port })
	return all, nil
}

// Listen makes the agent listen on TCP ports of all addresses of its namespace
// and pass the connections to the client's Accept, until the returned Closer
// is closed or the session ends. Connections that were passed on stay open.
func (c *Client) Listen(ctx context.Context, ports []int) (io.Closer, error) {
	return c.hold(ctx, "listen", ports)
}

// Silence makes TCP ports on all addresses of the agent's namespace neither
// answer nor refuse, so that who calls there waits until his own time is over,
// until the returned Closer is closed or the session ends.
func (c *Client) Silence(ctx context.Context, ports []int) (io.Closer, error) {
	return c.hold(ctx, "silence", ports)
}

// hold asks for something about ports that lasts as long as its stream.
func (c *Client) hold(ctx context.Context, what string, ports []int) (io.Closer, error) {
	request := []byte(what)
	for _, p := range ports {
		request = fmt.Appendf(request, " %d", p)
	}
	st, _, err := c.session.Open(ctx, request)
	var refusal mux.Refusal
	if errors.As(err, &refusal) {
		return nil, fmt.Errorf("%s in replica: %w", what, refused(refusal))
	}
	if err != nil {
		return nil, fmt.Errorf("%s in replica: %w", what, err)
	}
	return held{st}, nil
}

// held is something about ports that lasts as long as its stream.
type held struct{ st *mux.Stream }

// freeWithin bounds how long an agent may take to free ports.
const freeWithin = 5 * time.Second

// Close returns when the ports are free to be used for something else, or the
// session has ended.
func (h held) Close() error {
	_ = h.st.SetReadDeadline(time.Now().Add(freeWithin)) // it has no error
	err := h.st.CloseWrite()
	if err == nil {
		_, err = io.Copy(io.Discard, h.st)
	}
	if errors.Is(err, ErrLost) {
		err = nil
	}
	return errors.Join(err, h.st.Close())
}

// Reachable finds out whether this process reaches ip, an address of the
// agent's namespace, without the agent: it is true only when a token handed to
// the agent comes back over a direct connection.
func (c *Client) Reachable(ctx context.Context, ip string, token string) (bool, error) {
	st, reply, err := c.session.Open(ctx, []byte("prove "+token))
	if err != nil {
		return false, fmt.Errorf("ask agent to listen: %w", err)
	}
	defer st.Close()
	_, port, err := net.SplitHostPort(string(reply))
	if err != nil {
		return false, fmt.Errorf("ask agent to listen: %w", err)
	}
	return readsToken(ctx, net.JoinHostPort(ip, port), token), nil
}

// reachWithin is how long a direct connection may take. It is to a bridge of
// this machine, or to nowhere.
const reachWithin = 500 * time.Millisecond

func readsToken(ctx context.Context, addr, token string) bool {
	ctx, cancel := context.WithTimeout(ctx, reachWithin)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	by, _ := ctx.Deadline()
	if conn.SetDeadline(by) != nil {
		return false
	}
	got, err := io.ReadAll(io.LimitReader(conn, int64(len(token))))
	return err == nil && string(got) == token
}
