package probes

import (
	"slices"
	"time"
)

// sameProbe says whether a worker that runs a also does what b asks. Deletion
// of the replica alone does not make a probe another one.
func sameProbe(a, b Target) bool {
	return a.Key == b.Key && generationOf(a) == generationOf(b) && a.Eager == b.Eager &&
		times(a) == times(b) && a.Success == b.Success && a.Failure == b.Failure &&
		sameHTTP(a.Check.HTTP, b.Check.HTTP) && sameTCP(a.Check.TCP, b.Check.TCP)
}

func times(t Target) [3]time.Duration { return [3]time.Duration{t.Delay, t.Period, t.Timeout} }

func sameHTTP(a, b *HTTPCheck) bool {
	if a == b || a == nil || b == nil {
		return a == b
	}
	return a.Scheme == b.Scheme && a.Host == b.Host && a.Port == b.Port && a.Path == b.Path &&
		slices.Equal(a.Headers, b.Headers)
}

func sameTCP(a, b *TCPCheck) bool {
	if a == b || a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
