package arm

import (
	"fmt"
	"strings"

	"github.com/acalocal/acalocal/emulator/aca"
)

// scope is where an expression is evaluated: a deployment, the loops around it,
// and the arguments of a lambda or of a function of the template's own.
type scope struct {
	d       *deployment
	loops   []loop         // innermost last
	lambdas map[string]any // variables of lambdas, in lower case
	args    map[string]any // parameters of a user-defined function; nil outside
	depth   int            // of calls of user-defined functions
}

type loop struct {
	name  string // in lower case
	index int
}

// places records where the values of a resource stand; nil records nothing.
type places map[string]Place

func (p places) note(path aca.Path, n *Node) {
	if p == nil {
		return
	}
	at := strings.ToLower(string(path))
	place := p[at]
	place.Value, place.ValueWidth = n.Pos, n.Width
	if place.Key.Line == 0 {
		place.Key, place.KeyWidth = n.Pos, n.Width
	}
	p[at] = place
}

func (p places) key(path aca.Path, f *Field) {
	if p != nil {
		p[strings.ToLower(string(path))] = Place{Key: f.Pos, KeyWidth: f.Width}
	}
}

// node evaluates a value of the template.
func (s *scope) node(n *Node, path aca.Path, at places) (any, error) {
	if n == nil {
		return nil, nil
	}
	if err := s.d.ev.step(0); err != nil {
		return nil, s.d.fail(n, err)
	}
	at.note(path, n)
	switch n.Kind {
	case Bool:
		return n.Text == "true", nil
	case Number:
		return number(n.Text), nil
	case String:
		return s.text(n)
	case Array:
		return s.array(n, path, at)
	case Object:
		return s.object(n, path, at)
	}
	return nil, nil
}

func (s *scope) text(n *Node) (any, error) {
	switch {
	case isExpression(n.Text):
		e, err := parseExpression(n.Text)
		if err != nil {
			return nil, s.d.fail(n, err)
		}
		v, err := s.eval(e)
		if err != nil {
			return nil, s.d.fail(n, err)
		}
		return v, nil
	case strings.HasPrefix(n.Text, "[["):
		return n.Text[1:], nil
	}
	return n.Text, nil
}

// array evaluates every item even when one fails, so that all problems are
// found.
func (s *scope) array(n *Node, path aca.Path, at places) (any, error) {
	out := make([]any, 0, len(n.Items))
	var failed error
	for i, item := range n.Items {
		v, err := s.node(item, path.Index(i), at)
		if err != nil {
			failed = err
		}
		out = append(out, v)
	}
	return out, failed
}

func (s *scope) object(n *Node, path aca.Path, at places) (any, error) {
	out := make(map[string]any, len(n.Fields))
	var failed error
	for i := range n.Fields {
		f := &n.Fields[i]
		if strings.EqualFold(f.Name, "copy") && f.Value.Kind == Array {
			if err := s.copyInto(out, f.Value, path, at); err != nil {
				failed = err
			}
			continue
		}
		name := f.Name
		if isExpression(name) {
			key, err := s.text(&Node{Kind: String, Text: name, Pos: f.Pos, Width: f.Width})
			if err != nil {
				failed = err
				continue
			}
			name = textOf(key)
		}
		below := path.Field(name)
		at.key(below, f)
		v, err := s.node(f.Value, below, at)
		if err != nil {
			failed = err
		}
		out[name] = v
	}
	return out, failed
}

// copyInto evaluates the loops of an object: each makes one list.
func (s *scope) copyInto(out map[string]any, loops *Node, path aca.Path, at places) error {
	var failed error
	for _, l := range loops.Items {
		name := l.Get("name").str()
		list, err := s.copyProperty(l, path.Field(name), at)
		if err != nil {
			failed = err
		}
		out[name] = list
	}
	return failed
}

// copyProperty evaluates {name, count, input}.
func (s *scope) copyProperty(l *Node, path aca.Path, at places) (any, error) {
	count, err := s.count(l)
	if err != nil {
		return []any{}, err
	}
	out := make([]any, 0, count)
	for i := range count {
		v, err := s.inLoop(l.Get("name").str(), i).node(l.Get("input"), path.Index(i), at)
		if err != nil {
			return out, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (s *scope) count(l *Node) (int, error) {
	n := l.Get("count")
	if n == nil {
		s.d.problem(l, 0, "the copy loop has no count")
		return 0, &reported{fmt.Errorf("no count")}
	}
	v, err := s.node(n, "", nil)
	if err != nil {
		return 0, err
	}
	count, ok := integer(v)
	if !ok || count < 0 || count > maxCopies {
		s.d.problem(n, 0, "count is a number from 0 to %d, not %s", maxCopies, clip(textOf(v)))
		return 0, &reported{fmt.Errorf("bad count")}
	}
	return count, nil
}

func (s *scope) inLoop(name string, i int) *scope {
	inner := *s
	inner.loops = append(s.loops[:len(s.loops):len(s.loops)], loop{strings.ToLower(name), i})
	return &inner
}

// eval evaluates an expression.
func (s *scope) eval(e expr) (any, error) {
	switch e := e.(type) {
	case literal:
		return e.value, nil
	case call:
		return s.call(e)
	case property:
		of, err := s.eval(e.of)
		if err != nil {
			return nil, err
		}
		return s.member(of, e.name, e.at, e.safe)
	case index:
		return s.index(e)
	}
	panic(fmt.Sprintf("bug: no rule to evaluate %T", e))
}

// member reads a property, without regard to case as ARM does.
func (s *scope) member(of any, name string, at int, safe bool) (any, error) {
	switch of := of.(type) {
	case Unknown:
		return Unknown{of.What + "." + name}, nil
	case *partial:
		return of.member(name)
	case map[string]any:
		if v, ok := lookup(of, name); ok {
			return v, nil
		}
	case nil:
		if safe {
			return nil, nil
		}
	}
	if safe {
		return nil, nil
	}
	return nil, errorAt(at, "%s has no property %q%s", kindName(of), name, near(of, name))
}

func near(of any, name string) string {
	object, ok := of.(map[string]any)
	if !ok {
		return ""
	}
	set := map[string]bool{}
	for k := range object {
		set[k] = true
	}
	if n, ok := aca.Nearest(name, keys(set)); ok {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

func lookup(object map[string]any, name string) (any, bool) {
	if v, ok := object[name]; ok {
		return v, true
	}
	for k, v := range object {
		if strings.EqualFold(k, name) {
			return v, true
		}
	}
	return nil, false
}

func (s *scope) index(e index) (any, error) {
	of, err := s.eval(e.of)
	if err != nil {
		return nil, err
	}
	by, err := s.eval(e.by)
	if err != nil {
		return nil, err
	}
	if name, ok := by.(string); ok {
		return s.member(of, name, e.at, e.safe)
	}
	list, isList := of.([]any)
	i, isNumber := integer(by)
	switch {
	case isUnknown(of):
		return Unknown{fmt.Sprintf("%s[%s]", whatOf(of), textOf(by))}, nil
	case isUnknown(by):
		return by, nil
	case isList && isNumber && 0 <= i && i < len(list):
		return list[i], nil
	case e.safe:
		return nil, nil
	case isList && isNumber:
		return nil, errorAt(e.at, "the list has %d items, there is no item %d", len(list), i)
	}
	return nil, errorAt(e.at, "%s cannot be indexed by %s", kindName(of), kindName(by))
}

// call evaluates a function.
func (s *scope) call(c call) (any, error) {
	if err := s.d.ev.step(c.at); err != nil {
		return nil, err
	}
	if special, ok := specials[c.name]; ok {
		return special(s, c)
	}
	if body, ok := s.d.functions[c.name]; ok {
		return s.userFunction(c, body)
	}
	f, ok := functions[c.name]
	if !ok {
		if strings.HasPrefix(c.name, "list") {
			return s.list(c)
		}
		return nil, errorAt(c.at, "the function %q is not known here%s", c.name, nearFunction(c.name))
	}
	if n := len(c.args); n < f.min || f.max >= 0 && n > f.max {
		return nil, errorAt(c.at, "%s takes %s, not %d", c.name, f.arity(), n)
	}
	args, err := s.evalArgs(c)
	if err != nil {
		return nil, err
	}
	if !f.unknown {
		for _, a := range args {
			if u, ok := a.(Unknown); ok {
				return u, nil
			}
		}
	}
	v, err := f.eval(s, args)
	if err != nil {
		return nil, errorAt(c.at, "%s: %s", c.name, err)
	}
	return v, bounded(v, c.at)
}

func (s *scope) evalArgs(c call) ([]any, error) {
	args := make([]any, len(c.args))
	for i, a := range c.args {
		v, err := s.eval(a)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	return args, nil
}

func bounded(v any, at int) error {
	switch v := v.(type) {
	case string:
		if len(v) > maxText {
			return errorAt(at, "the text is longer than %d bytes", maxText)
		}
	case []any:
		if len(v) > maxElements {
			return errorAt(at, "the list is longer than %d items", maxElements)
		}
	}
	return nil
}

func nearFunction(name string) string {
	set := map[string]bool{}
	for k := range functions {
		set[k] = true
	}
	for k := range specials {
		set[k] = true
	}
	if n, ok := aca.Nearest(name, keys(set)); ok {
		return fmt.Sprintf("; did you mean %q?", n)
	}
	return ""
}

// userFunction calls a function the template declares. It sees its own
// parameters only.
func (s *scope) userFunction(c call, body *Node) (any, error) {
	declared := items(body.Get("parameters"))
	if len(declared) != len(c.args) {
		return nil, errorAt(c.at, "%s takes %d arguments, not %d", c.name, len(declared), len(c.args))
	}
	if s.depth > 50 {
		return nil, errorAt(c.at, "%s calls itself", c.name)
	}
	args, err := s.evalArgs(c)
	if err != nil {
		return nil, err
	}
	inner := &scope{d: s.d, args: map[string]any{}, depth: s.depth + 1}
	for i, p := range declared {
		inner.args[strings.ToLower(p.Get("name").str())] = args[i]
	}
	return inner.node(body.Get("output").Get("value"), "", nil)
}
