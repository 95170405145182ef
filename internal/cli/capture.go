package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/capture"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/evidence"
	"github.com/acalocal/acalocal/internal/explain"
	"github.com/acalocal/acalocal/internal/version"
)

func newCaptureCommand(s Streams) *cobra.Command {
	var t targetFlags
	var out string
	cmd := &cobra.Command{
		Use:   "capture [APP|REVISION]",
		Short: "Put all that is known of a revision into one file",
		Long: `Write one file with what is known of a revision: the effective definition, the
states, the system log, each attempt of a probe, the listening sockets, the last
console lines, the ends of containers, the requests and the verdict of "acalocal
explain". "acalocal replay" shows the failure again from it, also where the
image is not at hand: attach it to a bug report.

Values of secrets are never in it, nor plain values of variables whose name says
that they are one (PASSWORD, TOKEN, CONNECTION_STRING …), nor queries of requests.
What the app itself prints is: look at it before you pass it on, with

  gunzip -c FILE | less`,
		Example: `  acalocal capture -o web.capture
  acalocal capture web--k3x1abc -o broken.capture && acalocal replay broken.capture`,
		Args:              maximumNArgs(1),
		ValidArgsFunction: completeAppsAndRevisions,
		RunE: func(cmd *cobra.Command, args []string) error {
			app, revision, err := findSubject(cmd, &t, args)
			if err != nil {
				return err
			}
			c, err := connect(cmd)
			if err != nil {
				return err
			}
			f, err := gatherCapture(cmd.Context(), c, app, revision)
			if err != nil {
				return notRunning(err)
			}
			describeImages(cmd.Context(), s.Err, f)
			capture.Redact(f)
			if out == "" {
				out = revision + ".capture"
			}
			if out == "-" {
				return capture.Write(s.Out, f)
			}
			if err := writeCapture(out, f); err != nil {
				return err
			}
			fmt.Fprintln(s.Err, f.Verdict.FirstLine())
			_, err = fmt.Fprintf(s.Out, "%s: %d rows, %d lines, %d attempts of probes, %d requests\n", out, len(f.Rows), len(f.Console), len(f.Attempts), len(f.Requests))
			return err
		},
	}
	t.bindApp(cmd)
	t.bindRevision(cmd)
	cmd.Flags().StringVarP(&out, "output", "o", "", `the file to write, "-" for stdout (default: REVISION.capture)`)
	return cmd
}

// maxCapturedRequests bounds how many requests a capture has.
const maxCapturedRequests = 500

// gatherCapture asks the daemon for what there is about a revision.
func gatherCapture(ctx context.Context, c *client.Client, app *emulator.App, revision string) (*capture.File, error) {
	e, err := evidence.Of(ctx, asker(c), app, revision)
	if err != nil {
		return nil, err
	}
	info, err := c.Info(ctx)
	if err != nil {
		return nil, err
	}
	f := &capture.File{
		Format: capture.Format, Version: capture.Version, Made: time.Now().UTC(), Program: version.Version,
		TimeScale: info.TimeScale, App: *app, Revision: revision,
		Rows: orEmpty(e.Rows), Console: orEmpty(e.Console), Telemetry: e.Telemetry, Verdict: explain.Explain(*e),
	}
	if f.Attempts, err = c.ProbeAttempts(ctx, revision); err != nil {
		return nil, err
	}
	for r, err := range c.Requests(ctx, client.RequestsOptions{App: app.Name, Tail: maxCapturedRequests}) {
		if err != nil {
			return nil, err
		}
		if r.Revision == revision {
			f.Requests = append(f.Requests, r)
		}
	}
	f.Requests = orEmpty(f.Requests)
	return f, nil
}

// describeImages notes which images the engine has. Without an engine a capture
// is made all the same.
func describeImages(ctx context.Context, progress io.Writer, f *capture.File) {
	engine, err := docker.New(ctx, docker.Options{})
	if err != nil {
		fmt.Fprintf(progress, "warning: the capture does not say which images ran: %v\n", err)
		return
	}
	defer engine.Close()
	t := f.App.Revision(f.Revision).Properties.Template
	for _, list := range [][]aca.Container{t.InitContainers, t.Containers} {
		for _, c := range list {
			image, err := engine.Pull(ctx, container.PullSpec{Image: c.Image, Policy: container.PullNever}, nil)
			if err == nil {
				f.Images = append(f.Images, capture.Image{Name: c.Image, ID: image.ID, Platform: image.Platform, StopSignal: image.StopSignal})
			} else if container.CodeOf(err) != container.CodeNotFound {
				fmt.Fprintf(progress, "warning: the capture does not say what %s is: %v\n", c.Image, err)
			}
		}
	}
}

// writeCapture writes a file that only this user can read: it has what the app
// printed.
func writeCapture(name string, f *capture.File) error {
	file, err := os.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the capture: %w", err)
	}
	err = capture.Write(file, f)
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}
