package logsink

import (
	"fmt"
	"time"
)

// Limits of Options, and what a zero field means.
const (
	// DefaultMaxBytes is the disk budget of a store.
	DefaultMaxBytes = 2 << 30
	// MinMaxBytes is the smallest disk budget a store works with.
	MinMaxBytes = 16 << 20
	// DefaultMaxAge is how long rows are kept.
	DefaultMaxAge = 30 * 24 * time.Hour
	// DefaultSplitAt is where containerd splits a line, and so Azure.
	DefaultSplitAt = 16384
	// MaxField is where the Log Analytics collector cuts a field.
	MaxField = 32 << 10
)

// Dialect chooses between the wordings of Azure's two kinds of environment.
type Dialect uint8

// Legion is what workload-profile environments run on and the default;
// Kubelet is that of consumption-only environments.
const (
	Legion Dialect = iota
	Kubelet
)

// Options says where a store lives and how much it keeps. Only Dir is needed.
type Options struct {
	// Dir is the store's own directory, made when missing.
	Dir string
	// Environment fills EnvironmentName_s: on Azure the first label of the
	// environment's default domain, not its resource name.
	Environment string
	// WorkspaceID fills TenantId.
	WorkspaceID string
	// MaxBytes bounds the disk used, write-ahead log included. Zero means
	// DefaultMaxBytes; less than MinMaxBytes is an error.
	MaxBytes int64
	// MaxAge bounds how old a row gets. Zero means DefaultMaxAge.
	MaxAge time.Duration
	// Dialect chooses the form of `logs show`.
	Dialect Dialect
	// SplitAt is the longest console line in bytes; longer ones become several
	// rows. Zero means DefaultSplitAt; more than MaxField is an error.
	SplitAt int
	// CommitInterval is the shortest time between two fsyncs of one table:
	// rows that arrive meanwhile share the next. Zero means 5 ms.
	CommitInterval time.Duration
	// Report is told of trouble that no caller is waiting to hear of: a
	// damaged file put aside, a disk that refuses writes. It may be called
	// from several goroutines and must not call the store. Nil drops reports;
	// Store.Problems has the latest in any case.
	Report func(Problem)
}

// withDefaults fills zero fields and refuses impossible ones.
func (o Options) withDefaults() (Options, error) {
	if o.Dir == "" {
		return o, fmt.Errorf("open log store: no directory given")
	}
	setDefault(&o.MaxBytes, DefaultMaxBytes)
	setDefault(&o.MaxAge, DefaultMaxAge)
	setDefault(&o.SplitAt, DefaultSplitAt)
	setDefault(&o.CommitInterval, 5*time.Millisecond)
	switch {
	case o.MaxBytes < MinMaxBytes:
		return o, fmt.Errorf("open log store: a budget of %d bytes is too small; give at least %d", o.MaxBytes, MinMaxBytes)
	case o.MaxAge < 0:
		return o, fmt.Errorf("open log store: maximum age %s is negative", o.MaxAge)
	case o.SplitAt < 1 || o.SplitAt > MaxField:
		return o, fmt.Errorf("open log store: lines cannot be split at %d bytes; choose 1 to %d", o.SplitAt, MaxField)
	}
	return o, nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
