package forecast

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/acalocal/acalocal/internal/scale"
	"github.com/acalocal/acalocal/internal/scaler"
)

// parameters are the target and the activation value of scalers that compare a
// value with them, and the target's default, 0 for none.
var parameters = map[string]struct {
	target, activation string
	otherwise          float64
}{
	"azure-queue":      {"queueLength", "activationQueueLength", 5},
	"azure-servicebus": {"messageCount", "activationMessageCount", 5},
	"cpu":              {"value", "", 0},
	"kafka":            {"lagThreshold", "activationLagThreshold", 10},
	"memory":           {"value", "", 0},
	"postgresql":       {"targetQueryValue", "activationTargetQueryValue", 0},
	"prometheus":       {"threshold", "activationThreshold", 0},
	"rabbitmq":         {"value", "activationValue", 20},
	"redis":            {"listLength", "activationListLength", 5},
	"redis-streams":    {"pendingEntriesCount", "activationLagCount", 5},
}

// targetParameter is the parameter that says how much of a metric one replica
// takes, "" when there is none.
func targetParameter(kind string) string { return parameters[kind].target }

// makeTrigger is a rule with its target. Cron rules tell their metric
// themselves, from the clock; all others need one from the user.
func (r *run) makeTrigger(t scale.Trigger) (trigger, error) {
	out := trigger{Trigger: t}
	if t.Type == "cron" {
		s, err := scaler.New(t, scaler.Options{Now: func() time.Time { return r.now }})
		if err != nil {
			return out, fmt.Errorf("rule %s: %w", t.Rule, err)
		}
		out.scaler = s
		return out, nil
	}
	p, ok := parameters[t.Type]
	if !ok {
		return out, fmt.Errorf("rule %s: a forecast knows no target of the scaler %s", t.Rule, t.Type)
	}
	if !r.o.Curve.Knows(t.Rule) {
		if _, ok := r.o.Metrics[t.Rule]; !ok {
			return out, &NoMetric{Rule: t.Rule, Type: t.Type}
		}
	}
	out.target = scale.Sample{Kind: kindOf(t), Target: p.otherwise}
	if text := t.Metadata[p.target]; text != "" {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n > 0) || math.IsInf(n, 0) {
			return out, fmt.Errorf("rule %s: %s is a number above 0, not %q", t.Rule, p.target, text)
		}
		out.target.Target = n
	}
	if out.target.Target == 0 {
		return out, fmt.Errorf("rule %s: %s is not given", t.Rule, p.target)
	}
	if text := t.Metadata[p.activation]; text != "" {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return out, fmt.Errorf("rule %s: %s is a number, not %q", t.Rule, p.activation, text)
		}
		out.target.Activation = n
	}
	return out, nil
}

func kindOf(t scale.Trigger) scale.Kind {
	switch {
	case t.Type == "cpu" || t.Type == "memory":
		return scale.Utilization
	case t.Metadata["metricType"] == "Value":
		return scale.Value
	}
	return scale.Average
}

// NoMetric says that a rule's metric is neither in the curve nor given.
type NoMetric struct{ Rule, Type string }

// Error implements error.
func (e *NoMetric) Error() string {
	return fmt.Sprintf("rule %s (%s): its metric is not known", e.Rule, e.Type)
}
