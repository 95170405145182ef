package daemon

import (
	"net"
	"os"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
)

// newManaged is the environment as a resource. It began when its first daemon
// did.
func (d *Daemon) newManaged() aca.ManagedEnvironment {
	began, err := begun(d.files.Begun(), time.Now())
	if err != nil {
		d.o.Log.Warn().Err(err).Msg("when the environment began is not kept: it counts from now on")
	}
	return aca.NewManagedEnvironment(d.o.Environment, d.domain(), callable(d.edge.Addr()), workspaceID(d.o.Environment),
		aca.NewSystemData(userName(), began, began))
}

// domain is the default domain of the environment.
func (d *Daemon) domain() string { return d.o.Environment + ".localhost" }

// callable is the IP address at which this machine reaches a listener.
func callable(listener string) string {
	host, _, err := net.SplitHostPort(listener)
	if ip := net.ParseIP(host); err != nil || ip == nil || ip.IsUnspecified() {
		return "127.0.0.1"
	}
	return host
}

// begun is the time that a file says. A file that is not there, or was not
// written to its end, is made to say now.
func begun(path string, now time.Time) (time.Time, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		if at, err := time.Parse(time.RFC3339Nano, string(text)); err == nil {
			return at, nil
		}
	}
	return now, os.WriteFile(path, []byte(now.UTC().Format(time.RFC3339Nano)), 0o600)
}
