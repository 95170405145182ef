package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/spf13/cobra"
)

// exitTimeout is the exit code of a wait that was in vain.
const exitTimeout = 3

func newWaitCommand(s Streams) *cobra.Command {
	var w client.Wait
	var what string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "wait [APP]",
		Short: "Wait until apps are ready, or a line is in the logs",
		Long: `Wait for one of these, by --for:

  ready              the latest revision of all apps, or of APP, is ready
  revision[=NAME]    that revision is, by its name or its suffix
  log=TEXT           a console line or event contains TEXT; lines from before count
  query=KQL          a query over the log tables has a row

A revision that is scaled to zero is ready: it answers the next request. The exit
code is 0 when it is so, 1 when waiting is no use because the revision has failed
or no environment runs, 2 for a misuse, and 3 when the time is over.`,
		Example: `  acalocal wait
  acalocal wait web --for revision=v2 --timeout 30s
  acalocal wait --for 'log=listening on'
  acalocal wait --for 'query=ContainerAppHTTPLogs | where StatusCode >= 500'`,
		Args:              maximumNArgs(1),
		ValidArgsFunction: completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				w.App = args[0]
			}
			if err := readWait(what, &w); err != nil {
				return err
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			answer, err := c.Wait(cmd.Context(), w)
			if err != nil {
				return waitError(err)
			}
			if asJSON {
				return writeJSON(s.Out, answer)
			}
			for _, revision := range answer.Revisions {
				if _, err := fmt.Fprintln(s.Out, revision); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&what, "for", "ready", "ready, revision[=NAME], log=TEXT or query=KQL")
	f.DurationVar(&w.Timeout, "timeout", time.Minute, "how long to wait, up to 1h")
	f.BoolVar(&asJSON, "json", false, "print what was waited for as JSON")
	completeWords(cmd, "for", "ready", "revision=", "log=", "query=")
	return cmd
}

// readWait takes --for apart.
func readWait(what string, w *client.Wait) error {
	kind, value, given := strings.Cut(what, "=")
	switch {
	case kind == "ready" && !given:
		w.For = "ready"
	case kind == "revision":
		w.For, w.Revision = "revision", value
	case kind == "log" && value != "":
		w.For, w.Text = "log", value
	case kind == "query" && value != "":
		w.For, w.Query = "log", value
	default:
		return misuse(fmt.Errorf("--for %s: it is ready, revision[=NAME], log=TEXT or query=KQL", what), `see "acalocal wait --help"`)
	}
	if w.Timeout <= 0 || w.Timeout > time.Hour {
		return misuse(fmt.Errorf("--timeout %s: it is above 0 and up to 1h", w.Timeout), `see "acalocal wait --help"`)
	}
	return nil
}

// waitError gives a wait that was in vain its own exit code. The code of the
// API says nothing to people.
func waitError(err error) error {
	var e *client.Error
	if !errors.As(err, &e) {
		return notRunning(err)
	}
	message := errors.New(e.Detail.Message)
	hint := e.Hint()
	if hint == "" {
		hint = `"acalocal explain" says why`
	}
	switch e.Detail.Code {
	case "RequestTimeout":
		return &hinted{message, hint, exitTimeout}
	case "RevisionNotReady":
		return &hinted{message, hint, exitFailed}
	}
	return err
}
