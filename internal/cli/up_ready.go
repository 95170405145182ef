package cli

import (
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
)

// sayReady prints where to reach the apps: the answer of "up".
func (u *upRun) sayReady(snap *emulator.Snapshot) error {
	var apps []emulator.App
	for _, name := range sortedNames(u.roll.wanted) {
		if app := snap.App(name); app != nil {
			apps = append(apps, *app)
		}
	}
	switch {
	case u.o.asAz() && len(apps) == 1:
		return u.o.write(u.s.Out, apps[0])
	case !u.o.asText():
		return u.o.write(u.s.Out, orEmpty(apps))
	}
	u.introduce(snap)
	if err := writeReady(u.s.Out, snap, apps); err != nil {
		return err
	}
	return u.sayRoutes(snap)
}

// introduce says once who can reach the apps and where to look further.
func (u *upRun) introduce(snap *emulator.Snapshot) {
	if u.introduced {
		return
	}
	u.introduced = true
	fmt.Fprint(u.s.Err, exposed(snap.Edge))
	if snap.API != "" {
		fmt.Fprintln(u.s.Err, "logs in the browser: acalocal logs page; API: acalocal api")
	}
}

// sayRoutes prints where to reach the route configs of the definition.
func (u *upRun) sayRoutes(snap *emulator.Snapshot) error {
	for _, wanted := range u.def.Environment.RouteConfigs {
		c := snap.RouteConfig(wanted.Name)
		if c == nil {
			continue
		}
		if _, err := fmt.Fprintf(u.s.Out, "%s routes to %s at %s\n", c.Name, strings.Join(routedApps(c), ", "), routeConfigURL(snap, c)); err != nil {
			return err
		}
	}
	return nil
}

func writeReady(w io.Writer, snap *emulator.Snapshot, apps []emulator.App) error {
	for i := range apps {
		if _, err := fmt.Fprintln(w, apps[i].Name+" "+whereTo(snap, &apps[i])); err != nil {
			return err
		}
	}
	return nil
}

// whereTo says how to reach an app that is ready: at its loopback address,
// which needs no name resolution and no certificate, and by its name, as on
// Azure.
func whereTo(snap *emulator.Snapshot, app *emulator.App) string {
	in := app.Properties.Configuration.Ingress
	switch {
	case in == nil:
		return "is ready; it has no ingress"
	case in.External && in.Transport == aca.TransportTCP:
		return fmt.Sprintf("is ready at 127.0.0.1:%d (TCP)", cmp.Or(in.ExposedPort, in.TargetPort))
	case app.Local.URL == "":
		return "is ready for other apps of the environment"
	case in.Fqdn == "" || snap.SecureEdge == "":
		return "is ready at " + app.Local.URL
	}
	return "is ready at " + app.Local.URL + " and https://" + in.Fqdn + portOf(snap.SecureEdge, "443")
}

// portOf is the ":port" of an address, "" for the usual one.
func portOf(address, usual string) string {
	i := strings.LastIndexByte(address, ':')
	if i < 0 || address[i+1:] == usual {
		return ""
	}
	return address[i:]
}
