package kql

import (
	"sort"
	"strings"
	"unicode/utf16"
)

// CompletionKind says what a completion stands for.
type CompletionKind string

// The kinds of completions.
const (
	CompleteOperator  CompletionKind = "operator"
	CompleteTable     CompletionKind = "table"
	CompleteColumn    CompletionKind = "column"
	CompleteFunction  CompletionKind = "function"
	CompleteAggregate CompletionKind = "aggregate"
	CompleteVariable  CompletionKind = "variable"
	CompletePlugin    CompletionKind = "plugin"
	CompleteKeyword   CompletionKind = "keyword"
)

// Completion is one text that may stand at the cursor.
type Completion struct {
	Text string         `json:"text"`
	Kind CompletionKind `json:"kind"`
	// Detail is a column's type or a function's parameters.
	Detail string `json:"detail,omitempty"`
}

// Completions are what may stand at a place and which part of the text they
// would replace, in UTF-16 code units.
type Completions struct {
	Start  int          `json:"start"`
	Length int          `json:"length"`
	Items  []Completion `json:"items"`
}

// cursorName stands in for the word being written while the text is bound.
const cursorName = "__cursor__"

// cursor is what the binder saw where the cursor is.
type cursor struct {
	seen    bool
	tabular bool
	cols    Schema
	aggs    bool
	scope   *scope
}

// note records what is in sight at the cursor. The innermost place wins: it
// is bound first.
func (b *binder) note(name string, tabular bool) {
	if b.cursor == nil || name != cursorName || b.cursor.seen {
		return
	}
	c := cursor{seen: true, tabular: tabular, scope: b.scope, aggs: b.aggs != nil}
	if b.row != nil {
		c.cols = b.row.cols
	}
	*b.cursor = c
}

// Complete returns what may be written at offset, in UTF-16 code units:
// operators behind a bar, columns, functions and variables in an expression,
// tables where rows come from. Items begin with what is already written,
// ignoring case, and are sorted by kind and text. What follows the cursor
// does not matter.
func Complete(cat Catalog, text string, offset int) (out Completions, err error) {
	defer recovered(&err)
	at := byteAt(text, offset)
	start := at
	for start > 0 && isNameByte(text[start-1]) {
		start--
	}
	word := text[start:at]
	out = Completions{Start: utf16Len(text[:start]), Length: utf16Len(word)}
	var d diagSink
	toks := lex(text[:start], &d)
	last := &toks[max(len(toks)-2, 0)]
	var items []Completion
	switch {
	case len(d.list) > 0 && d.list[len(d.list)-1].at.start >= start-1 && last.kind == tokString:
		return out, nil // inside of a string
	case last.is("|"):
		items = operatorItems(func(opDef) bool { return true })
	case last.is("evaluate"):
		for name := range plugins {
			items = append(items, Completion{name, CompletePlugin, ""})
		}
	case last.is("render"):
		for _, c := range charts {
			items = append(items, Completion{c, CompleteKeyword, ""})
		}
	default:
		items = completeName(cat, text[:start], last)
	}
	out.Items = matching(items, word)
	return out, nil
}

// completeName binds the text with a placeholder at its end and offers what
// is in sight there.
func completeName(cat Catalog, before string, last *token) []Completion {
	q, diags := parse(before + cursorName)
	b := &binder{cat: cat, opts: Options{}.withDefaults(), diags: diags, set: map[string]*bound{}, cursor: &cursor{}}
	b.bindQuery(q)
	c := b.cursor
	var items []Completion
	if c.tabular || !c.seen || last.is(";") || last.kind == tokEOF {
		items = append(items, b.tableItems(c)...)
	}
	if !c.seen || last.is(";") || last.kind == tokEOF {
		items = append(items, operatorItems(func(o opDef) bool { return o.generates })...)
	}
	if c.tabular {
		return items
	}
	for _, col := range c.cols {
		items = append(items, Completion{columnText(col.Name), CompleteColumn, col.Type.String()})
	}
	for s := c.scope; s != nil; s = s.parent {
		for name, v := range s.vars {
			if v.scalar != nil {
				items = append(items, Completion{name, CompleteVariable, v.scalar.typ.String()})
			} else if v.fn != nil {
				items = append(items, Completion{name, CompleteFunction, "let"})
			}
		}
	}
	if c.aggs {
		for name, f := range aggregates() {
			items = append(items, Completion{name, CompleteAggregate, f.sig})
		}
	}
	return append(items, functionItems()...)
}

func columnText(name string) string {
	p := &printer{}
	(&nameNode{name: name}).print(p)
	return p.String()
}

func functionItems() []Completion {
	var items []Completion
	for name, f := range functions() {
		items = append(items, Completion{name, CompleteFunction, f.sig})
	}
	for name := range specialForms {
		items = append(items, Completion{name, CompleteFunction, formSignature(name)})
	}
	for name := range tabularForms {
		items = append(items, Completion{name, CompleteFunction, ""})
	}
	return items
}

func (b *binder) tableItems(c *cursor) []Completion {
	var items []Completion
	for _, name := range b.cat.Tables() {
		items = append(items, Completion{columnText(name), CompleteTable, ""})
	}
	for s := c.scope; s != nil; s = s.parent {
		for name, v := range s.vars {
			if v.rel != nil || v.fn != nil {
				items = append(items, Completion{columnText(name), CompleteVariable, "table"})
			}
		}
	}
	return items
}

func operatorItems(want func(opDef) bool) []Completion {
	var items []Completion
	for name, def := range operatorTable {
		if want(def) {
			items = append(items, Completion{name, CompleteOperator, def.alias})
		}
	}
	return items
}

// matching keeps the items that begin with word, sorted, each once.
func matching(items []Completion, word string) []Completion {
	out := []Completion{}
	seen := map[Completion]bool{}
	for _, it := range items {
		if !seen[it] && hasFoldPrefix(it.Text, word) {
			seen[it] = true
			out = append(out, it)
		}
	}
	rank := map[CompletionKind]int{CompleteColumn: 1, CompleteVariable: 2, CompleteTable: 3, CompleteOperator: 4, CompleteAggregate: 5, CompleteFunction: 6}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if rank[a.Kind] != rank[b.Kind] {
			return rank[a.Kind] < rank[b.Kind]
		}
		if a.Text != b.Text {
			return a.Text < b.Text
		}
		return strings.Compare(a.Detail, b.Detail) < 0
	})
	return out
}

// byteAt is the byte a UTF-16 offset falls on, at most the text's length.
func byteAt(text string, offset int) int {
	for i, r := range text {
		if offset <= 0 {
			return i
		}
		offset -= max(utf16.RuneLen(r), 1)
	}
	return len(text)
}
