//go:build !unix

package probes

import (
	"testing"
	"time"
)

// cpuTime skips: the processor time of this process is not known here.
func cpuTime(tb testing.TB) time.Duration {
	tb.Skip("processor time is measured on Unix only")
	return 0
}
