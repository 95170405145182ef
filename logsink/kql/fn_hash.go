package kql

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/bits"
)

var hashFns = []scalarFn{
	{name: "hash", sig: "any, integer? -> long", make: rows(hashMod)},
	{name: "hash_xxhash64", sig: "any, integer? -> long", make: rows(hashMod)},
	{name: "hash_md5", sig: "any -> string", make: rows(func(a []Value) Value {
		h := md5.Sum(hashText(a[0]))
		return stringValue(hex.EncodeToString(h[:]))
	})},
	{name: "hash_sha1", sig: "any -> string", make: rows(func(a []Value) Value {
		h := sha1.Sum(hashText(a[0]))
		return stringValue(hex.EncodeToString(h[:]))
	})},
	{name: "hash_sha256", sig: "any -> string", make: rows(func(a []Value) Value {
		h := sha256.Sum256(hashText(a[0]))
		return stringValue(hex.EncodeToString(h[:]))
	})},
}

func hashText(v Value) []byte { return []byte(v.String()) }

// hashBytes are what a value is hashed by: a string's UTF-8, the eight or
// four bytes of numbers and times, little end first.
func hashBytes(v Value) []byte {
	var b [8]byte
	switch v.Type {
	case Int:
		binary.LittleEndian.PutUint32(b[:4], uint32(v.Int))
		return b[:4]
	case Long, DateTime, TimeSpan:
		binary.LittleEndian.PutUint64(b[:], uint64(v.Int))
		return b[:]
	case Real:
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v.Real))
		return b[:]
	case Bool:
		return []byte{byte(v.Int)}
	}
	return hashText(v)
}

func hashMod(a []Value) Value {
	h := xxhash64(hashBytes(a[0]))
	if len(a) < 2 {
		return longValue(int64(h))
	}
	if a[1].Null || a[1].Int <= 0 {
		return nullValue(Long)
	}
	_, r := floorDiv(int64(h), a[1].Int)
	return longValue(r)
}

const (
	xxPrime1 = 11400714785074694791
	xxPrime2 = 14029467366897019727
	xxPrime3 = 1609587929392839161
	xxPrime4 = 9650029242287828579
	xxPrime5 = 2870177450012600261
)

func xxRound(acc, in uint64) uint64 { return bits.RotateLeft64(acc+in*xxPrime2, 31) * xxPrime1 }

// xxhash64 is XXH64 with seed 0.
// https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
func xxhash64(b []byte) uint64 {
	n := uint64(len(b))
	var h uint64 = xxPrime5
	if n >= 32 {
		p1, p2 := uint64(xxPrime1), uint64(xxPrime2)
		v := [4]uint64{p1 + p2, p2, 0, -p1}
		for ; len(b) >= 32; b = b[32:] {
			for i := range v {
				v[i] = xxRound(v[i], binary.LittleEndian.Uint64(b[8*i:]))
			}
		}
		h = bits.RotateLeft64(v[0], 1) + bits.RotateLeft64(v[1], 7) + bits.RotateLeft64(v[2], 12) + bits.RotateLeft64(v[3], 18)
		for _, x := range v {
			h = (h^xxRound(0, x))*xxPrime1 + xxPrime4
		}
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^xxRound(0, binary.LittleEndian.Uint64(b)), 27)*xxPrime1 + xxPrime4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*xxPrime1, 23)*xxPrime2 + xxPrime3
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*xxPrime5, 11) * xxPrime1
	}
	h = (h ^ h>>33) * xxPrime2
	h = (h ^ h>>29) * xxPrime3
	return h ^ h>>32
}
