package forecast

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/core"
)

// Variant is a forecast with one setting changed.
type Variant struct {
	// Setting is its path in the template's scale object, such as
	// "rules[0].http.metadata.concurrentRequests".
	Setting string  `json:"setting"`
	From    string  `json:"from"`
	To      string  `json:"to"`
	Summary Summary `json:"summary"`
}

// WhatIf plays the curve once more for each setting of the definition, halved
// and doubled, and says what came of it. Values that would not be allowed, or
// change nothing, are left out.
func WhatIf(app *aca.ContainerApp, o Options) ([]Variant, error) {
	var out []Variant
	for _, s := range settings(app) {
		for _, n := range s.tries() {
			changed, err := clone(app)
			if err != nil {
				return nil, err
			}
			s.set(changed.Properties.Template.Scale, n)
			r, err := Run(changed, o)
			if err != nil {
				return nil, err
			}
			out = append(out, Variant{Setting: s.name, From: number(s.value), To: number(n), Summary: r.Summary})
		}
	}
	return out, nil
}

// setting is one number that can be changed.
type setting struct {
	name      string
	value     float64
	low, high float64 // what is allowed
	whole     bool
	set       func(s *aca.Scale, n float64)
}

// tries are the values to try.
func (s setting) tries() []float64 {
	var out []float64
	half, double := s.value/2, s.value*2
	if s.whole {
		half = math.Floor(half)
	}
	if s.value == 0 {
		double = 1
	}
	for _, n := range []float64{half, double} {
		if n != s.value && n >= s.low && n <= s.high {
			out = append(out, n)
		}
	}
	return out
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// settings are those of a definition, in the order in which az shows them.
func settings(app *aca.ContainerApp) []setting {
	set := core.ScaleSettings(&app.Properties.Template, 1)
	whole := func(name string, value, low, high float64, field func(*aca.Scale) **int) setting {
		return setting{name, value, low, high, true, func(s *aca.Scale, n float64) {
			v := int(n)
			*field(s) = &v
		}}
	}
	out := []setting{
		whole("minReplicas", float64(set.Min), 0, float64(set.Max), func(s *aca.Scale) **int { return &s.MinReplicas }),
		whole("maxReplicas", float64(set.Max), max(float64(set.Min), 1), 1000, func(s *aca.Scale) **int { return &s.MaxReplicas }),
	}
	if set.Min == 0 {
		out = append(out, whole("cooldownPeriod", set.Cooldown.Seconds(), 1, 1<<20, func(s *aca.Scale) **int { return &s.CooldownPeriod }))
	}
	triggers := core.Triggers(app)
	if len(triggers) > 0 {
		out = append(out, whole("pollingInterval", core.PollingInterval(&app.Properties.Template).Seconds(), 1, 1<<20, func(s *aca.Scale) **int { return &s.PollingInterval }))
	}
	if app.Properties.Template.Scale == nil {
		return out
	}
	for i, r := range app.Properties.Template.Scale.Rules {
		if s, ok := ruleSetting(i, r); ok {
			out = append(out, s)
		}
	}
	return out
}

// ruleSetting is the target of a rule; ok is false when it has none.
func ruleSetting(i int, r aca.ScaleRule) (setting, bool) {
	name := fmt.Sprintf("rules[%d].", i)
	var metadata map[string]string
	var key string
	switch {
	case r.HTTP != nil:
		name, metadata, key = name+"http.metadata.", r.HTTP.Metadata, "concurrentRequests"
	case r.TCP != nil:
		name, metadata, key = name+"tcp.metadata.", r.TCP.Metadata, "concurrentConnections"
	case r.Custom != nil:
		name, metadata, key = name+"custom.metadata.", r.Custom.Metadata, targetParameter(r.Custom.Type)
	case r.AzureQueue != nil && r.AzureQueue.QueueLength != nil:
		return setting{name + "azureQueue.queueLength", float64(*r.AzureQueue.QueueLength), 1, 1 << 20, true, func(s *aca.Scale, n float64) {
			v := int(n)
			s.Rules[i].AzureQueue.QueueLength = &v
		}}, true
	}
	value, err := strconv.ParseFloat(metadata[key], 64)
	if err != nil || key == "" {
		return setting{}, false
	}
	return setting{name + key, value, 1, 1 << 30, r.Custom == nil, func(s *aca.Scale, n float64) {
		rule := &s.Rules[i]
		switch {
		case rule.HTTP != nil:
			rule.HTTP.Metadata[key] = number(n)
		case rule.TCP != nil:
			rule.TCP.Metadata[key] = number(n)
		default:
			rule.Custom.Metadata[key] = number(n)
		}
	}}, true
}

// clone is a copy that shares nothing, with a scale object.
func clone(app *aca.ContainerApp) (*aca.ContainerApp, error) {
	text, err := json.Marshal(app)
	if err != nil {
		return nil, fmt.Errorf("copy the definition: %w", err)
	}
	out := new(aca.ContainerApp)
	if err := json.Unmarshal(text, out); err != nil {
		return nil, fmt.Errorf("copy the definition: %w", err)
	}
	if out.Properties.Template.Scale == nil {
		out.Properties.Template.Scale = &aca.Scale{}
	}
	return out, nil
}
