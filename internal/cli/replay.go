package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/capture"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/home"
)

// replayEnvironment is where captures are replayed unless a flag says where.
const replayEnvironment = "replay"

// replayOptions are the flags of "replay".
type replayOptions struct {
	standIn bool
	remove  bool
	asJSON  bool
	timeout time.Duration
}

func newReplayCaptureCommand(s Streams) *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay FILE",
		Short: "Run a captured failure again",
		Long: `Run again what "acalocal capture" has recorded, in an environment of its own
("replay" unless --env says otherwise), and compare the rows and the verdict.

A container runs the image of the recording when the engine has it. Else, or with
--stand-in, a stand-in takes its place: it listens, answers, prints, runs out of
memory, ignores its signal and exits as recorded. Nothing is pulled for it. An
image that could not be pulled is tried again.

The environment stays for a look; --rm takes it down. The exit code is 0 when
cause and rows are those of the recording, else 1.`,
		Example: `  acalocal replay web.capture
  acalocal replay web.capture --stand-in --rm
  acalocal explain --env replay && acalocal timeline --env replay`,
		Args: maximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return misuse(errors.New("no capture to replay"), `"acalocal capture -o FILE" makes one`)
			}
			f, err := readCapture(args[0])
			if err != nil {
				return err
			}
			name, err := namedEnvironment(cmd)
			if err != nil {
				return err
			}
			return replayCapture(cmd.Context(), s, o, f, cmp.Or(name, replayEnvironment))
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&o.standIn, "stand-in", false, "let stand-ins play all containers, also where the image is at hand")
	fl.BoolVar(&o.remove, "rm", false, "take the environment down at the end")
	fl.BoolVar(&o.asJSON, "json", false, "print both verdicts and the differences as JSON")
	fl.DurationVar(&o.timeout, "wait-timeout", 0, "how long to wait for the recorded rows (default: as long as they took, and a minute)")
	bindTimeScale(cmd)
	return cmd
}

func readCapture(name string) (*capture.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("open the capture: %w", err)
	}
	defer file.Close() // only read
	f, err := capture.Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// replayRun is a replay under way.
type replayRun struct {
	s        Streams
	o        replayOptions
	recorded *capture.File
	env      home.Environment
	client   *client.Client
	started  bool // the daemon, by this command
}

func replayCapture(ctx context.Context, s Streams, o replayOptions, f *capture.File, environment string) error {
	h, err := home.Open()
	if err != nil {
		return err
	}
	r := &replayRun{s: s, o: o, recorded: f, env: h.Environment(environment)}
	r.client = client.New(r.env)
	if err := r.refuseTaken(ctx); err != nil {
		return err
	}
	if err := r.start(ctx); err != nil {
		return err
	}
	same, err := r.run(ctx)
	if o.remove || err != nil && r.started {
		err = errors.Join(err, r.end())
	}
	if err == nil && !same {
		return errSilent
	}
	return err
}

// run applies the recorded definition, waits, and says what came of it.
func (r *replayRun) run(ctx context.Context) (same bool, err error) {
	images, local, err := r.images(ctx)
	if err != nil {
		return false, err
	}
	app := r.recorded.Definition(images)
	begin := time.Now()
	applied, err := r.client.Apply(ctx, emulator.ApplyRequest{App: app, LocalImages: local})
	if err != nil {
		return false, fmt.Errorf("replay %s: %w", app.Name, err)
	}
	again, err := r.await(ctx, app.Name, applied.Revision, begin)
	if err != nil {
		return false, err
	}
	return r.say(again)
}

// refuseTaken keeps a replay away from an app that runs under the name.
func (r *replayRun) refuseTaken(ctx context.Context) error {
	if !isRunning(ctx, r.env) {
		return nil
	}
	snap, err := r.client.Snapshot(ctx)
	if err != nil {
		return err
	}
	if snap.App(r.recorded.App.Name) == nil {
		return nil
	}
	return failed(fmt.Errorf("environment %s runs an app %s already", r.env.Name, r.recorded.App.Name),
		fmt.Sprintf("end it with %q, or name another environment with --env", "acalocal down --env "+r.env.Name))
}

// images decides for each container between the image of the recording and a
// stand-in. It returns the images that take the place of others, by container,
// and those that must not be pulled.
func (r *replayRun) images(ctx context.Context) (instead map[string]string, local []string, err error) {
	engine, err := docker.New(ctx, docker.Options{})
	if err != nil {
		return nil, nil, err
	}
	defer engine.Close()
	parts := r.recorded.Parts()
	instead = map[string]string{}
	t := r.recorded.App.Revision(r.recorded.Revision).Properties.Template
	for _, list := range [][]aca.Container{t.InitContainers, t.Containers} {
		for _, c := range list {
			image, err := engine.Pull(ctx, container.PullSpec{Image: c.Image, Policy: container.PullNever}, nil)
			here := err == nil
			if err != nil && container.CodeOf(err) != container.CodeNotFound {
				return nil, nil, err
			}
			part := parts[c.Name]
			switch {
			case part.NoImage && !here:
				fmt.Fprintf(r.s.Err, "container %s: %s could not be had, and is tried again\n", c.Name, c.Image)
				continue
			case here && !r.o.standIn:
				fmt.Fprintf(r.s.Err, "container %s: runs %s%s\n", c.Name, c.Image, r.otherImage(c.Image, image.ID))
				local = append(local, c.Image)
				continue
			}
			tag := capture.StandInTag(r.env.Name, c.Name)
			fmt.Fprintf(r.s.Err, "container %s: a stand-in for %s\n", c.Name, c.Image)
			err = engine.MakeStandIn(ctx, container.StandInSpec{
				Tag: tag, Env: r.env.Name, Container: c.Name, Script: part.Script.String(), Command: part.Command, Broken: part.Broken,
			})
			if err != nil {
				return nil, nil, err
			}
			instead[c.Name] = tag
			local = append(local, tag)
		}
	}
	return instead, local, nil
}

// otherImage says that an image is not the one that was recorded.
func (r *replayRun) otherImage(name, id string) string {
	i := slices.IndexFunc(r.recorded.Images, func(i capture.Image) bool { return i.Name == name })
	if i < 0 || r.recorded.Images[i].ID == id {
		return ""
	}
	return ", which is not the image of the recording; --stand-in plays that"
}

// start makes sure of a daemon. One that is started has the time scale of the
// recording, unless the user says another.
func (r *replayRun) start(ctx context.Context) error {
	if isRunning(ctx, r.env) {
		return nil
	}
	if r.recorded.TimeScale > 1 && os.Getenv(timeScaleVariable) == "" {
		if err := (timeScaleFlag{}).Set(fmt.Sprint(r.recorded.TimeScale)); err != nil {
			return err
		}
	}
	r.started = true
	return spawnDaemon(ctx, r.env)
}

// lookEvery is how often a replay is compared with its recording: console
// lines and rows come without a change of state.
const lookEvery = 500 * time.Millisecond

// await looks at the replay until it shows what the recording does, or until
// the time is over. It returns the last look.
func (r *replayRun) await(ctx context.Context, app, revision string, begin time.Time) (*capture.File, error) {
	limit := r.o.timeout
	if limit == 0 {
		limit = r.recorded.Made.Sub(r.recorded.App.Revision(revision).Properties.CreatedTime) + time.Minute
	}
	fmt.Fprintf(r.s.Err, "waiting for what was recorded, at most %s\n", limit.Round(time.Second))
	over := time.NewTimer(time.Until(begin.Add(limit)))
	defer over.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	var last *capture.File
	for {
		snap, err := r.client.Snapshot(ctx)
		if err != nil {
			return nil, err
		}
		if a := snap.App(app); a != nil && a.Revision(revision) != nil {
			if last, err = gatherCapture(ctx, r.client, a, revision); err != nil {
				return nil, err
			}
			if len(capture.Compare(r.recorded, last)) == 0 {
				return last, nil
			}
		}
		select {
		case <-look.C:
		case <-over.C:
			if last == nil {
				return nil, fmt.Errorf("revision %s did not appear in %s", revision, limit)
			}
			return last, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// say prints the verdicts and what differs.
func (r *replayRun) say(again *capture.File) (same bool, err error) {
	differences := capture.Compare(r.recorded, again)
	if r.o.asJSON {
		return len(differences) == 0, writeJSON(r.s.Out, struct {
			Recorded    any      `json:"recorded"`
			Replayed    any      `json:"replayed"`
			Differences []string `json:"differences"`
		}{r.recorded.Verdict, again.Verdict, orEmpty(differences)})
	}
	lines := []string{
		"recorded  " + r.recorded.Verdict.Title + "  [" + r.recorded.Verdict.Rule + "]",
		"replayed  " + again.Verdict.Title + "  [" + again.Verdict.Rule + "]",
	}
	if len(differences) == 0 {
		lines = append(lines, fmt.Sprintf("the same cause and the same %d kinds of rows", len(r.recorded.Kinds())))
	}
	for _, d := range differences {
		lines = append(lines, "differs   "+d)
	}
	_, err = fmt.Fprintln(r.s.Out, strings.Join(lines, "\n"))
	if err == nil && !r.o.remove {
		fmt.Fprintf(r.s.Err, "hint: \"acalocal explain --env %s\" and \"acalocal timeline --env %s\" look closer, \"acalocal down --env %s\" ends it\n", r.env.Name, r.env.Name, r.env.Name)
	}
	return len(differences) == 0, err
}

// end takes down what the replay has started: the environment, or the app in
// one that ran before.
func (r *replayRun) end() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if !r.started {
		return r.client.Delete(ctx, r.recorded.App.Name)
	}
	if err := r.client.Shutdown(ctx, true); err != nil {
		return fmt.Errorf("take down environment %s: %w", r.env.Name, err)
	}
	return r.client.Gone(ctx)
}
