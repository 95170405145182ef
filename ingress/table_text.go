package ingress

import (
	"fmt"
	"strings"
)

// String returns the table as text, one line per app, revision, weight, label
// and route, in the order of the table. It is complete: tables that differ in
// anything but their Generation differ in the lines after the first.
func (t Table) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "table %d %s", t.Generation, t.Domain)
	opt(&b, t.IdleTimeout != 0, " idle=%s", t.IdleTimeout)
	opt(&b, t.HeaderCountLimit != 0, " headers=%d", t.HeaderCountLimit)
	b.WriteByte('\n')
	for _, a := range t.Apps {
		a.text(&b)
	}
	for _, rc := range t.Routes {
		rc.text(&b)
	}
	return b.String()
}

func (a App) text(b *strings.Builder) {
	fmt.Fprintf(b, "app %s", a.Name)
	word(b, a.External, "external", "internal")
	word(b, a.Enabled, "", "disabled")
	word(b, a.Stopped, "stopped", "")
	fmt.Fprintf(b, " %s target=%d", a.transport(), a.TargetPort)
	opt(b, a.ExposedPort != 0, " exposed=%d", a.ExposedPort)
	word(b, a.AllowInsecure, "allowInsecure", "")
	word(b, a.Sticky, "sticky", "")
	word(b, a.UpstreamTLS, "upstreamTLS", "")
	opt(b, a.certificateMode() != CertificateIgnore, " clientCertificate=%s", a.certificateMode())
	b.WriteByte('\n')
	a.textDetails(b)
}

func (a App) textDetails(b *strings.Builder) {
	if a.CORS != nil {
		a.CORS.text(b)
	}
	if a.Resiliency != nil {
		a.Resiliency.text(b)
	}
	for _, r := range a.IPRules {
		fmt.Fprintf(b, "  ip %s %s %q\n", r.Action, r.Range, r.Name)
	}
	textDomains(b, a.CustomDomains)
	for _, p := range a.AdditionalPorts {
		fmt.Fprintf(b, "  port %d->%d", p.ExposedPort, p.TargetPort)
		word(b, p.External, "external", "internal")
		b.WriteByte('\n')
	}
	for _, r := range a.Revisions {
		fmt.Fprintf(b, "  revision %s", r.Name)
		for _, e := range r.Endpoints {
			fmt.Fprintf(b, " %s=%s:%d", e.Replica, e.Addr, e.Port)
		}
		b.WriteByte('\n')
	}
	for _, w := range a.Split {
		fmt.Fprintf(b, "  weight %d %s\n", w.Weight, w.Revision)
	}
	for _, l := range a.Labels {
		fmt.Fprintf(b, "  label %s %s\n", l.Name, l.Revision)
	}
}

func (c *CORSPolicy) text(b *strings.Builder) {
	fmt.Fprintf(b, "  cors origins=%q methods=%q headers=%q expose=%q",
		c.AllowedOrigins, c.AllowedMethods, c.AllowedHeaders, c.ExposeHeaders)
	word(b, c.AllowCredentials, "credentials", "")
	if c.MaxAge != nil {
		fmt.Fprintf(b, " maxAge=%d", *c.MaxAge)
	}
	b.WriteByte('\n')
}

func (r *Resiliency) text(b *strings.Builder) {
	b.WriteString("  resiliency")
	opt(b, r.ResponseTimeout != 0, " responseTimeout=%s", r.ResponseTimeout)
	if p := r.Retry; p != nil {
		fmt.Fprintf(b, " retries=%d codes=%v errors=%q delay=%s max=%s", p.MaxRetries, p.StatusCodes, p.Errors, p.InitialDelay, p.MaxInterval)
	}
	if c := r.CircuitBreaker; c != nil {
		fmt.Fprintf(b, " breaker=%d/%s/%d%%", c.ConsecutiveErrors, c.Interval, c.MaxEjectionPercent)
	}
	b.WriteByte('\n')
}

func textDomains(b *strings.Builder, domains []CustomDomain) {
	for _, d := range domains {
		fmt.Fprintf(b, "  domain %s", d.Name)
		word(b, d.Disabled, "disabled", "")
		b.WriteByte('\n')
	}
}

func (rc RouteConfig) text(b *strings.Builder) {
	fmt.Fprintf(b, "routes %s\n", rc.Name)
	textDomains(b, rc.CustomDomains)
	for _, r := range rc.Rules {
		fmt.Fprintf(b, "  rule %q\n", r.Description)
		for _, m := range r.Routes {
			fmt.Fprintf(b, "    match %s %q", m.Kind, m.Path)
			word(b, m.IgnoreCase, "ignoreCase", "")
			opt(b, m.PrefixRewrite != "", " rewrite=%q", m.PrefixRewrite)
			b.WriteByte('\n')
		}
		for _, t := range r.Targets {
			fmt.Fprintf(b, "    to %s\n", t)
		}
	}
}

// String returns the target as text: the app, what of it, and the weight.
func (t RouteTarget) String() string {
	s := "app " + t.App
	if t.Revision != "" {
		s += " revision " + t.Revision
	}
	if t.Label != "" {
		s += " label " + t.Label
	}
	return fmt.Sprintf("%s weight %d", s, t.Weight)
}

// word writes one of two words after a space, or nothing for the empty word.
func word(b *strings.Builder, cond bool, yes, no string) {
	w := no
	if cond {
		w = yes
	}
	opt(b, w != "", " %s", w)
}

func opt(b *strings.Builder, cond bool, format string, args ...any) {
	if cond {
		fmt.Fprintf(b, format, args...)
	}
}

func (a App) transport() Transport {
	if a.Transport == "" {
		return TransportAuto
	}
	return a.Transport
}

func (a App) certificateMode() CertificateMode {
	if a.ClientCertificate == "" {
		return CertificateIgnore
	}
	return a.ClientCertificate
}
