package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/logsink"
	"github.com/spf13/cobra"
)

// withLogs calls do with a client for the logs of an environment: of its daemon
// or, where none runs, of the log store on disk. With create there need be no
// store yet.
func withLogs(cmd *cobra.Command, warnings io.Writer, create bool, do func(*client.Client) error) error {
	e, err := environment(cmd)
	if err != nil {
		return err
	}
	_, absent := os.Stat(e.Logs())
	if isRunning(cmd.Context(), e) || absent != nil && !create {
		return do(client.New(e)) // which says so when none runs
	}
	if create {
		if err := e.Create(); err != nil {
			return err
		}
	}
	handler, store, err := daemon.OfflineLogs(e, func(p logsink.Problem) { fmt.Fprintf(warnings, "warning: %s: %s\n", p.File, p.What) })
	if err != nil {
		return err
	}
	c, end := client.Local(handler)
	return errors.Join(do(c), end(), store.Close())
}
