package change

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// ScaleRuleEdit is what --scale-rule-name and the flags beside it ask for.
type ScaleRuleEdit struct {
	Name        string
	Type        string   // http, tcp or a KEDA scaler's; "" is http
	Concurrency *int     // requests or connections per replica, for http and tcp
	Metadata    []string // key=value
	Auth        []string // triggerParameter=secretRef
}

// Empty says that nothing is asked for.
func (e ScaleRuleEdit) Empty() bool {
	return e.Name == "" && e.Type == "" && e.Concurrency == nil && len(e.Metadata) == 0 && len(e.Auth) == 0
}

// ScaleRule returns the rule of an edit. As with az it takes the place of all
// the rules there are
// (github.com/Azure/azure-cli-extensions, containerapp_decorator.py).
func ScaleRule(e ScaleRuleEdit) (aca.ScaleRule, error) {
	if e.Name == "" {
		return aca.ScaleRule{}, fmt.Errorf("a scale rule needs a name")
	}
	kind := strings.ToLower(e.Type)
	metadata := map[string]string{}
	switch {
	case e.Concurrency == nil:
	case kind == "" || kind == "http":
		metadata["concurrentRequests"] = strconv.Itoa(*e.Concurrency)
	case kind == "tcp":
		metadata["concurrentConnections"] = strconv.Itoa(*e.Concurrency)
	default:
		return aca.ScaleRule{}, fmt.Errorf("a rule of type %s has no concurrency: only http and tcp rules have", kind)
	}
	if err := addMetadata(metadata, e.Metadata); err != nil {
		return aca.ScaleRule{}, err
	}
	auth, err := ruleAuth(e.Auth)
	if err != nil {
		return aca.ScaleRule{}, err
	}
	switch kind {
	case "", "http":
		return aca.ScaleRule{Name: e.Name, HTTP: &aca.RuleMetadata{Metadata: metadata, Auth: auth}}, nil
	case "tcp":
		return aca.ScaleRule{Name: e.Name, TCP: &aca.RuleMetadata{Metadata: metadata, Auth: auth}}, nil
	}
	return aca.ScaleRule{Name: e.Name, Custom: &aca.CustomScaleRule{Type: kind, Metadata: metadata, Auth: auth}}, nil
}

func addMetadata(to map[string]string, entries []string) error {
	for _, entry := range entries {
		key, value, ok := strings.Cut(entry, "=")
		if !ok || key == "" {
			return fmt.Errorf("%q is no metadata: write KEY=value", entry)
		}
		if _, ok := to[key]; ok {
			return fmt.Errorf("the metadata %q is given twice", key)
		}
		to[key] = value
	}
	return nil
}

func ruleAuth(entries []string) (auth []aca.ScaleRuleAuth, err error) {
	seen := map[string]bool{}
	for _, entry := range entries {
		parameter, secret, ok := strings.Cut(entry, "=")
		if !ok || parameter == "" || secret == "" {
			return nil, fmt.Errorf("%q is no authentication: write PARAMETER=SECRET", entry)
		}
		if seen[parameter] {
			return nil, fmt.Errorf("the parameter %q is given twice", parameter)
		}
		seen[parameter] = true
		auth = append(auth, aca.ScaleRuleAuth{TriggerParameter: parameter, SecretRef: secret})
	}
	return auth, nil
}
