package arm

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

var deploymentFunctions = map[string]function{
	"resourcegroup": {0, 0, false, func(s *scope, _ []any) (any, error) {
		o := s.d.ev.o
		return map[string]any{"id": s.groupID(), "name": o.ResourceGroup, "location": o.Location, "tags": map[string]any{},
			"type": "Microsoft.Resources/resourceGroups", "properties": map[string]any{"provisioningState": "Succeeded"}}, nil
	}},
	"subscription": {0, 0, false, func(s *scope, _ []any) (any, error) {
		o := s.d.ev.o
		return map[string]any{"id": "/subscriptions/" + o.Subscription, "subscriptionId": o.Subscription, "tenantId": o.Tenant, "displayName": "acalocal"}, nil
	}},
	"tenant": {0, 0, false, func(s *scope, _ []any) (any, error) {
		return map[string]any{"tenantId": s.d.ev.o.Tenant, "displayName": "acalocal"}, nil
	}},
	"deployment": {0, 0, false, func(s *scope, _ []any) (any, error) {
		return map[string]any{"name": s.d.name, "location": s.d.ev.o.Location, "properties": map[string]any{"mode": "Incremental"}}, nil
	}},
	"deployer": {0, 0, false, func(s *scope, _ []any) (any, error) {
		return map[string]any{"tenantId": s.d.ev.o.Tenant, "objectId": Unknown{"deployer().objectId"}, "userPrincipalName": Unknown{"deployer().userPrincipalName"}}, nil
	}},
	"managementgroup": {0, 0, false, func(*scope, []any) (any, error) { return Unknown{"managementGroup()"}, nil }},
	"providers":       {1, 2, true, func(*scope, []any) (any, error) { return Unknown{"providers(…)"}, nil }},
	"pickzones":       {3, 5, true, func(*scope, []any) (any, error) { return []any{"1"}, nil }}, // there is one zone here
	"managementgroupresourceid": {2, -1, false, func(s *scope, a []any) (any, error) {
		if strings.Contains(textOf(a[0]), "/") { // without the name of the group, that of the deployment
			return scopedID("/providers/Microsoft.Management/managementGroups/"+s.d.ev.o.Tenant, a)
		}
		return scopedID("/providers/Microsoft.Management/managementGroups/"+textOf(a[0]), a[1:])
	}},
	"environment":            {0, 0, false, func(*scope, []any) (any, error) { return azureCloud(), nil }},
	"resourceid":             {2, -1, false, resourceID},
	"subscriptionresourceid": {2, -1, false, func(s *scope, a []any) (any, error) { return scopedID("/subscriptions/"+s.d.ev.o.Subscription, a) }},
	"tenantresourceid":       {2, -1, false, func(_ *scope, a []any) (any, error) { return scopedID("", a) }},
	"extensionresourceid":    {3, -1, false, func(_ *scope, a []any) (any, error) { return scopedID(textOf(a[0]), a[1:]) }},
}

func azureCloud() map[string]any {
	return map[string]any{
		"name":            "AzureCloud",
		"resourceManager": "https://management.azure.com/",
		"authentication":  map[string]any{"loginEndpoint": "https://login.microsoftonline.com/", "audiences": []any{"https://management.core.windows.net/"}},
		"suffixes": map[string]any{"acrLoginServer": ".azurecr.io", "keyvaultDns": ".vault.azure.net", "storage": "core.windows.net",
			"sqlServerHostname": ".database.windows.net"},
	}
}

func (s *scope) groupID() string {
	return "/subscriptions/" + s.d.ev.o.Subscription + "/resourceGroups/" + s.d.ev.o.ResourceGroup
}

// resourceID takes an optional subscription and resource group before the
// type, which is the first argument with a slash.
func resourceID(s *scope, a []any) (any, error) {
	at := slices.IndexFunc(a, func(v any) bool { return strings.Contains(textOf(v), "/") })
	if at < 0 || at > 2 {
		return nil, errors.New("no argument is a resource type, as in Microsoft.App/containerApps")
	}
	subscription, group := s.d.ev.o.Subscription, s.d.ev.o.ResourceGroup
	if at > 0 {
		group = textOf(a[at-1])
	}
	if at > 1 {
		subscription = textOf(a[0])
	}
	return scopedID("/subscriptions/"+subscription+"/resourceGroups/"+group, a[at:])
}

// scopedID is the id of a resource: its types and names in turn.
func scopedID(prefix string, a []any) (any, error) {
	types := strings.Split(textOf(a[0]), "/")
	var names []string
	for _, n := range a[1:] {
		names = append(names, strings.Split(textOf(n), "/")...)
	}
	if len(names) != len(types)-1 {
		return nil, fmt.Errorf("the type %s takes %d names, not %d", clip(textOf(a[0])), len(types)-1, len(names))
	}
	id := prefix + "/providers/" + types[0]
	for i, name := range names {
		id += "/" + types[i+1] + "/" + name
	}
	return id, nil
}

// typeAndName takes a resource id apart.
func typeAndName(id string) (typ, name string, ok bool) {
	_, rest, ok := cutLast(id, "/providers/")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) < 3 || len(parts)%2 == 0 {
		return "", "", false
	}
	types, names := []string{parts[0]}, []string{}
	for i := 1; i+1 < len(parts); i += 2 {
		types, names = append(types, parts[i]), append(names, parts[i+1])
	}
	return strings.Join(types, "/"), strings.Join(names, "/"), true
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(strings.ToLower(s), sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// specials are the functions that do not evaluate all their arguments, or need
// the place they are called at. They are set by init because they call eval.
var specials map[string]func(*scope, call) (any, error)

func init() {
	specials = map[string]func(*scope, call) (any, error){
		"parameters": (*scope).parameter, "variables": (*scope).variable, "copyindex": (*scope).copyIndex,
		"if": (*scope).ifElse, "and": (*scope).and, "or": (*scope).or, "reference": (*scope).reference, "references": (*scope).references,
		"lambda": (*scope).lambdaAlone, "lambdavariables": (*scope).lambdaVariable,
		"map": (*scope).mapList, "filter": (*scope).filterList, "reduce": (*scope).reduceList, "toobject": (*scope).toObject, "sort": (*scope).sortList,
		"groupby": (*scope).groupBy, "mapvalues": (*scope).mapValues,
	}
}

// nameOf evaluates the one argument that names something.
func (s *scope) nameOf(c call) (string, error) {
	if len(c.args) != 1 {
		return "", errorAt(c.at, "%s takes one name", c.name)
	}
	v, err := s.eval(c.args[0])
	if err != nil {
		return "", err
	}
	name, ok := v.(string)
	if !ok {
		return "", errorAt(c.at, "%s takes a name, found %s", c.name, kindName(v))
	}
	return name, nil
}

func (s *scope) parameter(c call) (any, error) {
	name, err := s.nameOf(c)
	if err != nil {
		return nil, err
	}
	if s.args != nil {
		if v, ok := s.args[strings.ToLower(name)]; ok {
			return v, nil
		}
		return nil, errorAt(c.at, "the function has no parameter %q", name)
	}
	l, ok := s.d.params[strings.ToLower(name)]
	if !ok {
		return nil, errorAt(c.at, "the template has no parameter %q%s", name, nearName(name, s.d.params))
	}
	return l.get(fmt.Sprintf("the parameter %q", name), c.at)
}

func (s *scope) variable(c call) (any, error) {
	name, err := s.nameOf(c)
	if err != nil {
		return nil, err
	}
	l, ok := s.d.vars[strings.ToLower(name)]
	if !ok {
		return nil, errorAt(c.at, "the template has no variable %q%s", name, nearName(name, s.d.vars))
	}
	return l.get(fmt.Sprintf("the variable %q", name), c.at)
}

func nearName(name string, known map[string]*lazy) string {
	set := map[string]bool{}
	for k := range known {
		set[k] = true
	}
	if n, ok := aca.Nearest(name, keys(set)); ok {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// copyIndex: copyIndex(), copyIndex(offset), copyIndex(loop), copyIndex(loop, offset).
func (s *scope) copyIndex(c call) (any, error) {
	if len(s.loops) == 0 {
		return nil, errorAt(c.at, "copyIndex stands outside of a copy loop")
	}
	current := s.loops[len(s.loops)-1]
	args, err := s.atMostTwo(c)
	if err != nil {
		return nil, err
	}
	if len(args) > 0 {
		if name, ok := args[0].(string); ok {
			i := slices.IndexFunc(s.loops, func(l loop) bool { return l.name == strings.ToLower(name) })
			if i < 0 {
				return nil, errorAt(c.at, "no copy loop around this is called %q", name)
			}
			current, args = s.loops[i], args[1:]
		}
	}
	offset := 0
	if len(args) > 0 {
		if offset, err = asInt(args[0]); err != nil {
			return nil, errorAt(c.at, "copyIndex: %s", err)
		}
	}
	return fromInt(int64(current.index + offset)), nil
}

func (s *scope) atMostTwo(c call) ([]any, error) {
	if len(c.args) > 2 {
		return nil, errorAt(c.at, "%s takes at most 2 arguments", c.name)
	}
	return s.evalArgs(c)
}

// ifElse evaluates only the branch that is taken. A condition that only Azure
// knows takes the first: what the author hopes for.
func (s *scope) ifElse(c call) (any, error) {
	if len(c.args) != 3 {
		return nil, errorAt(c.at, "if takes 3 arguments, not %d", len(c.args))
	}
	v, err := s.eval(c.args[0])
	if err != nil {
		return nil, err
	}
	if isUnknown(v) {
		return s.eval(c.args[1])
	}
	on, err := asBool(v)
	if err != nil {
		return nil, errorAt(c.at, "if: %s", err)
	}
	if on {
		return s.eval(c.args[1])
	}
	return s.eval(c.args[2])
}

func (s *scope) and(c call) (any, error) { return s.shortcut(c, false) }
func (s *scope) or(c call) (any, error)  { return s.shortcut(c, true) }

// shortcut evaluates arguments until one is stop.
func (s *scope) shortcut(c call, stop bool) (any, error) {
	for _, a := range c.args {
		v, err := s.eval(a)
		if err != nil {
			return nil, err
		}
		if isUnknown(v) {
			return v, nil
		}
		b, err := asBool(v)
		if err != nil {
			return nil, errorAt(c.at, "%s: %s", c.name, err)
		}
		if b == stop {
			return stop, nil
		}
	}
	return !stop, nil
}

// list stands for listKeys, listSecrets and their like, which only Azure
// answers.
func (s *scope) list(c call) (any, error) {
	args, err := s.evalArgs(c)
	if err != nil {
		return nil, err
	}
	of := ""
	if len(args) > 0 {
		of = lastPart(textOf(args[0]))
	}
	return Unknown{c.name + "('" + of + "')"}, nil
}
