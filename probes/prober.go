// Package probes runs the startup, liveness and readiness probes of containers
// by the rules of Kubernetes and with the rhythm of Azure Container Apps.
package probes

import (
	"context"
	"errors"
)

// Prober keeps one worker for each probe that should be running.
type Prober struct {
	checker Checker
	report  func(Report)
}

// New returns a Prober that makes its attempts with c and tells report about
// them.
//
// report is called from the worker of its target: reports of one Key come one
// at a time and in order, those of different Keys concurrently. A slow report
// delays that probe and no other.
func New(c Checker, report func(Report)) *Prober {
	return &Prober{checker: c, report: report}
}

// Run probes until ctx ends; it returns when every worker has.
func (p *Prober) Run(ctx context.Context) error {
	return errors.ErrUnsupported
}

// Set replaces the list of probes that should be running. It never blocks and
// may be called before Run and from any goroutine, a report included.
func (p *Prober) Set(targets []Target) {}
