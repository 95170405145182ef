package cli

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// freeSpace is how many bytes this user can still write below dir.
func freeSpace(dir string) (uint64, error) {
	path, err := windows.UTF16PtrFromString(dir)
	if err != nil {
		return 0, fmt.Errorf("look at the disk of %s: %w", dir, err)
	}
	var free uint64
	if err := windows.GetDiskFreeSpaceEx(path, &free, nil, nil); err != nil {
		return 0, fmt.Errorf("look at the disk of %s: %w", dir, err)
	}
	return free, nil
}
