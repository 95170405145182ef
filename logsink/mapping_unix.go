//go:build unix

package logsink

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// mapStep is the granularity of mappings. They may reach beyond the end of
// the file, as nobody reads there before it has grown.
const mapStep = 8 << 20

// fileView reads a file that grows at its end, through memory mappings.
type fileView struct {
	file *os.File
	data atomic.Pointer[[]byte]
	used atomic.Int64 // about how many bytes are in memory since trim

	mu   sync.Mutex
	maps [][]byte // guarded by mu; all ever made, as readers may hold on to any
}

func newFileView(f *os.File) *fileView { return &fileView{file: f} }

// at returns n bytes from off, in the mapping: they are gone after close.
func (v *fileView) at(off int64, n int) ([]byte, error) {
	if n == 0 {
		return nil, nil
	}
	end := off + int64(n)
	d := v.data.Load()
	if d == nil || end > int64(len(*d)) {
		var err error
		if d, err = v.grow(end); err != nil {
			return nil, err
		}
	}
	v.used.Add(int64(n) + readAround)
	return (*d)[off:end:end], nil
}

func (v *fileView) grow(end int64) (*[]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if d := v.data.Load(); d != nil && end <= int64(len(*d)) {
		return d, nil
	}
	size := (end + mapStep - 1) / mapStep * mapStep
	m, err := unix.Mmap(int(v.file.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", v.file.Name(), err)
	}
	v.maps = append(v.maps, m)
	v.data.Store(&m)
	return &m, nil
}

const (
	// readAround is what the operating system maps around what is read.
	readAround = 64 << 10
	// trimFrom is how much memory is worth a system call, and reading anew what
	// the next query reads again.
	trimFrom = 1 << 20
)

// trim gives the memory back that reading has filled, if it is much; the
// operating system keeps the file cached as long as it likes.
func (v *fileView) trim() {
	if v.used.Load() < trimFrom {
		return
	}
	v.used.Store(0)
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range v.maps {
		_ = unix.Madvise(m, unix.MADV_DONTNEED) // only advice
	}
}

func (v *fileView) close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, m := range v.maps {
		_ = unix.Munmap(m) // fails only for memory that is not mapped
	}
	v.maps = nil
	v.data.Store(nil)
	return v.file.Close()
}
