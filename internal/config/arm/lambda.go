package arm

import (
	"maps"
	"slices"
	"strings"
)

// lambdaAlone reports a lambda that stands where no function takes one.
func (s *scope) lambdaAlone(c call) (any, error) {
	return nil, errorAt(c.at, "a lambda is an argument of map, filter, reduce, sort, toObject, groupBy or mapValues")
}

func (s *scope) lambdaVariable(c call) (any, error) {
	name, err := s.nameOf(c)
	if err != nil {
		return nil, err
	}
	if v, ok := s.lambdas[strings.ToLower(name)]; ok {
		return v, nil
	}
	return nil, errorAt(c.at, "no lambda around this has the variable %q", name)
}

// lambda makes a function of lambda('a', 'b', body) that takes at least the
// variables it names; further arguments are dropped.
func (s *scope) lambda(e expr, at int) (func(args ...any) (any, error), error) {
	c, ok := e.(call)
	if !ok || c.name != "lambda" || len(c.args) == 0 {
		return nil, errorAt(at, "expected a lambda")
	}
	var names []string
	for _, a := range c.args[:len(c.args)-1] {
		name, ok := a.(literal)
		text, isText := name.value.(string)
		if !ok || !isText {
			return nil, errorAt(c.at, "the variables of a lambda are names")
		}
		names = append(names, strings.ToLower(text))
	}
	body := c.args[len(c.args)-1]
	return func(args ...any) (any, error) {
		if err := s.d.ev.step(at); err != nil {
			return nil, err
		}
		inner := *s
		inner.lambdas = make(map[string]any, len(s.lambdas)+len(names))
		for k, v := range s.lambdas {
			inner.lambdas[k] = v
		}
		for i, name := range names {
			if i < len(args) {
				inner.lambdas[name] = args[i]
			}
		}
		return inner.eval(body)
	}, nil
}

// listAndLambda evaluates the first two arguments of a function of a list.
func (s *scope) listAndLambda(c call, min, max int) ([]any, func(...any) (any, error), error) {
	if len(c.args) < min || len(c.args) > max {
		return nil, nil, errorAt(c.at, "%s takes %d arguments, not %d", c.name, min, len(c.args))
	}
	v, err := s.eval(c.args[0])
	if err != nil {
		return nil, nil, err
	}
	list, err := asList(v)
	if err != nil {
		return nil, nil, errorAt(c.at, "%s: %s", c.name, err)
	}
	f, err := s.lambda(c.args[min-1], c.at)
	return list, f, err
}

func (s *scope) mapList(c call) (any, error) {
	list, f, err := s.listAndLambda(c, 2, 2)
	if err != nil {
		return nil, err
	}
	out := make([]any, len(list))
	for i, item := range list {
		if out[i], err = f(item, fromInt(int64(i))); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *scope) filterList(c call) (any, error) {
	list, f, err := s.listAndLambda(c, 2, 2)
	if err != nil {
		return nil, err
	}
	out := []any{}
	for i, item := range list {
		v, err := f(item, fromInt(int64(i)))
		if err != nil {
			return nil, err
		}
		keep, err := asBool(v)
		if err != nil {
			return nil, errorAt(c.at, "filter: %s", err)
		}
		if keep {
			out = append(out, item)
		}
	}
	return out, nil
}

// reduceList: reduce(list, start, lambda).
func (s *scope) reduceList(c call) (any, error) {
	list, f, err := s.listAndLambda(c, 3, 3)
	if err != nil {
		return nil, err
	}
	acc, err := s.eval(c.args[1])
	for i, item := range list {
		if err != nil {
			return nil, err
		}
		acc, err = f(acc, item, fromInt(int64(i)))
	}
	return acc, err
}

// toObject: toObject(list, keyLambda, [valueLambda]).
func (s *scope) toObject(c call) (any, error) {
	list, key, err := s.listAndLambda(c, 2, 3)
	if err != nil {
		return nil, err
	}
	value := func(args ...any) (any, error) { return args[0], nil }
	if len(c.args) == 3 {
		if value, err = s.lambda(c.args[2], c.at); err != nil {
			return nil, err
		}
	}
	out := make(map[string]any, len(list))
	for _, item := range list {
		k, err := key(item)
		if err != nil {
			return nil, err
		}
		if out[textOf(k)], err = value(item); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// groupBy: an object of the lists of items for which the lambda gives the same
// text.
func (s *scope) groupBy(c call) (any, error) {
	list, f, err := s.listAndLambda(c, 2, 2)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for _, item := range list {
		k, err := f(item)
		if err != nil {
			return nil, err
		}
		group, _ := out[textOf(k)].([]any)
		out[textOf(k)] = append(group, item)
	}
	return out, nil
}

// mapValues: an object with the same keys and what the lambda makes of each
// value.
func (s *scope) mapValues(c call) (any, error) {
	if len(c.args) != 2 {
		return nil, errorAt(c.at, "%s takes 2 arguments, not %d", c.name, len(c.args))
	}
	v, err := s.eval(c.args[0])
	if err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if !ok {
		return nil, errorAt(c.at, "%s: expected an object, found %s", c.name, kindName(v))
	}
	f, err := s.lambda(c.args[1], c.at)
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, len(object))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		if out[key], err = f(object[key]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sortList: the lambda says whether its first argument comes first.
func (s *scope) sortList(c call) (any, error) {
	list, f, err := s.listAndLambda(c, 2, 2)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(list)
	var failed error
	slices.SortStableFunc(out, func(a, b any) int {
		for sign, pair := range [][2]any{{a, b}, {b, a}} {
			v, err := f(pair[0], pair[1])
			if err != nil && failed == nil {
				failed = err
			}
			if before, err := asBool(v); err == nil && before {
				return 2*sign - 1
			}
		}
		return 0
	})
	return out, failed
}
