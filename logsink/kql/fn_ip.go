package kql

import (
	"fmt"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
)

var ipFns = []scalarFn{
	{name: "parse_ipv4", sig: "string -> long", make: rows(func(a []Value) Value { return ip4Long(a[0].Str, 32) })},
	{name: "parse_ipv4_mask", sig: "string, integer -> long", make: rows(func(a []Value) Value { return ip4Long(a[0].Str, int(a[1].Int)) })},
	{name: "format_ipv4", sig: "any, integer? -> string", make: rows(formatIP4)},
	{name: "format_ipv4_mask", sig: "any, integer? -> string", make: rows(formatIP4Mask)},
	{name: "ipv4_is_private", sig: "string -> bool", make: rows(isPrivate)},
	{name: "ipv4_is_in_range", sig: "string, string -> bool", make: rows(ip4InRange)},
	{name: "ipv4_is_in_any_range", sig: "string, string|dynamic... -> bool", make: rows(inAnyRange(ip4InRange))},
	{name: "ipv4_is_match", sig: "string, string, integer? -> bool", make: rows(ip4Match)},
	{name: "ipv4_compare", sig: "string, string, integer? -> long", make: rows(ip4Compare)},
	{name: "ipv4_netmask_suffix", sig: "string -> long", make: rows(func(a []Value) Value {
		if _, n, ok := parseIP4(a[0].Str); ok {
			return longValue(int64(n))
		}
		return nullValue(Long)
	})},
	{name: "ipv4_range_to_cidr_list", sig: "string, string -> dynamic", make: rows(cidrList)},
	{name: "has_ipv4", sig: "string, string -> bool", make: rows(hasAnyIP(false))},
	{name: "has_any_ipv4", sig: "string, string|dynamic... -> bool", make: rows(hasAnyIP(false))},
	{name: "has_ipv4_prefix", sig: "string, string -> bool", make: rows(hasAnyIP(true))},
	{name: "has_any_ipv4_prefix", sig: "string, string|dynamic... -> bool", make: rows(hasAnyIP(true))},
	{name: "parse_ipv6", sig: "string -> string", make: rows(func(a []Value) Value { return ip6Text(a[0].Str, 128) })},
	{name: "parse_ipv6_mask", sig: "string, integer -> string", make: rows(func(a []Value) Value { return ip6Text(a[0].Str, int(a[1].Int)) })},
	{name: "ipv6_compare", sig: "string, string, integer? -> long", make: rows(ip6Compare)},
	{name: "ipv6_is_match", sig: "string, string, integer? -> bool", make: rows(ip6Match)},
	{name: "ipv6_is_in_range", sig: "string, string -> bool", make: rows(ip6InRange)},
	{name: "ipv6_is_in_any_range", sig: "string, string|dynamic... -> bool", make: rows(inAnyRange(ip6InRange))},
}

// parseIP4 reads an address with an optional prefix length.
func parseIP4(s string) (addr uint32, prefix int, ok bool) {
	host, mask, hasMask := strings.Cut(strings.TrimSpace(s), "/")
	prefix = 32
	if hasMask {
		n, err := strconv.Atoi(mask)
		if err != nil || n < 0 || n > 32 {
			return 0, 0, false
		}
		prefix = n
	}
	parts := strings.Split(host, ".")
	if len(parts) != 4 {
		return 0, 0, false
	}
	for _, p := range parts {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n > 255 || len(p) > 3 {
			return 0, 0, false
		}
		addr = addr<<8 | uint32(n)
	}
	return addr, prefix, true
}

func mask4(addr uint32, prefix int) uint32 {
	if prefix <= 0 {
		return 0
	}
	return addr & (^uint32(0) << uint(32-prefix))
}

func text4(addr uint32) string {
	return fmt.Sprintf("%d.%d.%d.%d", addr>>24, addr>>16&255, addr>>8&255, addr&255)
}

func ip4Long(s string, prefix int) Value {
	addr, own, ok := parseIP4(s)
	if !ok || prefix < 0 || prefix > 32 {
		return nullValue(Long)
	}
	return longValue(int64(mask4(addr, min(own, prefix))))
}

// anyIP4 reads an address given as text or as a number.
func anyIP4(v Value) (uint32, int, bool) {
	if v.Type.isInteger() {
		return uint32(v.Int), 32, !v.Null && v.Int >= 0 && v.Int <= 1<<32-1
	}
	return parseIP4(v.String())
}

func prefixArg(a []Value, i, dflt int) (int, bool) {
	if len(a) <= i {
		return dflt, true
	}
	n := a[i].Int
	return int(n), !a[i].Null && n >= 0 && n <= int64(dflt)
}

func formatIP4(a []Value) Value {
	addr, own, ok := anyIP4(a[0])
	p, ok2 := prefixArg(a, 1, 32)
	if !ok || !ok2 {
		return stringValue("")
	}
	return stringValue(text4(mask4(addr, min(own, p))))
}

func formatIP4Mask(a []Value) Value {
	addr, own, ok := anyIP4(a[0])
	p, ok2 := prefixArg(a, 1, 32)
	if !ok || !ok2 {
		return stringValue("")
	}
	p = min(own, p)
	return stringValue(text4(mask4(addr, p)) + "/" + strconv.Itoa(p))
}

// isPrivate tests the networks of RFC 1918; a range is private when it lies
// in one of them.
func isPrivate(a []Value) Value {
	addr, prefix, ok := parseIP4(a[0].Str)
	if !ok {
		return nullValue(Bool)
	}
	for _, net := range []struct {
		addr uint32
		bits int
	}{{10 << 24, 8}, {172<<24 | 16<<16, 12}, {192<<24 | 168<<16, 16}} {
		if prefix >= net.bits && mask4(addr, net.bits) == net.addr {
			return boolValue(true)
		}
	}
	return boolValue(false)
}

func ip4InRange(a []Value) Value {
	x, _, ok1 := parseIP4(a[0].Str)
	r, prefix, ok2 := parseIP4(a[1].Str)
	if !ok1 || !ok2 {
		return nullValue(Bool)
	}
	return boolValue(mask4(x, prefix) == mask4(r, prefix))
}

func inAnyRange(in func([]Value) Value) func([]Value) Value {
	return func(a []Value) Value {
		out := nullValue(Bool)
		for _, v := range a[1:] {
			for _, r := range flatten(nil, v) {
				hit := in([]Value{a[0], stringValue(r.String())})
				if hit.isTrue() {
					return hit
				}
				if !hit.Null {
					out = hit
				}
			}
		}
		return out
	}
}

func ip4Pair(a []Value) (x, y uint32, ok bool) {
	x, p, ok1 := parseIP4(a[0].Str)
	y, q, ok2 := parseIP4(a[1].Str)
	n, ok3 := prefixArg(a, 2, 32)
	n = min(n, p, q)
	return mask4(x, n), mask4(y, n), ok1 && ok2 && ok3
}

func ip4Match(a []Value) Value {
	x, y, ok := ip4Pair(a)
	if !ok {
		return nullValue(Bool)
	}
	return boolValue(x == y)
}

func ip4Compare(a []Value) Value {
	x, y, ok := ip4Pair(a)
	switch {
	case !ok:
		return nullValue(Long)
	case x < y:
		return longValue(-1)
	case x > y:
		return longValue(1)
	}
	return longValue(0)
}

// cidrList covers a range of addresses with as few networks as possible.
func cidrList(a []Value) Value {
	lo, _, ok1 := parseIP4(a[0].Str)
	hi, _, ok2 := parseIP4(a[1].Str)
	if !ok1 || !ok2 || lo > hi {
		return nullValue(Dynamic)
	}
	out := []any{}
	for x, end := uint64(lo), uint64(hi); x <= end; {
		size := bits.TrailingZeros32(uint32(x))
		for size > 0 && x+1<<uint(size)-1 > end {
			size--
		}
		out = append(out, text4(uint32(x))+"/"+strconv.Itoa(32-size))
		x += 1 << uint(size)
	}
	return dynamicValue(out)
}

// hasAnyIP finds an address, or the beginning of one, in a text, between
// characters that belong to neither a term nor an address.
func hasAnyIP(prefix bool) func([]Value) Value {
	return func(a []Value) Value {
		var want []string
		for _, v := range a[1:] {
			for _, e := range flatten(nil, v) {
				want = append(want, e.String())
			}
		}
		for _, ip := range textIPs(a[0].Str) {
			for _, w := range want {
				if hit := ip == w; hit || prefix && prefixHit(ip, w) {
					return boolValue(true)
				}
			}
		}
		return boolValue(false)
	}
}

// prefixHit wants whole octets: 127.0. is a prefix, 127.0 is not.
func prefixHit(ip, prefix string) bool {
	return strings.HasPrefix(ip, prefix) && strings.HasSuffix(prefix, ".")
}

// textIPs returns the addresses that stand alone in a text.
func textIPs(s string) []string {
	var out []string
	for i := 0; i < len(s); {
		if !isTermRune(rune(s[i])) && s[i] != '.' {
			i++
			continue
		}
		j := i
		for j < len(s) && (isTermRune(rune(s[j])) || s[j] == '.') {
			j++
		}
		word := strings.Trim(s[i:j], ".")
		if _, _, ok := parseIP4(word); ok {
			out = append(out, word)
		}
		i = j
	}
	return out
}

// parseIP6 reads an IPv6 or IPv4 address with an optional prefix length,
// counted in 128 bits.
func parseIP6(s string) (netip.Addr, int, bool) {
	host, mask, hasMask := strings.Cut(strings.TrimSpace(s), "/")
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Zone() != "" {
		return netip.Addr{}, 0, false
	}
	prefix, offset := 128, 0
	// ::192.168.1.1 is an IPv4 address too.
	four := ip.Is4() || strings.Contains(host, ".")
	if four {
		offset = 96
	}
	if hasMask {
		n, err := strconv.Atoi(mask)
		if err != nil || n < 0 || n+offset > 128 {
			return netip.Addr{}, 0, false
		}
		prefix = n + offset
	}
	b := ip.As16()
	if four {
		b[10], b[11] = 0xff, 0xff
	}
	return netip.AddrFrom16(b), prefix, true
}

func mask6(ip netip.Addr, prefix int) netip.Addr {
	b := ip.As16()
	for i := range b {
		keep := max(0, min(8, prefix-8*i))
		b[i] &= byte(0xff << uint(8-keep))
	}
	return netip.AddrFrom16(b)
}

func ip6Text(s string, prefix int) Value {
	ip, own, ok := parseIP6(s)
	if !ok || prefix < 0 || prefix > 128 {
		return stringValue("")
	}
	b := mask6(ip, min(own, prefix)).As16()
	parts := make([]string, 8)
	for i := range parts {
		parts[i] = fmt.Sprintf("%02x%02x", b[2*i], b[2*i+1])
	}
	return stringValue(strings.Join(parts, ":"))
}

func ip6Pair(a []Value) (x, y netip.Addr, ok bool) {
	x, p, ok1 := parseIP6(a[0].Str)
	y, q, ok2 := parseIP6(a[1].Str)
	n, ok3 := prefixArg(a, 2, 128)
	if !ok1 || !ok2 || !ok3 {
		return x, y, false
	}
	n = min(n, p, q)
	return mask6(x, n), mask6(y, n), true
}

func ip6Compare(a []Value) Value {
	x, y, ok := ip6Pair(a)
	if !ok {
		return nullValue(Long)
	}
	return longValue(int64(x.Compare(y)))
}

func ip6Match(a []Value) Value {
	x, y, ok := ip6Pair(a)
	if !ok {
		return nullValue(Bool)
	}
	return boolValue(x == y)
}

func ip6InRange(a []Value) Value {
	x, _, ok1 := parseIP6(a[0].Str)
	r, prefix, ok2 := parseIP6(a[1].Str)
	if !ok1 || !ok2 {
		return nullValue(Bool)
	}
	return boolValue(mask6(x, prefix) == mask6(r, prefix))
}
