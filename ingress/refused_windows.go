package ingress

import (
	"errors"
	"syscall"
)

// isSystemRefused reports WSAECONNREFUSED: on Windows syscall.ECONNREFUSED is
// a number of Go's own that no system call returns.
func isSystemRefused(err error) bool {
	const wsaeconnrefused = syscall.Errno(10061)
	return errors.Is(err, wsaeconnrefused)
}
