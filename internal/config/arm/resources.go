package arm

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// resourceState is one resource of a deployment, one per turn of its copy loop.
type resourceState struct {
	node     *Node
	scope    *scope
	typ      string
	name     string
	symbol   string // symbolic name, "" in templates without
	existing bool

	value   map[string]any
	at      places
	err     error
	done    bool
	running bool
	nested  *deployment
}

// templateOnly are the keys of a resource that Azure never sees.
var templateOnly = []string{"apiVersion", "dependsOn", "condition", "copy", "comments", "scope", "existing", "resources", "metadata", "import"}

// readResources lists the resources: a list, or an object of symbolic names.
func (d *deployment) readResources() {
	root := &scope{d: d, loops: d.loops}
	switch list := d.root.Get("resources"); {
	case list == nil:
	case list.Kind == Object:
		for _, f := range list.Fields {
			root.readResource(f.Value, f.Name, "", "")
		}
	default:
		for _, n := range list.Items {
			root.readResource(n, "", "", "")
		}
	}
}

// readResource reads one resource and those nested in it, once per turn of its
// loop.
func (s *scope) readResource(n *Node, symbol, parentType, parentName string) {
	if n.Kind != Object {
		s.d.problem(n, 0, "a resource is an object")
		return
	}
	l := n.Get("copy")
	if l == nil {
		s.addResource(n, symbol, parentType, parentName)
		return
	}
	count, err := s.count(l)
	if err != nil {
		return // reported
	}
	for i := range count {
		s.inLoop(l.Get("name").str(), i).addResource(n, symbol, parentType, parentName)
	}
}

func (s *scope) addResource(n *Node, symbol, parentType, parentName string) {
	if on, err := s.condition(n); err != nil || !on {
		return
	}
	if len(s.d.states) >= maxCopies {
		s.d.problem(n, 0, "a template deploys at most %d resources", maxCopies)
		return
	}
	name, err := s.node(n.Get("name"), "", nil)
	if err != nil {
		return // reported
	}
	r := &resourceState{node: n, scope: s, symbol: symbol, typ: n.Get("type").str(), name: textOf(name)}
	if i := strings.IndexByte(r.typ, '@'); i >= 0 {
		r.typ = r.typ[:i]
	}
	if parentType != "" && !strings.Contains(r.typ, ".") {
		r.typ, r.name = parentType+"/"+r.typ, parentName+"/"+r.name
	}
	r.existing = n.Get("existing") != nil && n.Get("existing").Text == "true"
	s.d.states = append(s.d.states, r)
	for _, key := range []string{r.key(), strings.ToLower(symbol)} {
		if _, taken := s.d.byName[key]; key != "" && !taken {
			s.d.byName[key] = r
		}
	}
	for _, child := range items(n.Get("resources")) {
		s.readResource(child, "", r.typ, r.name)
	}
}

func (r *resourceState) key() string { return strings.ToLower(r.typ + "/" + r.name) }

func (s *scope) condition(n *Node) (bool, error) {
	c := n.Get("condition")
	if c == nil {
		return true, nil
	}
	v, err := s.node(c, "", nil)
	if err != nil {
		return false, err
	}
	switch v := v.(type) {
	case bool:
		return v, nil
	case string:
		return strings.EqualFold(v, "true"), nil
	}
	s.d.problem(c, 0, "a condition is true or false, not %s", kindName(v))
	return false, &reported{errors.New("bad condition")}
}

// run evaluates every resource in order; nested deployments add theirs.
func (d *deployment) run() {
	for _, r := range d.states {
		if r.existing {
			continue
		}
		if strings.EqualFold(r.typ, "Microsoft.Resources/deployments") {
			if nested, err := r.deployment(); err == nil {
				nested.run()
			}
			continue
		}
		if err := r.evaluate(0); err != nil {
			continue // reported
		}
		d.ev.resources = append(d.ev.resources, r.result())
	}
}

// evaluate evaluates the resource when it is first asked for.
func (r *resourceState) evaluate(at int) error {
	if r.running {
		return errorAt(at, "the resource %s refers to itself", r.name)
	}
	if r.done {
		return r.err
	}
	r.running = true
	defer func() { r.running, r.done = false, true }()
	r.at, r.value = places{}, map[string]any{}
	own := *r.node
	own.Fields = slices.DeleteFunc(slices.Clone(r.node.Fields), func(f Field) bool {
		return slices.ContainsFunc(templateOnly, func(name string) bool { return strings.EqualFold(name, f.Name) })
	})
	v, err := r.scope.node(&own, "", r.at)
	if object, ok := v.(map[string]any); ok {
		r.value = object
	}
	r.err = err
	return err
}

// result is the resource as it is deployed. What is unknown has become text.
func (r *resourceState) result() Resource {
	r.value["name"] = lastPart(r.name)
	budget := maxElements
	if measure(r.value, &budget); budget < 0 {
		r.scope.d.problem(r.node, 0, "the resource %s is too large", r.name)
		return Resource{Type: r.typ, Name: r.name, Pos: r.node.Pos, Value: map[string]any{}}
	}
	value, ok := r.settle(r.value, "").(map[string]any)
	if !ok {
		panic("bug: an object has become something else")
	}
	return Resource{Type: r.typ, Name: r.name, Pos: r.node.Pos, Value: value, Places: r.at, File: r.scope.d.file}
}

func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// settle replaces unknown values by their text and says so.
func (r *resourceState) settle(v any, path aca.Path) any {
	switch v := v.(type) {
	case Unknown, *partial:
		r.warnUnknown(path, textOf(v))
		return textOf(v)
	case string:
		if i := strings.Index(v, "(known to Azure only: "); i >= 0 {
			r.warnUnknown(path, v[i:])
		}
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = r.settle(item, path.Index(i))
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			out[key] = r.settle(v[key], path.Field(key))
		}
		return out
	}
	return v
}

func (r *resourceState) warnUnknown(path aca.Path, what string) {
	switch typ := strings.ToLower(r.typ); {
	case strings.HasPrefix(typ, "microsoft.app/containerapps"), typ == "microsoft.app/managedenvironments/httprouteconfigs":
	default:
		return // nothing here reads it
	}
	at := r.at[strings.ToLower(string(path))]
	for p := path; at.Value.Line == 0 && p != ""; {
		p = p.Parent()
		at = r.at[strings.ToLower(string(p))]
	}
	p := Problem{Pos: at.Value, Width: at.ValueWidth, File: r.scope.d.file, Warning: true,
		Message: fmt.Sprintf("%s is %s", path, clip(what)), Hint: "acalocal.yaml can give a secret or a variable its local value"}
	r.scope.d.ev.problems = append(r.scope.d.ev.problems, p)
}

// deployment is the nested deployment that a resource stands for.
func (r *resourceState) deployment() (*deployment, error) {
	if r.nested != nil || r.err != nil {
		return r.nested, r.err
	}
	r.nested, r.err = r.makeDeployment()
	return r.nested, r.err
}

func (r *resourceState) makeDeployment() (*deployment, error) {
	d, properties := r.scope.d, r.node.Get("properties")
	if d.ev.nesting++; d.ev.nesting > maxNesting*maxNesting || d.depth() > maxNesting {
		d.problem(r.node, 0, "deployments are nested more than %d deep", maxNesting)
		return nil, &reported{errors.New("too deep")}
	}
	root, file := properties.Get("template"), d.file
	if link := properties.Get("templateLink"); root == nil && link != nil {
		var err error
		if root, file, err = d.linked(link); err != nil {
			d.problem(link, 0, "the template of the deployment %s: %s", r.name, err)
			return nil, &reported{err}
		}
	}
	if root == nil {
		d.problem(r.node, 0, "the deployment %s has no template", r.name)
		return nil, &reported{errors.New("no template")}
	}
	inner := file != d.file || strings.EqualFold(properties.Get("expressionEvaluationOptions").Get("scope").str(), "inner")
	nested := d.ev.deployment(root, r.name, file)
	nested.up = d
	if !inner {
		// With outer scope, the default, expressions mean the parent's
		// parameters and variables.
		nested.params, nested.vars, nested.functions, nested.loops = d.params, d.vars, d.functions, r.scope.loops
	} else {
		nested.parameters(r.arguments(properties.Get("parameters")))
	}
	nested.readResources()
	return nested, nil
}

func (d *deployment) depth() int {
	n := 0
	for up := d.up; up != nil; up = up.up {
		n++
	}
	return n
}

// arguments are the values a module is called with, evaluated where it is
// called.
func (r *resourceState) arguments(list *Node) map[string]func() (any, error) {
	out := map[string]func() (any, error){}
	for _, f := range fields(list) {
		value := f.Value
		out[strings.ToLower(f.Name)] = func() (any, error) {
			if value.Get("reference") != nil && value.Get("value") == nil {
				return Unknown{"a key vault secret for " + f.Name}, nil
			}
			return r.scope.node(value.Get("value"), "", nil)
		}
	}
	return out
}
