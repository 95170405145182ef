//go:build !windows

package cli

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// freeSpace is how many bytes this user can still write below dir.
func freeSpace(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("look at the disk of %s: %w", dir, err)
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil
}
