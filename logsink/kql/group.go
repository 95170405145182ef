package kql

import "math"

// grouper numbers the distinct combinations of some columns in the order
// they are first seen. Values become 64-bit words: integers and times are
// themselves, other types are interned; a row's words are its key.
type grouper struct {
	types  []Type
	width  int // words a key: one a column and one for nulls
	keys   []uint64
	slots  []uint32 // open addressing: group number + 1
	n      int
	cols   []groupColumn
	words  [][]uint64
	nulls  []uint64
	ids    []uint32
	combos []uint32 // groups of combinations of dictionary entries, plus 1
}

// groupColumn interns the values of one column.
type groupColumn struct {
	strs    map[string]uint64
	names   []string
	lastMap []uint64 // words of the dictionary last seen
	dict    []string
}

func newGrouper(types []Type) *grouper {
	g := &grouper{types: types, width: len(types) + 1, slots: make([]uint32, 64)}
	g.cols = make([]groupColumn, len(types))
	for i := range g.cols {
		g.cols[i].strs = map[string]uint64{}
	}
	g.words = make([][]uint64, len(types))
	return g
}

// add returns the group of each of n rows. The slice is used again.
func (g *grouper) add(keys []*Vector, n int) []uint32 {
	g.reserve(n)
	if len(keys) == 0 {
		if g.n == 0 && n > 0 {
			g.n = 1
		}
		clear(g.ids)
		return g.ids
	}
	clear(g.nulls)
	if combos := dictCombos(keys, n); combos > 0 {
		g.assignDict(keys, n, combos)
		return g.ids
	}
	for c, v := range keys {
		g.words[c] = g.words[c][:n]
		g.cols[c].encode(g.words[c], v)
		if v.Nulls != nil {
			g.markNulls(c, v, n)
		}
	}
	g.assign(n)
	return g.ids
}

// reserve makes room for n rows.
func (g *grouper) reserve(n int) {
	if cap(g.ids) < n {
		g.ids = make([]uint32, n)
		g.nulls = make([]uint64, n)
		for i := range g.words {
			g.words[i] = make([]uint64, n)
		}
	}
	g.ids, g.nulls = g.ids[:n], g.nulls[:n]
}

// addUniform returns the group of n rows that are all alike, if it is plain to
// see that they are: no key, or dictionaries of one entry.
func (g *grouper) addUniform(keys []*Vector, n int) (id uint32, ok bool) {
	if n == 0 || len(keys) > 0 && dictCombos(keys, n) != 1 {
		return 0, false
	}
	first := make([]*Vector, len(keys))
	for c, v := range keys {
		first[c] = v
		if !v.one {
			first[c] = v.gather([]int32{0})
		}
	}
	return g.add(first, 1)[0], true
}

// dictCombos returns how many combinations of entries keys can have, when all
// have small dictionaries; else 0.
func dictCombos(keys []*Vector, n int) int {
	combos := 1
	for _, v := range keys {
		switch {
		case v.one:
		case v.Codes == nil || v.Nulls != nil || len(v.Dict) == 0:
			return 0
		default:
			combos *= len(v.Dict)
		}
		if combos > n/4+1 {
			return 0
		}
	}
	return combos
}

// assignDict finds or makes the group of every row. Each combination of
// dictionary entries is looked up once, with the first row that has it.
func (g *grouper) assignDict(keys []*Vector, n, combos int) {
	if cap(g.combos) < combos {
		g.combos = make([]uint32, combos)
	}
	known := g.combos[:combos]
	clear(known)
	g.combine(keys, n)
	for i, combo := range g.ids {
		id := known[combo]
		if id == 0 {
			g.encodeRow(keys, i)
			id = g.find(i) + 1
			known[combo] = id
		}
		g.ids[i] = id - 1
	}
}

// combine numbers the combination of dictionary entries each row has.
func (g *grouper) combine(keys []*Vector, n int) {
	clear(g.ids)
	for _, v := range keys {
		if v.one || len(v.Dict) == 1 {
			continue
		}
		size := uint32(len(v.Dict))
		for i, code := range v.Codes[:n] {
			g.ids[i] = g.ids[i]*size + code
		}
	}
}

// encodeRow writes the words and nulls of one row.
func (g *grouper) encodeRow(keys []*Vector, i int) {
	for c, v := range keys {
		g.words[c] = g.words[c][:len(g.ids)]
		row := v
		if !v.one {
			row = v.gather([]int32{int32(i)})
		}
		g.cols[c].encode(g.words[c][i:i+1], row)
		if v.IsNull(i) {
			g.nulls[i] |= 1 << uint(c&63)
			g.words[c][i] = 0
		}
	}
}

func (g *grouper) markNulls(c int, v *Vector, n int) {
	for i := range n {
		if v.Nulls.Get(v.at(i)) {
			g.nulls[i] |= 1 << uint(c&63)
			g.words[c][i] = 0
		}
	}
}

// encode writes a word for each value.
func (c *groupColumn) encode(out []uint64, v *Vector) {
	m := v.mask()
	switch {
	case v.Codes != nil:
		c.encodeDict(out, v)
	case v.Type == String:
		for i := range out {
			out[i] = c.intern(v.Strs[i&m])
		}
	case v.Type == Bool:
		for i := range out {
			out[i] = uint64(b2i(v.Bools[i&m]))
		}
	case v.Type.usesInts():
		for i := range out {
			out[i] = uint64(v.Ints[i&m])
		}
	case v.Type == Real:
		for i := range out {
			out[i] = realWord(v.Reals[i&m])
		}
	default:
		for i := range out {
			out[i] = c.intern(v.Value(i).String())
		}
	}
}

// realWord is the bits of f, the same for both zeros and for every NaN.
func realWord(f float64) uint64 {
	if f == 0 {
		return 0
	}
	if f != f {
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(f)
}

// encodeDict interns each dictionary entry once a dictionary.
func (c *groupColumn) encodeDict(out []uint64, v *Vector) {
	if len(v.Dict) > 4*len(out)+64 {
		for i := range out {
			out[i] = c.intern(v.Dict[v.Codes[v.at(i)]])
		}
		return
	}
	if !sameDict(c.dict, v.Dict) {
		c.dict = v.Dict
		c.lastMap = c.lastMap[:0]
		for _, s := range v.Dict {
			c.lastMap = append(c.lastMap, c.intern(s))
		}
	}
	m := v.mask()
	for i := range out {
		out[i] = c.lastMap[v.Codes[i&m]]
	}
}

// sameDict reports whether two dictionaries are one slice.
func sameDict(a, b []string) bool {
	return len(a) == len(b) && len(a) > 0 && &a[0] == &b[0]
}

func (c *groupColumn) intern(s string) uint64 {
	w, ok := c.strs[s]
	if !ok {
		w = uint64(len(c.names))
		c.strs[s] = w
		c.names = append(c.names, s)
	}
	return w
}

const hashPrime = 0x9E3779B97F4A7C15

func mix(h uint64) uint64 {
	h ^= h >> 32
	h *= hashPrime
	return h ^ h>>29
}

// assign finds or makes the group of every row. Runs of equal keys, common
// in logs, are looked up once.
func (g *grouper) assign(n int) {
	last := -1
	for i := range n {
		if last >= 0 && g.sameRow(last, i) {
			g.ids[i] = g.ids[last]
			continue
		}
		g.ids[i] = g.find(i)
		last = i
	}
}

func (g *grouper) sameRow(i, j int) bool {
	if g.nulls[i] != g.nulls[j] {
		return false
	}
	for _, w := range g.words {
		if w[i] != w[j] {
			return false
		}
	}
	return true
}

func (g *grouper) find(i int) uint32 {
	h := g.nulls[i] * hashPrime
	for _, w := range g.words {
		h = mix(h + w[i])
	}
	mask := uint64(len(g.slots) - 1)
	for s := h & mask; ; s = (s + 1) & mask {
		id := g.slots[s]
		if id == 0 {
			return g.insert(i, s)
		}
		if g.equal(id-1, i) {
			return id - 1
		}
	}
}

func (g *grouper) equal(id uint32, i int) bool {
	key := g.keys[int(id)*g.width : (int(id)+1)*g.width]
	for c, w := range g.words {
		if key[c] != w[i] {
			return false
		}
	}
	return key[g.width-1] == g.nulls[i]
}

func (g *grouper) insert(i int, slot uint64) uint32 {
	id := uint32(g.n)
	g.n++
	for _, w := range g.words {
		g.keys = append(g.keys, w[i])
	}
	g.keys = append(g.keys, g.nulls[i])
	g.slots[slot] = id + 1
	if g.n*2 > len(g.slots) {
		g.rehash()
	}
	return id
}

func (g *grouper) rehash() {
	g.slots = make([]uint32, 2*len(g.slots))
	mask := uint64(len(g.slots) - 1)
	for id := range g.n {
		key := g.keys[id*g.width : (id+1)*g.width]
		h := key[g.width-1] * hashPrime
		for _, w := range key[:g.width-1] {
			h = mix(h + w)
		}
		s := h & mask
		for g.slots[s] != 0 {
			s = (s + 1) & mask
		}
		g.slots[s] = uint32(id + 1)
	}
}

// column returns the values of key column c, one a group.
func (g *grouper) column(c int) *Vector {
	t := g.types[c]
	out := newVector(t, g.n)
	for id := range g.n {
		w := g.keys[id*g.width+c]
		if g.keys[(id+1)*g.width-1]>>uint(c&63)&1 != 0 {
			out.setNull(id, g.n)
			continue
		}
		switch {
		case t == String:
			out.Strs[id] = g.cols[c].names[w]
		case t == Bool:
			out.Bools[id] = w != 0
		case t.usesInts():
			out.Ints[id] = int64(w)
		case t == Real:
			out.Reals[id] = math.Float64frombits(w)
		default:
			out.set(id, g.n, convert(stringValue(g.cols[c].names[w]), t))
		}
	}
	return out
}

// size estimates the bytes held.
func (g *grouper) size() int64 {
	n := int64(8*len(g.keys) + 4*len(g.slots))
	for i := range g.cols {
		n += 64 * int64(len(g.cols[i].names))
	}
	return n
}
