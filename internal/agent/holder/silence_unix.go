//go:build unix

package holder

import (
	"net"
	"syscall"
)

// shrink sets the length of a listener's queue.
func shrink(l *net.TCPListener) error {
	raw, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = syscall.Listen(int(fd), queue) })
	if err != nil {
		return err
	}
	return failed
}
