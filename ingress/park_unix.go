//go:build unix

package ingress

import (
	"io"
	"syscall"
)

// canPeek says that awaitReadable works.
const canPeek = true

// awaitReadable returns when there is something to read, io.EOF when the peer
// has ended the connection, or an error when it is closed or its deadline has
// passed.
func awaitReadable(c syscall.Conn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var n int
	var failure error
	err = raw.Read(func(fd uintptr) bool {
		var buf [1]byte
		n, _, failure = syscall.Recvfrom(int(fd), buf[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return failure != syscall.EAGAIN && failure != syscall.EWOULDBLOCK && failure != syscall.EINTR
	})
	switch {
	case err != nil:
		return err
	case failure != nil:
		return failure
	case n == 0:
		return io.EOF
	}
	return nil
}
