package ingress

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// maxAdditionalPorts is the documented limit of additionalPortMappings
// (https://learn.microsoft.com/azure/container-apps/ingress-overview).
const maxAdditionalPorts = 5

// Validate reports everything that is wrong with the table, joined, or nil.
// Each message starts with the path of the value it is about.
func (t Table) Validate() error {
	c := &checker{hosts: map[string]string{}}
	if !validHost(t.Domain) {
		c.add("domain", "%q is not a domain name", t.Domain)
	}
	c.sorted("apps", len(t.Apps), func(i int) string { return t.Apps[i].Name })
	c.sorted("routes", len(t.Routes), func(i int) string { return t.Routes[i].Name })
	for _, a := range t.Apps {
		c.app(t, a)
	}
	for _, rc := range t.Routes {
		c.routeConfig(t, rc)
	}
	c.externalPorts(t.Apps)
	return errors.Join(c.errs...)
}

// checker collects the problems of a table.
type checker struct {
	errs  []error
	hosts map[string]string // host -> who has it
}

func (c *checker) add(path, format string, args ...any) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...)))
}

func (c *checker) sorted(path string, n int, name func(int) string) {
	for i := range n {
		if name(i) == "" {
			c.add(path, "entry %d has no name", i)
		}
		if i > 0 && cmp.Compare(name(i-1), name(i)) >= 0 {
			c.add(path, "%q must come after %q: entries are sorted by name and unique", name(i-1), name(i))
		}
	}
}

func (c *checker) host(path, host string) {
	if !validHost(host) || host != strings.ToLower(host) {
		c.add(path, "%q is not a host name in lower case", host)
	}
	if other, taken := c.hosts[host]; taken {
		c.add(path, "host %q already belongs to %s", host, other)
		return
	}
	c.hosts[host] = path
}

func (c *checker) app(t Table, a App) {
	p := "apps." + a.Name
	c.host(p, a.Host(t.Domain))
	for _, d := range a.CustomDomains {
		c.host(p+".customDomains", d.Name)
	}
	if !slices.Contains([]Transport{TransportAuto, TransportHTTP, TransportHTTP2, TransportTCP}, a.transport()) {
		c.add(p+".transport", "%q is not a transport: use auto, http, http2 or tcp", a.Transport)
	}
	if !slices.Contains([]CertificateMode{CertificateIgnore, CertificateAccept, CertificateRequire}, a.certificateMode()) {
		c.add(p+".clientCertificate", "%q is not a mode: use ignore, accept or require", a.ClientCertificate)
	}
	c.ports(p, a)
	c.ipRules(p+".ipRules", a.IPRules)
	if a.CORS != nil && len(a.CORS.AllowedOrigins) == 0 {
		c.add(p+".cors", "allowedOrigins is required")
	}
	c.resiliency(p+".resiliency", a.Resiliency)
	c.revisions(p, a)
}

func (c *checker) resiliency(p string, r *Resiliency) {
	if r == nil {
		return
	}
	if r.ResponseTimeout < 0 {
		c.add(p, "response timeout %s is negative", r.ResponseTimeout)
	}
	if r.Retry != nil && r.Retry.MaxRetries < 0 {
		c.add(p, "%d retries is negative", r.Retry.MaxRetries)
	}
	if b := r.CircuitBreaker; b != nil {
		if b.ConsecutiveErrors < 1 || b.Interval <= 0 {
			c.add(p, "a circuit breaker needs at least one consecutive error and an interval")
		}
		if b.MaxEjectionPercent < 0 || b.MaxEjectionPercent > 100 {
			c.add(p, "maxEjectionPercent %d is not in 0 to 100", b.MaxEjectionPercent)
		}
	}
}

func (c *checker) revisions(p string, a App) {
	c.sorted(p+".revisions", len(a.Revisions), func(i int) string { return a.Revisions[i].Name })
	c.sorted(p+".labels", len(a.Labels), func(i int) string { return a.Labels[i].Name })
	for _, r := range a.Revisions {
		c.endpoints(p+".revisions."+r.Name, r.Endpoints)
	}
	sum := 0
	for _, w := range a.Split {
		if w.Weight < 0 || w.Weight > 100 {
			c.add(p+".split", "weight %d of %s is not in 0 to 100", w.Weight, w.Revision)
		}
		sum += w.Weight
	}
	if len(a.Split) > 0 && sum != 100 {
		c.add(p+".split", "weights sum to %d, not 100", sum)
	}
}

func (c *checker) endpoints(p string, eps []Endpoint) {
	c.sorted(p, len(eps), func(i int) string { return eps[i].Replica })
	for _, e := range eps {
		if e.Addr != "" {
			if _, err := netip.ParseAddr(e.Addr); err != nil {
				c.add(p+"."+e.Replica, "%q is not an IP address", e.Addr)
			}
		}
		c.port(p+"."+e.Replica, e.Port)
	}
}

func (c *checker) ports(p string, a App) {
	if a.TargetPort != 0 {
		c.port(p+".targetPort", a.TargetPort)
	}
	if a.transport() == TransportTCP {
		c.exposedPort(p+".exposedPort", a.exposedPort())
	}
	if n := len(a.AdditionalPorts); n > maxAdditionalPorts {
		c.add(p+".additionalPorts", "%d ports, at most %d are allowed", n, maxAdditionalPorts)
	}
	targets := map[int]bool{a.TargetPort: true}
	for _, m := range a.AdditionalPorts {
		c.port(p+".additionalPorts", m.TargetPort)
		c.exposedPort(p+".additionalPorts", m.exposedPort())
		if targets[m.TargetPort] {
			c.add(p+".additionalPorts", "target port %d is used twice", m.TargetPort)
		}
		targets[m.TargetPort] = true
	}
}

// externalPorts refuses two apps on one externally exposed port.
func (c *checker) externalPorts(apps []App) {
	taken := map[int]string{}
	claim := func(app string, port int) {
		if other, ok := taken[port]; ok {
			c.add("apps."+app, "exposed port %d already belongs to %s", port, other)
		}
		taken[port] = app
	}
	for _, a := range apps {
		if a.transport() == TransportTCP && a.External {
			claim(a.Name, a.exposedPort())
		}
		for _, m := range a.AdditionalPorts {
			if m.External {
				claim(a.Name, m.exposedPort())
			}
		}
	}
}

func (c *checker) port(p string, port int) {
	if port < 1 || port > 65535 {
		c.add(p, "%d is not a port: use 1 to 65535", port)
	}
}

func (c *checker) exposedPort(p string, port int) {
	c.port(p, port)
	if port == 80 || port == 443 {
		c.add(p, "exposed port %d is reserved for HTTP", port)
	}
}

func (c *checker) ipRules(p string, rules []IPRule) {
	for _, r := range rules {
		if _, err := parseRange(r.Range); err != nil {
			c.add(p, "%q is not an address or CIDR block", r.Range)
		}
		if r.Action != IPAllow && r.Action != IPDeny {
			c.add(p, "%q is not an action: use Allow or Deny", r.Action)
		}
		if r.Action != rules[0].Action {
			c.add(p, "rules must be all Allow or all Deny")
			return
		}
	}
}

func (c *checker) routeConfig(t Table, rc RouteConfig) {
	p := "routes." + rc.Name
	c.host(p, rc.Name+"."+t.Domain)
	for _, d := range rc.CustomDomains {
		c.host(p+".customDomains", d.Name)
	}
	for i, r := range rc.Rules {
		c.routeRule(t, fmt.Sprintf("%s.rules[%d]", p, i), r)
	}
}

func (c *checker) routeRule(t Table, p string, r RouteRule) {
	if len(r.Targets) == 0 {
		c.add(p, "has no target")
	}
	for _, m := range r.Routes {
		if !slices.Contains([]MatchKind{MatchPath, MatchPrefix, MatchPathSeparatedPrefix}, m.Kind) {
			c.add(p, "%q is not a match: use path, prefix or pathSeparatedPrefix", m.Kind)
		}
	}
	sum := 0
	for _, target := range r.Targets {
		if !slices.ContainsFunc(t.Apps, func(a App) bool { return a.Name == target.App }) {
			c.add(p, "there is no app %q", target.App)
		}
		if target.Revision != "" && target.Label != "" {
			c.add(p, "target %q names a revision and a label", target.App)
		}
		sum += target.Weight
	}
	if len(r.Targets) > 1 && sum != 100 {
		c.add(p, "weights sum to %d, not 100", sum)
	}
}

func (a App) exposedPort() int { return cmp.Or(a.ExposedPort, a.TargetPort) }

func (m PortMapping) exposedPort() int { return cmp.Or(m.ExposedPort, m.TargetPort) }

// parseRange reads an address or a CIDR block.
func parseRange(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}
