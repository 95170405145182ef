package daemon

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/scaler"
)

// newTriggers are the scalers of the environment. They look at queues from this
// process, and reach what runs in the environment by the names apps know.
func (d *Daemon) newTriggers() *scaler.Poller {
	return scaler.NewPoller(scaler.Options{Dial: d.dialName, Usage: d.usage})
}

// usage is what the containers of a revision use.
func (d *Daemon) usage(ctx context.Context, app, revision string) ([]scaler.Usage, error) {
	all, err := d.Engine.Usage(ctx, app, revision)
	if err != nil {
		return nil, err
	}
	var out []scaler.Usage
	for _, u := range all {
		if u.Container != "" {
			out = append(out, scaler.Usage{Container: u.Container, ID: u.ID, Stats: u.Stats, RequestCPU: u.CPU, RequestMemory: u.Memory})
		}
	}
	return out, nil
}

// dialName connects to an address as a replica means it: the name of an app is
// one of its replicas, and host.docker.internal this machine. Everything else
// is dialled from here.
func (d *Daemon) dialName(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if app := d.appOf(host); app != nil {
		return d.dialApp(ctx, app, port)
	}
	if host == "host.docker.internal" {
		addr = net.JoinHostPort("127.0.0.1", port)
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, addr)
}

// appOf is the app a host name means, nil for none: its name alone or one of
// its FQDNs.
func (d *Daemon) appOf(host string) *emulator.App {
	snapshot := d.Engine.Snapshot()
	name, found := strings.CutSuffix(strings.ToLower(host), "."+snapshot.Domain)
	if found {
		name = strings.TrimSuffix(name, ".internal")
	}
	return snapshot.App(name)
}

// dialApp connects to a ready replica of the revision with the most traffic.
// It does not go by the edge: a scaler that looks is no load.
func (d *Daemon) dialApp(ctx context.Context, app *emulator.App, port string) (net.Conn, error) {
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("%q is not a port of app %s", port, app.Name)
	}
	var best *emulator.Replica
	share := -1
	for i := range app.Revisions {
		rev := &app.Revisions[i]
		for j := range rev.Replicas {
			if r := &rev.Replicas[j]; r.Ready && !r.Draining && rev.Serving > share {
				best, share = r, rev.Serving
			}
		}
	}
	if best == nil {
		return nil, fmt.Errorf("app %s has no ready replica", app.Name)
	}
	return d.Engine.Dial(ctx, best.Name, targetOf(app.Properties.Configuration.Ingress, number))
}

// targetOf is the port a container listens on for a port others connect to.
func targetOf(in *aca.Ingress, port int) int {
	if in == nil {
		return port
	}
	for _, m := range in.AdditionalPortMappings {
		if port == m.ExposedPort {
			return m.TargetPort
		}
	}
	if in.TargetPort != 0 && (port == in.ExposedPort || port == 80 && in.Transport != aca.TransportTCP) {
		return in.TargetPort
	}
	return port
}

var _ emulator.Triggers = (*scaler.Poller)(nil)
