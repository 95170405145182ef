// Package runtimetest holds every container.Runtime to its contract: the one
// in memory and the real engine run the same suite.
package runtimetest

import (
	"context"
	"testing"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

// Subject is a runtime to examine.
type Subject struct {
	Runtime container.Runtime
	// Env is an environment that does not exist yet and that the suite may
	// make and remove.
	Env string
	// Image returns the name of the image that runs one of Programs.
	Image func(program string) string
	// Exec is the command to run inside a container that writes "out" to
	// standard output, "err" to standard error and ends with code 5; nil when
	// the runtime cannot run commands.
	Exec []string
}

// Run examines the runtime that newSubject makes, afresh for each rule.
func Run(t *testing.T, newSubject func(t *testing.T) Subject) {
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			s := newSubject(t)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			t.Cleanup(cancel)
			b := &bench{T: t, Subject: s, ctx: ctx}
			b.must("ensure environment", s.Runtime.EnsureEnvironment(ctx, s.Env))
			t.Cleanup(func() {
				// The test's own context has ended by now.
				if err := s.Runtime.RemoveEnvironment(context.WithoutCancel(ctx), s.Env); err != nil {
					t.Error("remove environment:", err)
				}
			})
			rule.check(b)
		})
	}
}

// rules lists what every runtime must do: a sentence and its check.
var rules = []struct {
	name  string
	check func(*bench)
}{
	{"ensuring an environment twice is no error", ensuresTwice},
	{"a replica shares the namespace of its holder", sharesNamespace},
	{"a container needs the holder of its replica", needsHolder},
	{"creating the same container twice returns the same", createsOnce},
	{"a name taken with other labels is a conflict", conflicts},
	{"the labels of a container come back", labelsReturn},
	{"starting what runs is no error", startsOnce},
	{"a program that ends is listed with its code and times", exitIsListed},
	{"what a running container uses is read, what has ended uses nothing", readsStats},
	{"what a container has written is read, also after its end", readsWritten},
	{"a command that is not there is a create failure", brokenCommand},
	{"stop lets a program end by itself", stopIsGraceful},
	{"stop kills what ignores it after the grace", stopKills},
	{"a grace of zero kills at once", stopAtOnce},
	{"stopping and removing what is not there is no error", goneIsGone},
	{"removing kills what runs", removeKills},
	{"a new attempt keeps the namespace", restartKeepsNamespace},
	{"output is read in order to the end", logsInOrder},
	{"output is read from a time on", logsSince},
	{"events hint at what changes", eventsHint},
	{"events end with their context", eventsEnd},
	{"commands run inside a container", execs},
	{"probes are made from inside", checks},
	{"listeners are told apart by loopback", listeners},
	{"connections are made from inside", dials},
	{"a missing image is told apart", imageMissing},
	{"removing an environment leaves nothing", removesAll},
}
