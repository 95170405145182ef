package holder

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/acalocal/acalocal/internal/agent/mux"
)

// dial connects the stream to a TCP port: dial HOST PORT MILLISECONDS.
func dial(s *mux.Session, st *mux.Stream, args []string) {
	conn, err := dialArgs(s, args)
	if err != nil {
		_ = st.Refuse(reason(err)) // fails only with the session
		return
	}
	if st.Accept([]byte(conn.LocalAddr().String()+" "+conn.RemoteAddr().String())) != nil {
		_ = conn.Close()
		return
	}
	relay(conn, st)
}

func dialArgs(s *mux.Session, args []string) (*net.TCPConn, error) {
	if len(args) != 3 {
		return nil, fmt.Errorf("dial wants three words, has %d", len(args))
	}
	ms, err := strconv.Atoi(args[2])
	if err != nil {
		return nil, fmt.Errorf("timeout: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(ms)*time.Millisecond)
	defer cancel()
	go func() { // an ended session needs no connections
		select {
		case <-s.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	return dialTCP(ctx, args[0], args[1])
}

// dialTCP connects to host. A name is one of loopback's, as there is nothing
// else to ask for by name here: ::1 first, then 127.0.0.1, as curl does.
func dialTCP(ctx context.Context, host, port string) (*net.TCPConn, error) {
	if host != "localhost" {
		return dialAddr(ctx, host, port)
	}
	conn, err := dialAddr(ctx, "::1", port)
	if err == nil || ctx.Err() != nil {
		return conn, err
	}
	return dialAddr(ctx, "127.0.0.1", port)
}

func dialAddr(ctx context.Context, host, port string) (*net.TCPConn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, err
	}
	return conn.(*net.TCPConn), nil
}

// reason is how a failure travels: its kind, a space, its words.
func reason(err error) string {
	return failureKind(err) + " " + err.Error()
}

func failureKind(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.ECONNRESET):
		return "reset"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	}
	return "other"
}
