package logsink

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// smallDisk mounts a file system of its own of some bytes.
func smallDisk(t *testing.T, size string, flags uintptr) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, "size="+size); err != nil {
		t.Skip("a file system cannot be mounted here:", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

func TestADiskThatIsReallyFull(t *testing.T) {
	disk := smallDisk(t, "48m", 0)
	reported := make(chan Problem, 100)
	s := mustOpen(t, Options{Dir: filepath.Join(disk, "logs"), Report: func(p Problem) { reported <- p }})
	ballast := filepath.Join(disk, "ballast")
	const n = 60_000
	err := s.Ingest(context.Background(), web, numberedLines(n, func(i int) {
		if i != n/3 {
			return
		}
		if err := fillDisk(ballast); err != nil {
			t.Error(err)
		}
		go func() {
			if p := <-reported; !strings.Contains(p.What, "no space left on device") {
				t.Errorf("reported %q", p.What)
			}
			if err := os.Remove(ballast); err != nil {
				t.Error(err)
			}
		}()
	}))
	if err != nil {
		t.Fatal(err)
	}
	mustHaveLines(t, s, n)
	waitFor(t, "the end of the trouble to be reported", func() bool {
		p := s.Problems()
		return strings.Contains(p[len(p)-1].What, "works again, nothing was lost")
	})
}

// fillDisk writes a file until the disk is full.
func fillDisk(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	chunk := make([]byte, 1<<20)
	for size := len(chunk); size > 0; {
		if _, err = f.Write(chunk[:size]); errors.Is(err, unix.ENOSPC) {
			size /= 2
		} else if err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

func TestADiskThatIsReallyReadOnly(t *testing.T) {
	disk := smallDisk(t, "1m", unix.MS_RDONLY)
	_, err := Open(Options{Dir: filepath.Join(disk, "logs")})
	if !errors.Is(err, unix.EROFS) || !strings.HasPrefix(err.Error(), "open log store: ") {
		t.Errorf("error %v, want one that says the file system is read-only", err)
	}
}
