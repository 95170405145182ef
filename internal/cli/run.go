package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/capture"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Exit codes of "run" beside the command's own, those of docker run.
const (
	exitNotUp    = 125 // the apps did not become ready
	exitNoExec   = 126 // the command cannot be run
	exitNoFile   = 127 // there is no such command
	exitSignaled = 128 // plus the number of the signal that ended the command
)

// runOptions are the flags of "run".
type runOptions struct {
	upOptions
	command []string
	keep    string
}

func newRunCommand(s Streams) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [FILE|DIR] [flags] -- COMMAND [ARG ...]",
		Short: "Run a command, such as tests, against apps that exist as long as it runs",
		Long: `Bring up the apps of a definition as "acalocal up" does, in an environment of
their own, run a command when they are ready, and take everything down when it
ends. The command finds in its environment:

  ACALOCAL_URL          where the only app, or the first with external ingress, answers
  ACALOCAL_<APP>_URL    where each app answers: ACALOCAL_MY_API_URL is that of my-api
  ACALOCAL_API          base URL of the HTTP API; /acalocal/v1/openapi.json describes it
  ACALOCAL_TOKEN        what it wants, as "Authorization: Bearer TOKEN"
  ACALOCAL_ENVIRONMENT  the environment; "acalocal logs query" and the like act on it
  ACALOCAL_DOMAIN       its domain, and ACALOCAL_EDGE the URL that stands for its port 80

Signals are passed on to the command. The exit code is the command's; 125 when
the apps do not become ready, 126 when the command cannot be run, 127 when there
is no such command, 128 and the signal's number when a signal ended it.`,
		Example: `  acalocal run -- go test ./e2e/...
  acalocal run containerapp.yaml --env-vars MODE=test -- python3 -m pytest
  acalocal run --on-failure artifacts -- npm test`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.take(cmd, args); err != nil {
				return err
			}
			return runCommand(cmd.Context(), s, o)
		},
	}
	f := cmd.Flags()
	f.DurationVar(&o.timeout, "wait-timeout", 2*time.Minute, "how long to wait for the apps")
	f.StringVar(&o.keep, "on-failure", "", "when something fails, keep captures and logs in this directory")
	bindOverrides(cmd, &o.overrides)
	bindTimeScale(cmd)
	bindEdgeSwitches(cmd)
	bindEphemeralStorage(cmd)
	bindParameters(cmd, &o.overrides)
	return cmd
}

// take splits the arguments and chooses the environment: the named one, or one
// that nobody else has.
func (o *runOptions) take(cmd *cobra.Command, args []string) error {
	dash := cmd.ArgsLenAtDash()
	switch {
	case dash < 0 || dash == len(args):
		return misuse(errors.New("there is no command to run"), `write it behind "--", as in "acalocal run -- go test ./..."`)
	case dash > 1:
		return misuse(fmt.Errorf("unexpected argument %q", args[1]), "name one file or directory, and the command behind \"--\"")
	case dash == 1:
		o.path = args[0]
	}
	o.command = args[dash:]
	name, err := cmd.Flags().GetString("env")
	if err != nil {
		return err
	}
	if name == "" {
		var id [3]byte
		_, _ = rand.Read(id[:]) // never fails: https://pkg.go.dev/crypto/rand#Read
		name = fmt.Sprintf("run-%x", id)
	}
	o.overrides.Environment = name
	return checkEnvironmentName(name)
}

// runCommand is "run" with its options.
func runCommand(ctx context.Context, s Streams, o runOptions) error {
	program, err := exec.LookPath(o.command[0])
	if err != nil {
		code := exitNoExec
		if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			code = exitNoFile
		}
		return &hinted{fmt.Errorf("run %s: %w", o.command[0], errors.Unwrap(err)), "", code}
	}
	user := watchInterrupts(ctx)
	defer user.stop()
	quiet := Streams{In: s.In, Out: s.Err, Err: s.Err} // stdout is the command's
	u := &upRun{s: quiet, o: o.upOptions, user: user, begin: time.Now(), openImages: openDocker}
	u.roll = newRollout(s.Err, u.begin)
	if err := u.load(user.first); err != nil {
		return notUp(err)
	}
	if isRunning(ctx, u.env) {
		return notUp(failed(fmt.Errorf("environment %s is running already", u.env.Name), "name another one with --env, or none"))
	}
	daemonCtx, endDaemon := context.WithCancel(context.WithoutCancel(ctx))
	defer endDaemon()
	r := &commandRun{upRun: u, o: o, program: program, streams: s}
	err = r.upAndRun(daemonCtx)
	return errors.Join(err, r.takeDown(endDaemon))
}

// notUp gives an error the exit code of apps that are not up.
func notUp(err error) error {
	if err == nil {
		return nil
	}
	return &hinted{err, hintOf(err), exitNotUp}
}

// commandRun is one "run" under way.
type commandRun struct {
	*upRun
	o       runOptions
	program string
	streams Streams
}

func (r *commandRun) upAndRun(daemonCtx context.Context) error {
	built, err := r.prepare(func() error { return r.startOwn(daemonCtx) })
	if err == nil {
		err = r.applyAll(r.user.first, built)
	}
	if err == nil {
		if err = r.awaitRollout(r.user.first); err != nil {
			err = failed(errors.New(err.Error()), r.howToLook())
		}
	}
	if err == nil {
		err = r.runIt()
	} else {
		err = notUp(err)
	}
	if err != nil && r.own != nil && r.o.keep != "" {
		r.keepEvidence()
	}
	return err
}

// howToLook is the advice for apps that do not become ready. Unlike after "up",
// they will be gone.
func (r *commandRun) howToLook() string {
	if r.o.keep == "" {
		return "\"acalocal run --on-failure DIR\" keeps captures and logs of what fails"
	}
	return fmt.Sprintf("see %s, or \"acalocal replay\" with a capture in it", r.o.keep)
}

// runIt runs the command to its end and returns its exit code as an error.
func (r *commandRun) runIt() error {
	ctx := context.Background() // the command ends itself when it is told to
	env, err := r.environment(ctx)
	if err != nil {
		return notUp(err)
	}
	cmd := exec.Command(r.program, r.o.command[1:]...)
	cmd.Args[0] = r.o.command[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = r.streams.In, r.streams.Out, r.streams.Err
	cmd.Env = append(os.Environ(), env...)
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return &hinted{fmt.Errorf("run %s: %w", r.o.command[0], err), "", exitNoExec}
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			if s == os.Interrupt && term.IsTerminal(int(os.Stdin.Fd())) {
				continue // the terminal has told the command, too
			}
			_ = cmd.Process.Signal(s) // fails only when it has ended, which is what comes next
		case err := <-ended:
			return exitOf(err, r.o.command[0])
		}
	}
}

// exitOf turns the end of a command into the exit code of this program.
func exitOf(err error, name string) error {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case !errors.As(err, &exit):
		return &hinted{fmt.Errorf("run %s: %w", name, err), "", exitNoExec}
	}
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return errExit(exitSignaled + int(status.Signal()))
	}
	return errExit(exit.ExitCode())
}

// environment is what the command finds about the apps.
func (r *commandRun) environment(ctx context.Context) ([]string, error) {
	snap, err := r.client.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	access, err := r.client.Access(ctx)
	if err != nil {
		return nil, err
	}
	out := []string{
		environmentVariable + "=" + r.env.Name, "ACALOCAL_DOMAIN=" + snap.Domain, "ACALOCAL_EDGE=http://" + snap.Edge,
		"ACALOCAL_API=" + access.URL, "ACALOCAL_TOKEN=" + access.Token,
	}
	first := true
	for i := range r.def.Apps { // in the order of the files
		app := snap.App(r.def.Apps[i].Name)
		if app == nil || app.Local.URL == "" {
			continue
		}
		out = append(out, "ACALOCAL_"+variableName(app.Name)+"_URL="+app.Local.URL)
		if first {
			out = append(out, "ACALOCAL_URL="+app.Local.URL)
			first = false
		}
	}
	return out, nil
}

// variableName is an app's name as a part of a variable's.
func variableName(app string) string {
	return strings.Map(func(c rune) rune {
		if c == '-' {
			return '_'
		}
		return c
	}, strings.ToUpper(app))
}

// takeDown drains and removes everything; a second signal does it at once.
func (r *commandRun) takeDown(endDaemon func()) error {
	if r.own == nil {
		return nil
	}
	fmt.Fprintf(r.s.Err, "draining and removing environment %s\n", r.env.Name)
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	if err := r.client.Shutdown(ctx, true); err != nil {
		endDaemon()
		return errors.Join(err, r.waitOwn(), r.removeAtOnce())
	}
	select {
	case err := <-r.own.ended:
		r.own.ended <- err // for waitOwn
		return r.waitOwn()
	case <-r.user.second.Done():
		endDaemon()
		return errors.Join(r.waitOwn(), r.removeAtOnce())
	}
}

// removeAtOnce removes everything without draining, once the daemon has ended.
func (r *commandRun) removeAtOnce() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	engine, err := docker.New(ctx, docker.Options{})
	if err != nil {
		return err
	}
	defer engine.Close()
	if err := engine.RemoveEnvironment(ctx, r.env.Name); err != nil {
		return failed(err, fmt.Sprintf("%q tries again", "acalocal down --env "+r.env.Name))
	}
	return r.env.Remove()
}

// keepEvidence puts what explains a failure where CI picks it up: a capture and
// the log of each app, and the daemon's own log. What cannot be kept is said,
// and changes nothing about the failure.
func (r *commandRun) keepEvidence() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := r.keepAll(ctx); err != nil {
		fmt.Fprintf(r.s.Err, "acalocal: keep what explains the failure: %v\n", err)
		return
	}
	fmt.Fprintf(r.s.Err, "what explains the failure is in %s\n", r.o.keep)
}

func (r *commandRun) keepAll(ctx context.Context) error {
	if err := os.MkdirAll(r.o.keep, 0o755); err != nil {
		return err
	}
	snap, err := r.client.Snapshot(ctx)
	if err != nil {
		return err
	}
	errs := []error{copyFile(filepath.Join(r.o.keep, "daemon.log"), r.env.LogFile())}
	for i := range snap.Apps {
		errs = append(errs, r.keepApp(ctx, &snap.Apps[i]))
	}
	return errors.Join(errs...)
}

func (r *commandRun) keepApp(ctx context.Context, app *emulator.App) error {
	f, err := gatherCapture(ctx, r.client, app, app.Properties.LatestRevisionName)
	if err != nil {
		return err
	}
	capture.Redact(f)
	var log strings.Builder
	for _, row := range f.Rows {
		fmt.Fprintf(&log, "%s system %s %s: %s\n", row.Time.UTC().Format(time.RFC3339Nano), row.Replica, row.Reason, row.Text)
	}
	for _, l := range f.Console {
		fmt.Fprintf(&log, "%s console %s/%s: %s\n", l.Time.UTC().Format(time.RFC3339Nano), l.Replica, l.Container, l.Text)
	}
	return errors.Join(
		writeCapture(filepath.Join(r.o.keep, app.Name+".capture"), f),
		os.WriteFile(filepath.Join(r.o.keep, app.Name+".log"), []byte(log.String()), 0o600),
		os.WriteFile(filepath.Join(r.o.keep, app.Name+".verdict.txt"), []byte(f.Verdict.String()), 0o600),
	)
}

func copyFile(to, from string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}
