package emulatortest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/rollout"
)

// Name is the name of the environment, and with ".localhost" its domain.
func (e *Env) Name() string { return e.files.Name }

// Snapshot is the state now, with all that the rows read so far tell of. It
// must not be changed.
func (e *Env) Snapshot() *emulator.Snapshot {
	e.t.Helper()
	ctx, cancel := e.afterwards() // reports of failed tests ask, too
	defer cancel()
	s, err := e.daemon.Engine.Current(ctx)
	e.must("read the state", err)
	return s
}

// App is the state of an app now, "" for the only one there is.
func (e *Env) App(name string) *emulator.App {
	e.t.Helper()
	s := e.Snapshot()
	if name == "" && len(s.Apps) == 1 {
		return &s.Apps[0]
	}
	if app := s.App(name); app != nil {
		return app
	}
	var names []string
	for _, a := range s.Apps {
		names = append(names, a.Name)
	}
	e.t.Fatalf("emulatortest: there is no app %q; there are %q", name, names)
	return nil
}

// URL is where an app answers: its https address on Azure, with TLS already
// ended, on a loopback port of its own. The app needs external ingress over
// HTTP.
func (e *Env) URL(app string) string {
	e.t.Helper()
	a := e.App(app)
	if a.Local.URL == "" {
		e.t.Fatalf("emulatortest: app %s has no external http ingress", a.Name)
	}
	return a.Local.URL
}

// APIURL is the base of the HTTP API, for clients of other languages, and Token
// what they send as "Authorization: Bearer TOKEN".
func (e *Env) APIURL() string { return e.Snapshot().API }

// Token is what the API wants of callers.
func (e *Env) Token() string {
	e.t.Helper()
	a, err := e.client.Access(e.ctx)
	e.must("ask for the token", err)
	return a.Token
}

func (e *Env) authorityDir() string { return filepath.Join(e.files.Dir(), "ca") }

// Client is an HTTP client that finds the apps by their names on Azure,
// "https://web.<name>.localhost", and trusts their certificates. Other addresses
// are as for any client. It keeps no connection, so a test that leaves a body
// open leaks nothing that would outlive it.
func (e *Env) Client() *http.Client {
	e.t.Helper()
	authority, err := ingress.OpenAuthority(e.authorityDir())
	e.must("open the certificate authority", err)
	pool := x509.NewCertPool()
	pool.AddCert(authority.Certificate())
	snap := e.Snapshot()
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			return dial(ctx, snap, network, addr)
		},
		TLSClientConfig:   &tls.Config{RootCAs: pool},
		ForceAttemptHTTP2: true,
		DisableKeepAlives: true,
	}}
}

// dial leads the names of the environment to its edge.
func dial(ctx context.Context, s *emulator.Snapshot, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if host == s.Domain || strings.HasSuffix(host, "."+s.Domain) {
		switch port {
		case "80":
			addr = s.Edge
		case "443":
			addr = s.SecureEdge
		default:
			addr = net.JoinHostPort("127.0.0.1", port)
		}
	}
	var d net.Dialer
	return d.DialContext(ctx, network, addr)
}

// must ends the test with what failed.
func (e *Env) must(what string, err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatalf("emulatortest: %s: %v", what, err)
	}
}

// within bounds a wait.
func (e *Env) within() (context.Context, context.CancelFunc) {
	return context.WithTimeout(e.ctx, e.s.patience)
}

// WaitReady waits until the latest revisions of these apps are ready, or of all
// without one. The test ends as soon as waiting is no use.
func (e *Env) WaitReady(apps ...string) {
	e.t.Helper()
	if len(apps) == 0 {
		apps = []string{""}
	}
	for _, app := range apps {
		_, err := e.client.Wait(e.ctx, client.Wait{For: "ready", App: app, Timeout: e.s.patience})
		e.must("wait for the apps", err)
	}
}

// WaitRevision waits until a revision of an app is ready and, in single mode,
// no other one has a replica left.
func (e *Env) WaitRevision(app, revision string) {
	e.t.Helper()
	name := e.App(app).Name
	_, err := e.client.Wait(e.ctx, client.Wait{For: "revision", App: name, Revision: revision, Timeout: e.s.patience})
	e.must("wait for "+revision, err)
	e.WaitFor("the other revisions of "+name+" have ended", func(s *emulator.Snapshot) bool {
		a := s.App(name)
		return a != nil && (a.Properties.Configuration.ActiveRevisionsMode != aca.Single || alone(a, revision))
	})
}

// alone says that no other revision has a replica left.
func alone(app *emulator.App, revision string) bool {
	for _, r := range app.Revisions {
		if r.Name != revision && r.Name != aca.RevisionName(app.Name, revision) && len(r.Replicas) > 0 {
			return false
		}
	}
	return true
}

// WaitFor waits until a state is as wanted and returns it.
func (e *Env) WaitFor(what string, cond func(*emulator.Snapshot) bool) *emulator.Snapshot {
	e.t.Helper()
	ctx, cancel := e.within()
	defer cancel()
	s := e.Snapshot()
	for !cond(s) {
		var err error
		if s, err = e.daemon.Engine.Watch(ctx, s.Generation); err != nil {
			e.t.Fatalf("emulatortest: waited %s in vain until %s", e.s.patience, what)
		}
	}
	return s
}

// Update changes an app's definition, and returns the latest revision after the
// change, which is a new one when the change is to the template. It does not
// wait for it.
func (e *Env) Update(app string, change func(*aca.ContainerApp)) (revision string) {
	e.t.Helper()
	definition := *e.App(app).Clone()
	change(&definition)
	applied, err := e.client.Update(e.ctx, emulator.ApplyRequest{App: definition})
	e.must("update "+definition.Name, err)
	e.plans = append(e.plans, applied.Plan)
	return applied.Revision
}

// Traffic gives revisions of an app their shares of its requests, in percent, by
// name. "latest" stands for the latest revision.
func (e *Env) Traffic(app string, weights map[string]int) {
	e.t.Helper()
	e.Update(app, func(a *aca.ContainerApp) {
		in := a.Properties.Configuration.Ingress
		if in == nil {
			e.t.Fatalf("emulatortest: app %s has no ingress", a.Name)
		}
		in.Traffic = nil
		for name, weight := range weights {
			w := aca.TrafficWeight{RevisionName: name, Weight: weight}
			if name == "latest" {
				w = aca.TrafficWeight{LatestRevision: true, Weight: weight}
			}
			in.Traffic = append(in.Traffic, w)
		}
	})
}

// Restart replaces the replicas of an app's latest revision, new ones first, and
// returns when the old ones have ended and a new one is ready.
func (e *Env) Restart(app string) {
	e.t.Helper()
	a := e.App(app)
	revision := a.Properties.LatestRevisionName
	old := map[string]bool{}
	for _, r := range a.Revision(revision).Replicas {
		old[r.Name] = true
	}
	e.must("restart "+revision, e.client.Restart(e.ctx, a.Name, revision))
	e.WaitFor("the replicas of "+revision+" are replaced", func(s *emulator.Snapshot) bool {
		app := s.App(a.Name)
		if app == nil || app.Revision(revision) == nil {
			return false
		}
		for _, r := range app.Revision(revision).Replicas {
			if old[r.Name] {
				return false
			}
		}
		return rollout.Judge(app, revision) == rollout.Ready
	})
}

// AddFault breaks something from now on and returns the fault's name.
func (e *Env) AddFault(f Fault) string {
	e.t.Helper()
	st, err := e.client.AddFault(e.ctx, f)
	e.must("add a fault", err)
	return st.Name
}

// RemoveFault ends a fault and returns how often it has happened.
func (e *Env) RemoveFault(name string) (happened int) {
	e.t.Helper()
	faults, err := e.client.Faults(e.ctx)
	e.must("list the faults", err)
	for _, f := range faults {
		if f.Name == name {
			happened = f.Count
		}
	}
	_, err = e.client.RemoveFaults(e.ctx, name)
	e.must("remove a fault", err)
	return happened
}
