package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/forecast"
)

func newScaleCommand(s Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scale",
		Short: "Find out how an app scales",
		Args:  noSubcommand,
		RunE:  showHelp,
	}
	cmd.AddCommand(newScaleSimulateCommand(s))
	return cmd
}

// simulateFlags are those of "scale simulate".
type simulateFlags struct {
	overrides      config.Overrides
	rps, trace     string
	metrics        []string
	latency, cold  time.Duration
	start          string
	steps          bool
	asJSON, asSVG  bool
	width          int
	app            string
	withoutWhatIfs bool
}

func newScaleSimulateCommand(s Streams) *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate [FILE|DIR]",
		Short: "Say how many replicas a load would bring, without running any",
		Long: `Play a curve of load against the scale rules of a definition, in virtual time and
with the arithmetic the emulator itself decides by. It prints the replicas over
time as a chart and a table, and what halving and doubling each setting would
change.

A curve is made of parts separated by commas: RATE:DURATION holds a rate of
requests per second, FROM-TO:DURATION goes from one to another. A trace is CSV
with a column time (seconds, 90s, or RFC 3339), a column rps, and a column for
each rule that reads a queue or a query, named after the rule. Cron rules go by
--start.

It assumes that a request takes --latency however many there are, and a new
replica --cold-start until it is ready. The same input gives the same output.`,
		Example: `  acalocal scale simulate containerapp.yaml --rps 0-200:10m,200:20m,0:15m
  acalocal scale simulate --rps 5:1h --metric orders=400 --cold-start 20s
  acalocal scale simulate --trace monday.csv --svg > monday.svg`,
		Args: oneDefinition,
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, s, firstArg(args)) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.rps, "rps", "", "the load: RATE:DURATION or FROM-TO:DURATION, separated by commas")
	flags.StringVar(&f.trace, "trace", "", "a CSV file with the load and the metrics of rules over time")
	flags.StringArrayVar(&f.metrics, "metric", nil, "RULE=VALUE: what a rule reads all the time; may be given again")
	flags.DurationVar(&f.latency, "latency", 100*time.Millisecond, "how long a request takes")
	flags.DurationVar(&f.cold, "cold-start", 5*time.Second, "how long a new replica takes until it is ready")
	flags.StringVar(&f.start, "start", "2026-01-05T00:00:00Z", "when the curve begins, for cron rules")
	flags.BoolVar(&f.steps, "steps", false, "limit scale-up to the documented steps 1, 4, 8, 16, 32")
	flags.StringVarP(&f.app, "name", "n", "", "the app (default: the only one there is)")
	flags.BoolVar(&f.asJSON, "json", false, "print points, summary and variants as JSON")
	flags.BoolVar(&f.asSVG, "svg", false, "print a picture that stands by itself")
	flags.IntVar(&f.width, "width", 0, "columns to draw in (default: those of the terminal, else $COLUMNS, else 100)")
	flags.BoolVar(&f.withoutWhatIfs, "no-what-if", false, "leave out what each setting would change")
	flags.Var(optional[int]{&f.overrides.MinReplicas, strconv.Atoi, "n"}, "min-replicas", "in place of the definition's")
	flags.Var(optional[int]{&f.overrides.MaxReplicas, strconv.Atoi, "n"}, "max-replicas", "in place of the definition's")
	bindParameters(cmd, &f.overrides)
	return cmd
}

func (f *simulateFlags) run(cmd *cobra.Command, s Streams, path string) error {
	o, err := f.options()
	if err != nil {
		return err
	}
	f.overrides.SkipCommands, f.overrides.Name = true, f.app
	def, problems := config.Load(cmd.Context(), path, f.overrides)
	if problems.HasErrors() {
		return reportProblems(s, problems)
	}
	app, err := f.choose(def)
	if err != nil {
		return err
	}
	r, err := forecast.Run(app, o)
	if err != nil {
		return simulateError(err)
	}
	if f.asSVG {
		_, err := io.WriteString(s.Out, r.SVG())
		return err
	}
	var variants []forecast.Variant
	if !f.withoutWhatIfs {
		if variants, err = forecast.WhatIf(app, o); err != nil {
			return simulateError(err)
		}
	}
	if f.asJSON {
		return writeJSON(s.Out, struct {
			App string `json:"app"`
			forecast.Result
			WhatIf []forecast.Variant `json:"whatIf,omitempty"`
		}{app.Name, r, variants})
	}
	return f.print(s, r, variants)
}

// options reads the flags.
func (f *simulateFlags) options() (forecast.Options, error) {
	o := forecast.Options{Latency: f.latency, ColdStart: f.cold, Steps: f.steps, Metrics: map[string]float64{}}
	if f.asJSON && f.asSVG {
		return o, misuse(errors.New("--json and --svg are two forms of one answer"), "leave one of them out")
	}
	if f.latency <= 0 || f.cold <= 0 {
		return o, misuse(errors.New("--latency and --cold-start are more than 0"), "write durations such as 100ms and 5s")
	}
	var err error
	if o.Start, err = time.Parse(time.RFC3339, f.start); err != nil {
		return o, misuse(fmt.Errorf("--start: %q is not a time in RFC 3339", f.start), "write it as 2026-01-05T08:00:00Z")
	}
	for _, m := range f.metrics {
		name, text, ok := strings.Cut(m, "=")
		n, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return o, misuse(fmt.Errorf("--metric: %q is not of the form RULE=VALUE", m), "write it as --metric orders=400")
		}
		o.Metrics[name] = n
	}
	o.Curve, err = f.curve()
	return o, err
}

func (f *simulateFlags) curve() (forecast.Curve, error) {
	switch {
	case (f.rps == "") == (f.trace == ""):
		return forecast.Curve{}, misuse(errors.New("the load is not known: give --rps or --trace, and one of them"), "for example --rps 0-100:10m,100:10m,0:10m")
	case f.rps != "":
		c, err := forecast.ParseCurve(f.rps)
		if err != nil {
			return c, misuse(fmt.Errorf("--rps: %w", err), "for example --rps 0-100:10m,100:10m,0:10m")
		}
		return c, nil
	}
	file, err := os.Open(f.trace)
	if err != nil {
		return forecast.Curve{}, misuse(err, "--trace wants a CSV file with the columns time and rps")
	}
	defer file.Close()
	c, err := forecast.ReadTrace(file)
	if err != nil {
		return c, failed(fmt.Errorf("%s: %w", f.trace, err), "see \"acalocal scale simulate --help\" for what a trace holds")
	}
	return c, nil
}

// choose is the app that is meant.
func (f *simulateFlags) choose(def *config.Definition) (*aca.ContainerApp, error) {
	var names []string
	for i := range def.Apps {
		if names = append(names, def.Apps[i].Name); f.app == def.Apps[i].Name || f.app == "" && len(def.Apps) == 1 {
			return def.Apps[i].Effective(), nil
		}
	}
	if f.app == "" {
		return nil, misuse(fmt.Errorf("the definition has %d apps: %s", len(names), strings.Join(names, ", ")), "choose one with --name "+names[0])
	}
	return nil, misuse(fmt.Errorf("the definition has no app %q", f.app), "it has "+strings.Join(names, ", "))
}

func simulateError(err error) error {
	var missing *forecast.NoMetric
	if errors.As(err, &missing) {
		return misuse(err, fmt.Sprintf("say what it reads with --metric %s=VALUE, or in a column %s of --trace", missing.Rule, missing.Rule))
	}
	return failed(err, "")
}

// mostChanges bounds the table: a long trace has the chart and --json.
const mostChanges = 40

func (f *simulateFlags) print(s Streams, r forecast.Result, variants []forecast.Variant) error {
	if _, err := io.WriteString(s.Out, r.Draw(columns(s.Out, f.width))+"\n"); err != nil {
		return err
	}
	changes := newTable("TIME", "REQ/S", "REPLICAS", "READY", "HELD", "RULE")
	all := r.Changes()
	for _, p := range all[:min(len(all), mostChanges)] {
		at := time.Duration(p.Seconds * float64(time.Second)).String()
		changes.add(at, short(p.RPS), strconv.Itoa(p.Replicas), strconv.Itoa(p.Ready), short(p.Held), p.Rule)
	}
	if err := changes.write(s.Out); err != nil {
		return err
	}
	if n := len(all) - mostChanges; n > 0 {
		fmt.Fprintf(s.Out, "and %d more changes; --json prints all\n", n)
	}
	fmt.Fprintln(s.Out)
	effects := newTable("SETTING", "VALUE", "PEAK", "AVERAGE", "REPLICA-HOURS", "COLD STARTS", "HELD", "AT ZERO", "AT MAX")
	addSummary(effects, "as it is", "", r.Summary)
	var idle []string
	for _, v := range variants {
		if value := v.From + " → " + v.To; v.Summary == r.Summary {
			idle = append(idle, v.Setting+" "+value)
		} else {
			addSummary(effects, v.Setting, value, v.Summary)
		}
	}
	if err := effects.write(s.Out); err != nil || len(idle) == 0 {
		return err
	}
	_, err := fmt.Fprintf(s.Out, "\nWithout effect on this load: %s\n", strings.Join(idle, ", "))
	return err
}

func addSummary(t *table, setting, value string, s forecast.Summary) {
	percent := func(share float64) string { return fmt.Sprintf("%.0f%%", 100*share) }
	t.add(setting, value, strconv.Itoa(s.Peak), fmt.Sprintf("%.2f", s.Average), fmt.Sprintf("%.2f", s.ReplicaHours),
		strconv.Itoa(s.ColdStarts), short(s.HeldRequests), percent(s.AtZero), percent(s.AtMax))
}

// short is a number without needless digits.
func short(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }
