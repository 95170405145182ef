package logsink

import (
	"encoding/binary"
	"math/bits"
	"unicode"
	"unicode/utf8"
)

// A term is a maximal run of letters and digits, as the language's `has`
// sees it. Terms are told apart without regard to case.

// class says what a byte is to the term scanner.
const (
	classBreak = iota
	classTerm
	classHigh // part of a rune beyond ASCII
)

var classOf = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c >= utf8.RuneSelf:
			t[c] = classHigh
		case '0' <= c && c <= '9', 'A' <= c && c <= 'Z', 'a' <= c && c <= 'z':
			t[c] = classTerm
		}
	}
	return t
}()

// eachTerm calls yield with the hash of every term of s, in order, and where
// the term begins and ends.
func eachTerm(s []byte, yield func(hash uint64, from, to int)) {
	for i := 0; i < len(s); {
		switch classOf[s[i]] {
		case classBreak:
			i++
			continue
		case classHigh:
			if r, n := utf8.DecodeRune(s[i:]); !isTermRune(r) {
				i += n
				continue
			}
		}
		end, ascii := termEnd(s, i)
		if ascii {
			yield(hashTerm(s[i:end]), i, end)
		} else {
			yield(hashTerm(foldTerm(s[i:end])), i, end)
		}
		i = end
	}
}

// termEnd returns where the term that begins at i ends.
func termEnd(s []byte, i int) (end int, ascii bool) {
	ascii = true
	for i < len(s) {
		switch classOf[s[i]] {
		case classTerm:
			i++
		case classHigh:
			r, n := utf8.DecodeRune(s[i:])
			if !isTermRune(r) {
				return i, ascii
			}
			ascii = false
			i += n
		default:
			return i, ascii
		}
	}
	return i, ascii
}

func isTermRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// foldTerm replaces each rune by the one that stands for all that are equal
// to it but for case.
func foldTerm(s []byte) []byte {
	out := make([]byte, 0, len(s)+utf8.UTFMax)
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		out = utf8.AppendRune(out, foldRune(r))
		s = s[n:]
	}
	return out
}

// foldRune returns the least rune of r's case orbit: the upper-case letter for
// ASCII, and for the Kelvin sign "K".
func foldRune(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}

// hashTerm hashes a term whose runes beyond ASCII are folded. Setting bit 5 of
// every byte folds ASCII letters and leaves digits alone.
func hashTerm(s []byte) uint64 {
	const fold = 0x2020202020202020
	h := uint64(len(s)) * 0x9e3779b97f4a7c15
	for len(s) >= 8 {
		h = mix(h ^ (binary.LittleEndian.Uint64(s) | fold))
		s = s[8:]
	}
	var tail uint64
	for i, c := range s {
		tail |= uint64(c|0x20) << (8 * i)
	}
	return mix(h^tail) | 1 // zero means free in termSet
}

func mix(h uint64) uint64 {
	hi, lo := bits.Mul64(h^0xa0761d6478bd642f, 0xe7037ed1a0b428db)
	return hi ^ lo
}

// The term filter of a text column is a Bloom filter in which all bits of a
// term lie in one line of 64 bytes:
//
//	line  the upper 32 bits of the hash, scaled to the number of lines
//	bits  seven numbers of nine bits: the lower 63 bits of the mixed hash
const (
	filterLine    = 64
	filterBits    = 7
	bitsPerTerm   = 12
	maxFilterSize = 1 << 24
)

// newFilter returns an empty filter for n different terms.
func newFilter(n int) []byte {
	lines := (n*bitsPerTerm + 8*filterLine - 1) / (8 * filterLine)
	return make([]byte, min(lines*filterLine, maxFilterSize))
}

func filterSlot(f []byte, hash uint64) (line []byte, bits uint64) {
	n := uint64(len(f) / filterLine)
	i := (hash >> 32) * n >> 32
	return f[i*filterLine : (i+1)*filterLine], mix(hash)
}

func filterAdd(f []byte, hash uint64) {
	line, b := filterSlot(f, hash)
	for range filterBits {
		line[b>>3&63] |= 1 << (b & 7)
		b >>= 9
	}
}

// filterHas reports whether the term may be among those added. A filter
// without lines has no terms.
func filterHas(f []byte, hash uint64) bool {
	if len(f) < filterLine {
		return false
	}
	line, b := filterSlot(f, hash)
	for range filterBits {
		if line[b>>3&63]&(1<<(b&7)) == 0 {
			return false
		}
		b >>= 9
	}
	return true
}

// termSet collects different hashes. It is a hash table with linear probing in
// which zero means free.
type termSet struct {
	slots []uint64
	n     int
}

func (s *termSet) reset() {
	clear(s.slots)
	s.n = 0
}

func (s *termSet) add(hash uint64) {
	if 2*s.n >= len(s.slots) {
		s.grow()
	}
	mask := uint64(len(s.slots) - 1)
	for i := hash >> 16 & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case hash:
			return
		case 0:
			s.slots[i] = hash
			s.n++
			return
		}
	}
}

func (s *termSet) grow() {
	old := s.slots
	s.slots, s.n = make([]uint64, max(1024, 2*len(old))), 0
	for _, h := range old {
		if h != 0 {
			s.add(h)
		}
	}
}

// filter returns the filter of the terms collected.
func (s *termSet) filter() []byte {
	f := newFilter(s.n)
	for _, h := range s.slots {
		if h != 0 {
			filterAdd(f, h)
		}
	}
	return f
}
