package arm

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/acalocal/acalocal/emulator/aca"
)

// Options are what a deployment knows beside its template. The zero value will
// do; nothing in it comes from Azure.
type Options struct {
	Name          string         // of the deployment, "main" by default
	Parameters    map[string]any // values by name, as plain JSON values
	Now           time.Time      // for utcNow()
	Subscription  string         // id
	Tenant        string         // id
	ResourceGroup string         // name
	Location      string         // of the resource group
	Domain        string         // default domain of environments; "" takes "<environment>.localhost"

	// ReadFile reads a template that a templateLink with a relativePath names;
	// nil when there are none to read.
	ReadFile func(relative string) ([]byte, error)
}

// Resource is one resource that would be deployed.
type Resource struct {
	Type   string           // as written: "Microsoft.App/containerApps"
	Name   string           // with the names of its parents: "env/storage"
	Pos    Position         // where it begins
	Value  map[string]any   // evaluated, without what only templates have
	Places map[string]Place // by aca.Path, in lower case
	File   string           // of a linked template, "" for the template itself
}

// Place is where a value and its key stand.
type Place struct {
	Key, Value           Position
	KeyWidth, ValueWidth int
}

// Problem is something wrong with a template, and where.
type Problem struct {
	Pos     Position
	Width   int
	File    string // of a linked template, "" for the template itself
	Warning bool
	Message string
	Hint    string
}

// Result is an evaluated template. It is complete only when no problem is an
// error.
type Result struct {
	Resources []Resource
	Outputs   map[string]any
	Problems  []Problem
}

// Bounds of an evaluation.
const (
	maxSteps    = 500_000
	maxCopies   = 800 // ARM's own
	maxText     = 1 << 20
	maxElements = 100_000
	maxNesting  = 10 // of deployments
)

// Evaluate evaluates a parsed template. It never fails as a whole: problems
// are in the result.
func Evaluate(root *Node, o Options) Result {
	o.fill()
	ev := &evaluator{o: o}
	d := ev.deployment(root, o.Name, "")
	d.parameters(plainParameters(o.Parameters))
	d.readResources()
	d.run()
	return Result{Resources: ev.resources, Outputs: d.outputValues(), Problems: ev.problems}
}

func (o *Options) fill() {
	setDefault(&o.Name, "main")
	local := aca.LocalGroup()
	setDefault(&o.Subscription, local.Subscription)
	setDefault(&o.Tenant, local.Subscription)
	setDefault(&o.ResourceGroup, local.Name)
	setDefault(&o.Location, "eastus")
}

func setDefault(s *string, value string) {
	if *s == "" {
		*s = value
	}
}

func plainParameters(values map[string]any) map[string]func() (any, error) {
	out := map[string]func() (any, error){}
	for name, value := range values {
		out[strings.ToLower(name)] = func() (any, error) { return value, nil }
	}
	return out
}

type evaluator struct {
	o         Options
	problems  []Problem
	resources []Resource
	steps     int
	nesting   int
}

// step bounds the work of an evaluation.
func (ev *evaluator) step(at int) error {
	if ev.steps++; ev.steps > maxSteps {
		return errorAt(at, "the template takes more than %d steps to evaluate", maxSteps)
	}
	return nil
}

// deployment is one template: the one given, or one nested in it.
type deployment struct {
	ev        *evaluator
	root      *Node
	name      string
	file      string
	up        *deployment // the one this is nested in
	loops     []loop      // around a nested deployment with outer scope
	params    map[string]*lazy
	vars      map[string]*lazy
	functions map[string]*Node
	states    []*resourceState
	byName    map[string]*resourceState // "type/name" and symbolic names, in lower case
}

// lazy is a parameter or variable: evaluated when first asked for.
type lazy struct {
	eval    func() (any, error)
	value   any
	err     error
	done    bool
	running bool
}

func (l *lazy) get(what string, at int) (any, error) {
	if l.running {
		return nil, errorAt(at, "%s refers to itself", what)
	}
	if !l.done {
		l.running = true
		l.value, l.err = l.eval()
		l.running, l.done = false, true
	}
	if l.err != nil {
		return nil, &reported{l.err}
	}
	return l.value, nil
}

// reported is an error that has its problem already.
type reported struct{ err error }

func (r *reported) Error() string { return r.err.Error() }

func (ev *evaluator) deployment(root *Node, name, file string) *deployment {
	d := &deployment{ev: ev, root: root, name: name, file: file, params: map[string]*lazy{}, vars: map[string]*lazy{},
		functions: map[string]*Node{}, byName: map[string]*resourceState{}}
	if root.Kind != Object {
		d.problem(root, 0, "a template is an object")
		return d
	}
	for _, ns := range items(root.Get("functions")) {
		for _, m := range fields(ns.Get("members")) {
			d.functions[strings.ToLower(ns.Get("namespace").str()+"."+m.Name)] = m.Value
		}
	}
	d.variables()
	return d
}

func items(n *Node) []*Node {
	if n == nil {
		return nil
	}
	return n.Items
}

func fields(n *Node) []Field {
	if n == nil {
		return nil
	}
	return n.Fields
}

// problem reports an error at a node; offset counts into its text, when that is
// an expression on one line.
func (d *deployment) problem(n *Node, offset int, format string, args ...any) *Problem {
	p := Problem{Pos: n.Pos, Width: n.Width, File: d.file, Message: fmt.Sprintf(format, args...)}
	if offset > 0 && n.Kind == String && n.Width == utf8.RuneCountInString(n.Text)+2 {
		p.Pos.Column += 1 + utf8.RuneCountInString(n.Text[:min(offset, len(n.Text))])
		p.Width = 1
	}
	d.ev.problems = append(d.ev.problems, p)
	return &d.ev.problems[len(d.ev.problems)-1]
}

// fail turns an error of an expression into a problem at its node, once.
func (d *deployment) fail(n *Node, err error) error {
	var done *reported
	if errors.As(err, &done) {
		return err
	}
	at := 0
	var ee *exprError
	if errors.As(err, &ee) {
		at = ee.at
	}
	d.problem(n, at, "%s", err)
	return &reported{err}
}

// variables makes every variable a lazy value; "copy" among them is a list of
// loops.
func (d *deployment) variables() {
	root := &scope{d: d}
	for _, f := range fields(d.root.Get("variables")) {
		if strings.EqualFold(f.Name, "copy") && f.Value.Kind == Array {
			for _, loop := range f.Value.Items {
				d.vars[strings.ToLower(loop.Get("name").str())] = &lazy{eval: func() (any, error) { return root.copyProperty(loop, "", nil) }}
			}
			continue
		}
		value := f.Value
		d.vars[strings.ToLower(f.Name)] = &lazy{eval: func() (any, error) { return root.node(value, "", nil) }}
	}
}

// parameters binds values to the parameters of the template and reports those
// that are missing or not allowed.
func (d *deployment) parameters(given map[string]func() (any, error)) {
	declared := map[string]bool{}
	for _, f := range fields(d.root.Get("parameters")) {
		name := strings.ToLower(f.Name)
		declared[name] = true
		eval, ok := given[name]
		fallback := f.Value.Get("defaultValue")
		switch {
		case ok:
		case fallback != nil:
			eval = func() (any, error) { return (&scope{d: d}).node(fallback, "", nil) }
		case f.Value.Get("nullable") != nil && f.Value.Get("nullable").Text == "true":
			eval = func() (any, error) { return nil, nil }
		default:
			p := d.problem(&Node{Pos: f.Pos, Width: f.Width}, 0, "the parameter %q has no value", f.Name)
			p.Hint = fmt.Sprintf("give it with --parameters %s=…, or in a parameters file", f.Name)
			eval = func() (any, error) { return nil, &reported{errors.New("no value")} }
		}
		d.params[name] = &lazy{eval: func() (any, error) {
			value, err := eval()
			if err != nil {
				return nil, err
			}
			return value, d.allowed(f, value)
		}}
	}
	d.unknownParameters(given, declared)
}

func (d *deployment) unknownParameters(given map[string]func() (any, error), declared map[string]bool) {
	var names []string
	for name := range given {
		if !declared[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		at := d.root
		if p := d.root.Get("parameters"); p != nil {
			at = p
		}
		p := d.problem(at, 0, "the template has no parameter %q", name)
		p.Width = 1
		if near, ok := aca.Nearest(name, keys(declared)); ok {
			p.Hint = fmt.Sprintf("did you mean %q?", near)
		}
	}
}

func keys(set map[string]bool) []string {
	var out []string
	for k := range set {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// allowed holds a value against the parameter's declaration. Values are not
// repeated in messages when the parameter is secure.
func (d *deployment) allowed(f Field, value any) error {
	declared := strings.ToLower(f.Value.Get("type").str())
	if _, unknown := value.(Unknown); unknown || value == nil {
		return nil
	}
	want := map[string]string{"string": "text", "securestring": "text", "int": "a number", "bool": "true or false", "array": "a list", "object": "an object", "secureobject": "an object"}[declared]
	if want != "" && kindName(value) != want {
		d.problem(f.Value, 0, "the parameter %q is %s, its value is %s", f.Name, want, kindName(value))
		return &reported{errors.New("wrong type")}
	}
	if err := d.inBounds(f, value); err != nil {
		return err
	}
	if list := f.Value.Get("allowedValues"); list != nil {
		for _, item := range list.Items {
			v, err := (&scope{d: d}).node(item, "", nil)
			if err == nil && equal(v, value) {
				return nil
			}
		}
		shown := textOf(value)
		if strings.HasPrefix(declared, "secure") {
			shown = "its value"
		}
		d.problem(list, 0, "the parameter %q does not allow %s", f.Name, clip(shown))
		return &reported{errors.New("not allowed")}
	}
	return nil
}

// inBounds holds a value against minValue, maxValue, minLength and maxLength.
func (d *deployment) inBounds(f Field, value any) error {
	n, isNumber := integer(value)
	if _, text := value.(string); text || !isNumber {
		isNumber = false
		size, err := length(nil, []any{value})
		if err != nil {
			return nil //nolint:nilerr // a boolean has no bounds
		}
		n, _ = integer(size)
	}
	lower, upper, what := "minLength", "maxLength", "length"
	if isNumber {
		lower, upper, what = "minValue", "maxValue", "value"
	}
	for _, key := range []string{lower, upper} {
		bound := f.Value.Get(key)
		if bound == nil {
			continue
		}
		if limit, ok := integer(Plain(bound)); ok && (key == lower && n < limit || key == upper && n > limit) {
			d.problem(bound, 0, "the %s of the parameter %q is %d; %s is %d", what, f.Name, n, key, limit)
			return &reported{errors.New("out of bounds")}
		}
	}
	return nil
}

// outputValues evaluates the outputs that can be.
func (d *deployment) outputValues() map[string]any {
	out := map[string]any{}
	for _, f := range fields(d.root.Get("outputs")) {
		if on, err := (&scope{d: d}).condition(f.Value); err != nil || !on {
			continue
		}
		if value, err := d.output(f.Name, 0); err == nil {
			out[f.Name] = value
		}
	}
	return out
}

func (d *deployment) output(name string, at int) (any, error) {
	n := d.root.Get("outputs").Get(name)
	if n == nil {
		return nil, errorAt(at, "the deployment %s has no output %q", d.name, name)
	}
	s := &scope{d: d}
	if loop := n.Get("copy"); loop != nil {
		return s.copyProperty(loop, "", nil)
	}
	return s.node(n.Get("value"), "", nil)
}

// linked reads the template of a templateLink.
func (d *deployment) linked(link *Node) (*Node, string, error) {
	relative := link.Get("relativePath").str()
	if relative == "" || d.ev.o.ReadFile == nil {
		return nil, "", errors.New("templates behind a URI are not fetched; use a relativePath")
	}
	name := path.Join(path.Dir(d.file), relative)
	text, err := d.ev.o.ReadFile(name)
	if err != nil {
		return nil, "", err
	}
	root, err := Parse(text)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	return root, name, nil
}
