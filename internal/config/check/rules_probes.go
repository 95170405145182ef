package check

import (
	"slices"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

var probeRules = []Rule{
	{
		ID: "probe-startup-budget", Severity: aca.SeverityWarning,
		Title: "a startup probe gives up early",
		Why: "A startup probe replaces the hidden one (240 attempts, one a second) completely; what it leaves out takes the schema's defaults: " +
			"every 10 seconds, 3 failures. An app that needs longer is killed and started again, for ever.",
		Do:     "raise failureThreshold, or remove the probe to get the hidden one with its 240 seconds",
		Source: "https://github.com/microsoft/azure-container-apps/issues/882",
		look: eachProbe(func(s *subject, c *aca.Container, p *aca.Probe, at aca.Path) {
			if p.Type == aca.Startup && budget(p) < 30 {
				s.at(at, "the startup probe of %s gives up after %d s", c.Name, budget(p))
			}
		}),
	},
	{
		ID: "probe-liveness-without-startup", Severity: aca.SeverityWarning,
		Title: "a liveness probe may kill the container while it starts",
		Why: "Without a startup probe liveness runs from the first second. The hidden startup probe exists only for the main container of an " +
			"app with ingress; elsewhere a slow start ends in a restart loop.",
		Do:     "add a startup probe with a generous failureThreshold",
		Source: "https://github.com/yeongseon/azure-paas-troubleshooting-labs, container-apps/startup-probes",
		look: eachProbe(func(s *subject, c *aca.Container, p *aca.Probe, at aca.Path) {
			startup, _ := probeOf(c, aca.Startup)
			hidden := s.config.Ingress != nil && c.Name == s.main.Name
			if p.Type == aca.Liveness && startup == nil && !hidden && budget(p) < 60 {
				s.at(at, "nothing protects the start of %s: liveness kills it after %d s", c.Name, budget(p))
			}
		}),
	},
	{
		ID: "probe-liveness-stricter-than-readiness", Severity: aca.SeverityWarning,
		Title: "liveness gives up before readiness",
		Why: "Readiness takes a replica out of traffic so that it can recover; liveness kills it. When liveness is the faster one, a busy replica " +
			"is killed with its requests in flight, which end in 503, instead of resting for a moment.",
		Do:     "give liveness a longer period or a higher failureThreshold than readiness",
		Source: "https://github.com/yeongseon/azure-paas-troubleshooting-labs, container-apps/worker-saturation-liveness",
		look: eachProbe(func(s *subject, c *aca.Container, p *aca.Probe, at aca.Path) {
			readiness, _ := probeOf(c, aca.Readiness)
			if p.Type == aca.Liveness && readiness != nil && patience(p) < patience(readiness) {
				s.at(at, "liveness of %s gives up after %d s, readiness after %d s", c.Name, patience(p), patience(readiness))
			}
		}),
	},
	{
		ID: "probe-liveness-checks-dependencies", Severity: aca.SeverityWarning,
		Title: "the path of a liveness probe looks like one that checks dependencies",
		Why: "A liveness probe that asks the database restarts every replica when the database is slow, which helps nobody. Dependencies belong " +
			"into readiness, which only holds traffic back.",
		Do:     "let liveness ask a path that only says that the process answers",
		Source: "https://github.com/yeongseon/azure-paas-troubleshooting-labs, container-apps/dependency-coupled-health",
		look: eachProbe(func(s *subject, c *aca.Container, p *aca.Probe, at aca.Path) {
			if p.Type == aca.Liveness && p.HTTPGet != nil && dependencyPath.MatchString(p.HTTPGet.Path) {
				s.at(at.Field("httpGet").Field("path"), "liveness of %s asks %s", c.Name, p.HTTPGet.Path)
			}
		}),
	},
	{
		ID: "probe-port", Severity: aca.SeverityWarning,
		Title: "a probe asks a port that nothing seems to listen on",
		Why: "A startup or liveness probe on a wrong port fails for ever and the container is restarted for ever, while the deployment itself " +
			"succeeds.",
		Do:     "use the port the container listens on",
		Source: "https://github.com/yeongseon/azure-container-apps-practical-guide, labs/bicep-deployment-timeout",
		look: eachProbe(func(s *subject, c *aca.Container, p *aca.Probe, at aca.Path) {
			known := s.knownPorts()
			if port := probePort(p); c.Name == s.main.Name && port != 0 && len(known) > 0 && !slices.Contains(known, port) {
				s.at(probePortPath(p, at), "the %s probe asks port %d; known ports of the app are %s", p.Type, port, ports(known))
			}
		}),
	},
	{
		ID: "probe-timeout-default", Severity: aca.SeverityNote,
		Title: "an HTTP probe has one second to answer",
		Why: "timeoutSeconds is 1 unless set. A garbage collection, a cold cache or a busy worker is enough to fail it, and three in a row take " +
			"the replica down.",
		Do:     "set timeoutSeconds to 3 or more",
		Source: "https://azureossd.github.io/2023/08/23/Container-Apps-and-failed-health-probes/",
		look: eachProbe(func(s *subject, c *aca.Container, p *aca.Probe, at aca.Path) {
			if p.HTTPGet != nil && p.TimeoutSeconds == nil && p.Type == aca.Liveness {
				s.at(at, "the %s probe of %s must be answered within 1 s", p.Type, c.Name)
			}
		}),
	},
	{
		ID: "probe-delay-instead-of-startup", Severity: aca.SeverityNote,
		Title: "a long initialDelaySeconds does the work of a startup probe",
		Why: "The delay is waited for at every start, also by an app that is up at once, and is still too short on a bad day. A startup probe ends " +
			"the wait as soon as the app answers.",
		Do:     "move the wait into a startup probe and leave initialDelaySeconds out",
		Source: "https://learn.microsoft.com/azure/container-apps/health-probes",
		look: eachProbe(func(s *subject, c *aca.Container, p *aca.Probe, at aca.Path) {
			startup, _ := probeOf(c, aca.Startup)
			if p.Type != aca.Startup && startup == nil && or(p.InitialDelaySeconds, 0) >= 30 {
				s.at(at.Field("initialDelaySeconds"), "the %s probe of %s waits %d s at every start", p.Type, c.Name, *p.InitialDelaySeconds)
			}
		}),
	},
	{
		ID: "probe-readiness-missing", Severity: aca.SeverityNote,
		Title: "a replica is ready as soon as its port is open",
		Why: "Without a readiness probe of its own an app gets a TCP check: requests arrive the moment the port opens, also while the app still " +
			"warms up. A roll-out then answers from a replica that is not ready.",
		Do:     "add a readiness probe with httpGet",
		Source: "https://github.com/yeongseon/azure-paas-troubleshooting-labs, container-apps/revision-update-downtime",
		look: func(s *subject) {
			readiness, _ := probeOf(s.main, aca.Readiness)
			if in := s.config.Ingress; in != nil && in.Transport != aca.TransportTCP && readiness == nil && s.main.Name != "" && len(s.main.Probes) > 0 {
				s.onKey(s.mainPath.Field("probes"), "%s has probes but none for readiness", s.main.Name)
			}
		},
	},
	{
		ID: "probe-period-shorter-than-timeout", Severity: aca.SeverityNote,
		Title: "a probe may take longer than its period",
		Why:   "Attempts are made every periodSeconds whatever the last one does; a timeout above the period makes a slow app answer two probes at a time.",
		Do:    "keep timeoutSeconds at or below periodSeconds", Source: "https://azureossd.github.io/2023/08/23/Container-Apps-and-failed-health-probes/",
		look: eachProbe(func(s *subject, c *aca.Container, p *aca.Probe, at aca.Path) {
			if timeout, period := or(p.TimeoutSeconds, 1), or(p.PeriodSeconds, 10); p.Type != aca.Startup && timeout > period {
				s.at(at.Field("timeoutSeconds"), "the %s probe of %s may take %d s but is made every %d s", p.Type, c.Name, timeout, period)
			}
		}),
	},
}

var dependencyPath = lazyregexp.New(`(?i)(ready|readiness|dependenc|deep|full|database|/db\b|redis|status/all)`)

// eachProbe looks at every probe the user wrote.
func eachProbe(look func(s *subject, c *aca.Container, p *aca.Probe, at aca.Path)) func(*subject) {
	return func(s *subject) {
		for i := range s.template.Containers {
			c := &s.template.Containers[i]
			for j := range c.Probes {
				look(s, c, &c.Probes[j], containerPath(i).Field("probes").Index(j))
			}
		}
	}
}

func probePortPath(p *aca.Probe, at aca.Path) aca.Path {
	if p.HTTPGet != nil {
		return at.Field("httpGet").Field("port")
	}
	return at.Field("tcpSocket").Field("port")
}
