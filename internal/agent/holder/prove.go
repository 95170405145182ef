package holder

import (
	"fmt"
	"io"
	"net"
	"time"

	"github.com/acalocal/acalocal/internal/agent/mux"
)

// proveFor is how long a proof may take: a reachable address answers at once.
const proveFor = 2 * time.Second

// prove lets the daemon find out whether it reaches this namespace directly:
// prove TOKEN. It listens on a port of the kernel's choice for one connection,
// sends the token to it, and stops.
func prove(s *mux.Session, st *mux.Stream, args []string) {
	if len(args) != 1 {
		_ = st.Refuse(fmt.Sprintf("other prove wants one word, has %d", len(args))) // fails only with the session
		return
	}
	l, err := net.ListenTCP("tcp4", nil)
	if err != nil {
		_ = st.Refuse(reason(err)) // fails only with the session
		return
	}
	defer l.Close()
	if l.SetDeadline(time.Now().Add(proveFor)) != nil || st.Accept([]byte(l.Addr().String())) != nil {
		return
	}
	defer st.Close()
	conn, err := l.AcceptTCP()
	if err != nil { // nobody came: the daemon sees the stream end
		return
	}
	_, _ = io.WriteString(conn, args[0]) // the daemon compares what arrives
	_ = conn.Close()
}
