package cli

import (
	"github.com/acalocal/acalocal/emulator"
	rolling "github.com/acalocal/acalocal/internal/rollout"
)

// verdict is what can be said about a roll-out so far.
type verdict = rolling.Verdict

const (
	rollingOut = rolling.Underway
	rolledOut  = rolling.Ready
	failing    = rolling.Failing
)

// judge says how the roll-out of a revision is doing.
func judge(app *emulator.App, revision string) verdict { return rolling.Judge(app, revision) }

// describeState says where a revision stands, in ACA's words.
func describeState(app *emulator.App, revision string) string { return rolling.Describe(app, revision) }
