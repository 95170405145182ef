package cli

import (
	"fmt"
	"io"

	"github.com/acalocal/acalocal/emulator"
	"github.com/spf13/cobra"
)

func newStatusCommand(s Streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "status",
		Aliases: []string{"ps"},
		Short:   "Show the apps, their active revisions and where to reach them",
		Long: `Show the apps of the environment with their active revisions, in the words of
Azure Container Apps, and the loopback address that stands for each app's
https address. An app that does not answer is followed by the reason.`,
		Example: `  acalocal status
  acalocal status --json | jq -r '.apps[].local.url'`,
		Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			snap, err := c.Snapshot(cmd.Context())
			if err != nil {
				return notRunning(err)
			}
			if asJSON {
				return writeJSON(s.Out, snap)
			}
			return writeStatus(s.Out, snap)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the whole state as JSON")
	return cmd
}

// writeStatus prints one row for each active revision, then what is wrong.
func writeStatus(w io.Writer, snap *emulator.Snapshot) error {
	if len(snap.Apps) == 0 {
		_, err := fmt.Fprintf(w, "environment %s has no app\n", snap.Environment)
		return err
	}
	t := newTable("APP", "REVISION", "HEALTH", "RUNNING", "REPLICAS", "TRAFFIC", "URL")
	for i := range snap.Apps {
		addStatusRows(t, &snap.Apps[i])
	}
	if err := t.write(w); err != nil {
		return err
	}
	if err := addStatusRoutes(w, snap); err != nil {
		return err
	}
	if err := writeProblems(w, snap); err != nil {
		return err
	}
	if err := writeRouteProblems(w, snap); err != nil {
		return err
	}
	return writeAPI(w, snap)
}

// writeAPI says where the API is.
func writeAPI(w io.Writer, snap *emulator.Snapshot) error {
	if snap.API == "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "\nAPI and log page at %s (acalocal api, acalocal logs page)\n", snap.API)
	return err
}

func addStatusRows(t *table, app *emulator.App) {
	shown := false
	for i := range app.Revisions {
		rev := &app.Revisions[i]
		if !rev.Properties.Active {
			continue
		}
		p := rev.Properties
		t.add(app.Name, rev.Name, p.HealthState, p.RunningState, readyOf(rev), fmt.Sprintf("%d%%", rev.Serving), app.Local.URL)
		shown = true
	}
	if !shown {
		t.add(app.Name, "", "", app.Properties.RunningStatus, "0/0", "0%", app.Local.URL)
	}
}

// readyOf says how many of a revision's replicas are ready: "1/2".
func readyOf(rev *emulator.Revision) string {
	ready := 0
	for _, rep := range rev.Replicas {
		if rep.Ready {
			ready++
		}
	}
	return fmt.Sprintf("%d/%d", ready, len(rev.Replicas))
}

func writeProblems(w io.Writer, snap *emulator.Snapshot) error {
	for _, app := range snap.Apps {
		if app.Local.Problem != "" {
			if _, err := fmt.Fprintf(w, "\n%s: %s\n", app.Name, app.Local.Problem); err != nil {
				return err
			}
		}
		if app.Local.RestartPending {
			_, err := fmt.Fprintf(w, "\n%s: a secret has changed; restart the app for it to take effect: acalocal restart %s\n", app.Name, app.Name)
			if err != nil {
				return err
			}
		}
	}
	return nil
}
