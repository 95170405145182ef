//go:build !unix

package logsink

import "os"

// fileView reads a file that grows at its end.
type fileView struct{ file *os.File }

func newFileView(f *os.File) *fileView { return &fileView{f} }

// at returns n bytes from off.
func (v *fileView) at(off int64, n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := v.file.ReadAt(b, off)
	return b, err
}

func (v *fileView) trim() {}

func (v *fileView) close() error { return v.file.Close() }
