package core

import (
	"fmt"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Check says why Azure would refuse a change, or nil. It changes nothing.
func (s *State) Check(e SpecChanged) error {
	if s.closing {
		return &aca.Error{Code: "Conflict", Message: "The environment is going down.", Target: s.o.Environment}
	}
	a := s.apps[e.App.Name]
	if err := checkTraffic(a, e.App); err != nil {
		return err
	}
	suffix := e.App.Properties.Template.RevisionSuffix
	if a == nil || a.removed || suffix == "" || !s.changesTemplate(a, e) {
		return nil
	}
	if a.revision(aca.RevisionName(e.App.Name, suffix)) == nil {
		return nil
	}
	return &aca.Error{
		Code: "ContainerAppOperationError",
		Message: fmt.Sprintf("Failed to provision revision for container app '%s'. Error details: The following field(s) are either invalid or missing. "+
			"Field 'template.revisionsuffix' is invalid with details: 'Invalid value: %q: revision with suffix %s already exists.';..", e.App.Name, suffix, suffix),
		Target: "template.revisionSuffix",
	}
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
			Code:    "RevisionNotFound",
			Message: fmt.Sprintf("Revision '%s' of container app '%s' was not found; traffic cannot be sent to it.", w.RevisionName, spec.Name),
			Target:  fmt.Sprintf("properties.configuration.ingress.traffic[%d].revisionName", i),
		}
	}
	return nil
}

func (s *State) changesTemplate(a *app, e SpecChanged) bool {
	latest := a.latest()
	return latest == nil || aca.TemplateHash(&latest.template) != aca.TemplateHash(&e.App.Properties.Template)
}

// Plan says what a change will do and why, one step a line. It changes
// nothing.
func (s *State) Plan(e SpecChanged) string {
	var p planText
	a := s.apps[e.App.Name]
	name := e.App.Name
	switch {
	case a == nil || a.latest() == nil:
		p.step("create app %s (not there yet)", name)
		p.revision(e, "first revision")
	case s.changesTemplate(a, e):
		p.revision(e, "template changed")
		if a.mode() == aca.Single {
			p.step("move traffic from %s to the new revision (when all its replicas are ready)", a.serving)
			p.step("drain and stop %s (single revision mode)", a.serving)
		}
	case targetPort(a) != portOf(e.App):
		p.step("replace the replicas of %s (target port %d becomes %d)", a.latest().name, targetPort(a), portOf(e.App))
	case a.dirs.digest() != e.Directories.digest():
		p.step("replace the replicas of %s (its directories of this machine changed)", a.latest().name)
	case a.secrets != secretDigest(e.App):
		p.step("keep revision %s (a changed secret needs a restart)", a.latest().name)
	default:
		p.step("keep revision %s (nothing changed in the template)", a.latest().name)
	}
	return p.String()
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

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
