package core

import (
	"cmp"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
)

// publishTable replaces the routing when it changed.
func (s *State) publishTable() {
	t := s.routing()
	if text := t.String(); text == s.table {
		return
	}
	s.tables++
	t.Generation = s.tables
	s.table = s.routing().String()
	s.emit(PublishTable{t})
}

// publishDrains orders the drain of what left the table in this pass, now
// that the table without it is out.
func (s *State) publishDrains() {
	for _, name := range s.drains {
		s.emit(Drain{name})
	}
	s.drains = nil
}

func (e DrainFinished) apply(s *State) {
	if r := s.replica(e.Replica); r != nil && r.leave == draining {
		s.stopReplica(r)
	}
}

func (s *State) routing() ingress.Table {
	t := ingress.Table{Domain: s.o.Domain}
	for _, a := range s.sortedApps() {
		t.Apps = append(t.Apps, s.route(a))
	}
	s.routes(&t)
	return t
}

// route is an app as the edge sees it.
func (s *State) route(a *app) ingress.App {
	out := ingress.App{Name: a.spec.Name, Stopped: a.removed || a.stopped}
	in := a.spec.Properties.Configuration.Ingress
	if in == nil {
		return out
	}
	policies(&out, in)
	out.Resiliency = resiliency(a.resiliency)
	for _, rev := range a.revisions {
		if rev.active {
			out.Revisions = append(out.Revisions, ingress.Revision{Name: rev.name, Endpoints: s.endpoints(rev)})
		}
	}
	slices.SortFunc(out.Revisions, func(x, y ingress.Revision) int { return strings.Compare(x.Name, y.Name) })
	out.Split = s.split(a)
	for _, w := range in.Traffic {
		if w.Label != "" {
			out.Labels = append(out.Labels, ingress.Label{Name: w.Label, Revision: s.trafficRevision(a, w)})
		}
	}
	slices.SortFunc(out.Labels, func(x, y ingress.Label) int { return strings.Compare(x.Name, y.Name) })
	return out
}

func policies(out *ingress.App, in *aca.Ingress) {
	out.Enabled, out.External = true, in.External
	out.Transport = ingress.Transport(strings.ToLower(string(cmp.Or(in.Transport, aca.TransportAuto))))
	out.TargetPort, out.ExposedPort = in.TargetPort, in.ExposedPort
	out.AllowInsecure = in.AllowInsecure
	out.Sticky = in.StickySessions != nil && strings.EqualFold(in.StickySessions.Affinity, "sticky")
	out.ClientCertificate = ingress.CertificateMode(strings.ToLower(cmp.Or(in.ClientCertificateMode, "ignore")))
	out.UpstreamTLS = strings.EqualFold(in.TargetPortHTTPScheme, "https")
	if c := in.CorsPolicy; c != nil {
		out.CORS = &ingress.CORSPolicy{
			AllowedOrigins: c.AllowedOrigins, AllowedMethods: c.AllowedMethods, AllowedHeaders: c.AllowedHeaders,
			ExposeHeaders: c.ExposeHeaders, AllowCredentials: c.AllowCredentials, MaxAge: c.MaxAge,
		}
	}
	for _, r := range in.IPSecurityRestrictions {
		out.IPRules = append(out.IPRules, ingress.IPRule{Name: r.Name, Range: r.IPAddressRange, Action: ingress.IPAction(r.Action)})
	}
	for _, m := range in.AdditionalPortMappings {
		out.AdditionalPorts = append(out.AdditionalPorts, ingress.PortMapping{External: m.External, TargetPort: m.TargetPort, ExposedPort: m.ExposedPort})
	}
	out.CustomDomains = customDomains(in.CustomDomains)
}

func customDomains(in []aca.CustomDomain) []ingress.CustomDomain {
	var out []ingress.CustomDomain
	for _, d := range in {
		out = append(out, ingress.CustomDomain{Name: strings.ToLower(d.Name), Disabled: d.BindingType == "Disabled"})
	}
	return out
}

// endpoints are the ready replicas of a revision. They are asked on the target
// port of today, also those that were made for another one: after a change
// for the worse the old replica still is ready, and refuses (observed).
func (s *State) endpoints(rev *revision) []ingress.Endpoint {
	var out []ingress.Endpoint
	for _, r := range s.readyReplicas(rev) {
		port := cmp.Or(targetPort(rev.app), r.port)
		if port == 0 {
			continue
		}
		out = append(out, ingress.Endpoint{Replica: r.name, Port: port, Addr: s.observed[r.holder.key].Address})
	}
	slices.SortFunc(out, func(x, y ingress.Endpoint) int { return strings.Compare(x.Replica, y.Replica) })
	return out
}

// split divides an app's requests. In single mode all go to the revision that
// serves, whatever the weights say; in multiple mode the weights decide, also
// for revisions that are down (observed: no failing over).
func (s *State) split(a *app) []ingress.Weight {
	if a.removed || a.stopped || a.latest() == nil {
		return nil
	}
	if a.mode() == aca.Single {
		return []ingress.Weight{{Revision: a.serving, Weight: 100}}
	}
	weights := map[string]int{}
	for _, w := range trafficOf(a) {
		if w.Weight > 0 {
			weights[s.trafficRevision(a, w)] += w.Weight
		}
	}
	var out []ingress.Weight
	for _, name := range sortedKeys(weights) {
		out = append(out, ingress.Weight{Revision: name, Weight: weights[name]})
	}
	return out
}

// trafficOf is the traffic of an app; by default all of it goes to the latest
// revision.
func trafficOf(a *app) []aca.TrafficWeight {
	if in := a.spec.Properties.Configuration.Ingress; in != nil && len(in.Traffic) > 0 {
		return in.Traffic
	}
	return []aca.TrafficWeight{{LatestRevision: true, Weight: 100}}
}

// trafficRevision names the revision an entry means. The latest revision is
// the latest one that was ready, so a new one gets nothing before it is.
func (s *State) trafficRevision(a *app, w aca.TrafficWeight) string {
	if !w.LatestRevision {
		return w.RevisionName
	}
	if rev := s.latestReady(a); rev != nil {
		return rev.name
	}
	return a.latest().name
}

// latestReady is the newest active revision that was ready, or, before any
// was, the newest that can answer at all; nil when none can.
func (s *State) latestReady(a *app) *revision {
	var answers *revision
	for _, rev := range slices.Backward(a.revisions) {
		switch {
		case !rev.active:
		case rev.everReady:
			return rev
		case answers == nil && len(s.readyReplicas(rev)) > 0:
			answers = rev
		}
	}
	return answers
}
