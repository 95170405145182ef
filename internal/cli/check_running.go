package cli

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/config"
	"github.com/acalocal/acalocal/internal/config/check"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/home"
)

// lookTimeout bounds a look at one running app; check is a fast command.
const lookTimeout = 5 * time.Second

// lookAtRunning sees what there is to see of the apps of a definition that run
// in its environment. Whatever cannot be seen is left out: check is about the
// files, and works without anything running.
func lookAtRunning(ctx context.Context, def *config.Definition) map[string]*check.Running {
	h, err := home.Open()
	if err != nil || def.Environment.Name == "" {
		return nil
	}
	c := client.New(h.Environment(def.Environment.Name))
	snap, err := c.Snapshot(ctx)
	if err != nil {
		return nil // not running, or on its way out
	}
	running := map[string]*check.Running{}
	for i := range def.Apps {
		if app := snap.App(def.Apps[i].Name); app != nil {
			running[app.Name] = lookAtApp(ctx, c, &def.Apps[i], app)
		}
	}
	return running
}

func lookAtApp(ctx context.Context, c *client.Client, defined *config.App, app *emulator.App) *check.Running {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	r := &check.Running{}
	revision := app.Revision(app.Properties.LatestRevisionName)
	if revision == nil || len(revision.Replicas) == 0 {
		return r
	}
	for _, l := range revision.Replicas[0].Local.Listening {
		r.Listening = append(r.Listening, check.Listener{Port: l.Port, Loopback: l.Loopback})
	}
	r.HealthPath, r.HealthStatus = askHealth(ctx, defined, app)
	target := emulator.ExecTarget{
		App: app.Name, Revision: revision.Name, Replica: revision.Replicas[0].Name, Container: defined.MainContainer(),
	}
	r.LogFiles = growingLogs(ctx, c, target)
	for _, container := range revision.Properties.Template.Containers {
		if container.Name == target.Container {
			r.Overridden = overridden(container.Env, environments(ctx, c, target))
		}
	}
	return r
}

// askHealth asks the path of the main container's HTTP probe through the edge,
// when the probe asks the target port and requests are answered at all.
func askHealth(ctx context.Context, defined *config.App, app *emulator.App) (path string, status int) {
	in := app.Properties.Configuration.Ingress
	if in == nil || app.Local.URL == "" || !app.Local.Ready {
		return "", 0
	}
	for _, p := range aca.EffectiveProbes(&app.ContainerApp, defined.MainContainer()) {
		if p.HTTPGet == nil || p.HTTPGet.Port != in.TargetPort || len(p.HTTPGet.HTTPHeaders) > 0 {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, time.Duration(*p.TimeoutSeconds)*time.Second)
		defer cancel()
		return p.HTTPGet.Path, statusOf(ctx, strings.TrimSuffix(app.Local.URL, "/")+p.HTTPGet.Path)
	}
	return "", 0
}

// statusOf is the status of a GET, redirects not followed; 0 for no answer.
func statusOf(ctx context.Context, url string) int {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0
	}
	_ = res.Body.Close() // nothing of it is read
	return res.StatusCode
}

// findLogs lists files that look like logs, hold something and were written to
// in the last ten minutes. Links to /dev/stdout, as in the nginx image, are no
// files.
const findLogs = `find / -xdev \( -path /proc -o -path /sys \) -prune -o -type f \( -name '*.log' -o -path '/var/log/*' \) -size +0 -mmin -10 -print 2>/dev/null`

// growingLogs looks for log files in a container. An image without a shell has
// none that could be found.
func growingLogs(ctx context.Context, c *client.Client, t emulator.ExecTarget) []string {
	var out bytes.Buffer
	spec := container.ExecSpec{Command: []string{"sh", "-c", findLogs}, Stdout: &out, Stderr: &bytes.Buffer{}}
	if _, err := c.Exec(ctx, t, spec, func(string) {}); err != nil {
		return nil
	}
	var files []string
	for _, line := range strings.Split(out.String(), "\n") {
		if strings.HasPrefix(line, "/") && len(files) < 5 {
			files = append(files, line)
		}
	}
	slices.Sort(files)
	return files
}
