package aca

import "fmt"

// probes checks the health checks of a container. The message of a number out
// of range is the service's own, the literal 'Type' included
// (https://github.com/microsoft/azure-container-apps/issues/1100); upper
// bounds of failureThreshold are those of 2026.
func (v *validator) probes(c *Container, at Path) {
	seen := once{}
	for i := range c.Probes {
		p, at := &c.Probes[i], at.Index(i)
		switch {
		case p.Type == "":
			v.errorf(at, codeInvalidValue, "the probe has no type").Hint = "Startup, Readiness or Liveness"
		case seen.again(string(p.Type)):
			v.errorf(at.Field("type"), codeInvalidValue, "Container '%s' has two %s probes; one of each type is allowed", c.Name, p.Type)
		}
		v.probeTarget(c, p, at)
		v.probeNumbers(c, p, at)
	}
}

func (v *validator) probeTarget(c *Container, p *Probe, at Path) {
	switch {
	case p.HTTPGet == nil && p.TCPSocket == nil:
		v.errorf(at, codeInvalidValue, "the %s probe of container '%s' asks nothing", p.Type, c.Name).Hint = "give httpGet or tcpSocket"
	case p.HTTPGet != nil && p.TCPSocket != nil:
		v.errorf(at, codeInvalidValue, "the %s probe of container '%s' has both httpGet and tcpSocket", p.Type, c.Name).Hint = "keep one of them"
	}
	if p.HTTPGet != nil {
		v.probePort(at.Field("httpGet"), p.HTTPGet.Port)
		for i, h := range p.HTTPGet.HTTPHeaders {
			if h.Name == "" {
				v.errorf(at.Field("httpGet").Field("httpHeaders").Index(i), codeInvalidValue, "the header has no name")
			}
		}
	}
	if p.TCPSocket != nil {
		v.probePort(at.Field("tcpSocket"), p.TCPSocket.Port)
	}
}

func (v *validator) probePort(at Path, port int) {
	if port == 0 {
		v.errorf(at.Field("port"), codeInvalidValue, "the probe has no port").Hint = "it is not taken from the target port"
		return
	}
	v.port(at.Field("port"), port)
}

// failureLimit is the highest failureThreshold the service takes.
var failureLimit = map[ProbeType]int{Liveness: 30, Readiness: 48, Startup: 240}

func (v *validator) probeNumbers(c *Container, p *Probe, at Path) {
	v.probeNumber(c, at.Field("initialDelaySeconds"), "InitialDelaySeconds", p.InitialDelaySeconds, 0, 60)
	v.probeNumber(c, at.Field("periodSeconds"), "PeriodSeconds", p.PeriodSeconds, 1, 240)
	v.probeNumber(c, at.Field("timeoutSeconds"), "TimeoutSeconds", p.TimeoutSeconds, 1, 240)
	success := 10
	if p.Type == Startup || p.Type == Liveness {
		success = 1 // Kubernetes wants exactly one for the other two
	}
	v.probeNumber(c, at.Field("successThreshold"), "SuccessThreshold", p.SuccessThreshold, 1, success)
	limit, ok := failureLimit[p.Type]
	if !ok {
		limit = 240
	}
	if v.probeNumber(c, at.Field("failureThreshold"), "FailureThreshold", p.FailureThreshold, 1, limit) && p.FailureThreshold != nil && *p.FailureThreshold > 30 {
		v.warnf(at.Field("failureThreshold"), "the service refused a failureThreshold above 30 until 2026").
			Hint = "a longer period with a lower threshold gives the same budget everywhere"
	}
	v.rangeOf(at.Field("terminationGracePeriodSeconds"), p.TerminationGracePeriodSeconds, 0, 3600)
}

func (v *validator) probeNumber(c *Container, at Path, name string, n *int, min, max int) bool {
	if n == nil || min <= *n && *n <= max {
		return true
	}
	v.errorf(at, fmt.Sprintf("ContainerAppProbe%sOutOfRange", name),
		"Container '%s' 'Type' probe's %s must be in the range of ['%d', '%d'].", c.Name, name, min, max)
	return false
}
