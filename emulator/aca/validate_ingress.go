package aca

import (
	"fmt"
	"net/netip"
	"strings"
)

// platformPort is taken by the platform's own health checks
// (https://learn.microsoft.com/azure/container-apps/ingress-overview).
const platformPort = 36985

func (v *validator) ingress(c *Configuration, in *Ingress, path Path) {
	if in.TargetPort != 0 && v.port(path.Field("targetPort"), in.TargetPort) && in.TargetPort == platformPort {
		v.errorf(path.Field("targetPort"), codeInvalidValue, "port %d is reserved for the platform's health checks", platformPort)
	}
	v.exposedPort(in, path)
	v.portMappings(in, path.Field("additionalPortMappings"))
	v.cors(in.CorsPolicy, path.Field("corsPolicy"))
	v.ipRules(in.IPSecurityRestrictions, path.Field("ipSecurityRestrictions"))
	v.sticky(c, in, path)
	v.customDomains(in.CustomDomains, path.Field("customDomains"))
	v.traffic(c, in.Traffic, path.Field("traffic"))
	if in.Transport == TransportTCP {
		v.tcpOnly(in, path)
	}
}

func (v *validator) exposedPort(in *Ingress, path Path) {
	if in.ExposedPort == 0 {
		return
	}
	at := path.Field("exposedPort")
	if !v.port(at, in.ExposedPort) {
		return
	}
	if in.Transport != TransportTCP {
		v.errorf(at, codeInvalidValue, "exposedPort is only for transport Tcp").Hint = "an HTTP app is reached on 80 and 443; remove exposedPort"
		return
	}
	v.webPort(at, in.ExposedPort)
}

// webPort reports a TCP port that belongs to HTTP.
func (v *validator) webPort(path Path, port int) {
	if port == 80 || port == 443 {
		v.errorf(path, codeInvalidValue, "ports 80 and 443 cannot be exposed for TCP")
	}
}

// portMappings: at most five, target ports unique in the app
// (https://learn.microsoft.com/azure/container-apps/ingress-overview).
func (v *validator) portMappings(in *Ingress, path Path) {
	const most = 5
	if n := len(in.AdditionalPortMappings); n > most {
		v.errorf(path, codeInvalidValue, "%d additional ports; at most %d are allowed", n, most)
	}
	targets, exposed := once{}, once{}
	targets.again(fmt.Sprint(in.TargetPort))
	for i, m := range in.AdditionalPortMappings {
		at := path.Index(i)
		if v.port(at.Field("targetPort"), m.TargetPort) && targets.again(fmt.Sprint(m.TargetPort)) {
			v.errorf(at.Field("targetPort"), codeInvalidValue, "the target port %d is used twice", m.TargetPort)
		}
		port, key := m.ExposedPort, "exposedPort"
		if port == 0 {
			port, key = m.TargetPort, "targetPort"
		} else if !v.port(at.Field(key), port) {
			continue
		}
		v.webPort(at.Field(key), port)
		if exposed.again(fmt.Sprint(port)) {
			v.errorf(at.Field(key), codeInvalidValue, "port %d is exposed twice", port)
		}
	}
}

func (v *validator) cors(c *CorsPolicy, path Path) {
	if c == nil {
		return
	}
	if len(c.AllowedOrigins) == 0 {
		v.errorf(path, codeInvalidValue, "corsPolicy needs allowedOrigins").Hint = `allowedOrigins: ["*"] allows every origin`
	}
	if c.MaxAge != nil && *c.MaxAge < 0 {
		v.errorf(path.Field("maxAge"), codeInvalidValue, "maxAge is a number of seconds, at least 0")
	}
	for i, origin := range c.AllowedOrigins {
		if strings.HasSuffix(origin, "/") {
			v.warnf(path.Field("allowedOrigins").Index(i), "browsers send an Origin without a slash at the end; %q matches none", origin).
				Hint = fmt.Sprintf("write %q", strings.TrimRight(origin, "/"))
		}
	}
}

func (v *validator) ipRules(rules []IPSecurityRestriction, path Path) {
	actions, names := once{}, once{}
	for i, r := range rules {
		at := path.Index(i)
		if r.Name == "" {
			v.errorf(at, codeInvalidValue, "the rule has no name")
		} else if names.again(r.Name) {
			v.errorf(at.Field("name"), codeInvalidValue, "the rule %q is defined twice", r.Name)
		}
		if !ipv4Range(r.IPAddressRange) {
			v.errorf(at.Field("ipAddressRange"), codeInvalidValue, "%q is not an IPv4 address or CIDR range", clip(r.IPAddressRange)).
				Hint = "for example 203.0.113.0/24"
		}
		if r.Action == "" {
			v.errorf(at, codeInvalidValue, "the rule has no action").Hint = "Allow or Deny"
		} else {
			actions[r.Action] = true
		}
	}
	if len(actions) > 1 {
		v.errorf(path, codeInvalidValue, "Allow and Deny rules cannot be mixed").
			Hint = "only Allow rules let in the listed ranges and nobody else; only Deny rules keep out the listed ones"
	}
}

func ipv4Range(s string) bool {
	if prefix, err := netip.ParsePrefix(s); err == nil {
		return prefix.Addr().Is4()
	}
	addr, err := netip.ParseAddr(s)
	return err == nil && addr.Is4()
}

func (v *validator) sticky(c *Configuration, in *Ingress, path Path) {
	if in.StickySessions == nil || in.StickySessions.Affinity != "sticky" {
		return
	}
	at := path.Field("stickySessions").Field("affinity")
	if c.ActiveRevisionsMode == Multiple || c.ActiveRevisionsMode == Labels {
		v.errorf(at, "ContainerAppInvalidIngressStickySessionRevisionMode",
			"Sticky sessions are only supported in single revision mode, not with activeRevisionsMode %s.", c.ActiveRevisionsMode)
	}
}

func (v *validator) customDomains(domains []CustomDomain, path Path) {
	names := once{}
	for i, d := range domains {
		at := path.Index(i)
		switch {
		case d.Name == "":
			v.errorf(at, codeInvalidValue, "the custom domain has no name")
		case names.again(strings.ToLower(d.Name)):
			v.errorf(at.Field("name"), codeInvalidValue, "the custom domain %q is listed twice", d.Name)
		}
		if d.BindingType == "SniEnabled" && d.CertificateID == "" {
			v.errorf(at, codeInvalidValue, "bindingType SniEnabled needs a certificateId")
		}
	}
}

// tcpOnly reports what only HTTP ingress has.
func (v *validator) tcpOnly(in *Ingress, path Path) {
	var keys []string
	if in.CorsPolicy != nil {
		keys = append(keys, "corsPolicy")
	}
	if in.StickySessions != nil && in.StickySessions.Affinity == "sticky" {
		keys = append(keys, "stickySessions")
	}
	if len(in.CustomDomains) > 0 {
		keys = append(keys, "customDomains")
	}
	if in.ClientCertificateMode == "accept" || in.ClientCertificateMode == "require" {
		keys = append(keys, "clientCertificateMode")
	}
	if in.AllowInsecure {
		keys = append(keys, "allowInsecure")
	}
	for _, key := range keys {
		v.errorf(path.Field(key), codeInvalidValue, "%s is only for HTTP ingress, not with transport Tcp", key)
	}
}
