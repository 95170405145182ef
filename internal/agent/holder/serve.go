package holder

import (
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/acalocal/acalocal/internal/agent/mux"
)

// operation answers one kind of request. It owns the stream.
type operation func(s *mux.Session, st *mux.Stream, args []string)

// operations lists what the daemon may ask for: a word and what does it.
var operations = map[string]operation{
	"ping":      ping,
	"dial":      dial,
	"listeners": listeners,
	"prove":     prove,
	"listen":    listen,
	"silence":   silence,
}

// ping answers at once: the way to the agent and back is open.
func ping(_ *mux.Session, st *mux.Stream, _ []string) {
	if st.Accept(nil) == nil {
		_ = st.Close()
	}
}

// Serve works for the daemon at the other end of r and w until r fails.
func Serve(r io.Reader, w io.Writer) error {
	return mux.Serve(r, w, func(s *mux.Session) mux.Handler {
		return func(st *mux.Stream, request []byte) { handle(s, st, string(request)) }
	})
}

func handle(s *mux.Session, st *mux.Stream, request string) {
	words := strings.Fields(request)
	if len(words) == 0 || operations[words[0]] == nil {
		_ = st.Refuse(fmt.Sprintf("other unknown request %q", request)) // a broken session ends all of its streams
		return
	}
	operations[words[0]](s, st, words[1:])
}

// relay carries bytes both ways until both directions have ended. A reset of
// one side becomes a reset of the other, so that the daemon can tell a
// response cut short from a finished one.
func relay(conn *net.TCPConn, st *mux.Stream) {
	sent := make(chan error, 1)
	go func() {
		_, err := io.Copy(st, conn)
		if err != nil {
			st.Abort()
		} else {
			_ = st.CloseWrite() // fails only with the session
		}
		sent <- err
	}()
	_, err := io.Copy(conn, st)
	if err != nil {
		_ = conn.SetLinger(0) // reset instead of a clean end
		_ = conn.Close()
	} else {
		_ = conn.CloseWrite() // the peer may have closed already
	}
	if <-sent == nil && err == nil {
		_ = st.Close()
	} else {
		st.Abort()
	}
	_ = conn.Close()
}
