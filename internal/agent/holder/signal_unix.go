//go:build unix

package holder

import (
	"errors"
	"fmt"
	"strconv"
	"syscall"
)

// SignalOthers sends a signal, by its number, to every process it may signal
// except this one and the first. To have nobody to signal is no error.
func SignalOthers(number string) error {
	n, err := strconv.Atoi(number)
	if err != nil || n <= 0 {
		return fmt.Errorf("%q is not the number of a signal", number)
	}
	if err := syscall.Kill(-1, syscall.Signal(n)); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("signal %d: %w", n, err)
	}
	return nil
}
