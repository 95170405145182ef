package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Running is what is seen of an app while it runs here. Empty fields were not
// looked at.
type Running struct {
	Listening    []Listener // sockets of a replica
	HealthPath   string     // asked through the edge
	HealthStatus int        // what was answered, 0 for nothing in time
	LogFiles     []string   // files of the main container that look like logs and grow
	Overridden   []string   // variables of the main container that its processes have otherwise, or not at all
}

// Listener is one listening TCP socket.
type Listener struct {
	Port     int
	Loopback bool // only the replica itself can connect
}

// runningRules compare the definition with the app that runs here. They have
// nothing to say when none does.
var runningRules = []Rule{
	{
		ID: "running-target-port", Severity: aca.SeverityError,
		Title: "nothing listens on targetPort",
		Why: "The running app listens elsewhere. On Azure the revision never becomes ready and requests hang; its details say \"The TargetPort … does " +
			"not match the listening port …\".",
		Do:     "set targetPort to the port the app listens on",
		Source: "https://github.com/yeongseon/azure-container-apps-practical-guide, labs/ingress-target-port-mismatch",
		look: func(s *subject) {
			in := s.config.Ingress
			if s.running == nil || in == nil || in.TargetPort == 0 || len(s.running.Listening) == 0 {
				return
			}
			var open []int
			for _, l := range s.running.Listening {
				if open = append(open, l.Port); l.Port == in.TargetPort {
					return
				}
			}
			s.at(ingressPath.Field("targetPort"), "targetPort is %d; the app that runs here listens on %s", in.TargetPort, ports(open))
		},
	},
	{
		ID: "running-loopback", Severity: aca.SeverityError,
		Title: "the app listens on targetPort, but on loopback only",
		Why:   "The edge connects from outside of the container: what is bound to 127.0.0.1 refuses it, and clients get 503 or no answer.",
		Do:    "bind 0.0.0.0", Source: "https://azureossd.github.io/2023/03/22/Troubleshooting-ingress-issues-on-Azure-Container-Apps/",
		look: func(s *subject) {
			in := s.config.Ingress
			if s.running == nil || in == nil || in.TargetPort == 0 {
				return
			}
			same := func(l Listener) bool { return l.Port == in.TargetPort }
			open := func(l Listener) bool { return same(l) && !l.Loopback }
			if slices.ContainsFunc(s.running.Listening, same) && !slices.ContainsFunc(s.running.Listening, open) {
				s.at(ingressPath.Field("targetPort"), "the app that runs here listens on 127.0.0.1:%d only", in.TargetPort)
			}
		},
	},
	{
		ID: "running-health", Severity: aca.SeverityWarning,
		Title: "the health path does not answer 200",
		Why:   "The path of the probe answers something else through the edge. Probes take 200 to 399 for success, so a redirect or an empty answer passes and says nothing.",
		Do:    "let the path answer 200 when the app can work", Source: "https://learn.microsoft.com/azure/container-apps/health-probes",
		look: func(s *subject) {
			if r := s.running; r != nil && r.HealthPath != "" && r.HealthStatus != 200 {
				s.at(s.mainPath.Field("probes"), "%s answers %s", r.HealthPath, status(r.HealthStatus))
			}
		},
	},
	{
		ID: "running-log-files", Severity: aca.SeverityWarning,
		Title: "a log file grows in the container",
		Why:   "Only stdout and stderr reach the log stream and Log Analytics. The file fills the replica's disk and is gone with it.",
		Do:    "log to stdout or stderr", Source: "https://learn.microsoft.com/azure/container-apps/logging",
		look: func(s *subject) {
			if s.running != nil && len(s.running.LogFiles) > 0 {
				s.at(s.mainPath, "written in the running container: %s", strings.Join(s.running.LogFiles, ", "))
			}
		},
	},
	{
		ID: "running-environment", Severity: aca.SeverityWarning,
		Title: "the app does not have the variables of its definition",
		Why: "Something between the image's entry point and the app replaces the environment: a script that exports its own values, a .env file that is " +
			"sourced, env -i. The settings of the container app then have no effect, and a new revision with other values changes nothing.",
		Do:     "read the configuration from the environment, and set defaults only for what is not set: ${NAME:-default}",
		Source: "https://learn.microsoft.com/azure/container-apps/environment-variables",
		look: func(s *subject) {
			if s.running != nil && len(s.running.Overridden) > 0 {
				s.at(s.mainPath.Field("env"), "replaced or missing in the running container: %s", strings.Join(s.running.Overridden, ", "))
			}
		},
	},
}

func status(code int) string {
	if code == 0 {
		return "nothing within the time of its probe"
	}
	return fmt.Sprint(code)
}
