// Package cli is the command line of acalocal.
//
// Rules of its output: stdout is the answer and nothing else; stderr is
// progress, warnings and hints. Help that was asked for goes to stdout, usage
// after a mistake to stderr. Exit codes are 0 done, 1 failed, 2 misuse. An
// error says what is wrong, where, and what to do about it:
//
//	acalocal: no environment is running
//	hint: start one with "acalocal up"
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/spf13/cobra"
)

// Streams are the standard streams a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Exit codes of the program.
const (
	exitDone   = 0
	exitFailed = 1
	exitMisuse = 2
)

// commands lists every command of the program: one file and one line each.
var commands = []func(Streams) *cobra.Command{
	newUpCommand,
	newDownCommand,
	newInitCommand,
	newCheckCommand,
	newConfigCommand,
	newSchemaCommand,
	newStatusCommand,
	newAppCommand,
	newRevisionCommand,
	newReplicaCommand,
	newIngressCommand,
	newEnvCommand,
	newUpdateCommand,
	newSecretCommand,
	newCreateCommand,
	newShowCommand,
	newListCommand,
	newDeleteCommand,
	newLogsCommand,
	newAPICommand,
	newExplainCommand,
	newTimelineCommand,
	newCaptureCommand,
	newReplayCaptureCommand,
	newRequestsCommand,
	newExecCommand,
	newRestartCommand,
	newVerifyCommand,
	newRunCommand,
	newServeCommand,
	newWaitCommand,
	newFaultCommand,
	newScaleCommand,
	newMetricsCommand,
	newEdgeCommand,
	newTrustCommand,
	newUntrustCommand,
	newKQLCommand,
	newDoctorCommand,
	newVersionCommand,
	newDaemonCommand,
}

// Main runs the command named by args and returns the exit code.
func Main(ctx context.Context, args []string, s Streams) int {
	root := newRootCommand(s)
	args = azArguments(args)
	root.SetArgs(args)
	err := notHere(root, args)
	if err == nil {
		err = root.ExecuteContext(ctx)
	}
	if err == nil {
		return exitDone
	}
	return report(s.Err, err)
}

func newRootCommand(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "acalocal",
		Short:         "Azure Container Apps on your own machine",
		Args:          noSubcommand,
		RunE:          showHelp,
		SilenceErrors: true,
		SilenceUsage:  true,

		PersistentPreRunE: sayUnused,
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return misuse(err, fmt.Sprintf("see %q", cmd.CommandPath()+" --help"))
	})
	addEnvironmentFlag(root)
	for _, newCommand := range commands {
		root.AddCommand(newCommand(s))
	}
	takeAzFlags(root)
	groupCommands(root)
	return root
}

// hinted is an error that knows what the user can do about it.
type hinted struct {
	err  error
	hint string
	code int
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

// failed returns err with a hint; the program exits with code 1.
func failed(err error, hint string) error { return &hinted{err, hint, exitFailed} }

// misuse returns err with a hint; the program exits with code 2.
func misuse(err error, hint string) error { return &hinted{err, hint, exitMisuse} }

// errSilent says the command has already printed all there is to say.
var errSilent = errors.New("")

// hinter is an error from elsewhere that knows what to do about it.
type hinter interface{ Hint() string }

// hintOf returns the hint in err's chain, or "".
func hintOf(err error) string {
	var h *hinted
	var c *container.Error
	var o hinter
	switch {
	case errors.As(err, &h):
		return h.hint
	case errors.As(err, &c):
		return c.Hint
	case errors.As(err, &o):
		return o.Hint()
	}
	return ""
}

// exitCodeOf returns the exit code err stands for.
func exitCodeOf(err error) int {
	var h *hinted
	var e errExit
	var answer *client.Error
	switch {
	case errors.As(err, &e):
		return int(e)
	case errors.As(err, &h):
		return h.code
	case errors.As(err, &answer) && answer.ExitCode() != 0:
		return answer.ExitCode()
	case errors.As(err, &answer) && answer.Misuse():
		return exitMisuse
	}
	return exitFailed
}

// report prints err with its hint and returns the exit code it stands for.
func report(w io.Writer, err error) int {
	var e errExit
	if errors.Is(err, errSilent) || errors.As(err, &e) {
		return exitCodeOf(err)
	}
	fmt.Fprintf(w, "acalocal: %v\n", err)
	if hint := hintOf(err); hint != "" {
		fmt.Fprintf(w, "hint: %s\n", hint)
	}
	return exitCodeOf(err)
}
