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
	newVersionCommand,
}

// Main runs the command named by args and returns the exit code.
func Main(ctx context.Context, args []string, s Streams) int {
	root := newRootCommand(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	return report(s.Err, err)
}

func newRootCommand(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:           "acalocal",
		Short:         "Azure Container Apps on your own machine",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return misuse(err, fmt.Sprintf("see %q", cmd.CommandPath()+" --help"))
	})
	for _, newCommand := range commands {
		root.AddCommand(newCommand(s))
	}
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

// report prints err with its hint and returns the exit code it stands for.
func report(w io.Writer, err error) int {
	if errors.Is(err, errSilent) {
		return exitFailed
	}
	fmt.Fprintf(w, "acalocal: %v\n", err)
	var h *hinted
	if !errors.As(err, &h) {
		return exitFailed
	}
	if h.hint != "" {
		fmt.Fprintf(w, "hint: %s\n", h.hint)
	}
	return h.code
}
