package arm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net/netip"
)

// networkFunctions: https://learn.microsoft.com/azure/azure-resource-manager/templates/template-functions-cidr
var networkFunctions = map[string]function{
	"parsecidr":  {1, 1, false, parseCidr},
	"cidrsubnet": {3, 3, false, cidrSubnet},
	"cidrhost":   {2, 2, false, cidrHost},
}

func prefixOf(v any) (netip.Prefix, error) {
	text, err := asText(v)
	if err != nil {
		return netip.Prefix{}, err
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not an address range as in 10.0.0.0/16", clip(text))
	}
	return p.Masked(), nil
}

// after is the address n steps after another one.
func after(a netip.Addr, n *big.Int) (netip.Addr, bool) {
	sum := new(big.Int).Add(new(big.Int).SetBytes(a.AsSlice()), n)
	if sum.BitLen() > a.BitLen() {
		return netip.Addr{}, false
	}
	return netip.AddrFromSlice(sum.FillBytes(make([]byte, a.BitLen()/8)))
}

// size is how many addresses bits bits of a host part make.
func size(bits int) *big.Int { return new(big.Int).Lsh(big.NewInt(1), uint(bits)) }

func lastOf(p netip.Prefix) netip.Addr {
	last, _ := after(p.Addr(), new(big.Int).Sub(size(p.Addr().BitLen()-p.Bits()), big.NewInt(1)))
	return last
}

func parseCidr(_ *scope, a []any) (any, error) {
	p, err := prefixOf(a[0])
	if err != nil {
		return nil, err
	}
	out := map[string]any{"network": p.Addr().String(), "cidr": fromInt(int64(p.Bits())), "netmask": netmask(p)}
	first, last := p.Addr(), lastOf(p)
	if p.Addr().Is4() {
		out["broadcast"] = last.String()
		if p.Bits() < 31 {
			first, last = first.Next(), last.Prev()
		}
	}
	out["firstUsable"], out["lastUsable"] = first.String(), last.String()
	return out, nil
}

func netmask(p netip.Prefix) string {
	if !p.Addr().Is4() {
		all := netip.MustParseAddr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")
		return netip.PrefixFrom(all, p.Bits()).Masked().Addr().String()
	}
	var mask [4]byte
	binary.BigEndian.PutUint32(mask[:], ^uint32(0)<<(32-p.Bits()))
	return netip.AddrFrom4(mask).String()
}

// cidrSubnet: cidrSubnet(network, newCIDR, subnetIndex).
func cidrSubnet(_ *scope, a []any) (any, error) {
	p, err := prefixOf(a[0])
	if err != nil {
		return nil, err
	}
	bits, err := asInt(a[1])
	if err != nil {
		return nil, err
	}
	index, err := asInt(a[2])
	switch {
	case err != nil:
		return nil, err
	case bits < p.Bits() || bits > p.Addr().BitLen() || index < 0 || size(bits-p.Bits()).Cmp(big.NewInt(int64(index))) <= 0:
		return nil, fmt.Errorf("%s has no range /%d with the number %d", p, bits, index)
	}
	first, ok := after(p.Addr(), new(big.Int).Mul(size(p.Addr().BitLen()-bits), big.NewInt(int64(index))))
	if !ok {
		return nil, errors.New("the range is outside of the address space")
	}
	return netip.PrefixFrom(first, bits).String(), nil
}

// cidrHost: cidrHost(network, hostIndex); 0 is the first usable address.
func cidrHost(_ *scope, a []any) (any, error) {
	p, err := prefixOf(a[0])
	if err != nil {
		return nil, err
	}
	index, err := asInt(a[1])
	if err != nil {
		return nil, err
	}
	host, ok := after(p.Addr(), big.NewInt(int64(index)+1))
	if index < 0 || !ok || !p.Contains(host) {
		return nil, fmt.Errorf("%s has no host with the number %d", p, index)
	}
	return host.String(), nil
}
