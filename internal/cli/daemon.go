package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/acalocal/acalocal/internal/daemon"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
)

// logLevelVariable sets what the daemon writes into its log: debug, info
// (default), warn or error.
const logLevelVariable = "ACALOCAL_LOG_LEVEL"

// listenVariable is the address the edge listens on instead of loopback. It is
// for acalocal in a container of its own, where loopback is out of reach.
const listenVariable = "ACALOCAL_LISTEN"

// apiListenVariable is the same for the local API. Callers need its token all
// the same, and have to name a loopback host.
const apiListenVariable = "ACALOCAL_API_LISTEN"

// networkVariable names a network of the engine that replicas join beside the
// environment's own.
const networkVariable = "ACALOCAL_NETWORK"

// newDaemonCommand is what "up -d" starts in the background.
func newDaemonCommand(s Streams) *cobra.Command {
	return &cobra.Command{
		Use:    "daemon",
		Short:  "Run an environment; started by \"acalocal up\"",
		Hidden: true,
		Args:   maximumNArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			h, err := home.Open()
			if err != nil {
				return err
			}
			name, err := namedEnvironment(cmd)
			if err != nil {
				return err
			}
			report, ok := s.Out.(io.WriteCloser)
			if !ok {
				return errors.New("bug: the daemon's stdout cannot be closed")
			}
			// Leave what runs for the next daemon: this is how a machine that
			// shuts down ends a background process.
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM)
			defer stop()
			d, err := startDaemon(ctx, h, name, s.Err)
			if reportErr := reportStart(report, err); err == nil {
				err = reportErr
			}
			if err != nil {
				return errSilent // the process that started this one says it
			}
			return d.wait()
		},
	}
}

// runningDaemon is an environment that runs in this process.
type runningDaemon struct {
	engine *docker.Engine
	ended  chan error // receives Run's error, once
}

// startDaemon runs the environment called name in this process until ctx is
// done, which leaves its apps running, or until it is asked to shut down. It
// returns when the control socket answers.
func startDaemon(ctx context.Context, h home.Home, name string, log io.Writer) (*runningDaemon, error) {
	logger := newLogger(log)
	keepSmall()
	scale, err := timeScale()
	if err != nil {
		return nil, err
	}
	endpoint, headers, err := otlpEndpoint()
	if err != nil {
		return nil, err
	}
	delay, err := ingestionDelay()
	if err != nil {
		return nil, err
	}
	limits, err := queryLimits()
	if err != nil {
		return nil, err
	}
	engine, err := docker.New(ctx, docker.Options{Network: os.Getenv(networkVariable), Log: logger})
	if err != nil {
		return nil, err
	}
	d, err := daemon.New(daemon.Options{
		Environment: name, Home: h, Runtime: engine, Bind: os.Getenv(listenVariable), TimeScale: scale, ScaleProbes: os.Getenv(scaleProbesVariable) == "1", ScaleSteps: os.Getenv(scaleStepsVariable) == "1",
		APIBind: os.Getenv(apiListenVariable), HideReason: variableSwitch(noReasonVariable).on(), NoRetries: variableSwitch(noRetriesVariable).on(),
		OTLPEndpoint: endpoint, OTLPHeaders: headers, IngestionDelay: delay, UploadTimes: variableSwitch(uploadTimesVariable).on(), StrictTables: variableSwitch(strictTablesVariable).on(),
		DynamicJSONColumns:      variableSwitch(jsonColumnsVariable).on(),
		QueryLimits:             limits,
		EnforceEphemeralStorage: variableSwitch(enforceVariable).on(),
		Claim:                   h.Environment(name).Claim(engine.Host()), Log: logger,
	})
	if err != nil {
		_ = engine.Close() // nothing is under way
		return nil, explainStart(err, h.Environment(name))
	}
	ready := make(chan struct{})
	r := &runningDaemon{engine: engine, ended: make(chan error, 1)}
	go func() { r.ended <- d.Run(ctx, func() { close(ready) }) }() // waited for by wait
	select {
	case <-ready:
		return r, nil
	case err := <-r.ended:
		_ = engine.Close() // nothing is under way
		if err == nil {
			err = ctx.Err()
		}
		return nil, err
	}
}

// keepSmall lets the collector run at half the usual growth: a daemon idles most
// of its life, and its memory is taken from the app under test
// (scripts/bench-up.sh holds it to a limit). GOGC overrules it.
func keepSmall() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

// wait returns when the environment has ended.
func (r *runningDaemon) wait() error {
	err := <-r.ended
	if closeErr := r.engine.Close(); err == nil {
		err = closeErr
	}
	return err
}

// explainStart says what to do about a daemon that cannot start.
func explainStart(err error, e home.Environment) error {
	switch {
	case errors.Is(err, daemon.ErrRunning):
		return failed(err, fmt.Sprintf("see it with \"acalocal status --env %s\", end it with \"acalocal down --env %s\"", e.Name, e.Name))
	case errors.Is(err, syscall.ENOSPC):
		return failed(err, fmt.Sprintf("free space on the disk of %s, or set ACALOCAL_STATE_DIR to a directory on another one", e.Dir()))
	}
	return err
}

func newLogger(w io.Writer) zerolog.Logger {
	level, err := zerolog.ParseLevel(os.Getenv(logLevelVariable))
	if err != nil || level == zerolog.NoLevel {
		level = zerolog.InfoLevel
	}
	return zerolog.New(w).Level(level).With().Timestamp().Logger()
}
