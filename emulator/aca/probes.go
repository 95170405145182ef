package aca

import "strings"

// EffectiveProbes lists the probes that really run for a container, with every
// number filled in: the user's own, and for the main container of an app with
// ingress a hidden TCP probe on the target port for each type not given. A
// user's probe replaces the hidden one completely: what it leaves out takes
// the schema's defaults (period 10 s, failure 3), not those of the hidden one
// (https://github.com/microsoft/azure-container-apps/issues/882). GPU workload
// profiles have no hidden ones. The order is
// startup, readiness, liveness. A hidden probe has port 0 when the target port
// is detected at run time. An unknown container has none.
//
// Numbers: https://learn.microsoft.com/azure/container-apps/health-probes; the
// page gives none for liveness, so that one takes the schema's.
func EffectiveProbes(app *ContainerApp, container string) []Probe {
	c := app.Properties.Template.container(container)
	if c == nil {
		return nil
	}
	hidden := app.Properties.Configuration.Ingress != nil && app.MainContainer() == container &&
		!strings.Contains(strings.ToLower(app.Properties.WorkloadProfileName), "gpu")
	var probes []Probe
	for _, kind := range []ProbeType{Startup, Readiness, Liveness} {
		if p := c.probe(kind); p != nil {
			probes = append(probes, p.filled())
		} else if hidden {
			probes = append(probes, hiddenProbe(kind, app.Properties.Configuration.Ingress.TargetPort))
		}
	}
	return probes
}

// MainContainer names the container that requests are meant for. ACA marks
// none: it is whichever listens on the target port. From the definition alone
// that is the first container with a probe on that port, else the first of
// all; "" when there is no container.
func (a *ContainerApp) MainContainer() string {
	containers := a.Properties.Template.Containers
	if in := a.Properties.Configuration.Ingress; in != nil && in.TargetPort != 0 {
		for _, c := range containers {
			for _, p := range c.Probes {
				if p.port() == in.TargetPort {
					return c.Name
				}
			}
		}
	}
	if len(containers) == 0 {
		return ""
	}
	return containers[0].Name
}

func (t *Template) container(name string) *Container {
	for i := range t.Containers {
		if t.Containers[i].Name == name {
			return &t.Containers[i]
		}
	}
	return nil
}

func (c *Container) probe(kind ProbeType) *Probe {
	for i := range c.Probes {
		if c.Probes[i].Type == kind {
			return &c.Probes[i]
		}
	}
	return nil
}

// port is the port the probe asks, 0 when it has neither form.
func (p *Probe) port() int {
	switch {
	case p.HTTPGet != nil:
		return p.HTTPGet.Port
	case p.TCPSocket != nil:
		return p.TCPSocket.Port
	}
	return 0
}

// filled is a copy of p with the schema's defaults for what it leaves out.
func (p *Probe) filled() Probe {
	f := *p
	setDefaultPtr(&f.InitialDelaySeconds, 0)
	setDefaultPtr(&f.PeriodSeconds, 10)
	setDefaultPtr(&f.TimeoutSeconds, 1)
	setDefaultPtr(&f.SuccessThreshold, 1)
	setDefaultPtr(&f.FailureThreshold, 3)
	if p.HTTPGet != nil {
		get := *p.HTTPGet
		setDefault(&get.Path, "/")
		setDefault(&get.Scheme, "HTTP")
		f.HTTPGet = &get
	}
	return f
}

func hiddenProbe(kind ProbeType, port int) Probe {
	p := Probe{Type: kind, TCPSocket: &TCPSocket{Port: port}}
	switch kind {
	case Startup:
		p.numbers(1, 1, 3, 1, 240)
	case Readiness:
		p.numbers(3, 5, 5, 1, 48)
	case Liveness:
		p.numbers(0, 10, 1, 1, 3)
	}
	return p
}

func (p *Probe) numbers(delay, period, timeout, success, failure int) {
	p.InitialDelaySeconds, p.PeriodSeconds, p.TimeoutSeconds = &delay, &period, &timeout
	p.SuccessThreshold, p.FailureThreshold = &success, &failure
}
