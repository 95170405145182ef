package api

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"github.com/acalocal/acalocal/internal/home"
)

// Listen opens the control socket of an environment, for its owner only. The
// caller holds the environment's lock: a socket that is there already belonged
// to a daemon that died, and is replaced.
//
// Windows has unix sockets too (since 10 1803); there the rights of the state
// directory, which only its owner has, do what the mode does elsewhere.
func Listen(e home.Environment) (net.Listener, error) {
	path := e.Socket()
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("replace the control socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open the control socket: %w", err)
	}
	// Its directory is 0700 already; this is for those who loosen that.
	if err := os.Chmod(path, 0o600); err != nil {
		l.Close()
		return nil, fmt.Errorf("protect the control socket: %w", err)
	}
	return l, nil
}
