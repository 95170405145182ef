//go:build unix

package logsink

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryLock locks f for this process, or fails at once. The lock ends with the
// process, however it dies.
func tryLock(f *os.File) error {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
}
