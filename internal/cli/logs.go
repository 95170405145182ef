package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/spf13/cobra"
)

func newLogsCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{Use: "logs", Short: "Read and query logs", Args: noSubcommand, RunE: showHelp}
	cmd.AddCommand(newLogsShowCommand(s), newLogsQueryCommand(s), newLogsPageCommand(s), newLogsExportCommand(s), newLogsImportCommand(s))
	return cmd
}

func newLogsShowCommand(s Streams) *cobra.Command {
	var t targetFlags
	var o client.LogsOptions
	var format, kind string
	cmd := &cobra.Command{
		Use:   "show [APP]",
		Short: "Show the console or system log of an app, as az prints it",
		Long: `Show the console log of one container, or the system log of an app, in the
formats of "az containerapp logs show".`,
		Example: `  acalocal logs show -n web --follow
  acalocal logs show -n web --type system --tail 50
  acalocal logs show -n web --format text`,
		Args:              maximumNArgs(1),
		ValidArgsFunction: completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.takeApp(cmd, args); err != nil {
				return err
			}
			if err := checkLogsFlags(kind, format, o.Tail); err != nil {
				return err
			}
			o.Target, o.System, o.Text = t.ExecTarget, kind == "system", format == "text"
			return copyLogs(cmd, s.Out, o)
		},
	}
	t.bindApp(cmd)
	t.bindContainer(cmd)
	f := cmd.Flags()
	f.StringVarP(&kind, "type", "t", "console", "console or system")
	f.BoolVar(&o.Follow, "follow", false, "go on with new lines as they come")
	f.IntVar(&o.Tail, "tail", 20, "how many past lines to print, 0 to 300")
	f.StringVar(&format, "format", "json", "json or text")
	f.Bool("json", true, "same as --format json, the default")
	completeWords(cmd, "type", "console", "system")
	completeWords(cmd, "format", "json", "text")
	return cmd
}

func checkLogsFlags(kind, format string, tail int) error {
	switch {
	case kind != "console" && kind != "system":
		return misuse(fmt.Errorf("--type %s is neither console nor system", kind), "use --type console or --type system")
	case format != "json" && format != "text":
		return misuse(fmt.Errorf("--format %s is neither json nor text", format), "use --format json or --format text")
	case tail < 0 || tail > 300:
		return misuse(fmt.Errorf("--tail must be between 0 and 300"), "for older lines, use \"acalocal logs query\"")
	}
	return nil
}

func copyLogs(cmd *cobra.Command, w io.Writer, o client.LogsOptions) error {
	c, err := connect(cmd)
	if err != nil {
		return err
	}
	body, err := c.Logs(cmd.Context(), o)
	if err != nil {
		return notRunning(err)
	}
	defer body.Close()
	_, err = io.Copy(w, body)
	return endOfStream(cmd, err, o.Follow)
}

// endOfStream is what a command that follows returns when its answer has
// ended: nil when the environment ended in order.
func endOfStream(cmd *cobra.Command, err error, follow bool) error {
	switch {
	case errors.Is(err, client.ErrDied):
		e, eerr := environment(cmd)
		if eerr != nil {
			return err
		}
		return daemonDied(e)
	case err != nil || !follow || cmd.Context().Err() != nil:
		return err
	}
	fmt.Fprintln(cmd.ErrOrStderr(), "the environment has ended")
	return nil
}

// completeWords offers a flag's fixed values.
func completeWords(cmd *cobra.Command, flag string, values ...string) {
	// The error is only about a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}
