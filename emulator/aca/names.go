package aca

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// RevisionName is "<app>--<suffix>".
func RevisionName(app, suffix string) string { return app + "--" + suffix }

// FirstRevisionSuffix draws the suffix of an app's first revision when the
// template gives none: seven characters of a-z and 0-9, as seen on Azure.
func FirstRevisionSuffix(r *rand.Rand) string {
	return draw(r, "abcdefghijklmnopqrstuvwxyz0123456789", 7)
}

// CounterSuffix is the suffix of an app's n-th revision after the first:
// "0000001", "0000002", …
func CounterSuffix(n int) string { return fmt.Sprintf("%07d", n) }

// ReplicaName is "<revision>-<hash>-<five random characters>" where hash is
// the ReplicaSetHash. The random part leaves out vowels and look-alikes, as
// Kubernetes does.
func ReplicaName(revision, hash string, r *rand.Rand) string {
	return revision + "-" + hash + "-" + draw(r, "bcdfghjklmnpqrstvwxz2456789", 5)
}

// RevisionOfReplica is the revision that a name made by ReplicaName is of, ""
// for any other name.
func RevisionOfReplica(replica string) string {
	for range 2 { // the random part and the hash, neither of which has a hyphen
		i := strings.LastIndexByte(replica, '-')
		if i < 0 {
			return ""
		}
		replica = replica[:i]
	}
	return replica
}

func draw(r *rand.Rand, alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[r.IntN(len(alphabet))]
	}
	return string(b)
}

// A nameRule is one shape of a name; all of ACA's are some of: lower case
// letters, digits and dashes, ending in a letter or digit.
type nameRule struct {
	min, max    int
	leadDigit   bool // may begin with a digit
	doubleDash  bool // may hold "--"
	dot         bool // may hold "."
	upperLetter bool // upper case letters are fine
}

var (
	appNameRule         = nameRule{min: 2, max: 32}
	secretNameRule      = nameRule{min: 1, max: 253, leadDigit: true, doubleDash: true}
	containerNameRule   = nameRule{min: 1, max: 63, leadDigit: true, doubleDash: true, dot: true}
	volumeNameRule      = nameRule{min: 1, max: 63, leadDigit: true, doubleDash: true}
	labelNameRule       = nameRule{min: 1, max: 64}
	suffixRule          = nameRule{min: 1, max: 64, leadDigit: true}
	routeConfigNameRule = nameRule{min: 3, max: 63}
	storageNameRule     = nameRule{min: 1, max: 32}
	environmentRule     = nameRule{min: 2, max: 60, upperLetter: true, doubleDash: true}
)

func (rule nameRule) ok(name string) bool {
	if len(name) < rule.min || len(name) > rule.max || !rule.doubleDash && strings.Contains(name, "--") {
		return false
	}
	for i := range len(name) {
		if !rule.byteOK(name[i], i == 0, i == len(name)-1) {
			return false
		}
	}
	return true
}

func (rule nameRule) byteOK(c byte, first, last bool) bool {
	switch {
	case 'a' <= c && c <= 'z', rule.upperLetter && 'A' <= c && c <= 'Z':
		return true
	case '0' <= c && c <= '9':
		return !first || rule.leadDigit
	case c == '-', rule.dot && c == '.':
		return !first && !last
	}
	return false
}

// ValidAppName turns any text into an app name as "az containerapp up" does
// with a directory: lower case, other characters become dashes. Text that
// holds no letter at all becomes "app".
func ValidAppName(text string) string { return appNameRule.mend(text, "app") }

// mend is the nearest name of the rule; fallback is used when nothing is left.
func (rule nameRule) mend(text, fallback string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(text) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9' && (b.Len() > 0 || rule.leadDigit):
			b.WriteRune(c)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := b.String()
	name = strings.TrimRight(name[:min(len(name), rule.max)], "-")
	if len(name) < rule.min {
		name = fallback
	}
	return name
}
