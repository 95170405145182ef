package kql

// schemaAgg builds the schema that admits every value: buildschema.
// https://learn.microsoft.com/kusto/query/buildschema-aggregation-function
type schemaAgg struct{ nodes []*schemaNode }

// schemaNode is what has been seen at one place of the values.
type schemaNode struct {
	prims []string // primitive types in order of appearance
	props *Bag     // of *schemaNode, when objects were seen
	items *schemaNode
}

func newSchemaAgg(*aggSite) aggregator { return &schemaAgg{} }

func (a *schemaAgg) add(gids []uint32, groups int, args []*Vector, n int) {
	a.nodes = grown(a.nodes, groups)
	for i, g := range gids[:n] {
		d := args[0].Dynamics[args[0].at(i)]
		if d == nil {
			continue
		}
		if a.nodes[g] == nil {
			a.nodes[g] = &schemaNode{}
		}
		a.nodes[g].see(d)
	}
}

func (s *schemaNode) see(d any) {
	switch d := d.(type) {
	case nil:
	case *Bag:
		if s.props == nil {
			s.props = &Bag{}
		}
		for i, k := range d.keys {
			p, ok := s.props.Get(k)
			if !ok {
				p = &schemaNode{}
				s.props.Set(k, p)
			}
			p.(*schemaNode).see(d.vals[i])
		}
	case []any:
		if s.items == nil {
			s.items = &schemaNode{}
		}
		for _, e := range d {
			s.items.see(e)
		}
	default:
		name := fromDynamic(d).Type.String()
		if name == "real" {
			name = "double"
		}
		if !contains(s.prims, name) {
			s.prims = append(s.prims, name)
		}
	}
}

// schema returns the node as the documented structure: a type's name, an
// object of properties, `indexer` for arrays, or an array of alternatives.
func (s *schemaNode) schema() any {
	var alts []any
	for _, p := range s.prims {
		alts = append(alts, p)
	}
	if s.props != nil || s.items != nil {
		bag := &Bag{}
		if s.props != nil {
			for i, k := range s.props.keys {
				bag.Set(k, s.props.vals[i].(*schemaNode).schema())
			}
		}
		if s.items != nil {
			bag.Set("`indexer`", s.items.schema())
		}
		alts = append(alts, bag)
	}
	switch len(alts) {
	case 0:
		return nil
	case 1:
		return alts[0]
	}
	return alts
}

func (a *schemaAgg) results(groups int) []*Vector {
	out := newVector(Dynamic, groups)
	for g, s := range grown(a.nodes, groups)[:groups] {
		if s != nil {
			out.Dynamics[g] = s.schema()
		}
	}
	return []*Vector{out}
}

func (a *schemaAgg) size() int64 { return 256 * int64(len(a.nodes)) }
