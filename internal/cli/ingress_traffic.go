package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/cli/change"
	"github.com/spf13/cobra"
)

// newTrafficEdit is a command that changes the traffic of an app and prints it.
// The caller adds flags and binds the edit.
func newTrafficEdit(s Streams, use, short, example string, f func(*emulator.App, []aca.TrafficWeight) ([]aca.TrafficWeight, error)) (*cobra.Command, *edit) {
	e := &edit{}
	return &cobra.Command{
		Use: use, Short: short, Example: example, Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			done, err := e.run(cmd, s, func(app *emulator.App, definition *aca.ContainerApp) error {
				in, err := ingressOf(definition)
				if err != nil {
					return err
				}
				in.Traffic, err = f(app, in.Traffic)
				return err
			})
			if err != nil {
				return err
			}
			return answerTraffic(s, done.before, trafficOf(done.ingress()), &e.output)
		},
	}, e
}

func newTrafficSetCommand(s Streams) *cobra.Command {
	var revisions, labels []string
	cmd, e := newTrafficEdit(s, "set", "Divide the requests among revisions",
		"  acalocal ingress traffic set --revision-weight web--0000001=80 latest=20\n  acalocal ingress traffic set --label-weight green=100",
		func(app *emulator.App, traffic []aca.TrafficWeight) ([]aca.TrafficWeight, error) {
			if err := needMultiple(app, weightsInSingle); err != nil {
				return nil, err
			}
			set, err := readWeights(s.Err, app, traffic, revisions, labels)
			if err != nil {
				return nil, err
			}
			out, err := change.Traffic(traffic, set)
			if err != nil {
				return nil, failed(err, "see what there is with \"acalocal ingress traffic show\"")
			}
			warnDown(s.Err, app, out)
			return out, nil
		})
	cmd.Long = `Divide the requests among revisions. What is not named is scaled so that all
sums to 100; weights above 100 are refused. A revision that is down keeps its
share: its requests wait and time out, nothing fails over, as on Azure.`
	cmd.Flags().StringArrayVar(&revisions, "revision-weight", nil, "REVISION=PERCENT ...; latest is the latest ready one")
	cmd.Flags().StringArrayVar(&revisions, "traffic-weight", nil, "az's old name of --revision-weight")
	cmd.Flags().Lookup("traffic-weight").Hidden = true
	cmd.Flags().StringArrayVar(&labels, "label-weight", nil, "LABEL=PERCENT ...")
	e.bind(cmd)
	return cmd
}

// readWeights reads the two flags; revisions must be there. Of a revision that
// is given by its label, too, the weight by its name counts, as in az.
func readWeights(w io.Writer, app *emulator.App, traffic []aca.TrafficWeight, revisions, labels []string) ([]change.Weight, error) {
	if len(revisions)+len(labels) == 0 {
		return nil, misuse(change.ErrNoTraffic, "give --revision-weight REVISION=PERCENT or --label-weight LABEL=PERCENT")
	}
	set, err := change.ParseWeights(revisions, false)
	if err != nil {
		return nil, misuse(err, "write --revision-weight REVISION=PERCENT")
	}
	byLabel, err := change.ParseWeights(labels, true)
	if err != nil {
		return nil, misuse(err, "write --label-weight LABEL=PERCENT")
	}
	byName := map[string]bool{}
	for i := range set {
		set[i].Name = strings.ToLower(set[i].Name)
		if byName[set[i].Name] = true; set[i].Name == "latest" {
			continue
		}
		if _, err := needRevision(app, set[i].Name); err != nil {
			return nil, err
		}
	}
	for _, l := range byLabel {
		if holder, _ := change.LabelHolder(traffic, l.Name); byName[holder] {
			fmt.Fprintf(w, "warning: Already passed value for revision %s, will not overwrite with %s=%d.\n", holder, l.Name, l.Percent)
			continue
		}
		set = append(set, l)
	}
	return set, nil
}

// warnDown names revisions that get requests and cannot answer: Azure sends
// them all the same (observed).
func warnDown(w io.Writer, app *emulator.App, traffic []aca.TrafficWeight) {
	for _, t := range traffic {
		rev := app.Revision(t.RevisionName)
		if t.Weight == 0 || rev == nil || anyReady(rev) || rev.Properties.RunningState == "ScaledToZero" {
			continue
		}
		if !rev.Properties.Active {
			fmt.Fprintf(w, "warning: %s gets %d%% of the requests and is not active: they are answered with 404, nothing fails over\n", rev.Name, t.Weight)
			continue
		}
		state := rev.Properties.RunningState
		fmt.Fprintf(w, "warning: %s gets %d%% of the requests and is %s: they wait and time out, nothing fails over\n", rev.Name, t.Weight, state)
	}
}

func anyReady(rev *emulator.Revision) bool {
	for _, r := range rev.Replicas {
		if r.Ready && !r.Draining {
			return true
		}
	}
	return false
}

func newTrafficShowCommand(s Streams) *cobra.Command {
	var t targetFlags
	var o output
	cmd := &cobra.Command{
		Use: "show", Short: "Show how the requests are divided", Example: "  acalocal ingress traffic show", Args: maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			app, err := findApp(cmd, t.App)
			if err != nil {
				return err
			}
			in, err := ingressOf(app.Clone())
			if err != nil {
				return err
			}
			return answerTraffic(s, app, in.Traffic, &o)
		},
	}
	t.bindApp(cmd)
	o.bind(cmd, "print the list as JSON")
	return cmd
}

func answerTraffic(s Streams, app *emulator.App, traffic []aca.TrafficWeight, o *output) error {
	if !o.asText() {
		return o.write(s.Out, orEmpty(traffic))
	}
	t := newTable("REVISION", "WEIGHT", "LABEL")
	for _, w := range traffic {
		name := w.RevisionName
		if w.LatestRevision {
			name = "latest"
			if ready := app.Properties.LatestReadyRevisionName; ready != "" {
				name += " (" + ready + ")"
			}
		}
		t.add(name, fmt.Sprintf("%d%%", w.Weight), w.Label)
	}
	return t.write(s.Out)
}
