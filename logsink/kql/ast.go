package kql

// node is an element of the syntax tree. Its text form parses back to it.
type node interface {
	pos() span
	print(p *printer)
}

func (s span) pos() span { return s }

// statement is one of let, set, or a query.
type statement struct {
	span
	let  *nameNode // let name = x
	set  string    // set option [= x]
	decl *lambdaNode
	x    node // what is let, set or asked; may be nil for set
}

// query is a whole text: statements separated by semicolons.
type query struct {
	statements []*statement
}

// The nodes of expressions.
type (
	// nameNode is an identifier: column, variable, table or function.
	nameNode struct {
		span
		name      string
		bracketed bool
	}
	// wildNode is a pattern of names such as Container* or *_s.
	wildNode struct {
		span
		pattern string
	}
	// litNode is a scalar literal.
	litNode struct {
		span
		val Value
	}
	parenNode struct {
		span
		x node
	}
	unaryNode struct {
		span
		op string
		x  node
	}
	binaryNode struct {
		span
		op   string
		opAt span
		l, r node
	}
	// inNode is x in (…), and its relatives has_any and has_all.
	inNode struct {
		span
		op   string
		opAt span
		x    node
		list []node
	}
	betweenNode struct {
		span
		op        string
		opAt      span
		x, lo, hi node
	}
	callNode struct {
		span
		fn   *nameNode
		args []node
	}
	memberNode struct {
		span
		x    node
		name *nameNode
	}
	indexNode struct {
		span
		x, index node
	}
	starNode struct{ span }
	// namedNode is name = x, or (a, b) = x.
	namedNode struct {
		span
		names []*nameNode
		tuple bool
		x     node
	}
	// pipeNode is a source and the operators its rows run through. The
	// source is nil when the first operator makes the rows itself.
	pipeNode struct {
		span
		src node
		ops []operator
	}
	// typeNode is typeof(long) and column declarations.
	typeNode struct {
		span
		cols []colDecl
		star bool
	}
	datatableNode struct {
		span
		cols []colDecl
		vals []node
	}
	lambdaNode struct {
		span
		view   bool
		params []paramDecl
		lets   []*statement
		body   node
	}
	missingNode struct{ span }
)

// colDecl is a column with its type; typ is NoType when none was written.
type colDecl struct {
	name *nameNode
	typ  Type
	at   span
}

// paramDecl is a parameter of a lambda: scalar, or tabular with columns.
type paramDecl struct {
	name   *nameNode
	typ    Type
	table  *typeNode // tabular
	dflt   node
	typeAt span
}

// operator is one query operator: what stands between bars.
type operator interface {
	node
	// keyword is the operator's name as documented, "project-away".
	keyword() string
	// bind gives the operator its input and returns what comes out. It
	// reports faults to the binder and still returns its best guess.
	bind(b *binder, in *rel) *rel
}
