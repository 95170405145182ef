package kql

// colset says which columns of a schema somebody reads.
type colset []bool

func allCols(n int) colset {
	s := make(colset, n)
	for i := range s {
		s[i] = true
	}
	return s
}

func (s colset) add(cols []int) {
	for _, c := range cols {
		s[c] = true
	}
}

// plan is a bound operator with its inputs. A plan may be opened several
// times, also by one run: a let table used twice is one plan.
type plan interface {
	columns() Schema
	// require says that the columns in need will be read from every
	// iteration. It is called before the first open, perhaps several times;
	// needs add up. An operator passes on what it needs itself.
	require(need colset)
	// open starts an iteration. Blocks have a non-nil vector for every
	// column ever required; rows keep their order where the operator has one.
	open(x *run) (iter, error)
}

// rel is a bound tabular expression.
type rel struct {
	plan plan
	// name is what withsource and $table call the rows: a table's name, a
	// let name, or as.
	name string
	// sorted says the order of rows is meant: sort, top, range, serialize.
	sorted bool
	// open says the columns are known at run time only (a plug-in without
	// data to look at): every unknown name may exist.
	open   bool
	render *Visualization
	// arrival is the column that tells when a row arrived, "" if none does.
	arrival string
	// extra are the further results of fork and facet.
	extra []namedRel
}

type namedRel struct {
	name string
	rel  *rel
}

func (r *rel) cols() Schema { return r.plan.columns() }

// with returns r's properties with another plan.
func (r *rel) with(p plan) *rel {
	return &rel{plan: p, name: r.name, sorted: r.sorted, open: r.open, extra: r.extra, arrival: r.arrival}
}

// needs remembers what has been required of a plan.
type needs struct{ set colset }

// want adds up needs and reports whether there is something new: a plan that
// is read twice passes its needs on once.
func (n *needs) want(need colset) bool {
	news := n.set == nil
	if news {
		n.set = make(colset, len(need))
	}
	for i, b := range need {
		if b && !n.set[i] {
			n.set[i] = true
			news = true
		}
	}
	return news
}

// onceAsked is embedded in plans that need all of their input, whatever is read.
type onceAsked struct{ asked bool }

// first reports whether it is called for the first time.
func (o *onceAsked) first() bool {
	was := o.asked
	o.asked = true
	return !was
}

// blocksPlan yields blocks made while binding: datatable, print with
// constants, the rows of a plug-in whose columns depend on its data.
type blocksPlan struct {
	schema Schema
	blocks []*Block
}

func (p *blocksPlan) columns() Schema         { return p.schema }
func (p *blocksPlan) require(colset)          {}
func (p *blocksPlan) open(*run) (iter, error) { return fromBlocks(p.blocks), nil }
func emptyRel() *rel                          { return &rel{plan: &blocksPlan{}} }

// openRel stands for an input that could not be bound: binding goes on
// without complaining about its columns.
func openRel() *rel { r := emptyRel(); r.open = true; return r }

// scanPlan reads a table.
type scanPlan struct {
	table  Table
	schema Schema
	needs
	req ScanRequest
	// newest, when not nil, is told of the scanner that was opened.
	newest *newestHint
}

func (p *scanPlan) columns() Schema     { return p.schema }
func (p *scanPlan) require(need colset) { p.want(need) }

func (p *scanPlan) open(x *run) (iter, error) { return p.scan(x, p.req) }

// scan opens the table; what req lacks is the columns.
func (p *scanPlan) scan(x *run, req ScanRequest) (iter, error) {
	for i, want := range p.set {
		if want {
			req.Columns = append(req.Columns, i)
		}
	}
	sc, err := p.table.Scan(x.ctx, req)
	if err != nil {
		return nil, err
	}
	*x.closers = append(*x.closers, sc.Close)
	if p.newest != nil {
		p.newest.scanner, _ = sc.(TimeBounder)
	}
	return func() (*Block, error) {
		if err := x.check(); err != nil {
			return nil, err
		}
		b, err := sc.Next(x.ctx)
		if b != nil {
			x.stats.BlocksScanned++
			x.stats.RowsScanned += int64(b.Rows)
		}
		return b, err
	}, nil
}
