package kql

var argAggs = []aggregateFn{
	{name: "arg_max", sig: "orderable, any...? -> 1", prefix: "max_", make: newArg(1), expand: expandArg},
	{name: "arg_min", sig: "orderable, any...? -> 1", prefix: "min_", make: newArg(-1), expand: expandArg},
	{name: "argmax", sig: "orderable, any...? -> 1", prefix: "max_", make: newArg(1), expand: expandArg},
	{name: "argmin", sig: "orderable, any...? -> 1", prefix: "min_", make: newArg(-1), expand: expandArg},
	{name: "take_any", sig: "any...? -> 1", make: newTakeAny, expand: expandAny},
	{name: "any", sig: "any...? -> 1", make: newTakeAny, expand: expandAny},
	{name: "take_anyif", sig: "any, bool -> 1", make: newTakeAny, expand: expandAny},
	{name: "anyif", sig: "any, bool -> 1", make: newTakeAny, expand: expandAny},
}

// expandArg names the results of arg_max: the extreme under the expression's
// own name, then the carried columns, without the group's.
func expandArg(b *binder, c *aggSite) []Column {
	name := c.args[0].name
	if name == "" {
		name = c.fn.prefix
	}
	cols := []Column{{name, c.args[0].typ}}
	if c.star {
		c.carryAll(b, c.args[0].name)
		for _, a := range c.args[1:] {
			cols = append(cols, Column{a.name, a.typ})
		}
		return cols
	}
	for i, a := range c.args[1:] {
		n := a.name
		if n == "" {
			n = c.fn.prefix + c.args[0].name + "_arg" + itoa(i+1)
		}
		cols = append(cols, Column{n, a.typ})
	}
	return cols
}

// carryAll adds every input column that is neither a group's nor named skip.
func (c *aggSite) carryAll(b *binder, skip string) {
	scope := b.aggs
	for i, col := range b.row.cols {
		if col.Name == skip || scope != nil && scope.keys[col.Name] {
			continue
		}
		c.args = append(c.args, columnRef(i, col, c.node))
	}
}

func expandAny(b *binder, c *aggSite) []Column {
	if c.star {
		c.carryAll(b, "")
	}
	args := c.args
	if c.fn.name == "take_anyif" || c.fn.name == "anyif" {
		args = args[:1]
	}
	var cols []Column
	for _, a := range args {
		name := a.name
		if name == "" {
			name = "any_"
		}
		cols = append(cols, Column{name, a.typ})
	}
	return cols
}

// argAgg keeps the values of the row with the extreme of its first argument.
type argAgg struct {
	sign  int // 0: the first row wins
	types []Type
	best  []Value
	has   []bool
	vals  [][]Value // one list a carried column
}

func newArg(sign int) func(*aggSite) aggregator {
	return func(c *aggSite) aggregator { return makeArg(c, sign) }
}

func makeArg(c *aggSite, sign int) *argAgg {
	a := &argAgg{sign: sign}
	for _, col := range c.cols {
		a.types = append(a.types, col.Type)
	}
	a.vals = make([][]Value, len(a.types))
	return a
}

func newTakeAny(c *aggSite) aggregator {
	if c.fn.name == "take_anyif" || c.fn.name == "anyif" {
		return conditional(makeArg(c, 0))
	}
	return makeArg(c, 0)
}

func (a *argAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	a.has, a.best = grown(a.has, groups), grown(a.best, groups)
	for i := range a.vals {
		a.vals[i] = grown(a.vals[i], groups)
	}
	for i, g := range gids[:n] {
		if a.has[g] && !a.wins(args[0], i, int(g)) {
			continue
		}
		a.has[g] = true
		a.best[g] = args[0].Value(i)
		for j := range a.vals {
			a.vals[j][g] = args[j].Value(i)
		}
	}
}

// wins reports whether row i beats the row kept for group g. Null loses
// against every value; the first row wins among equals.
func (a *argAgg) wins(v *Vector, i, g int) bool {
	if a.sign == 0 {
		// take_any prefers a value over none.
		return a.types[0] != String && a.best[g].Null && !v.IsNull(i)
	}
	if v.IsNull(i) {
		return false
	}
	if a.best[g].Null {
		return true
	}
	if v.Type.usesInts() {
		x := v.Ints[v.at(i)]
		return a.sign > 0 && x > a.best[g].Int || a.sign < 0 && x < a.best[g].Int
	}
	return compareValues(v.Value(i), a.best[g])*a.sign > 0
}

func (a *argAgg) results(groups int) []*Vector {
	has := grown(a.has, groups)
	out := make([]*Vector, len(a.types))
	for j, t := range a.types {
		v := newVector(t, groups)
		vals := grown(a.vals[j], groups)
		for g := range groups {
			if !has[g] {
				v.setNull(g, groups)
				continue
			}
			v.set(g, groups, vals[g])
		}
		out[j] = v
	}
	return out
}

func (a *argAgg) size() int64 { return int64(len(a.has)) * int64(80*(len(a.types)+1)) }
