package aca

import (
	"fmt"
	"strconv"
)

func (v *validator) scale(t *Template, at Path) {
	s := t.Scale
	if s == nil {
		return
	}
	const most = 1000
	v.rangeOf(at.Field("minReplicas"), s.MinReplicas, 0, most)
	v.rangeOf(at.Field("maxReplicas"), s.MaxReplicas, 1, most)
	v.rangeOf(at.Field("cooldownPeriod"), s.CooldownPeriod, 0, 1<<20)
	v.rangeOf(at.Field("pollingInterval"), s.PollingInterval, 1, 1<<20)
	if s.MinReplicas != nil && s.MaxReplicas != nil && *s.MinReplicas > *s.MaxReplicas {
		v.errorf(at.Field("minReplicas"), codeInvalidValue, "minReplicas %d is above maxReplicas %d", *s.MinReplicas, *s.MaxReplicas)
	}
	names := once{}
	for i := range s.Rules {
		v.scaleRule(&s.Rules[i], at.Field("rules").Index(i), names)
	}
}

func (v *validator) scaleRule(r *ScaleRule, at Path, names once) {
	switch {
	case r.Name == "":
		v.errorf(at, codeInvalidValue, "the scale rule has no name")
	case names.again(r.Name):
		v.errorf(at.Field("name"), codeInvalidValue, "the scale rule %q is defined twice", r.Name)
	}
	kinds := 0
	if r.HTTP != nil {
		kinds++
		v.concurrency(r.HTTP, at.Field("http"), "concurrentRequests", r.Name)
	}
	if r.TCP != nil {
		kinds++
		v.concurrency(r.TCP, at.Field("tcp"), "concurrentConnections", r.Name)
	}
	if r.Custom != nil {
		kinds++
		if r.Custom.Type == "" {
			v.errorf(at.Field("custom"), codeInvalidValue, "the custom rule %q has no type", r.Name).Hint = "the name of a KEDA scaler, for example azure-servicebus"
		}
		v.auth(r.Custom.Auth, at.Field("custom"), r.Name)
	}
	if r.AzureQueue != nil {
		kinds++
		if r.AzureQueue.QueueName == "" {
			v.errorf(at.Field("azureQueue"), codeInvalidValue, "the queue rule %q has no queueName", r.Name)
		}
		v.auth(r.AzureQueue.Auth, at.Field("azureQueue"), r.Name)
	}
	if kinds != 1 {
		v.errorf(at, codeInvalidValue, "the scale rule %q has %d of http, tcp, custom and azureQueue; it must have one", r.Name, kinds)
	}
}

func (v *validator) concurrency(m *RuleMetadata, at Path, key, rule string) {
	v.auth(m.Auth, at, rule)
	value, ok := m.Metadata[key]
	if !ok {
		return
	}
	if n, err := strconv.Atoi(value); err != nil || n < 1 {
		v.errorf(at.Field("metadata").Field(key), codeInvalidValue, "%s is a whole number of at least 1, not %q", key, clip(value)).
			Hint = fmt.Sprintf("%s: %q", key, "10")
	}
}

func (v *validator) auth(auth []ScaleRuleAuth, at Path, rule string) {
	for i, a := range auth {
		at := at.Field("auth").Index(i)
		if a.SecretRef != "" && !v.secrets[a.SecretRef] {
			v.errorf(at.Field("secretRef"), "ContainerAppSecretRefNotFound", "SecretRef '%s' defined for scale rule '%s' not found.",
				clip(a.SecretRef), rule).Hint = v.secretHint(a.SecretRef)
		}
	}
}
