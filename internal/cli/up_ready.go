package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/acalocal/acalocal/emulator"
)

// sayReady prints where to reach the apps: the answer of "up".
func (u *upRun) sayReady(snap *emulator.Snapshot) error {
	var apps []emulator.App
	for _, name := range sortedNames(u.roll.wanted) {
		if app := snap.App(name); app != nil {
			apps = append(apps, *app)
		}
	}
	if u.o.asJSON {
		return writeJSON(u.s.Out, orEmpty(apps))
	}
	return writeReady(u.s.Out, snap, apps)
}

func writeReady(w io.Writer, snap *emulator.Snapshot, apps []emulator.App) error {
	for i := range apps {
		if _, err := fmt.Fprintln(w, apps[i].Name+" "+whereTo(snap, &apps[i])); err != nil {
			return err
		}
	}
	return nil
}

// whereTo says how to reach an app that is ready. Plain http to its name is
// only named where it is answered: without allowInsecure it is redirected to
// https, as on Azure.
func whereTo(snap *emulator.Snapshot, app *emulator.App) string {
	in := app.Properties.Configuration.Ingress
	switch {
	case in == nil:
		return "is ready; it has no ingress"
	case app.Local.URL == "":
		return "is ready for other apps of the environment"
	case in.Fqdn == "" || !in.AllowInsecure:
		return "is ready at " + app.Local.URL
	}
	return "is ready at " + app.Local.URL + " and http://" + in.Fqdn + portOf(snap.Edge)
}

// portOf is the ":port" of an address; "" for port 80.
func portOf(address string) string {
	i := strings.LastIndexByte(address, ':')
	if i < 0 || address[i:] == ":80" {
		return ""
	}
	return address[i:]
}
