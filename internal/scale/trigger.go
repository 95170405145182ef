package scale

import (
	"maps"
	"time"
)

// TriggerTypes are the scalers that are read here, by KEDA's names; others are
// not emulated.
var TriggerTypes = []string{
	"azure-queue", "azure-servicebus", "cpu", "cron", "external", "external-push", "kafka", "memory",
	"postgresql", "prometheus", "rabbitmq", "redis", "redis-streams",
}

// Trigger is a rule whose metric is read outside the edge: one of KEDA's
// scalers.
type Trigger struct {
	TriggerKey
	// Type is KEDA's name of the scaler, such as "redis".
	Type     string
	Metadata map[string]string
	// Auth are the values of secrets by trigger parameter.
	Auth map[string]string
	// Env are the variables of the first container, which parameters ending in
	// FromEnv name.
	Env map[string]string
	// Interval is the time between two readings.
	Interval time.Duration
}

// TriggerKey names one rule of one revision.
type TriggerKey struct{ App, Revision, Rule string }

// Equal says that two triggers read the same.
func (t Trigger) Equal(o Trigger) bool {
	return t.TriggerKey == o.TriggerKey && t.Type == o.Type && t.Interval == o.Interval &&
		maps.Equal(t.Metadata, o.Metadata) && maps.Equal(t.Auth, o.Auth) && maps.Equal(t.Env, o.Env)
}

// TriggerReport is one reading of a trigger.
type TriggerReport struct {
	TriggerKey
	// Sample is the metric; its Rule is left to the reader.
	Sample Sample
	// Err is why there is none, "" when there is one. It becomes a row of the
	// system log, in the words KEDA has for it.
	Err string
	// Warning is something to say beside a metric, such as a setting that is
	// deprecated.
	Warning string
}
