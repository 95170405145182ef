package kql

import "sort"

// Entry is one operator, function, aggregate or plug-in of the language, as
// the documentation lists it.
type Entry struct {
	Name      string
	Signature string // parameters -> result, overloads separated by ";"
	Supported bool
}

// Reference lists what there is by kind: "operators", "functions",
// "aggregates" and "plug-ins", each sorted by name. What Kusto has and this
// engine lacks is listed as not supported.
func Reference() map[string][]Entry {
	out := map[string][]Entry{}
	add := func(kind, name, sig string, ok bool) {
		out[kind] = append(out[kind], Entry{name, sig, ok})
	}
	for name, def := range operatorTable {
		sig := ""
		if def.alias != "" {
			sig = "same as " + def.alias
		}
		add("operators", name, sig, true)
	}
	for name := range unsupportedOperators {
		add("operators", name, "", false)
	}
	for name, f := range functions() {
		if _, special := specialForms[name]; !special {
			add("functions", name, f.sig, true)
		}
	}
	for name := range specialForms {
		add("functions", name, formSignature(name), true)
	}
	for name := range tabularForms {
		add("functions", name, "table", true)
	}
	for name := range unsupportedFunctions {
		add("functions", name, "", false)
	}
	for name, f := range aggregates() {
		add("aggregates", name, f.sig, true)
	}
	for name := range plugins {
		add("plug-ins", name, "", true)
	}
	for name := range unsupportedPlugins {
		add("plug-ins", name, "", false)
	}
	for _, list := range out {
		sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	}
	return out
}
