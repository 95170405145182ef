package check

import (
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

var configRules = []Rule{
	{
		ID: "env-port-never-set", Severity: aca.SeverityError,
		Title: "the command uses $PORT, which Azure does not set",
		Why: "Other clouds hand the port over in PORT. Azure Container Apps sets CONTAINER_APP_PORT and never PORT, so the server starts with an empty " +
			"port and ends, or listens somewhere else.",
		Do:     "set PORT under env to the target port, or write the port out",
		Source: "https://learn.microsoft.com/azure/container-apps/environment-variables",
		look: func(s *subject) {
			if _, ok := s.env["PORT"]; ok {
				return
			}
			for _, w := range s.command.words {
				if bare := portVariable.MatchString(w); bare && s.command.script == nil {
					s.atCommand("the command uses %s, but nothing sets PORT", w)
					return
				}
			}
		},
	},
	{
		ID: "env-port-ignored", Severity: aca.SeverityWarning,
		Title: "PORT is set but the command binds a fixed port",
		Why:   "A setting that has no effect misleads the next reader: PORT and targetPort are changed together, and the app goes on listening on the old port.",
		Do:    "let the command use $PORT, or remove the variable", Source: "https://github.com/yeongseon/azure-container-apps-practical-guide, labs/probe-and-port-mismatch",
		look: func(s *subject) {
			for i, v := range s.main.Env {
				for _, l := range s.command.ports() {
					if v.Name == "PORT" && atoi(v.Value) > 0 && l.port != 0 && atoi(v.Value) != l.port {
						s.at(s.mainPath.Field("env").Index(i).Field("value"), "PORT is %s, but the command listens on %d", v.Value, l.port)
						return
					}
				}
			}
		},
	},
	{
		ID: "env-port-not-target-port", Severity: aca.SeverityWarning,
		Title: "PORT is not the target port",
		Why:   "An app that follows PORT then listens where the edge does not look: the revision never becomes ready.",
		Do:    "give both the same number", Source: "https://github.com/yeongseon/azure-container-apps-practical-guide, labs/probe-and-port-mismatch",
		look: func(s *subject) {
			in := s.config.Ingress
			for i, v := range s.main.Env {
				if n := atoi(v.Value); in != nil && v.Name == "PORT" && n > 0 && in.TargetPort != 0 && n != in.TargetPort && len(s.command.ports()) == 0 {
					s.at(s.mainPath.Field("env").Index(i).Field("value"), "PORT is %s, targetPort is %d", v.Value, in.TargetPort)
				}
			}
		},
	},
	{
		ID: "env-appinsights-mode", Severity: aca.SeverityWarning,
		Title: "telemetry is configured but not switched on",
		Why: "The app only sends telemetry when TELEMETRY_MODE is \"advanced\" besides the connection string. With the string alone everything works and " +
			"no trace ever arrives.",
		Do:     "set TELEMETRY_MODE to advanced",
		Source: "https://github.com/yeongseon/azure-container-apps-practical-guide, labs/appinsights-connection-string-missing",
		look: func(s *subject) {
			mode, known := s.env["TELEMETRY_MODE"]
			for i, v := range s.main.Env {
				if v.Name == "APPLICATIONINSIGHTS_CONNECTION_STRING" && (known || s.mentions("TELEMETRY_MODE")) && mode != "advanced" {
					s.at(s.mainPath.Field("env").Index(i).Field("name"), "the connection string is set, but TELEMETRY_MODE is %q", orWord(mode, "basic"))
				}
			}
		},
	},
	{
		ID: "env-appinsights-of-environment", Severity: aca.SeverityWarning,
		Title: "the connection string of the environment does not reach the app",
		Why: "appInsightsConfiguration.connectionString is a destination of the environment's OpenTelemetry agent. Apps do not get it: an SDK of Application " +
			"Insights finds no APPLICATIONINSIGHTS_CONNECTION_STRING and sends nothing, without an error.",
		Do:     "set APPLICATIONINSIGHTS_CONNECTION_STRING of the app, from a secret",
		Source: "https://learn.microsoft.com/azure/container-apps/opentelemetry-agents",
		look: func(s *subject) {
			_, set := s.env["APPLICATIONINSIGHTS_CONNECTION_STRING"]
			wanted := s.env["TELEMETRY_MODE"] == "advanced" || s.mentions("APPLICATIONINSIGHTS_CONNECTION_STRING")
			if s.app.Local.Telemetry.AppInsights && wanted && !set {
				s.at(s.mainPath.Field("name"), "the container has no APPLICATIONINSIGHTS_CONNECTION_STRING, the environment's is not handed to it")
			}
		},
	},
	{
		ID: "env-otlp-endpoint", Severity: aca.SeverityNote,
		Title: "OTEL_EXPORTER_OTLP_ENDPOINT is left to the environment",
		Why: "The documentation of the environment's OpenTelemetry agent promises the variable; environments were seen that set only CONTAINERAPP_OTEL_…_GRPC_ENDPOINT, " +
			"which no SDK reads. Traces then go to localhost.",
		Do:     "set OTEL_EXPORTER_OTLP_ENDPOINT to $(CONTAINERAPP_OTEL_TRACING_GRPC_ENDPOINT) and OTEL_EXPORTER_OTLP_PROTOCOL to grpc; try it with --strict-opentelemetry",
		Source: "https://learn.microsoft.com/azure/container-apps/opentelemetry-agents",
		look: func(s *subject) {
			if len(s.app.Local.Telemetry.Env()) == 0 {
				return
			}
			first := -1
			for i, v := range s.main.Env {
				switch {
				case strings.HasPrefix(v.Name, "OTEL_EXPORTER_OTLP_") && strings.HasSuffix(v.Name, "ENDPOINT"):
					return
				case strings.HasPrefix(v.Name, "OTEL_") && first < 0:
					first = i
				}
			}
			if first >= 0 {
				s.onKey(s.mainPath.Field("env").Index(first).Field("name"), "%s is for an SDK that some environments give no endpoint", s.main.Env[first].Name)
			}
		},
	},
	{
		ID: "env-secretref-as-text", Severity: aca.SeverityError, Fixable: true,
		Title: "secretref: in a value is only text",
		Why: "secretref:name is the notation of the az command line, in lower case. In a file, or written secretRef:, it is stored as that very text, " +
			"and the app gets the words instead of the secret.",
		Do:     "write secretRef: <name> in place of value",
		Source: "https://github.com/Azure/azure-cli/issues/23365",
		look: eachEnv(func(s *subject, _ *aca.Container, v aca.EnvVar, at aca.Path) {
			if name, ok := secretRefText(v.Value); ok {
				f := s.at(at.Field("value"), "%s gets the text %q, not the secret", v.Name, v.Value)
				f.Edits = secretRefEdits(s.app, at, v.Value, name)
			}
		}),
	},
	{
		ID: "env-plain-secret", Severity: aca.SeverityWarning,
		Title: "what looks like a secret stands in plain text",
		Why:   "Plain values are shown by every GET of the app and of each of its revisions, to whoever may read it, and stand in the repository.",
		Do:    "put it under configuration.secrets and take it with secretRef", Source: "https://learn.microsoft.com/azure/container-apps/manage-secrets",
		look: eachEnv(func(s *subject, _ *aca.Container, v aca.EnvVar, at aca.Path) {
			if v.Value != "" && secretName.MatchString(v.Name) && !harmless.MatchString(v.Value) {
				s.onKey(at.Field("name"), "%s has a plain value", v.Name)
			}
		}),
	},
	{
		ID: "env-unknown-reference", Severity: aca.SeverityWarning,
		Title: "$(NAME) names a variable that is not defined before",
		Why:   "Only variables that stand earlier in the list, and those of the platform, are replaced. Any other reference stays in the value as text.",
		Do:    "define the variable above, or write $$(NAME) when the text is meant", Source: "https://azureossd.github.io/2024/10/03/Container-Apps-environment-variables/",
		look: func(s *subject) {
			for i := range s.template.Containers {
				c, known := &s.template.Containers[i], s.platformNames()
				for j, v := range c.Env {
					for _, m := range reference.FindAllStringSubmatch(strings.ReplaceAll(v.Value, "$$", ""), -1) {
						if !known[m[1]] {
							s.at(containerPath(i).Field("env").Index(j).Field("value"), "$(%s) stays as text: no variable of that name stands above %s", m[1], v.Name)
						}
					}
					known[v.Name] = true
				}
			}
		},
	},
	{
		ID: "secret-dollars", Severity: aca.SeverityWarning,
		Title: "a secret with $$ or $( changes on its way",
		Why:   "Values of variables are expanded even when they come from a secret: $$ becomes $, and $(NAME) is replaced. Random passwords break.",
		Do:    "choose a value without $, or mount the secret as a file", Source: "https://azureossd.github.io/2024/08/27/Container-Apps-secrets/",
		look: func(s *subject) {
			for i, secret := range s.config.Secrets {
				value, ok := s.app.SecretValue(secret.Name)
				if ok && (strings.Contains(value.Reveal(), "$$") || strings.Contains(value.Reveal(), "$(")) {
					s.onKey(configPath.Field("secrets").Index(i).Field("name"), "the value of %s holds $$ or $(", secret.Name)
				}
			}
		},
	},
	{
		ID: "revision-suffix-fixed", Severity: aca.SeverityNote,
		Title: "a fixed revisionSuffix",
		Why: "With a suffix in the file every later change of the template needs a new one; the old one ends in \"revision with suffix … already " +
			"exists\".",
		Do:     "remove revisionSuffix, or have the pipeline write it",
		Source: "https://github.com/microsoft/azure-container-apps/issues/1278",
		look: func(s *subject) {
			if s.template.RevisionSuffix != "" {
				s.at(templatePath.Field("revisionSuffix"), "the next change of the template needs another suffix than %s", s.template.RevisionSuffix)
			}
		},
	},
	{
		ID: "dapr-app-port", Severity: aca.SeverityWarning,
		Title: "Dapr calls another port than the app's",
		Why: "The sidecar waits for the app on appPort. With a wrong one it is never ready and nothing reaches the app through Dapr, while its own address " +
			"answers and the revision is shown as healthy.",
		Do:     "set appPort to the port the app listens on",
		Source: "https://github.com/yeongseon/azure-container-apps-practical-guide, labs/dapr-integration",
		look: func(s *subject) {
			d, in := s.config.Dapr, s.config.Ingress
			if d != nil && d.Enabled && d.AppPort != nil && in != nil && in.TargetPort != 0 && *d.AppPort != in.TargetPort {
				s.at(configPath.Field("dapr").Field("appPort"), "appPort is %d, targetPort is %d", *d.AppPort, in.TargetPort)
			}
		},
	},
	{
		ID: "volume-hides-image", Severity: aca.SeverityWarning,
		Title: "a volume is mounted over the image's working directory",
		Why:   "A mount hides what the image has in that place: the app's own files are gone and the command is not found.",
		Do:    "mount it at a directory of its own", Source: "https://kubernetes.io/docs/concepts/storage/volumes/",
		look: func(s *subject) {
			dir, ok := s.instruction("WORKDIR")
			for i, m := range s.main.VolumeMounts {
				if ok && strings.TrimRight(m.MountPath, "/") == strings.TrimRight(strings.Trim(dir.Text, `"`), "/") {
					s.at(s.mainPath.Field("volumeMounts").Index(i).Field("mountPath"), "%s is the working directory of the image", m.MountPath)
				}
			}
		},
	},
	{
		ID: "volume-smb-locks", Severity: aca.SeverityNote,
		Title: "an SMB share with real locks and more than one replica",
		Why: "Byte-range locks on AzureFile are real. Two replicas, or the old and the new one during a roll-out, collide on SQLite files, H2 " +
			"databases and log files.",
		Do:     "add nobrl to mountOptions, or keep such files off the share",
		Source: "https://azureossd.github.io/2024/05/16/Container-Apps-file-locks/",
		look: func(s *subject) {
			for i, v := range s.template.Volumes {
				if v.StorageType == "AzureFile" && s.maxReplicas() > 1 && !strings.Contains(v.MountOptions, "nobrl") {
					s.at(templatePath.Field("volumes").Index(i).Field("name"), "%s is shared by up to %d replicas with SMB locks", v.Name, s.maxReplicas())
				}
			}
		},
	},
}

var (
	portVariable = lazyregexp.New(`\$(PORT\b|\{PORT\})`)
	secretName   = lazyregexp.New(`(?i)(password|passwd|secret|api_?key|access_?key|account_?key|private_?key|connection_?string|(^|_)token$|(^|_)pat$)`)
	harmless     = lazyregexp.New(`(?i)^(true|false|\d{1,4}|https?://[^@]*|/[\w./-]*|secretref:.*|\$\(.*\)|)$`)
	reference    = lazyregexp.New(`\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)`)
)

func secretRefText(value string) (name string, ok bool) {
	const prefix = "secretref:"
	if len(value) <= len(prefix) || !strings.EqualFold(value[:len(prefix)], prefix) {
		return "", false
	}
	return strings.TrimSpace(value[len(prefix):]), true
}

// eachEnv looks at every variable of every container.
func eachEnv(look func(s *subject, c *aca.Container, v aca.EnvVar, at aca.Path)) func(*subject) {
	return func(s *subject) {
		for i := range s.template.Containers {
			c := &s.template.Containers[i]
			for j, v := range c.Env {
				look(s, c, v, containerPath(i).Field("env").Index(j))
			}
		}
	}
}

// platformNames are the variables that Azure sets in the app's containers.
func (s *subject) platformNames() map[string]bool {
	known := map[string]bool{}
	for _, v := range aca.PlatformEnv(aca.EnvFacts{HasIngress: true, IdentityEndpoint: "-", DaprEnabled: true, Telemetry: s.app.Local.Telemetry}) {
		known[v.Name] = true
	}
	return known
}

// mentions says whether the sources beside the Dockerfile name a variable; it
// looks where Python projects keep their settings.
func (s *subject) mentions(name string) bool {
	for _, file := range []string{"app.py", "main.py", "config.py", "telemetry.py", "config/telemetry.py", "settings.py"} {
		if f := s.contextFile(file); f != nil && f.lineOf(name) > 0 {
			return true
		}
	}
	return false
}

func orWord(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
