package emulatortest

import (
	"net/http"
	"time"

	"github.com/acalocal/acalocal/internal/container/containertest"
)

// Simulation is what an image does in an environment without Docker. The zero
// value runs until it is stopped, listens nowhere and prints nothing.
type Simulation struct {
	// Listens are the ports that answer with Handler, once ListenAfter has
	// passed. Without a Handler they answer 200 and the image's name.
	Listens     []int
	ListenAfter time.Duration
	Handler     http.Handler
	// Loopback makes them answer inside of the replica only.
	Loopback bool
	// ExitAfter ends the program with ExitCode; 0 lets it run.
	ExitAfter time.Duration
	ExitCode  int
	// IgnoresStop makes it wait for the kill at the end of its grace period.
	IgnoresStop bool
	// Prints are the lines it writes when it starts.
	Prints []string
}

// Simulated runs the environment on a container engine in memory that has these
// images, with an http.Handler for each program. Everything else is real: the
// edge, revisions, probes, scaling, logs and events. It needs no Docker and
// starts in milliseconds; nothing is built.
func Simulated(images map[string]Simulation) Option {
	return func(s *settings) { s.simulated = images }
}

// simulate makes that engine.
func simulate(images map[string]Simulation) *containertest.Runtime {
	programs := map[string]containertest.Program{}
	for name, s := range images {
		programs[name] = containertest.Program{
			Listens: s.Listens, ListenAfter: s.ListenAfter, Loopback: s.Loopback,
			ExitAfter: s.ExitAfter, ExitCode: s.ExitCode, IgnoresStop: s.IgnoresStop, Prints: s.Prints,
		}
	}
	r := containertest.NewRuntime(programs)
	for name, s := range images {
		if s.Handler != nil {
			r.Serve(name, s.Handler)
		}
	}
	return r
}
