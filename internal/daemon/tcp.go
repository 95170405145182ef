package daemon

import (
	"cmp"
	"net"

	"github.com/acalocal/acalocal/ingress"
)

// tcpKey is a raw TCP port of an app that callers outside may use.
type tcpKey struct {
	app  string
	port int
}

// externalPorts are the raw TCP ports of an environment that callers outside
// reach, on loopback here under the number they have on Azure.
func externalPorts(t ingress.Table) []tcpKey {
	var out []tcpKey
	for _, a := range t.Apps {
		if !a.Enabled || a.Stopped {
			continue
		}
		if a.External && a.Transport == ingress.TransportTCP {
			out = append(out, tcpKey{a.Name, cmp.Or(a.ExposedPort, a.TargetPort)})
		}
		for _, m := range a.AdditionalPorts {
			if m.External {
				out = append(out, tcpKey{a.Name, cmp.Or(m.ExposedPort, m.TargetPort)})
			}
		}
	}
	return out
}

// listenTCP opens the raw TCP ports of a table and closes those that are no
// longer in it. A port that is taken is said in the log, once per table.
func (e *edge) listenTCP(t ingress.Table) {
	wanted := map[tcpKey]bool{}
	for _, key := range externalPorts(t) {
		wanted[key] = true
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, l := range e.tcp {
		if !wanted[key] {
			_ = l.Close() // nobody may connect there any more
			delete(e.tcp, key)
		}
	}
	for key := range wanted {
		if e.tcp[key] != nil {
			continue
		}
		l, err := e.listen(key.port)
		if err != nil {
			e.log.Error().Err(err).Str("app", key.app).Int("exposedPort", key.port).Msg("a TCP port of the app cannot be opened")
			continue
		}
		e.tcp[key] = l
		e.serve(l, ingress.ListenSpec{Kind: ingress.TCP, App: key.app, Port: key.port})
	}
}

var _ net.Listener = (*portListener)(nil)
