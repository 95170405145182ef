package holder

import (
	"context"
	"fmt"
	"net"

	"github.com/acalocal/acalocal/internal/agent/mux"
)

// listen accepts connections for the daemon: listen PORT... It hands each to
// the daemon in a stream of its own, opened with "accepted LOCAL REMOTE", until
// the daemon closes the stream that asked, or the session ends.
func listen(s *mux.Session, st *mux.Stream, args []string) {
	all, err := listenAll(args)
	if err != nil {
		_ = st.Refuse(reason(err)) // fails only with the session
		return
	}
	for _, l := range all {
		go acceptAll(s, l)
	}
	if st.Accept(nil) == nil {
		_, _ = st.Read(make([]byte, 1)) // ends when the daemon closes it or the session ends
	}
	for _, l := range all {
		_ = l.Close() // ends acceptAll
	}
	_ = st.Close()
}

// listenAll listens on all ports or none.
func listenAll(ports []string) ([]*net.TCPListener, error) {
	if len(ports) == 0 {
		return nil, fmt.Errorf("listen wants at least one port")
	}
	var all []*net.TCPListener
	for _, p := range ports {
		l, err := net.Listen("tcp", net.JoinHostPort("", p))
		if err != nil {
			for _, l := range all {
				_ = l.Close() // nobody has connected yet
			}
			return nil, err
		}
		all = append(all, l.(*net.TCPListener))
	}
	return all, nil
}

// acceptAll hands over connections until the listener is closed.
func acceptAll(s *mux.Session, l *net.TCPListener) {
	for {
		conn, err := l.AcceptTCP()
		if err != nil {
			return
		}
		go handOver(s, conn)
	}
}

// handOver opens a stream for conn. A daemon that does not want it, or is
// gone, is a reset for the caller.
func handOver(s *mux.Session, conn *net.TCPConn) {
	request := fmt.Sprintf("accepted %s %s", conn.LocalAddr(), conn.RemoteAddr())
	st, _, err := s.Open(context.Background(), []byte(request)) // ends with the session
	if err != nil {
		_ = conn.SetLinger(0)
		_ = conn.Close()
		return
	}
	relay(conn, st)
}
