package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/verify"
	"github.com/spf13/cobra"
)

// verifyOptions are the flags of "verify".
type verifyOptions struct {
	targetFlags
	swaps, restarts int
	rate            int
	path            string
	slow            time.Duration
	stepTimeout     time.Duration
	asJSON          bool
	junit           string
}

// defaultRate, in requests per second, leaves an app with half a core room to
// answer, and two cores room to start the next revision beside it. With more, the
// app scales out and the load measures the machine instead of the changes.
const defaultRate = 50

func newVerifyCommand(s Streams) *cobra.Command {
	var o verifyOptions
	cmd := &cobra.Command{
		Use:   "verify [APP|FILE|DIR]",
		Short: "Prove that changes of an app lose no request",
		Long: `Send requests to an app that runs, half of them on fresh connections, and swap
in new revisions meanwhile, or restart its replicas. Each request that is lost
or slow is shown with what happened around it, and with the setting that lets
it happen. The exit code is 1 when a request is lost or a change fails.

A swap is an update that changes nothing but the revision suffix.

With a path ("./app", "containerapp.yaml") instead of a name, the app is run in
an environment of its own, which is removed afterwards.

Ctrl-C ends it with a report of what was done until then.`,
		Example: `  acalocal verify --swaps 100
  acalocal verify examples/python-flask --swaps 100
  acalocal verify web --restarts 10 --rate 500 --path /health
  acalocal verify --swaps 5 --junit report.xml`,
		Args:              maximumNArgs(1),
		ValidArgsFunction: completeApps,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.swaps == 0 && o.restarts == 0 {
				o.swaps = 5
			}
			user := watchInterrupts(cmd.Context())
			defer user.stop()
			cmd.SetContext(user.first)
			if len(args) > 0 && isPath(args[0]) {
				return verifyPath(cmd, s, o, args[0])
			}
			if err := o.takeApp(cmd, args); err != nil {
				return err
			}
			return runVerify(cmd, s, o)
		},
	}
	o.bindApp(cmd)
	f := cmd.Flags()
	f.IntVar(&o.swaps, "swaps", 0, "new revisions to swap in (default 5 without --restarts)")
	f.IntVar(&o.restarts, "restarts", 0, "restarts of the latest revision, after the swaps")
	f.IntVar(&o.rate, "rate", defaultRate, fmt.Sprintf("requests per second, at most %d", verify.MaxRate))
	f.StringVar(&o.path, "path", "/", "what to ask for")
	f.DurationVar(&o.slow, "slow", time.Second, "from when on a request is called slow")
	f.DurationVar(&o.stepTimeout, "step-timeout", 2*time.Minute, "how long one change may take")
	f.BoolVar(&o.asJSON, "json", false, "print the report as JSON")
	f.StringVar(&o.junit, "junit", "", "write the report as JUnit XML to this file, too")
	return cmd
}

// verification is one "verify" under way.
type verification struct {
	o      verifyOptions
	s      Streams
	client *client.Client
	app    *emulator.App
	steps  []verify.Step
	mark   string // what the suffixes of this run begin with
	killed bool   // a container ignored SIGTERM to the end of its grace
}

func runVerify(cmd *cobra.Command, s Streams, o verifyOptions) error {
	app, err := findApp(cmd, o.App)
	if err != nil {
		return err
	}
	if app.Local.URL == "" || !app.Local.Ready {
		return failed(fmt.Errorf("%s does not answer requests", app.Name), "it needs an external http ingress and a ready revision; see \"acalocal app show -n "+app.Name+"\"")
	}
	load := verify.Load{URL: app.Local.URL + o.path, Rate: o.rate}
	if err := load.Check(); err != nil {
		return misuse(err, fmt.Sprintf("see %q", cmd.CommandPath()+" --help"))
	}
	if o.swaps > 0 && app.Properties.Configuration.ActiveRevisionsMode != aca.Single {
		return failed(fmt.Errorf("%s is not in single mode: a new revision takes over nothing there", app.Name), "verify it with --restarts, or change the mode with \"acalocal revision set-mode --mode single\"")
	}
	c, err := connect(cmd)
	if err != nil {
		return err
	}
	v := &verification{o: o, s: s, client: c, app: app, mark: fmt.Sprintf("v%x", time.Now().Unix()&0xffffff)}
	err = v.answer(v.run(cmd.Context(), load))
	if cmd.Context().Err() != nil && (err == nil || errors.Is(err, errSilent)) {
		return fmt.Errorf("verify %s: ended after %d of %d changes", app.Name, len(v.steps), v.changesWanted())
	}
	return err
}

// atRest is how long the load runs before the first change and after the last,
// to know what is usual.
const atRest = 2 * time.Second

// run drives load and changes, until all are done or ctx is, and judges what
// came of both.
func (v *verification) run(ctx context.Context, load verify.Load) verify.Report {
	loading, endLoad := context.WithCancel(ctx)
	defer endLoad()
	events, stop := v.listen(loading)
	var samples []verify.Sample
	var asking sync.WaitGroup
	asking.Go(func() { samples = load.Run(loading) })
	if pauseFor(ctx, atRest) {
		v.changes(ctx)
		pauseFor(ctx, atRest)
	}
	endLoad()
	asking.Wait()
	stop()
	return verify.Judge(v.app.Name, samples, v.steps, *events, v.settings())
}

func pauseFor(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// listen collects the platform's rows until stop, which waits for the reader.
func (v *verification) listen(ctx context.Context) (rows *[]verify.Event, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	rows = &[]verify.Event{}
	opened := make(chan struct{})
	open := sync.OnceFunc(func() { close(opened) })
	var reading sync.WaitGroup
	reading.Go(func() {
		defer open()
		for e, err := range v.client.Stream(ctx, open) {
			if err != nil {
				return // the report has the rows so far
			}
			if e.Kind == api.EventEntry && e.App == v.app.Name {
				*rows = append(*rows, verify.Event{Time: e.Time, Revision: e.Revision, Replica: e.Replica, Reason: e.Reason, Text: e.Text})
			}
		}
	})
	<-opened
	return rows, func() {
		cancel()
		reading.Wait()
	}
}

func (v *verification) changesWanted() int { return v.o.swaps + v.o.restarts }

// changes makes all changes, one after the other. A change that fails ends
// them: the next one would start from elsewhere.
func (v *verification) changes(ctx context.Context) {
	total := v.changesWanted()
	for n := 1; n <= total; n++ {
		step := v.change(ctx, n)
		if ctx.Err() != nil {
			return // it is neither done nor failed
		}
		v.steps = append(v.steps, step)
		text := "done"
		if step.Err != "" {
			text = step.Err
		}
		fmt.Fprintf(v.s.Err, "%d of %d  %s: %s in %s\n", n, total, step.Name, text, seconds(step.End.Sub(step.Begin)))
		if step.Err != "" {
			return
		}
	}
}

func (v *verification) change(ctx context.Context, n int) verify.Step {
	step := verify.Step{Begin: time.Now()}
	ctx, cancel := context.WithTimeout(ctx, v.o.stepTimeout)
	defer cancel()
	var err error
	if n <= v.o.swaps {
		step.Name, err = v.swap(ctx, n)
	} else {
		step.Name, err = v.restart(ctx)
	}
	step.End = time.Now()
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		step.Err = "not done after " + v.o.stepTimeout.String()
	case err != nil:
		step.Err = err.Error()
	}
	return step
}

// swap makes a revision that differs in its suffix alone and waits until it
// serves and the one before has stopped.
func (v *verification) swap(ctx context.Context, n int) (string, error) {
	definition := *v.app.Clone()
	definition.Properties.Template.RevisionSuffix = fmt.Sprintf("%s-%d", v.mark, n)
	name := aca.RevisionName(v.app.Name, definition.Properties.Template.RevisionSuffix)
	if _, err := v.client.Update(ctx, emulator.ApplyRequest{App: definition}); err != nil {
		return name, err
	}
	return name, v.await(ctx, func(app *emulator.App) (bool, error) {
		if judge(app, name) == failing {
			return false, errors.New(describeState(app, name))
		}
		return judge(app, name) == rolledOut && stoppedOthers(app, name), nil
	})
}

// stoppedOthers says that no other revision has a replica left.
func stoppedOthers(app *emulator.App, name string) bool {
	for _, r := range app.Revisions {
		if r.Name != name && len(r.Replicas) > 0 {
			return false
		}
	}
	return true
}

// restart replaces the replicas of the latest revision and waits until all of
// the old ones are gone.
func (v *verification) restart(ctx context.Context) (string, error) {
	snap, err := v.client.Snapshot(ctx)
	if err != nil {
		return v.app.Name, err
	}
	app := snap.App(v.app.Name)
	if app == nil {
		return v.app.Name, errors.New("the app is gone")
	}
	name := app.Properties.LatestRevisionName
	old := map[string]bool{}
	for _, r := range app.Revision(name).Replicas {
		old[r.Name] = true
	}
	if err := v.client.RestartRevision(ctx, app.Name, name); err != nil {
		return name, err
	}
	return name, v.await(ctx, func(app *emulator.App) (bool, error) {
		fresh := 0
		for _, r := range app.Revision(name).Replicas {
			if old[r.Name] {
				return false, nil
			}
			if r.Ready {
				fresh++
			}
		}
		return fresh > 0, nil
	})
}

// await follows the app until it is as wanted or never will be.
func (v *verification) await(ctx context.Context, done func(*emulator.App) (bool, error)) error {
	for snap, err := range v.client.Watch(ctx) {
		if err != nil {
			return err
		}
		app := snap.App(v.app.Name)
		if app == nil {
			return errors.New("the app is gone")
		}
		v.killed = v.killed || anyForced(app)
		if ok, err := done(app); ok || err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errors.New("the daemon has ended")
}

// settings are what can be blamed, as the app has them now.
func (v *verification) settings() verify.Settings {
	out := verify.Settings{Grace: 30 * time.Second, Slow: v.o.slow, Killed: v.killed}
	t := v.app.Properties.Template
	if g := t.TerminationGracePeriodSeconds; g != nil {
		out.Grace = time.Duration(*g) * time.Second
	}
	for _, c := range t.Containers {
		for _, p := range c.Probes {
			out.Readiness = out.Readiness || p.Type == aca.Readiness
		}
	}
	return out
}

// anyForced says that a container had to be killed.
func anyForced(app *emulator.App) bool {
	for _, r := range app.Revisions {
		for _, p := range r.Replicas {
			for _, c := range p.Local.Containers {
				if c.LastEnd != nil && c.LastEnd.Forced {
					return true
				}
			}
		}
	}
	return false
}

// answer prints the report where it is wanted.
func (v *verification) answer(r verify.Report) error {
	if v.o.junit != "" {
		f, err := os.Create(v.o.junit)
		if err != nil {
			return err
		}
		if err := errors.Join(r.WriteJUnit(f), f.Close()); err != nil {
			return fmt.Errorf("write %s: %w", v.o.junit, err)
		}
	}
	if err := v.print(r); err != nil {
		return err
	}
	if !r.OK() {
		return errSilent
	}
	return nil
}

func (v *verification) print(r verify.Report) error {
	if v.o.asJSON {
		return writeJSON(v.s.Out, r)
	}
	return r.WriteText(v.s.Out)
}
