package runtimetest

import (
	"time"

	"github.com/acalocal/acalocal/internal/container/containertest"
)

// The programs the suite runs, each in an image of its own.
const (
	Serves  = "serves"  // listens on 8080 and runs until stopped
	Private = "private" // listens on 8081, on loopback only
	Fails   = "fails"   // prints two lines and ends with code 3
	Stays   = "stays"   // ignores the stop signal
	Broken  = "broken"  // has a command that is not there
)

// brokenWords are the engine's for a command that is not in the image.
const brokenWords = `failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/missing": stat /missing: no such file or directory: unknown`

// Programs returns what the suite's images do, by the names above.
func Programs() map[string]containertest.Program {
	return map[string]containertest.Program{
		Serves:  {Listens: []int{8080}, Prints: []string{"serving"}},
		Private: {Listens: []int{8081}, Loopback: true},
		Fails:   {Prints: []string{"one", "two"}, ExitAfter: 10 * time.Millisecond, ExitCode: 3},
		Stays:   {IgnoresStop: true, Prints: []string{"staying"}},
		Broken:  {Broken: brokenWords},
	}
}
