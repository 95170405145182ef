package arm

import (
	"fmt"
	"maps"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// reference is the state of a resource: of the template, as far as its
// definition tells, or of Azure.
func (s *scope) reference(c call) (any, error) {
	if len(c.args) == 0 || len(c.args) > 3 {
		return nil, errorAt(c.at, "reference takes 1 to 3 arguments, not %d", len(c.args))
	}
	args, err := s.evalArgs(c)
	if err != nil {
		return nil, err
	}
	if u, ok := args[0].(Unknown); ok {
		return Unknown{"reference(" + u.What + ")"}, nil
	}
	id := textOf(args[0])
	full := len(args) == 3 && strings.EqualFold(textOf(args[2]), "full")
	if r := s.d.find(id); r != nil {
		return r.state(full, c.at)
	}
	typ, name, ok := typeAndName(id)
	if !ok {
		return nil, errorAt(c.at, "no resource of the template is called %q", clip(id))
	}
	return fullOr(full, id, typ, name, s.d.knownState(typ, name)), nil
}

// references is the states of the resources of one copy loop, which its
// symbolic name stands for
// (https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-resource#references).
func (s *scope) references(c call) (any, error) {
	if len(c.args) == 0 || len(c.args) > 2 {
		return nil, errorAt(c.at, "references takes 1 to 2 arguments, not %d", len(c.args))
	}
	args, err := s.evalArgs(c)
	if err != nil {
		return nil, err
	}
	if isUnknown(args[0]) {
		return Unknown{"references(" + whatOf(args[0]) + ")"}, nil
	}
	symbol := textOf(args[0])
	d, declared := s.d.declares(symbol)
	switch {
	case declared == nil:
		return nil, errorAt(c.at, "no resource of the template has the symbolic name %q", clip(symbol))
	case declared.Get("copy") == nil:
		return nil, errorAt(c.at, "%q is one resource, not a copy loop; reference gives its state", clip(symbol))
	}
	full := len(args) == 2 && strings.EqualFold(textOf(args[1]), "full")
	states := []any{}
	for _, r := range d.states {
		if !strings.EqualFold(r.symbol, symbol) {
			continue
		}
		if err := s.d.ev.step(c.at); err != nil {
			return nil, err
		}
		state, err := r.state(full, c.at)
		if err != nil {
			return nil, err
		}
		states = append(states, state)
	}
	return states, nil
}

// declares looks for a symbolic name, here and in the deployments around.
func (d *deployment) declares(symbol string) (*deployment, *Node) {
	for at := d; at != nil; at = at.up {
		if list := at.root.Get("resources"); list != nil && list.Kind == Object {
			if n := list.Get(symbol); n != nil {
				return at, n
			}
		}
	}
	return nil, nil
}

// find looks for a resource by id, name or symbolic name, here and in the
// deployments around.
func (d *deployment) find(id string) *resourceState {
	key := strings.ToLower(id)
	if typ, name, ok := typeAndName(id); ok {
		key = strings.ToLower(typ + "/" + name)
	}
	for at := d; at != nil; at = at.up {
		if r, ok := at.byName[key]; ok {
			return r
		}
		for _, r := range at.states {
			if strings.EqualFold(r.name, id) {
				return r
			}
		}
	}
	return nil
}

// state is what reference() gives for a resource of the template.
func (r *resourceState) state(full bool, at int) (any, error) {
	d := r.scope.d
	if strings.EqualFold(r.typ, "Microsoft.Resources/deployments") {
		nested, err := r.deployment()
		if err != nil {
			return nil, &reported{err}
		}
		return nested.state(r.name), nil
	}
	known := d.knownState(r.typ, r.name)
	if r.existing {
		return fullOr(full, r.typ+"/"+r.name, r.typ, r.name, known), nil
	}
	switch strings.ToLower(r.typ) {
	case "microsoft.app/containerapps":
		known["configuration"] = func() (any, error) { return r.appConfiguration(at) }
		known["template"] = func() (any, error) { return r.property("template", at) }
	default:
		for _, f := range fields(r.node.Get("properties")) {
			if _, own := known[f.Name]; !own {
				value := f.Value
				known[f.Name] = func() (any, error) { return r.scope.node(value, "", nil) }
			}
		}
	}
	return fullOr(full, r.typ+"/"+r.name, r.typ, r.name, known), nil
}

// fullOr wraps the properties as reference(…, 'full') gives them.
func fullOr(full bool, id, typ, name string, known map[string]func() (any, error)) any {
	p := &partial{what: fmt.Sprintf("reference('%s')", name), known: known}
	if !full {
		return p
	}
	return &partial{what: p.what, known: map[string]func() (any, error){
		"properties": constant(p), "id": constant(id), "name": constant(lastPart(name)), "type": constant(typ),
	}}
}

func constant(v any) func() (any, error) { return func() (any, error) { return v, nil } }

// property is one of the resource's properties, evaluated.
func (r *resourceState) property(name string, at int) (any, error) {
	if err := r.evaluate(at); err != nil {
		return nil, err
	}
	properties, ok := lookup(r.value, "properties")
	object, isObject := properties.(map[string]any)
	if !ok || !isObject {
		return map[string]any{}, nil
	}
	v, _ := lookup(object, name)
	return v, nil
}

// appConfiguration adds the fqdn that the edge here answers to.
func (r *resourceState) appConfiguration(at int) (any, error) {
	v, err := r.property("configuration", at)
	if err != nil {
		return nil, err
	}
	configuration, ok := v.(map[string]any)
	if !ok {
		return map[string]any{}, nil
	}
	v, _ = lookup(configuration, "ingress")
	in, ok := v.(map[string]any)
	if !ok {
		return configuration, nil
	}
	external, _ := lookup(in, "external")
	host := lastPart(r.name) + "."
	if on, isBool := external.(bool); !isBool || !on {
		host += "internal."
	}
	in = maps.Clone(in)
	in["fqdn"] = host + r.scope.d.domainOf(r)
	configuration = maps.Clone(configuration)
	configuration["ingress"] = in
	return configuration, nil
}

// domainOf is the default domain of the environment an app runs in.
func (d *deployment) domainOf(r *resourceState) string {
	for _, key := range []string{"environmentId", "managedEnvironmentId"} {
		if v, err := r.property(key, 0); err == nil {
			if _, name, ok := typeAndName(textOf(v)); ok {
				return d.domain(name)
			}
		}
	}
	return d.domain("dev")
}

// domain is "<environment>.localhost" for an environment of the template; apps
// of one that is elsewhere run in "dev".
func (d *deployment) domain(environment string) string {
	if d.ev.o.Domain != "" {
		return d.ev.o.Domain
	}
	r := d.find("/providers/Microsoft.App/managedEnvironments/" + environment)
	if r == nil || r.existing {
		return "dev.localhost"
	}
	return aca.ValidAppName(environment) + ".localhost"
}

// state is what reference() gives for a nested deployment: its outputs.
func (d *deployment) state(name string) any {
	outputs := &partial{what: fmt.Sprintf("reference('%s').outputs", name), known: map[string]func() (any, error){}}
	for _, f := range fields(d.root.Get("outputs")) {
		output := f.Name
		outputs.known[output] = func() (any, error) {
			v, err := d.output(output, 0)
			if err != nil {
				return nil, err
			}
			return map[string]any{"value": v, "type": f.Value.Get("type").str()}, nil
		}
	}
	return &partial{what: fmt.Sprintf("reference('%s')", name), known: map[string]func() (any, error){"outputs": constant(outputs)}}
}

// knownState is what follows from the name of a resource alone.
func (d *deployment) knownState(typ, name string) map[string]func() (any, error) {
	short := lastPart(name)
	switch strings.ToLower(typ) {
	case "microsoft.app/managedenvironments":
		return map[string]func() (any, error){"defaultDomain": constant(d.domain(short)), "staticIp": constant("127.0.0.1")}
	case "microsoft.containerregistry/registries":
		return map[string]func() (any, error){"loginServer": constant(strings.ToLower(short) + ".azurecr.io")}
	case "microsoft.keyvault/vaults":
		return map[string]func() (any, error){"vaultUri": constant("https://" + strings.ToLower(short) + ".vault.azure.net/")}
	case "microsoft.storage/storageaccounts":
		endpoint := func(service string) string {
			return "https://" + strings.ToLower(short) + "." + service + ".core.windows.net/"
		}
		return map[string]func() (any, error){"primaryEndpoints": constant(map[string]any{
			"blob": endpoint("blob"), "file": endpoint("file"), "queue": endpoint("queue"), "table": endpoint("table")})}
	}
	return map[string]func() (any, error){}
}
