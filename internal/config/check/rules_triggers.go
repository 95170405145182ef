package check

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/core"
	"github.com/acalocal/acalocal/internal/scale"
	"github.com/acalocal/acalocal/internal/scaler"
)

const kedaPost = "https://azureossd.github.io, 2024-08-23, KEDA scaling"

var triggerRules = []Rule{
	{
		ID: "scale-trigger-type", Severity: aca.SeverityError,
		Title: "a scale rule of a type that KEDA does not have",
		Why: "The app is made and runs, and the rule adds no replica: KEDA writes \"no scaler found for type\" into the system log, every five " +
			"minutes.",
		Do:     "write the type as https://keda.sh/docs/latest/scalers names the trigger",
		Source: kedaPost,
		look: func(s *subject) {
			for _, t := range s.triggers() {
				if slices.Contains(scaler.KEDATypes, t.Type) || t.Type == "" {
					continue
				}
				hint := ""
				if near, ok := aca.Nearest(t.Type, scaler.KEDATypes); ok {
					hint = fmt.Sprintf("; did you mean %q?", near)
				}
				s.at(t.path.Field("type"), "no scaler found for type: %s%s", t.Type, hint)
			}
		},
	},
	{
		ID: "scale-trigger-parameters", Severity: aca.SeverityError,
		Title: "a parameter of a scale rule is missing or wrong",
		Why: "The app is made and runs, and the rule adds no replica: KEDA writes the mistake into the system log, reason KEDAScalerFailed, every " +
			"five minutes. The texts of this rule are those of the rows.",
		Do:     "give the scaler what https://keda.sh/docs/latest/scalers says it needs",
		Source: kedaPost,
		look: func(s *subject) {
			for _, t := range s.triggers() {
				if !slices.Contains(scale.TriggerTypes, t.Type) {
					continue
				}
				m := t.mistake()
				switch {
				case m == nil, m.NotEmulated: // the drift report of "up" has it
				case t.missing[m.Parameter] != "": // scale-trigger-variable says why
				default:
					s.atParameter(t, m.Parameter, "%s", m.Text)
				}
			}
		},
	},
	{
		ID: "scale-trigger-variable", Severity: aca.SeverityError,
		Title: "a scale rule names a variable that the first container does not have",
		Why: "A parameter that ends in FromEnv is looked up among the variables of the first container of the template. Those of other containers, and " +
			"those of the image, are not seen: the parameter is missing.",
		Do:     "give the first container the variable, or take the value from a secret with auth",
		Source: "https://github.com/microsoft/azure-container-apps/issues, threads about KEDA rules",
		look: func(s *subject) {
			for _, t := range s.triggers() {
				for _, name := range slices.Sorted(maps.Keys(t.missing)) {
					s.at(t.path.Field("metadata").Field(name+fromEnv), "%s%s names %s, which the first container does not have", name, fromEnv, t.missing[name])
				}
			}
		},
	},
	{
		ID: "scale-trigger-unknown-parameter", Severity: aca.SeverityWarning,
		Title: "a scale rule has a parameter that its scaler does not read",
		Why: "KEDA drops what it does not know without a word: a limit that is written in another case, or in the words of another scaler, has no " +
			"effect, and the default holds.",
		Do:     "write the name as https://keda.sh/docs/latest/scalers has it, in the same case",
		Source: "https://keda.sh/docs/latest/scalers",
		look: func(s *subject) {
			for _, t := range s.triggers() {
				s.unknownParameters(t, scaler.Parameters(t.Type))
			}
			s.unknownMetadata()
		},
	},
	{
		ID: "scale-cron-above-max", Severity: aca.SeverityWarning,
		Title: "a cron rule asks for more replicas than maxReplicas",
		Why:   "No rule adds replicas beyond maxReplicas: the schedule brings fewer than it says.",
		Do:    "raise maxReplicas, or lower desiredReplicas", Source: "https://learn.microsoft.com/azure/container-apps/scale-app",
		look: func(s *subject) {
			for _, t := range s.triggers() {
				n, err := strconv.Atoi(t.Metadata["desiredReplicas"])
				if t.Type == "cron" && err == nil && n > s.maxReplicas() { // another rule tells of what is no number
					s.at(t.path.Field("metadata").Field("desiredReplicas"), "desiredReplicas is %d, maxReplicas %d", n, s.maxReplicas())
				}
			}
		},
	},
}

// fromEnv ends the names of parameters that a variable of the container gives.
const fromEnv = "FromEnv"

// triggerSubject is a rule whose metric does not come from the edge, as it
// would be read.
type triggerSubject struct {
	scale.Trigger
	path     aca.Path // of its custom or azureQueue
	custom   bool
	auth     []aca.ScaleRuleAuth
	identity bool
	unknown  []string          // parameters whose values are not known here
	missing  map[string]string // variables that are named and not there, by parameter
}

// triggers are the rules that are read outside of the edge, in their order.
func (s *subject) triggers() []triggerSubject {
	if s.template.Scale == nil {
		return nil
	}
	app := s.app.Clone()
	for i := range app.Properties.Configuration.Secrets {
		secret := &app.Properties.Configuration.Secrets[i]
		if v, ok := s.app.SecretValue(secret.Name); ok {
			secret.Value = v.Reveal()
		}
	}
	read := core.Triggers(app)
	var out []triggerSubject
	for i, r := range s.template.Scale.Rules {
		if r.Custom == nil && r.AzureQueue == nil {
			continue
		}
		t := triggerSubject{Trigger: read[len(out)], missing: map[string]string{}}
		at := scalePath.Field("rules").Index(i)
		if t.custom = r.Custom != nil; t.custom {
			t.path, t.auth, t.identity = at.Field("custom"), r.Custom.Auth, r.Custom.Identity != ""
		} else {
			t.path, t.auth, t.identity = at.Field("azureQueue"), r.AzureQueue.Auth, r.AzureQueue.Identity != ""
		}
		s.resolve(&t)
		out = append(out, t)
	}
	return out
}

// byIdentity is what the scalers that can log in with a managed identity need
// in the place of a connection, and KEDA's text without it.
var byIdentity = map[string]scaler.Mistake{
	"azure-queue":      {Parameter: "accountName", Text: "error parsing azure queue metadata: no accountName given"},
	"azure-servicebus": {Parameter: "namespace", Text: "error parsing azure service bus metadata: namespace are required when using pod identity"},
}

// mistake is what is wrong with the parameters. A managed identity, which is
// not emulated, stands for the connection.
func (t *triggerSubject) mistake() *scaler.Mistake {
	unknown := t.unknown
	if need, ok := byIdentity[t.Type]; ok && t.identity {
		if t.Metadata[need.Parameter] == "" {
			return &need
		}
		unknown = append(slices.Clone(unknown), "connection")
	}
	return scaler.Check(t.Trigger, unknown...)
}

// resolve finds out which values are not known, and which are not there.
func (s *subject) resolve(t *triggerSubject) {
	for _, a := range t.auth {
		if _, ok := t.Auth[a.TriggerParameter]; !ok {
			t.unknown = append(t.unknown, a.TriggerParameter)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(t.Metadata)) {
		name, ok := strings.CutSuffix(key, fromEnv)
		if !ok || len(s.template.Containers) == 0 {
			continue
		}
		variable := t.Metadata[key]
		if _, ok := t.Env[variable]; ok {
			continue
		}
		if slices.ContainsFunc(s.template.Containers[0].Env, func(v aca.EnvVar) bool { return v.Name == variable }) {
			t.unknown = append(t.unknown, name)
		} else {
			t.missing[name] = variable
		}
	}
}

// atParameter reports a parameter where it is written, else the place where it
// should be.
func (s *subject) atParameter(t triggerSubject, name, format string, args ...any) {
	for i, a := range t.auth {
		if a.TriggerParameter == name && name != "" {
			s.at(t.path.Field("auth").Index(i).Field("secretRef"), format, args...)
			return
		}
	}
	in := t.path
	if t.custom && len(t.Metadata) > 0 {
		in = in.Field("metadata")
	}
	names := []string{name, name + fromEnv}
	if t.Type == "cpu" || t.Type == "memory" {
		names = append(names, "type") // the older name of metricType
	}
	for _, key := range names {
		if _, ok := t.Metadata[key]; ok && name != "" {
			s.at(in.Field(key), format, args...)
			return
		}
	}
	s.onKey(in, format, args...)
}

// unknownParameters reports names that a scaler does not read; any are fine
// when none are known.
func (s *subject) unknownParameters(t triggerSubject, known []string) {
	if known == nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(t.Metadata)) {
		if name := strings.TrimSuffix(key, fromEnv); t.custom && !slices.Contains(known, name) {
			s.onKey(t.path.Field("metadata").Field(key), "%s", unknownText(key, t.Type, name, known))
		}
	}
	for i, a := range t.auth {
		if a.TriggerParameter != "" && !slices.Contains(known, a.TriggerParameter) {
			s.at(t.path.Field("auth").Index(i).Field("triggerParameter"), "%s", unknownText(a.TriggerParameter, t.Type, a.TriggerParameter, known))
		}
	}
}

func unknownText(key, kind, name string, known []string) string {
	text := fmt.Sprintf("the %s scaler does not read %s", kind, key)
	if near, ok := aca.Nearest(name, known); ok {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return text
}

// unknownMetadata looks at the rules that the edge counts for.
func (s *subject) unknownMetadata() {
	if s.template.Scale == nil {
		return
	}
	for i, r := range s.template.Scale.Rules {
		at := scalePath.Field("rules").Index(i)
		for _, kind := range []struct {
			name, reads string
			body        *aca.RuleMetadata
		}{{"http", "concurrentRequests", r.HTTP}, {"tcp", "concurrentConnections", r.TCP}} {
			if kind.body == nil {
				continue
			}
			for _, key := range slices.Sorted(maps.Keys(kind.body.Metadata)) {
				if key != kind.reads {
					s.onKey(at.Field(kind.name).Field("metadata").Field(key), "an %s rule reads %s, not %s", kind.name, kind.reads, key)
				}
			}
		}
	}
}
