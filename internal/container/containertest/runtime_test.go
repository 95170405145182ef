package containertest_test

import (
	"testing"

	"github.com/acalocal/acalocal/internal/container/containertest"
	"github.com/acalocal/acalocal/internal/container/runtimetest"
)

func TestRuntimeKeepsTheContract(t *testing.T) {
	runtimetest.Run(t, func(*testing.T) runtimetest.Subject {
		return runtimetest.Subject{
			Runtime: containertest.NewRuntime(runtimetest.Programs()),
			Env:     "contract",
			Image:   func(program string) string { return program },
		}
	})
}
