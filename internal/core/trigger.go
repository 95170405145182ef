package core

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/scale"
)

// TriggerRead is one reading of a rule's metric.
type TriggerRead struct{ Report scale.TriggerReport }

// triggerState is what rows said of a trigger last.
type triggerState struct {
	built   bool
	err     string
	warning string
	at      time.Time // of the row about err
}

// publishTriggers orders the set of triggers that should be read, when it
// changed.
func (s *State) publishTriggers() {
	var triggers []scale.Trigger
	for _, a := range s.sortedApps() {
		for _, rev := range a.revisions {
			if rev.active && rev.everReady && !a.stopped && !a.removed && !a.secretsUnknown() {
				triggers = append(triggers, s.triggersOf(rev)...)
			}
		}
	}
	if slices.EqualFunc(triggers, s.triggers, scale.Trigger.Equal) {
		return
	}
	s.triggers = triggers
	s.emit(SetTriggers{triggers})
}

// secretsUnknown says that an earlier daemon knew the values of the app's
// secrets and this one does not: they come with the next definition.
func (a *app) secretsUnknown() bool {
	secrets := a.spec.Properties.Configuration.Secrets
	return a.secrets != "" && a.secrets != "none" && a.secrets != secretDigest(a.spec) && len(secrets) > 0
}

// triggersOf are the rules of a revision whose metrics do not come from the
// edge.
func (s *State) triggersOf(rev *revision) []scale.Trigger {
	app := rev.app.spec
	app.Properties.Template = rev.template
	out := Triggers(&app)
	for i := range out {
		out[i].Revision, out[i].Interval = rev.name, s.scaled(out[i].Interval)
	}
	return out
}

// Triggers are the rules of an app's template whose metrics do not come from
// the edge, in real time and without a revision.
func Triggers(app *aca.ContainerApp) []scale.Trigger {
	template := &app.Properties.Template
	secrets := valuesOf(*app)
	var out []scale.Trigger
	for _, r := range rulesOf(template) {
		t, auth := scale.Trigger{}, []aca.ScaleRuleAuth(nil)
		switch {
		case r.Custom != nil:
			t.Type, t.Metadata, auth = r.Custom.Type, r.Custom.Metadata, r.Custom.Auth
		case r.AzureQueue != nil:
			t.Type, t.Metadata, auth = azureQueue, queueMetadata(r.AzureQueue), r.AzureQueue.Auth
		default:
			continue
		}
		t.TriggerKey = scale.TriggerKey{App: app.Name, Rule: r.Name}
		t.Interval = PollingInterval(template)
		if isResource(t.Type) {
			t.Interval = scale.Interval
		}
		t.Auth = authValues(auth, secrets)
		t.Env = triggerEnv(template, secrets)
		out = append(out, t)
	}
	return out
}

// azureQueue is KEDA's name of the scaler an azureQueue rule stands for.
const azureQueue = "azure-queue"

func queueMetadata(r *aca.AzureQueueRule) map[string]string {
	m := map[string]string{"queueName": r.QueueName}
	if r.AccountName != "" {
		m["accountName"] = r.AccountName
	}
	if r.QueueLength != nil {
		m["queueLength"] = fmt.Sprint(*r.QueueLength)
	}
	return m
}

// isResource says that a rule is about the replicas themselves: the
// autoscaler reads it with every decision, whatever the polling interval is.
func isResource(kind string) bool { return kind == "cpu" || kind == "memory" }

// PollingInterval is how often a template's custom rules are read.
func PollingInterval(t *aca.Template) time.Duration {
	if t.Scale != nil && t.Scale.PollingInterval != nil {
		return time.Duration(*t.Scale.PollingInterval) * time.Second
	}
	return aca.DefaultPollingInterval * time.Second
}

func authValues(auth []aca.ScaleRuleAuth, secret aca.Secrets) map[string]string {
	out := map[string]string{}
	for _, a := range auth {
		if value, ok := secret(a.SecretRef); ok {
			out[a.TriggerParameter] = value
		}
	}
	return out
}

// triggerEnv are the variables of the first container, which is where KEDA
// looks for those that metadata names. One that cannot be resolved is left out.
func triggerEnv(t *aca.Template, secret aca.Secrets) map[string]string {
	out := map[string]string{}
	if len(t.Containers) == 0 {
		return out
	}
	for _, v := range t.Containers[0].Env {
		if v.SecretRef == "" {
			out[v.Name] = v.Value
		} else if value, ok := secret(v.SecretRef); ok {
			out[v.Name] = value
		}
	}
	return out
}

// triggerRule is how rows name the rule that won: the type, and the queue
// where there is one ("azure-servicebus-work-items", observed).
func triggerRule(r aca.ScaleRule) string {
	switch {
	case r.AzureQueue != nil:
		return azureQueue + "-" + r.AzureQueue.QueueName
	case r.Custom == nil:
		return r.Name
	case isResource(r.Custom.Type):
		return r.Custom.Type
	}
	m := r.Custom.Metadata
	if object := cmp.Or(m["queueName"], m["topicName"], m["listName"], m["topic"]); object != "" {
		return r.Custom.Type + "-" + object
	}
	return r.Custom.Type
}

// apply remembers a metric for the next decision. A revision at zero does not
// wait for that: KEDA wakes it when a reading says so.
func (e TriggerRead) apply(s *State) {
	r := e.Report
	rev := s.lookup(r.App, r.Revision)
	if rev == nil || !rev.active || rev.app.stopped {
		return
	}
	i := slices.IndexFunc(rev.rules(), func(rule aca.ScaleRule) bool { return rule.Name == r.Rule })
	if i < 0 {
		return
	}
	if rev.read == nil {
		rev.read, rev.triggers = map[string]scale.Sample{}, map[string]triggerState{}
	}
	rev.read[r.Rule] = r.Sample
	s.triggerRows(rev, rev.rules()[i], r)
	if rev.target == 0 {
		s.decide(rev, Load{}, scale.Interval)
	}
}

// triggerRows says what is wrong with a trigger, when it is new and then every
// five minutes.
func (s *State) triggerRows(rev *revision, rule aca.ScaleRule, r scale.TriggerReport) {
	st := rev.triggers[r.Rule]
	kind := azureQueue
	if rule.Custom != nil {
		kind = rule.Custom.Type
	}
	if r.Err == "" && !st.built {
		st.built = true
		s.scalerRow(rev, false, "KEDAScalersStarted", "Scaler "+kind+" is built")
	}
	if r.Warning != "" && r.Warning != st.warning {
		s.scalerRow(rev, false, "KEDAScalerInfo", "scaler "+kind+" info: "+r.Warning)
	}
	if r.Err != "" && (r.Err != st.err || s.now.Sub(st.at) >= s.scaled(checkEvery)) {
		st.at = s.now
		if isResource(kind) {
			s.scalingRow(rev, true, "FailedGetContainerResourceMetric", r.Err)
		} else {
			s.scalerRow(rev, true, "KEDAScalerFailed", r.Err)
		}
	}
	st.err, st.warning = r.Err, r.Warning
	rev.triggers[r.Rule] = st
}

// builtRows are those of the scaler behind HTTP and TCP rules, which is
// written twice (observed). Other scalers are told of when they have a metric.
func (s *State) builtRows(rev *revision) {
	rules := rev.rules()
	edge := slices.ContainsFunc(rules, func(r aca.ScaleRule) bool { return r.HTTP != nil || r.TCP != nil })
	if len(rules) > 0 && !edge {
		return
	}
	for range 2 {
		s.scalerRow(rev, false, "KEDAScalersStarted", "Scaler external-push is built")
	}
}

// checkEvery is how often a revision without usable triggers is told of.
const checkEvery = 5 * time.Minute

// checkTriggers writes the warning KEDA has for a revision nothing scales: no
// ingress and no rule.
func (s *State) checkTriggers(rev *revision) {
	if len(rev.rules()) > 0 || rev.app.spec.Properties.Configuration.Ingress != nil {
		return
	}
	since := rev.checked
	if since.IsZero() {
		since = rev.since
	}
	if s.now.Sub(since) >= s.scaled(checkEvery) {
		rev.checked = s.now
		s.scalerRow(rev, true, "ScaledObjectCheckFailed", "ScaledObject doesn't have correct triggers specification")
	}
}

// takeOver gives a revision that takes over the replicas of the one before, for
// the window of scale-down: minReplicas from 5 to 2 keeps five for five minutes
// (observed).
func (s *State) takeOver(a *app, rev *revision) {
	old := a.revision(a.serving)
	if old == nil || old == rev {
		return
	}
	_, high := scaleBounds(rev.template)
	if n := min(len(s.readyReplicas(old)), high); n > rev.target {
		rev.target = n
		rev.scaler.Keep(s.now, n)
	}
}
