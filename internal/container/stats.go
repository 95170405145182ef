package container

import "time"

// Stats is what one running container uses.
type Stats struct {
	// At is when the engine looked.
	At time.Time
	// CPU is the processor time used since the container started, of all
	// cores.
	CPU time.Duration
	// WorkingSet is the memory that cannot be given back under pressure: what
	// is used, without the files that were not read lately. It is what
	// Kubernetes and Azure call the working set, in bytes.
	WorkingSet int64
	// RxBytes and TxBytes are the bytes received and sent since the start, all
	// networks together. Only holders have them: the other containers of a
	// replica live in theirs.
	RxBytes, TxBytes uint64
}
