package logsink

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// guard runs f, which reads mapped files. Reading a page that has no file
// behind it, because somebody has shortened the file or the disk fails, kills
// a process; guard makes it an error.
func guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		fault, ok := r.(interface {
			runtime.Error
			Addr() uintptr
		})
		if !ok {
			panic(r)
		}
		err = fmt.Errorf("the file is shorter than it was, or cannot be read (%w)", fault)
	}()
	return f()
}
