package kql

import "strings"

var punycodeFns = []scalarFn{
	{name: "punycode_from_string", sig: "string -> string", make: textMap(encodePunycode)},
	{name: "punycode_to_string", sig: "string -> string", make: textMap(decodePunycode)},
	{name: "punycode_domain_from_string", sig: "string -> string", make: textMap(mapLabels(func(s string) string {
		if rest, ok := strings.CutPrefix(s, "xn--"); ok {
			return decodePunycode(rest)
		}
		return s
	}))},
	{name: "punycode_domain_to_string", sig: "string -> string", make: textMap(mapLabels(func(s string) string {
		if isASCII(s) {
			return s
		}
		return "xn--" + encodePunycode(s)
	}))},
}

// mapLabels maps each label of a domain name; the dots of other scripts
// separate labels too.
func mapLabels(f func(string) string) func(string) string {
	return func(s string) string {
		labels := strings.FieldsFunc(s, func(r rune) bool { return r == '.' || r == '。' || r == '．' || r == '｡' })
		for i, l := range labels {
			labels[i] = f(l)
		}
		return strings.Join(labels, ".")
	}
}

// The parameters of RFC 3492, section 5.
const (
	punyBase, punyMin, punyMax  = 36, 1, 26
	punySkew, punyDamp          = 38, 700
	punyInitialBias, punyFirstN = 72, 128
)

func punyAdapt(delta, points int, first bool) int {
	if first {
		delta /= punyDamp
	} else {
		delta /= 2
	}
	delta += delta / points
	k := 0
	for delta > (punyBase-punyMin)*punyMax/2 {
		delta /= punyBase - punyMin
		k += punyBase
	}
	return k + (punyBase-punyMin+1)*delta/(delta+punySkew)
}

func punyThreshold(k, bias int) int { return max(punyMin, min(k-bias, punyMax)) }

const punyDigits = "abcdefghijklmnopqrstuvwxyz0123456789"

// encodePunycode encodes by RFC 3492, section 6.3.
func encodePunycode(s string) string {
	var b strings.Builder
	runes := []rune(s)
	for _, r := range runes {
		if r < punyFirstN {
			b.WriteRune(r)
		}
	}
	basic := b.Len()
	handled := basic
	if basic > 0 {
		b.WriteByte('-')
	}
	n, delta, bias := rune(punyFirstN), 0, punyInitialBias
	for handled < len(runes) {
		next := rune(0x7fffffff)
		for _, r := range runes {
			if r >= n && r < next {
				next = r
			}
		}
		delta += int(next-n) * (handled + 1)
		n = next
		for _, r := range runes {
			if r < n {
				delta++
			}
			if r != n {
				continue
			}
			q := delta
			for k := punyBase; ; k += punyBase {
				t := punyThreshold(k, bias)
				if q < t {
					break
				}
				b.WriteByte(punyDigits[t+(q-t)%(punyBase-t)])
				q = (q - t) / (punyBase - t)
			}
			b.WriteByte(punyDigits[q])
			bias = punyAdapt(delta, handled+1, handled == basic)
			delta = 0
			handled++
		}
		delta++
		n++
	}
	return b.String()
}

// decodePunycode decodes by RFC 3492, section 6.2; what is no punycode gives "".
func decodePunycode(s string) string {
	var out []rune
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		out = []rune(s[:i])
		s = s[i+1:]
	}
	n, i, bias := punyFirstN, 0, punyInitialBias
	for len(s) > 0 {
		old, w := i, 1
		for k := punyBase; ; k += punyBase {
			if s == "" {
				return ""
			}
			d := strings.IndexByte(punyDigits, lowerByte(s[0]))
			s = s[1:]
			if d < 0 || w > 1<<40 || i > 1<<40 {
				return ""
			}
			i += d * w
			t := punyThreshold(k, bias)
			if d < t {
				break
			}
			w *= punyBase - t
		}
		bias = punyAdapt(i-old, len(out)+1, old == 0)
		n += i / (len(out) + 1)
		i %= len(out) + 1
		if n > 0x10ffff {
			return ""
		}
		out = append(out[:i], append([]rune{rune(n)}, out[i:]...)...)
		i++
	}
	return string(out)
}
