package holder

import (
	"net"
	"strconv"
	"time"

	"github.com/acalocal/acalocal/internal/agent/mux"
)

// silence makes ports neither answer nor refuse: silence PORT..., until the
// daemon closes the stream, or the session ends.
func silence(_ *mux.Session, st *mux.Stream, args []string) {
	all, err := listenAll(args)
	if err == nil {
		err = fillAll(all)
	}
	if err != nil {
		_ = st.Refuse(reason(err)) // fails only with the session
	} else if st.Accept(nil) == nil {
		_, _ = st.Read(make([]byte, 1)) // ends when the daemon closes it or the session ends
	}
	for _, l := range all {
		_ = l.Close() // nobody was let in
	}
	_ = st.Close()
}

func fillAll(all []*net.TCPListener) error {
	for _, l := range all {
		if err := fill(l); err != nil {
			return err
		}
	}
	return nil
}

// The queue is 1: with 0 the kernel would warn of a flood. The kernel answers
// on loopback at once, or never.
const (
	queue      = 1
	fillWithin = 200 * time.Millisecond
)

// fill connects to a listener from which nobody accepts until its queue is
// full. From then on Linux drops what asks for a connection, without a word
// (tcp_conn_request in net/ipv4/tcp_input.c).
func fill(l *net.TCPListener) error {
	if err := shrink(l); err != nil {
		return err
	}
	port := l.Addr().(*net.TCPAddr).Port
	for range queue + 1 { // one more than the queue's length fit in
		conn, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), fillWithin)
		if err != nil {
			return nil // somebody else was faster: the queue is full
		}
		_ = conn.Close() // its place in the queue is kept
	}
	return nil
}
