//go:build !unix

package ingress

import (
	"errors"
	"syscall"
)

// canPeek says that awaitReadable does not work: connections stay with
// net/http.
const canPeek = false

func awaitReadable(syscall.Conn) error { return errors.ErrUnsupported }
