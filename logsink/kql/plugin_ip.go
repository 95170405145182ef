package kql

import "net/netip"

// ipNet is a network: an address and a prefix length of 128 bits.
type ipNet struct {
	addr   netip.Addr
	prefix int
}

func parseIP4Net(s string) (ipNet, bool) {
	addr, prefix, ok := parseIP4(s)
	var b [16]byte
	b[10], b[11] = 0xff, 0xff
	b[12], b[13], b[14], b[15] = byte(addr>>24), byte(addr>>16), byte(addr>>8), byte(addr)
	return ipNet{netip.AddrFrom16(b), prefix + 96}, ok
}

func parseIP6Net(s string) (ipNet, bool) {
	addr, prefix, ok := parseIP6(s)
	return ipNet{addr, prefix}, ok
}

// ipLookup binds ipv4_lookup(T, address, network [, keys…] [, return_unmatched]):
// each row is joined with the rows of T whose network contains its address.
func ipLookup(parse func(string) (ipNet, bool)) func(b *binder, in *rel, n *callNode) *rel {
	return func(b *binder, in *rel, n *callNode) *rel {
		args, named := splitArgs(n)
		if len(args) < 3 {
			b.wrongCount(n.fn.name, n.fn.span, 3, maxVariadic)
			return openRel()
		}
		table := b.tabular(args[0])
		ip, net := b.columnArg(in, args[1]), b.columnArg(table, args[2])
		if ip.typ == NoType || net.typ == NoType || in.open || table.open {
			return openRel()
		}
		all := b.textArg(named["return_unmatched"]) == "true"
		var lk, rk []*bound
		for _, k := range args[3:] {
			name, ok := k.(*nameNode)
			if !ok {
				all = all || b.textArg(k) == "true"
				continue
			}
			b.joinCondition(in, table, name, &lk, &rk)
		}
		p := &ipJoinPlan{left: in.plan, right: table.plan, ip: ip, net: net, parse: parse, all: all, lk: lk, rk: rk}
		names := &projection{names: nameSet(in.cols())}
		p.cols = append(p.cols, in.cols()...)
		for _, c := range table.cols() {
			c.Name = names.free(c.Name)
			names.names[c.Name] = true
			p.cols = append(p.cols, c)
		}
		return &rel{plan: p, name: in.name}
	}
}

// ipJoinPlan joins addresses with the networks that contain them; of several
// the longest prefix wins.
type ipJoinPlan struct {
	left, right plan
	ip, net     *bound
	parse       func(string) (ipNet, bool)
	all         bool
	lk, rk      []*bound
	cols        Schema
}

func (p *ipJoinPlan) columns() Schema { return p.cols }

func (p *ipJoinPlan) require(colset) {
	p.left.require(allCols(len(p.left.columns())))
	p.right.require(allCols(len(p.right.columns())))
}

func (p *ipJoinPlan) open(x *run) (iter, error) {
	rin, err := p.right.open(x)
	if err != nil {
		return nil, err
	}
	blocks, err := x.collect(rin)
	if err != nil {
		return nil, err
	}
	right := blockOf(p.right.columns(), nil)
	if len(blocks) > 0 {
		right = concat(blocks, p.right.columns())
	}
	index, err := p.index(x, right)
	if err != nil {
		return nil, err
	}
	in, err := p.left.open(x)
	if err != nil {
		return nil, err
	}
	return func() (*Block, error) {
		for {
			b, err := in()
			if b == nil || err != nil {
				return nil, err
			}
			if err := x.check(); err != nil {
				return nil, err
			}
			out, err := p.join(x, b, right, index)
			if err != nil || out.Rows > 0 {
				return out, err
			}
		}
	}, nil
}

// netKey finds the networks of one length that contain an address.
type netKey struct {
	net  ipNet
	keys string
}

func (p *ipJoinPlan) index(x *run, right *Block) (map[netKey][]int32, error) {
	vs, err := evalAll(x, right, append([]*bound{p.net}, p.rk...))
	if err != nil {
		return nil, err
	}
	out := map[netKey][]int32{}
	for i := range right.Rows {
		if n, ok := p.parse(vs[0].Value(i).String()); ok {
			k := netKey{ipNet{mask6(n.addr, n.prefix), n.prefix}, rowKey(vs[1:], i)}
			out[k] = append(out[k], int32(i))
		}
	}
	return out, nil
}

func rowKey(vs []*Vector, i int) string {
	var b []byte
	for _, v := range vs {
		b = append(append(b, v.Value(i).String()...), 0)
	}
	return string(b)
}

func (p *ipJoinPlan) join(x *run, b, right *Block, index map[netKey][]int32) (*Block, error) {
	vs, err := evalAll(x, b, append([]*bound{p.ip}, p.lk...))
	if err != nil {
		return nil, err
	}
	var lsel, rsel []int32
	for i := range b.Rows {
		found := false
		if n, ok := p.parse(vs[0].Value(i).String()); ok {
			for bits := 128; bits >= 0 && !found; bits-- {
				for _, j := range index[netKey{ipNet{mask6(n.addr, bits), bits}, rowKey(vs[1:], i)}] {
					lsel, rsel, found = append(lsel, int32(i)), append(rsel, j), true
				}
			}
		}
		if !found && p.all {
			lsel, rsel = append(lsel, int32(i)), append(rsel, -1)
		}
	}
	out := &Block{Rows: len(lsel)}
	for _, c := range b.Columns {
		out.Columns = append(out.Columns, c.gather(lsel))
	}
	for _, c := range right.Columns {
		out.Columns = append(out.Columns, gatherOrNull(c, rsel))
	}
	return out, nil
}
