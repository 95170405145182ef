package cli

import (
	"errors"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/acalocal/acalocal/internal/evidence"
	"github.com/acalocal/acalocal/internal/timeline"
)

func newTimelineCommand(s Streams) *cobra.Command {
	var t targetFlags
	var asJSON, asSVG bool
	var width int
	cmd := &cobra.Command{
		Use:   "timeline [REVISION|APP]",
		Short: "Draw the life of a revision to scale",
		Long: `Draw when the replicas of a revision were pulled, created, started, ready,
restarted and stopped, each attempt of a probe, and the requests, to scale and
as wide as the terminal.

The platform writes no row for a probe that passes: of those, the newest 256 of
each probe since the daemon began are shown. Failures are shown from the system
log, however old.`,
		Example: `  acalocal timeline
  acalocal timeline web--k3x1abc --svg > life.svg
  acalocal timeline web --json | jq '.lanes[].name'`,
		Args:              maximumNArgs(1),
		ValidArgsFunction: completeAppsAndRevisions,
		RunE: func(cmd *cobra.Command, args []string) error {
			if asJSON && asSVG {
				return misuse(errors.New("--json and --svg are two forms of one answer"), "leave one of them out")
			}
			tl, err := buildTimeline(cmd, &t, args)
			switch {
			case err != nil:
				return err
			case asJSON:
				return writeJSON(s.Out, tl)
			case asSVG:
				_, err = io.WriteString(s.Out, tl.SVG())
				return err
			}
			_, err = io.WriteString(s.Out, tl.Draw(timeline.Style{Width: columns(s.Out, width), Colour: wantsColour(s.Out)}))
			return err
		},
	}
	t.bindApp(cmd)
	t.bindRevision(cmd)
	f := cmd.Flags()
	f.BoolVar(&asJSON, "json", false, "print lanes, spans and marks as JSON")
	f.BoolVar(&asSVG, "svg", false, "print a picture that stands by itself")
	f.IntVar(&width, "width", 0, "columns to draw in (default: those of the terminal, else $COLUMNS, else 100)")
	return cmd
}

func buildTimeline(cmd *cobra.Command, t *targetFlags, args []string) (timeline.Timeline, error) {
	app, revision, err := findSubject(cmd, t, args)
	if err != nil {
		return timeline.Timeline{}, err
	}
	c, err := connect(cmd)
	if err != nil {
		return timeline.Timeline{}, err
	}
	in := timeline.Input{App: app.Name, Revision: revision, Now: time.Now()}
	if in.Rows, err = evidence.SystemRows(cmd.Context(), asker(c), app.Name, revision); err != nil {
		return timeline.Timeline{}, notRunning(err)
	}
	if in.Requests, err = evidence.RequestTimes(cmd.Context(), asker(c), app.Name, revision); err != nil {
		return timeline.Timeline{}, notRunning(err)
	}
	if in.Attempts, err = c.ProbeAttempts(cmd.Context(), revision); err != nil {
		return timeline.Timeline{}, notRunning(err)
	}
	info, err := c.Info(cmd.Context())
	if err != nil {
		return timeline.Timeline{}, notRunning(err)
	}
	in.Scale = info.TimeScale
	return timeline.Build(in), nil
}

// columns is how wide to write: what the user said, the terminal's width, the
// shell's word for it, or 100.
func columns(w io.Writer, asked int) int {
	if asked > 0 {
		return asked
	}
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return 100
}
