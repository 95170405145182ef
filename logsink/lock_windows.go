package logsink

import (
	"os"

	"golang.org/x/sys/windows"
)

// tryLock locks f for this process, or fails at once. The lock ends with the
// process, however it dies.
func tryLock(f *os.File) error {
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	return windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, new(windows.Overlapped))
}
