package check

import (
	"slices"

	"github.com/acalocal/acalocal/emulator/aca"
)

var scaleRules = []Rule{
	{
		ID: "scale-zero-slow-start", Severity: aca.SeverityWarning,
		Title: "the app goes to zero although it starts slowly",
		Why: "minReplicas is 0 unless set. The first request after five quiet minutes waits for a whole cold start: 20 to 40 seconds on Azure for a small " +
			"image, and the app's own start on top. Most clients give up first.",
		Do:     "set minReplicas to 1",
		Source: "https://github.com/yeongseon/azure-paas-troubleshooting-labs, container-apps/scale-to-zero-502",
		look: func(s *subject) {
			if s.minReplicas() > 0 || s.config.Ingress == nil {
				return
			}
			for j := range s.main.Probes {
				p := &s.main.Probes[j]
				if slow := or(p.InitialDelaySeconds, 0); slow >= 10 || p.Type == aca.Startup && budget(p) >= 60 {
					s.scaleFinding("minReplicas", "minReplicas is 0, but the %s probe expects a start of up to %d s", p.Type, max(slow, startBudget(p)))
					return
				}
			}
		},
	},
	{
		ID: "scale-never-wakes", Severity: aca.SeverityError,
		Title: "the app goes to zero and nothing brings it back",
		Why: "Without ingress and without a scale rule an app with minReplicas 0 is scaled to zero and stays there. Rules of kind http and tcp count " +
			"what comes by the ingress: without one they count nothing.",
		Do:     "set minReplicas to 1, or add a scale rule that has something to count",
		Source: "https://github.com/microsoft/azure-container-apps/issues/348",
		look: func(s *subject) {
			switch {
			case s.config.Ingress != nil || s.minReplicas() > 0:
			case s.template.Scale == nil || len(s.template.Scale.Rules) == 0:
				s.scaleFinding("minReplicas", "%s has no ingress, no scale rule and minReplicas 0", s.app.Name)
			case !slices.ContainsFunc(s.template.Scale.Rules, func(r aca.ScaleRule) bool { return r.HTTP == nil && r.TCP == nil }):
				s.onKey(scalePath.Field("rules"), "%s has no ingress whose requests a rule could count, and minReplicas 0", s.app.Name)
			}
		},
	},
	{
		ID: "scale-requests-do-not-wake", Severity: aca.SeverityWarning,
		Title: "requests do not wake the app",
		Why: "The implicit HTTP rule exists only while no rule is given. With other rules alone, an app at zero waits for those; requests are held for " +
			"240 seconds and fail.",
		Do:     "add an http rule beside the others, or set minReplicas to 1",
		Source: "https://learn.microsoft.com/azure/container-apps/scale-app",
		look: func(s *subject) {
			scale := s.template.Scale
			if s.config.Ingress == nil || s.minReplicas() > 0 || scale == nil || len(scale.Rules) == 0 {
				return
			}
			for _, r := range scale.Rules {
				if r.HTTP != nil || r.TCP != nil {
					return
				}
			}
			s.onKey(scalePath.Field("rules"), "no rule counts requests, and minReplicas is 0")
		},
	},
	{
		ID: "scale-cpu-at-zero", Severity: aca.SeverityWarning,
		Title: "a cpu or memory rule with minReplicas 0",
		Why:   "Utilisation is measured on replicas that run: these rules cannot bring the first one up, and Azure does not scale such an app to zero.",
		Do:    "set minReplicas to 1", Source: "https://learn.microsoft.com/azure/container-apps/scale-app",
		look: func(s *subject) {
			if s.template.Scale == nil || s.minReplicas() > 0 {
				return
			}
			for i, r := range s.template.Scale.Rules {
				if r.Custom != nil && (r.Custom.Type == "cpu" || r.Custom.Type == "memory") {
					s.at(scalePath.Field("rules").Index(i).Field("custom").Field("type"), "the %s rule cannot bring up the first replica", r.Custom.Type)
				}
			}
		},
	},
	{
		ID: "scale-sticky-state", Severity: aca.SeverityNote,
		Title: "sticky sessions with an app that scales",
		Why: "Affinity keeps a client on its replica, not its state: when the replica goes, at scale-in, restart or roll-out, the session is gone with " +
			"it.",
		Do:     "keep sessions outside of the replica",
		Source: "https://learn.microsoft.com/azure/container-apps/sticky-sessions",
		look: func(s *subject) {
			in := s.config.Ingress
			if in != nil && in.StickySessions != nil && in.StickySessions.Affinity == "sticky" && s.maxReplicas() > 1 {
				s.at(ingressPath.Field("stickySessions").Field("affinity"), "clients stick to one of up to %d replicas", s.maxReplicas())
			}
		},
	},
}

func startBudget(p *aca.Probe) int {
	if p.Type == aca.Startup {
		return budget(p)
	}
	return 0
}

// scaleFinding reports a key of scale, or what stands around it.
func (s *subject) scaleFinding(key, format string, args ...any) {
	s.onKey(scalePath.Field(key), format, args...)
}
