package kql

import (
	"cmp"
	"encoding/binary"
	"hash/maphash"
	"math"
	"slices"
	"strings"
)

// reducer finds patterns in texts, after the paper the documentation of
// reduce names: R. Vaarandi, "A Data Clustering Algorithm for Mining Patterns
// From Event Logs" (2003). A text is terms between separators. A term that is
// frequent at its place is constant, all others are a wildcard; texts with the
// same constants are a cluster. See docs/decisions/0104-patterns-of-texts.md
// for what is done on top.
//
// It passes over the texts three times, and what it keeps besides them is
// bounded by the number of frequent terms and of clusters.
type reducer struct {
	run       *run
	separates func(rune) bool
	texts     []*Block // of one column
	rows      int
	support   int64 // rows a pattern needs

	words       map[placedTerm]uint32
	counts      []int64 // by word
	places      []int
	clusters    []textCluster
	byWords     map[string]uint32 // clusters by their words
	rowClusters []uint32
	terms       []term // scratch
	key         []byte
}

// placedTerm is a term at a place: the first, the second, ….
type placedTerm struct {
	place int
	text  string
}

// term is where a term stands in a text.
type term struct{ start, end int }

// textCluster is the texts with the same constant terms.
type textCluster struct {
	words []uint32 // in the order of places; lastWord behind the last term of a text
	count int64
	first int    // the first row
	into  uint32 // the cluster it became part of; itself as long as it is one
}

const (
	// maxPlaces is how many terms of a text are looked at.
	maxPlaces = 64
	// maxValues is how many values a place may have, all else alike, to be
	// constant in several patterns: with more it is a wildcard.
	maxValues = 8
	// lastWord says that the word before it is the text's last term: "San" is
	// not "San *".
	lastWord = 0
	// others is the cluster of texts without a pattern.
	others = 0
)

func (r *reducer) cluster(threshold float64) error {
	r.support = max(2, int64(math.Ceil(threshold*float64(r.rows))))
	if err := r.count(); err != nil {
		return err
	}
	r.clusters = []textCluster{{first: -1}}
	r.byWords = map[string]uint32{"": others}
	if err := r.assign(); err != nil {
		return err
	}
	if err := r.generalize(); err != nil {
		return err
	}
	return r.dropRare()
}

// each calls f for every text with its terms.
func (r *reducer) each(f func(row int, text string, terms []term) error) error {
	row := 0
	for _, b := range r.texts {
		for i := range b.Rows {
			if row&0xfff == 0 {
				if err := r.run.check(); err != nil {
					return err
				}
			}
			s := b.Columns[0].Str(i)
			if err := f(row, s, r.split(s)); err != nil {
				return err
			}
			row++
		}
	}
	return nil
}

// split finds the terms of a text, maxPlaces and one more at most.
func (r *reducer) split(s string) []term {
	r.terms = r.terms[:0]
	start := -1
	for i, c := range s {
		switch sep := r.separates(c); {
		case sep && start >= 0:
			r.terms = append(r.terms, term{start, i})
			start = -1
			if len(r.terms) > maxPlaces {
				return r.terms
			}
		case !sep && start < 0:
			start = i
		}
	}
	if start >= 0 {
		r.terms = append(r.terms, term{start, len(s)})
	}
	return r.terms
}

// count finds the words, the terms that are frequent at their place. Terms are
// counted by hash first: most are rare, and those are not kept at all.
func (r *reducer) count() error {
	sketch := make([]int32, 1<<20)
	slot := func(place int, s string) *int32 {
		return &sketch[(maphash.String(hashSeed, s)^uint64(place)*0x9e3779b97f4a7c15)&(1<<20-1)]
	}
	err := r.each(func(_ int, s string, terms []term) error {
		for place, t := range terms[:min(len(terms), maxPlaces)] {
			*slot(place, s[t.start:t.end])++
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.words = map[placedTerm]uint32{}
	r.counts, r.places = []int64{lastWord: 0}, []int{lastWord: maxPlaces}
	return r.each(func(_ int, s string, terms []term) error {
		for place, t := range terms[:min(len(terms), maxPlaces)] {
			w := placedTerm{place, s[t.start:t.end]}
			if int64(*slot(place, w.text)) < r.support {
				continue
			}
			id, ok := r.words[w]
			if !ok {
				if err := r.run.grow(100); err != nil {
					return err
				}
				id = uint32(len(r.counts))
				r.words[w] = id
				r.counts, r.places = append(r.counts, 0), append(r.places, place)
			}
			r.counts[id]++
		}
		return nil
	})
}

// assign puts every text into the cluster of its words.
func (r *reducer) assign() error {
	if err := r.run.grow(4 * int64(r.rows)); err != nil {
		return err
	}
	r.rowClusters = make([]uint32, 0, r.rows)
	var words []uint32
	return r.each(func(row int, s string, terms []term) error {
		words = words[:0]
		last := false
		for place, t := range terms {
			last = false
			if place < maxPlaces {
				if id, ok := r.words[placedTerm{place, s[t.start:t.end]}]; ok && r.counts[id] >= r.support {
					words, last = append(words, id), true
				}
			}
		}
		if last {
			words = append(words, lastWord)
		}
		id, err := r.find(words)
		if err != nil {
			return err
		}
		c := &r.clusters[id]
		if c.count == 0 {
			c.first = row
		}
		c.count++
		r.rowClusters = append(r.rowClusters, id)
		return nil
	})
}

// find returns the cluster of some words, a new one if need be.
func (r *reducer) find(words []uint32) (uint32, error) {
	r.key = r.key[:0]
	for _, w := range words {
		r.key = binary.LittleEndian.AppendUint32(r.key, w)
	}
	if id, ok := r.byWords[string(r.key)]; ok {
		return id, nil
	}
	if err := r.run.grow(150 + 8*int64(len(words))); err != nil {
		return 0, err
	}
	id := uint32(len(r.clusters))
	r.byWords[string(r.key)] = id
	r.clusters = append(r.clusters, textCluster{words: slices.Clone(words), into: id})
	return id, nil
}

// without makes a cluster part of the one that has fewer of its words.
func (r *reducer) without(id uint32, drop func(i int) bool) (uint32, error) {
	var words []uint32
	dropped := false // the word before is not there
	for i, w := range r.clusters[id].words {
		switch {
		case w == lastWord:
			if !dropped {
				words = append(words, w)
			}
		case drop(i):
			dropped = true
		default:
			words, dropped = append(words, w), false
		}
	}
	to, err := r.find(words)
	if err != nil {
		return 0, err
	}
	to = r.final(to)
	from, c := &r.clusters[id], &r.clusters[to]
	if c.count == 0 || from.first < c.first {
		c.first = from.first
	}
	c.count += from.count
	from.into = to
	return to, nil
}

// generalize makes wildcards of the places that have more than maxValues
// values in clusters that are alike in everything else.
func (r *reducer) generalize() error {
	live := make([]uint32, 0, len(r.clusters))
	for id := range r.clusters {
		live = append(live, uint32(id))
	}
	families := map[uint64]int32{}
	for len(live) > 0 {
		clear(families)
		for n, id := range live {
			if n&0xfff == 0 {
				if err := r.run.check(); err != nil {
					return err
				}
			}
			r.eachFamily(id, func(_ int, family uint64) { families[family]++ })
		}
		if err := r.run.grow(24 * int64(len(families))); err != nil {
			return err
		}
		next := live[:0]
		changed := false
		var wild [maxPlaces + 1]bool
		for _, id := range live {
			any := false
			r.eachFamily(id, func(i int, family uint64) {
				wild[i] = families[family] > maxValues
				any = any || wild[i]
			})
			if !any {
				next = append(next, id)
				continue
			}
			before := len(r.clusters)
			to, err := r.without(id, func(i int) bool { return wild[i] })
			if err != nil {
				return err
			}
			if changed = true; int(to) >= before {
				next = append(next, to)
			}
		}
		r.run.used -= 24 * int64(len(families))
		if !changed {
			return nil
		}
		live = next
	}
	return nil
}

// eachFamily calls f with each place of a cluster and what identifies the
// clusters that differ from it there only.
func (r *reducer) eachFamily(id uint32, f func(i int, family uint64)) {
	c := &r.clusters[id]
	if c.into != id {
		return
	}
	sum := uint64(0)
	for _, w := range c.words {
		sum += spread(uint64(w))
	}
	for i, w := range c.words {
		if w != lastWord {
			f(i, sum-spread(uint64(w))+spread(1<<32+uint64(r.places[w])))
		}
	}
}

// spread hashes a number over 64 bits (splitmix64).
func spread(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// dropRare takes from clusters that are too small the word that is rarest, one
// after the other, until they are part of a cluster that is large enough or
// have no words left.
func (r *reducer) dropRare() error {
	levels := make([][]uint32, maxPlaces+2)
	for id, c := range r.clusters {
		if int(c.into) == id {
			levels[len(c.words)] = append(levels[len(c.words)], uint32(id))
		}
	}
	for level := len(levels) - 1; level > 0; level-- {
		for n := 0; n < len(levels[level]); n++ {
			if n&0xfff == 0 {
				if err := r.run.check(); err != nil {
					return err
				}
			}
			id := levels[level][n]
			c := &r.clusters[id]
			if c.count >= r.support {
				continue
			}
			rarest := 0
			for i, w := range c.words {
				if w != lastWord && r.counts[w] <= r.counts[c.words[rarest]] {
					rarest = i
				}
			}
			before := len(r.clusters)
			to, err := r.without(id, func(i int) bool { return i == rarest })
			if err != nil {
				return err
			}
			if int(to) >= before {
				n := len(r.clusters[to].words)
				levels[n] = append(levels[n], to)
			}
		}
	}
	return nil
}

// final is the cluster a cluster ended in.
func (r *reducer) final(id uint32) uint32 {
	for r.clusters[id].into != id {
		id = r.clusters[id].into
	}
	return id
}

// patterns are the patterns of all clusters, those included that became part
// of others.
func (r *reducer) patterns() []string {
	out := make([]string, len(r.clusters))
	for id, c := range r.clusters {
		if int(c.into) == id && c.count > 0 {
			out[id] = r.pattern(uint32(id))
		}
	}
	for id := range out {
		out[id] = out[r.final(uint32(id))]
	}
	return out
}

// reduced is one row of the answer.
type reduced struct {
	pattern        string
	count          int64
	representative string
	first          int
}

// result is the patterns, those of the most rows first and the rest last.
// Clusters whose patterns read the same are one.
func (r *reducer) result() []reduced {
	var out []reduced
	at := map[string]int{}
	for id, c := range r.clusters {
		if int(c.into) != id || c.count == 0 {
			continue
		}
		p := reduced{r.pattern(uint32(id)), c.count, r.text(c.first), c.first}
		if id == others {
			p.representative, p.first = "", r.rows
		} else if i, ok := at[p.pattern]; ok {
			p.count += out[i].count
			if p.first > out[i].first {
				p.representative, p.first = out[i].representative, out[i].first
			}
			out[i] = p
			continue
		} else {
			at[p.pattern] = len(out)
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b reduced) int {
		if a.first == r.rows || b.first == r.rows {
			return cmp.Compare(a.first, b.first)
		}
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.first, b.first))
	})
	return out
}

func (r *reducer) text(row int) string {
	for _, b := range r.texts {
		if row < b.Rows {
			return b.Columns[0].Str(row)
		}
		row -= b.Rows
	}
	return ""
}

// pattern writes a cluster's first text with * for what is not constant.
// Between a constant and a wildcard the separators stay, but for letters and
// digits: with the characters "X", MachineLearningX4 is MachineLearning*.
func (r *reducer) pattern(id uint32) string {
	if id == others {
		return "others"
	}
	c := &r.clusters[id]
	s := r.text(c.first)
	constant := [maxPlaces + 1]bool{}
	for _, w := range c.words {
		constant[r.places[w]] = w != lastWord
	}
	var b strings.Builder
	from := 0 // where the separators before the term begin
	wild := false
	for place, t := range r.split(s) {
		now := !constant[min(place, maxPlaces)]
		switch gap := s[from:t.start]; {
		case now && wild:
		case now || wild:
			b.WriteString(strings.Map(punctuation, gap))
		default:
			b.WriteString(gap)
		}
		if !now {
			b.WriteString(s[t.start:t.end])
		} else if !wild {
			b.WriteString("*")
		}
		from, wild = t.end, now
	}
	if !wild {
		b.WriteString(s[from:])
	}
	return b.String()
}

// punctuation drops letters and digits.
func punctuation(r rune) rune {
	if separatesTerms(r) {
		return r
	}
	return -1
}
