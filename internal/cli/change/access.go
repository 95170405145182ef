package change

import (
	"fmt"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// SetRestriction adds a rule, or replaces the one of its name, in any case.
// Rules all allow or all deny (learn.microsoft.com/azure/container-apps/ip-restrictions).
func SetRestriction(rules []aca.IPSecurityRestriction, rule aca.IPSecurityRestriction) ([]aca.IPSecurityRestriction, error) {
	out := slices.Clone(rules)
	i := restrictionIndex(out, rule.Name)
	if i >= 0 {
		out[i] = rule
	} else {
		out = append(out, rule)
	}
	for _, other := range out {
		if other.Action != rule.Action {
			return nil, fmt.Errorf("rule %s would %s and rule %s would %s: all rules must have the same action", rule.Name, lower(rule.Action), other.Name, lower(other.Action))
		}
	}
	return out, nil
}

// RemoveRestriction takes the rule of that name away.
func RemoveRestriction(rules []aca.IPSecurityRestriction, name string) ([]aca.IPSecurityRestriction, error) {
	i := restrictionIndex(rules, name)
	if i < 0 {
		//lint:ignore ST1005 az's own words
		return nil, fmt.Errorf("Ip restriction name '%s' does not exist.", name)
	}
	return slices.Delete(slices.Clone(rules), i, i+1), nil
}

func restrictionIndex(rules []aca.IPSecurityRestriction, name string) int {
	return slices.IndexFunc(rules, func(r aca.IPSecurityRestriction) bool { return strings.EqualFold(r.Name, name) })
}

func lower(action string) string {
	if action == "Deny" {
		return "deny"
	}
	return "allow"
}
