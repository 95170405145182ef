package core

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Check says why Azure would refuse a change, or nil. It changes nothing.
func (s *State) Check(e SpecChanged) error {
	if s.closing {
		return &aca.Error{Code: "Conflict", Message: "The environment is going down.", Target: s.o.Environment}
	}
	if _, taken := s.routeConfigs[e.App.Name]; taken {
		return &aca.Error{Code: "Conflict", Message: fmt.Sprintf("The container app '%s' must not have the name of a route config of its environment.", e.App.Name), Target: e.App.Name}
	}
	if in := e.App.Properties.Configuration.Ingress; in != nil {
		if err := s.checkDomains("app "+e.App.Name, in.CustomDomains); err != nil {
			return err
		}
	}
	a := s.apps[e.App.Name]
	if err := checkTraffic(a, e.App); err != nil {
		return err
	}
	if err := checkSecrets(a, e.App); err != nil {
		return err
	}
	suffix := e.App.Properties.Template.RevisionSuffix
	if a == nil || a.removed || suffix == "" || !s.changesTemplate(a, e) {
		return nil
	}
	if a.revision(aca.RevisionName(e.App.Name, suffix)) == nil {
		return nil
	}
	return aca.ProvisionError(e.App.Name, "template.revisionsuffix", suffix, "revision with suffix "+suffix+" already exists.", "template.revisionSuffix")
}

// checkTraffic refuses weights for revisions that do not exist. Deactivated
// ones are accepted, as Azure does (github.com/microsoft/azure-container-apps
// issues 410 and 1345).
func checkTraffic(a *app, spec aca.ContainerApp) error {
	in := spec.Properties.Configuration.Ingress
	if in == nil {
		return nil
	}
	for i, w := range in.Traffic {
		if w.RevisionName == "" || a != nil && a.revision(w.RevisionName) != nil {
			continue
		}
		return &aca.Error{
			Code: "InvalidParameterValueInContainerTemplate",
			Message: fmt.Sprintf("The following field(s) are either invalid or missing. Field 'configuration.ingress.traffic' is invalid with details: "+
				"'Invalid value: %q: the container app %s has no such revision';.", w.RevisionName, spec.Name),
			Target: fmt.Sprintf("properties.configuration.ingress.traffic[%d].revisionName", i),
		}
	}
	return nil
}

func (s *State) changesTemplate(a *app, e SpecChanged) bool {
	latest := a.latest()
	return latest == nil || aca.TemplateHash(&latest.template) != aca.TemplateHash(&e.App.Properties.Template)
}

// Plan says what a change will do and why, one step a line. It changes
// nothing. Of an Edit it leaves out mode and traffic: the editor has both lists
// and says what it does to them.
func (s *State) Plan(e SpecChanged) string {
	var p planText
	a := s.apps[e.App.Name]
	name := e.App.Name
	switch {
	case a == nil || a.latest() == nil:
		p.step("create app %s (not there yet)", name)
		p.revision(e, "first revision")
	case s.changesTemplate(a, e):
		p.mode(a, e)
		p.port(a, e)
		if a.stopped {
			p.step("create revision of %s (template changed)", name)
			p.step("start nothing (the app is stopped)")
			p.traffic(a, e)
			break
		}
		p.revision(e, "template changed")
		p.traffic(a, e)
		if modeOf(e.App) == aca.Single {
			p.step("move traffic from %s to the new revision (when all its replicas are ready)", s.sources(a))
			p.stop(a)
		}
		p.label(a, e)
	case modeOf(e.App) != a.mode():
		p.mode(a, e)
		p.port(a, e)
		p.traffic(a, e)
		p.activates(a, e)
		if modeOf(e.App) == aca.Single {
			s.keepOne(&p, a)
		}
		return p.String()
	case targetPort(a) != portOf(e.App):
		p.step("replace the replicas of %s (target port %d becomes %d)", a.activeNames(), targetPort(a), portOf(e.App))
		p.traffic(a, e)
	case a.dirs.digest() != e.Directories.digest():
		p.step("replace the replicas of %s (its directories of this machine changed)", a.latest().name)
	case telemetryDigest(a.telemetry) != telemetryDigest(e.Telemetry):
		p.step("replace the replicas of %s (the variables of the environment's OpenTelemetry agent changed)", a.latest().name)
	case a.secrets != secretDigest(e.App):
		p.step("keep revision %s (a changed secret needs a restart)", a.latest().name)
	case p.traffic(a, e):
	case !samePolicy(a.resiliency, e.Resiliency):
		p.step("keep revision %s (its resiliency policy changed)", a.latest().name)
	default:
		p.step("keep revision %s (nothing changed in the template)", a.latest().name)
	}
	if a != nil && a.latest() != nil && !s.changesTemplate(a, e) {
		p.activates(a, e)
	}
	return p.String()
}

// activeNames are the revisions that have replicas, by name.
func (a *app) activeNames() string {
	var out []string
	for _, rev := range a.revisions {
		if rev.active {
			out = append(out, rev.name)
		}
	}
	return cmp.Or(strings.Join(out, ", "), a.latest().name)
}

// sources names the revisions that get requests now.
func (s *State) sources(a *app) string {
	var out []string
	for _, w := range s.split(a) {
		out = append(out, w.Revision)
	}
	return cmp.Or(strings.Join(out, ", "), a.serving)
}

func portOf(app aca.ContainerApp) int {
	if in := app.Properties.Configuration.Ingress; in != nil {
		return in.TargetPort
	}
	return 0
}

// planText collects the steps of a plan.
type planText struct{ strings.Builder }

func (p *planText) step(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *planText) revision(e SpecChanged, cause string) {
	t := e.App.Properties.Template
	low, _ := scaleBounds(t)
	p.step("create revision of %s (%s)", e.App.Name, cause)
	n := max(low, 1)
	p.step("start %d replica%s (minReplicas %d)", n, plural(n), low)
	for _, c := range t.InitContainers {
		p.step("run init container %s of %s", c.Name, c.Image)
	}
	for _, c := range t.Containers {
		p.step("run container %s of %s", c.Name, c.Image)
	}
	if in := e.App.Properties.Configuration.Ingress; in != nil {
		p.step("route to port %d (when the probes pass)", in.TargetPort)
	}
}

// mode says that the revision mode changes.
func (p *planText) mode(a *app, e SpecChanged) {
	if was, becomes := a.mode(), modeOf(e.App); was != becomes && !e.Edit {
		p.step("revision mode %s becomes %s", was, becomes)
	}
}

// port says that the target port changes.
func (p *planText) port(a *app, e SpecChanged) {
	if was, becomes := targetPort(a), portOf(e.App); was != becomes {
		p.step("targetPort %d becomes %d", was, becomes)
	}
}

// traffic says that the weights change, and whether they do. In single mode
// they count for nothing.
func (p *planText) traffic(a *app, e SpecChanged) bool {
	if modeOf(e.App) == aca.Single || e.Edit {
		return false
	}
	becomes := &app{spec: e.App}
	if a.mode() == aca.Labels && defaultTraffic(trafficOf(becomes)) {
		return false // the labels are kept
	}
	was, will := trafficText(trafficOf(a)), trafficText(trafficOf(becomes))
	if was != will {
		p.step("traffic %s becomes %s", was, will)
	}
	return was != will
}

// trafficText is "web--a 80%, latest 20%".
func trafficText(ws []aca.TrafficWeight) string {
	var out []string
	for _, w := range ws {
		name := w.RevisionName
		if w.LatestRevision {
			name = "latest"
		}
		if w.Label != "" {
			name += " (" + w.Label + ")"
		}
		out = append(out, fmt.Sprintf("%s %d%%", name, w.Weight))
	}
	return strings.Join(out, ", ")
}

// label says that in labels mode a new revision gets the target label, and from
// which one.
func (p *planText) label(a *app, e SpecChanged) {
	label := e.App.Properties.Configuration.TargetLabel
	if modeOf(e.App) != aca.Labels || label == "" {
		return
	}
	from := &app{spec: e.App}
	if defaultTraffic(trafficOf(from)) {
		from = a // the labels are kept
	}
	for _, w := range trafficOf(from) {
		if w.Label == label && w.RevisionName != "" {
			p.step("move the label %s from %s to the new revision (when all its replicas are ready)", label, w.RevisionName)
			return
		}
	}
	p.step("give the label %s to the new revision", label)
}

// stop says that a new revision ends all that are active in single mode.
func (p *planText) stop(a *app) {
	for _, rev := range a.revisions {
		if rev.active {
			p.step("drain and stop %s (single revision mode)", rev.name)
		}
	}
}

// activates says that the latest revision, which is not active, will be.
func (p *planText) activates(a *app, e SpecChanged) {
	latest := a.latest()
	if latest.active || a.stopped || e.Edit && modeOf(e.App) != aca.Single {
		return
	}
	n := max(latest.template.Scale.Min(), 1)
	p.step("start %d replica%s of %s (it is the latest revision)", n, plural(n), latest.name)
}

// keepOne says which active revisions end when an app comes back to single mode:
// all but the latest, and the one that serves only when that is ready.
func (s *State) keepOne(p *planText, a *app) {
	latest := a.latest()
	for _, rev := range a.revisions {
		switch {
		case !rev.active || rev == latest:
		case rev.name == a.serving && (!latest.active || !s.provisioned(latest)):
			p.step("drain and stop %s (when all replicas of %s are ready)", rev.name, latest.name)
		default:
			p.step("drain and stop %s (single revision mode)", rev.name)
		}
	}
}

// modeOf is the revision mode a definition asks for.
func modeOf(spec aca.ContainerApp) aca.RevisionsMode {
	return (&app{spec: spec}).mode()
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
