package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/client"
)

func newRequestsCommand(s Streams) *cobra.Command {
	var t targetFlags
	var o client.RequestsOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "requests [APP]",
		Short: "Show what the edge did with each request, and why",
		Long: `Show what the edge did with each request: which revision and replica got it
and why, the status, Envoy's response flag, and where the time went: held until
a replica was ready, connecting to it, until the first byte of the answer, in
all. One that waited for an app at zero names the cold start and its parts. The
same is in the table ContainerAppHTTPLogs ("acalocal logs query"), in Azure's
columns and, at the end, ours: RevisionWhy, ReplicaWhy, Reason, HeldDuration,
ConnectDuration, FirstByteDuration, TraceId.`,
		Example: `  acalocal requests --follow
  acalocal requests web --tail 100 --json
  acalocal logs query 'ContainerAppHTTPLogs | summarize count() by RevisionName, RevisionWhy'
  acalocal requests replay 42 --to web--0000001,web--0000002`,
		Args:              maximumNArgs(1),
		ValidArgsFunction: completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := t.takeApp(cmd, args); err != nil {
				return err
			}
			o.App = t.App
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			return showRequests(cmd, s, c, o, asJSON)
		},
	}
	t.bindApp(cmd)
	cmd.Flags().IntVar(&o.Tail, "tail", 20, "how many of the past requests to show, 0 to 4096")
	cmd.Flags().BoolVarP(&o.Follow, "follow", "f", false, "go on with the requests to come")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	cmd.AddCommand(newReplayCommand(s))
	return cmd
}

func showRequests(cmd *cobra.Command, s Streams, c *client.Client, o client.RequestsOptions, asJSON bool) error {
	for r, err := range c.Requests(cmd.Context(), o) {
		if err != nil {
			return endOfStream(cmd, notRunning(err), o.Follow)
		}
		if asJSON {
			if err := json.NewEncoder(s.Out).Encode(r); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintln(s.Out, requestLine(r)); err != nil {
			return err
		}
	}
	return endOfStream(cmd, nil, o.Follow)
}

// requestLine is a request for people: what, answer, where and why, time.
func requestLine(r api.Request) string {
	var b strings.Builder
	if r.Lost > 0 {
		fmt.Fprintf(&b, "… %d requests are missing here\n", r.Lost)
	}
	what := fmt.Sprintf("%s %s%s %d", r.Method, r.Host, r.Path, r.Status)
	if r.Listener == string(ingress.TCP) {
		what = fmt.Sprintf("TCP %s, %d bytes in, %d out", r.App, r.Received, r.Sent)
	}
	fmt.Fprintf(&b, "%-5d %s %s", r.ID, r.Time.Local().Format("15:04:05.000"), what)
	if r.Flag != "" {
		fmt.Fprintf(&b, " %s (%s)", r.Flag, r.Reason)
	}
	if r.Revision != "" {
		fmt.Fprintf(&b, " → %s (%s)", r.Revision, r.RevisionWhy)
	}
	if r.Replica != "" {
		fmt.Fprintf(&b, " %s (%s)", strings.TrimPrefix(r.Replica, r.Revision), r.ReplicaWhy)
	}
	if r.Tries > 1 {
		fmt.Fprintf(&b, " tries %d", r.Tries)
	}
	fmt.Fprintf(&b, " %.1f ms", r.Total)
	if parts := requestParts(r); parts != "" {
		fmt.Fprintf(&b, " (%s)", parts)
	}
	if c := r.ColdStart; c != nil {
		fmt.Fprintf(&b, " cold start %.0f ms (schedule %.0f, create %.0f, boot %.0f, probes %.0f)",
			c.Schedule+c.Create+c.Boot+c.Probes, c.Schedule, c.Create, c.Boot, c.Probes)
	}
	return b.String()
}

// requestParts says where the time of a request went, as far as it went
// anywhere but to the app.
func requestParts(r api.Request) string {
	var parts []string
	for _, p := range []struct {
		name string
		ms   float64
	}{{"held", r.Hold}, {"connect", r.Connect}, {"first byte", r.FirstByte}} {
		if p.ms > 0 {
			parts = append(parts, fmt.Sprintf("%s %.1f", p.name, p.ms))
		}
	}
	return strings.Join(parts, ", ")
}

func newReplayCommand(s Streams) *cobra.Command {
	var to []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "replay ID",
		Short: "Send a request again, to other revisions, and compare the answers",
		Long: `Send a request again to one or more revisions, whatever their weights, and
show how each answer differs from the first one. The request is sent for real:
an app that books an order books another one.`,
		Example: `  acalocal requests replay 42 --to web--0000002`,
		Args:    maximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misuse(errors.New("no request to send again"), `"acalocal requests" shows their numbers`)
			}
			id, err := strconv.ParseUint(args[0], 10, 64)
			if err != nil {
				return misuse(fmt.Errorf("%q is not the number of a request", args[0]), `"acalocal requests" shows the numbers`)
			}
			if len(to) == 0 {
				return misuse(fmt.Errorf("no revision to send the request to"), fmt.Sprintf("acalocal requests replay %d --to REVISION", id))
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			out, err := c.Replay(cmd.Context(), api.ReplayBody{ID: id, Revisions: to})
			if err != nil {
				return notRunning(err)
			}
			if asJSON {
				return writeJSON(s.Out, out)
			}
			return showReplay(s, out)
		},
	}
	cmd.Flags().StringSliceVar(&to, "to", nil, "revisions to send it to")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the answers as JSON")
	return cmd
}

func showReplay(s Streams, out api.ReplayAnswer) error {
	fmt.Fprintf(s.Out, "%s %s%s\n", out.Request.Method, out.Request.Host, out.Request.Path)
	fmt.Fprintf(s.Out, "%s answered %d\n", out.Original.Revision, out.Original.Status)
	for _, a := range out.Answers {
		if len(a.Differences) == 0 {
			fmt.Fprintf(s.Out, "%s answered %d, the same\n", a.Revision, a.Status)
			continue
		}
		fmt.Fprintf(s.Out, "%s answered %d:\n", a.Revision, a.Status)
		for _, d := range a.Differences {
			fmt.Fprintf(s.Out, "  %s\n", d)
		}
	}
	return nil
}
