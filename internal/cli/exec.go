package cli

import (
	"context"
	"fmt"
	"os"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

func newExecCommand(s Streams) *cobra.Command {
	var t targetFlags
	var command string
	cmd := &cobra.Command{
		Use:   "exec [APP] [-- COMMAND [ARG...]]",
		Short: "Run a command in a running container",
		Long: `Run a command in a container: in a terminal an interactive session, in a pipe
with plain input and output. The exit code is the command's own, 127 when the
image has no such program and 126 when it cannot be run, as in a shell.

--command is split into words as a shell would split them, quotes included; no
shell runs it. Words behind "--" are taken as they are.`,
		Example: `  acalocal exec -n web
  acalocal exec -n web --command "python3 --version"
  tar c . | acalocal exec -n web -- tar x -C /tmp`,
		ValidArgsFunction: completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			words, err := t.takeCommand(cmd, args, command)
			if err != nil {
				return err
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			return runExec(cmd.Context(), s, c, t, words)
		},
	}
	t.bindApp(cmd)
	t.bindContainer(cmd)
	cmd.Flags().StringVar(&command, "command", "", `the command to run (default "sh")`)
	return cmd
}

// takeCommand reads the app and the command from arguments and --command.
func (t *targetFlags) takeCommand(cmd *cobra.Command, args []string, command string) ([]string, error) {
	var words []string
	if dash := cmd.ArgsLenAtDash(); dash >= 0 {
		args, words = args[:dash], args[dash:]
	}
	if err := maximumNArgs(1)(cmd, args); err != nil {
		return nil, err
	}
	if err := t.takeApp(cmd, args); err != nil {
		return nil, err
	}
	switch {
	case command == "" && len(words) == 0:
		return []string{"sh"}, nil
	case command == "":
		return words, nil
	case len(words) > 0:
		return nil, misuse(fmt.Errorf("the command is given twice, by --command and behind --"), "leave one of them out")
	}
	words, err := splitWords(command)
	if err != nil {
		return nil, misuse(fmt.Errorf("--command %q: %w", command, err), "close the quote, or put the words behind \"--\"")
	}
	return words, nil
}

// runExec runs the command with this process's streams, as a terminal session
// if they are one.
func runExec(ctx context.Context, s Streams, c *client.Client, t targetFlags, words []string) error {
	spec := container.ExecSpec{Command: words, Stdin: s.In, Stdout: s.Out, Stderr: s.Err}
	in, out, ok := terminal(s)
	if ok {
		restore, err := enterTerminal(ctx, &spec, in, out)
		if err != nil {
			return err
		}
		defer restore()
	}
	info := func(text string) {
		if ok {
			fmt.Fprintf(s.Err, "INFO: %s\r\nUse ctrl + D to exit.\r\n", text)
		}
	}
	code, err := c.Exec(ctx, t.ExecTarget, spec, info)
	if err != nil {
		return notRunning(err)
	}
	if code != 0 {
		return exitCode(code)
	}
	return nil
}

// terminal returns the files of a stdin and stdout that are both a terminal.
func terminal(s Streams) (in, out *os.File, ok bool) {
	in, inOK := s.In.(*os.File)
	out, outOK := s.Out.(*os.File)
	ok = inOK && outOK && term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(out.Fd()))
	return in, out, ok
}

// enterTerminal makes every key reach the container and tells it the size of
// the window. The function it returns puts everything back.
func enterTerminal(ctx context.Context, spec *container.ExecSpec, in, out *os.File) (restore func(), err error) {
	state, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, fmt.Errorf("put the terminal into raw mode: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	size := func() (container.Size, bool) {
		w, h, err := term.GetSize(int(out.Fd()))
		return container.Size{Width: uint(w), Height: uint(h)}, err == nil
	}
	if s, ok := size(); ok {
		spec.Width, spec.Height = s.Width, s.Height
	}
	spec.TTY = true
	var wait func()
	spec.Resize, wait = watchSize(ctx, size)
	return func() {
		cancel()
		wait()
		// Nothing is left to be done about a terminal that cannot be restored.
		_ = term.Restore(int(in.Fd()), state)
	}, nil
}

// errExit is the exit code of a command that ran and failed.
type errExit int

func (e errExit) Error() string { return fmt.Sprintf("the command ended with exit code %d", int(e)) }

// exitCode makes the program end with the code of what it ran.
func exitCode(code int) error { return errExit(code) }

// sendSize hands a size over unless the session ends first.
func sendSize(ctx context.Context, out chan<- container.Size, s container.Size) {
	select {
	case out <- s:
	case <-ctx.Done():
	}
}
