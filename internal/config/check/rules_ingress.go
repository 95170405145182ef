package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

var ingressRules = []Rule{
	{
		ID: "ingress-target-port", Severity: aca.SeverityWarning,
		Title: "targetPort is not the port the container listens on",
		Why: "The hidden startup probe asks the target port once a second and fails; the revision never becomes ready, and requests hang until " +
			"the client gives up. The revision's details name both ports.",
		Do:     "set targetPort to the port the app listens on",
		Source: "https://github.com/yeongseon/azure-container-apps-practical-guide, labs/probe-and-port-mismatch",
		look: func(s *subject) {
			in := s.config.Ingress
			if in == nil || in.TargetPort == 0 {
				return
			}
			known, where := s.listenPorts()
			if len(known) > 0 && !slices.Contains(known, in.TargetPort) && !s.sidecarOn(in.TargetPort) {
				s.at(ingressPath.Field("targetPort"), "targetPort is %d, but %s %s", in.TargetPort, where, ports(known))
			}
		},
	},
	{
		ID: "ingress-loopback-bind", Severity: aca.SeverityWarning,
		Title: "the app listens on loopback only",
		Why: "A server bound to 127.0.0.1 or localhost is reached by nobody outside of its container: the edge's connections are refused, as with a " +
			"wrong port.",
		Do:     "bind 0.0.0.0",
		Source: "https://azureossd.github.io/2023/03/22/Troubleshooting-ingress-issues-on-Azure-Container-Apps/",
		look: func(s *subject) {
			for _, l := range s.command.ports() {
				if s.config.Ingress != nil && l.loopback() {
					s.atCommand("the command binds %s, which the edge cannot reach", l.host)
					return
				}
			}
		},
	},
	{
		ID: "ingress-privileged-port", Severity: aca.SeverityWarning,
		Title: "a port below 1024 with a user that is not root",
		Why:   "Binding a low port as an ordinary user fails with EACCES on Azure: the process ends at once and clients see 502 or 503.",
		Do:    "listen on a port of 1024 or above and change targetPort", Source: "https://azureossd.github.io/2024/06/10/Container-Apps-ports-under-1024/",
		look: func(s *subject) {
			user, ok := s.instruction("USER")
			in := s.config.Ingress
			if !ok || in == nil || in.TargetPort == 0 || in.TargetPort >= 1024 || rootUser(user.Text) {
				return
			}
			s.at(ingressPath.Field("targetPort"), "targetPort is %d, but the image runs as %s", in.TargetPort, user.Text)
		},
	},
	{
		ID: "ingress-grpc-needs-http2", Severity: aca.SeverityWarning,
		Title: "a gRPC port without transport http2",
		Why:   "With transport auto or http the edge speaks HTTP/1.1 to the container; gRPC calls fail with UNAVAILABLE and \"protocol error\".",
		Do:    "set transport: http2", Source: "https://azureossd.github.io/2022/07/07/Running-gRPC-with-Container-Apps/",
		look: func(s *subject) {
			in := s.config.Ingress
			if in != nil && (in.TargetPort == 50051 || in.TargetPort == 50052) && (in.Transport == "" || in.Transport == aca.TransportAuto || in.Transport == aca.TransportHTTP) {
				s.at(ingressPath.Field("targetPort"), "port %d is gRPC's, but the transport is %s", in.TargetPort, strings.ToLower(string(orTransport(in.Transport))))
			}
		},
	},
	{
		ID: "ingress-sidecar-port", Severity: aca.SeverityWarning,
		Title: "two containers claim the ingress port",
		Why: "Containers of a replica share one network: a port can be bound once, and the second one ends with \"address already in use\". Which of " +
			"them gets the requests is left to chance.",
		Do:     "give each container a port of its own",
		Source: "https://azureossd.github.io/2024/03/06/Container-Apps-multi-container/",
		look: func(s *subject) {
			in := s.config.Ingress
			if in == nil || in.TargetPort == 0 {
				return
			}
			for i := range s.template.Containers {
				c := &s.template.Containers[i]
				if c.Name != s.main.Name && claims(c, in.TargetPort) && s.mainClaims(in.TargetPort) {
					s.at(containerPath(i).Field("name"), "%s and %s both use the ingress port %d", s.main.Name, c.Name, in.TargetPort)
				}
			}
		},
	},
	{
		ID: "ingress-weights-without-latest", Severity: aca.SeverityWarning,
		Title: "new revisions get no traffic",
		Why: "When every weight names a revision, the one that this very file makes gets none. It runs, costs, and answers nobody until the weights " +
			"are changed.",
		Do:     "give latestRevision: true a share, or set the weights after the deployment",
		Source: "https://github.com/yeongseon/azure-container-apps-practical-guide, labs/traffic-routing-canary",
		look: func(s *subject) {
			in := s.config.Ingress
			if in == nil || s.config.ActiveRevisionsMode != aca.Multiple || len(in.Traffic) == 0 {
				return
			}
			own := ""
			if s.template.RevisionSuffix != "" {
				own = aca.RevisionName(s.app.Name, s.template.RevisionSuffix)
			}
			for _, w := range in.Traffic {
				if w.Weight > 0 && (w.LatestRevision || own != "" && w.RevisionName == own) {
					return
				}
			}
			s.onKey(ingressPath.Field("traffic"), "all weights name older revisions; the one this definition makes gets no request")
		},
	},
	{
		ID: "ingress-cors-any-with-credentials", Severity: aca.SeverityWarning,
		Title: "any origin may send credentials",
		Why:   "allowedOrigins \"*\" with allowCredentials lets every web page act in the name of a signed-in user; browsers refuse the literal \"*\" then.",
		Do:    "list the origins", Source: "https://learn.microsoft.com/azure/container-apps/cors",
		look: func(s *subject) {
			in := s.config.Ingress
			if in != nil && in.CorsPolicy != nil && in.CorsPolicy.AllowCredentials && slices.Contains(in.CorsPolicy.AllowedOrigins, "*") {
				s.at(ingressPath.Field("corsPolicy").Field("allowCredentials"), "allowCredentials together with the origin *")
			}
		},
	},
	{
		ID: "ingress-request-over-240s", Severity: aca.SeverityNote,
		Title: "the server allows requests that the edge cuts",
		Why: "The edge ends a request after 240 silent seconds with 504 \"stream timeout\", whatever the server allows; the app goes on working for " +
			"nobody. The limit cannot be changed on the default ingress.",
		Do:     "answer at once and do the work in the background, or send something every few minutes",
		Source: "https://github.com/microsoft/azure-container-apps/issues/597",
		look: func(s *subject) {
			value, ok := s.command.flag("--timeout", "-t")
			if n := atoi(value); ok && s.command.runs("gunicorn") && n > 240 && s.config.Ingress != nil {
				s.atCommand("gunicorn allows a request %d s, the edge cuts it after 240 s", n)
			}
		},
	},
}

func orTransport(t aca.Transport) aca.Transport {
	if t == "" {
		return aca.TransportAuto
	}
	return t
}

func rootUser(user string) bool {
	name, _, _ := strings.Cut(strings.TrimSpace(user), ":")
	return name == "root" || name == "0" || strings.HasPrefix(name, "$")
}

// listenPorts lists the ports the main container listens on as far as files
// tell, best source first, and says in words which source it was.
func (s *subject) listenPorts() (known []int, where string) {
	for _, l := range s.command.ports() {
		if l.port != 0 {
			known = append(known, l.port)
		}
	}
	if len(known) > 0 {
		return known, "the command listens on"
	}
	if s.docker != nil {
		known = s.docker.ExposedPorts(s.stage)
	}
	return known, "the Dockerfile exposes"
}

// knownPorts are all ports a probe could mean.
func (s *subject) knownPorts() []int {
	listening, _ := s.listenPorts()
	if len(listening) == 0 {
		return nil // nothing is known of the container itself
	}
	if in := s.config.Ingress; in != nil {
		if in.TargetPort != 0 {
			listening = append(listening, in.TargetPort)
		}
		for _, m := range in.AdditionalPortMappings {
			listening = append(listening, m.TargetPort)
		}
	}
	if s.docker != nil {
		listening = append(listening, s.docker.ExposedPorts(s.stage)...)
	}
	slices.Sort(listening)
	return slices.Compact(listening)
}

// claims says whether a container's own text names a port.
func claims(c *aca.Container, port int) bool {
	for i := range c.Probes {
		if probePort(&c.Probes[i]) == port {
			return true
		}
	}
	words := command{words: slices.Concat(c.Command, c.Args)}
	for _, l := range words.ports() {
		if l.port == port {
			return true
		}
	}
	for _, v := range c.Env {
		if v.Name == "PORT" && v.Value == fmt.Sprint(port) {
			return true
		}
	}
	return false
}

func (s *subject) mainClaims(port int) bool {
	known, _ := s.listenPorts()
	return claims(s.main, port) || slices.Contains(known, port)
}

// sidecarOn says whether another container listens on a port.
func (s *subject) sidecarOn(port int) bool {
	for i := range s.template.Containers {
		if c := &s.template.Containers[i]; c.Name != s.main.Name && claims(c, port) {
			return true
		}
	}
	return false
}

func ports(list []int) string {
	words := make([]string, len(list))
	for i, p := range list {
		words[i] = fmt.Sprint(p)
	}
	return strings.Join(words, ", ")
}
