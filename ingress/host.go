package ingress

import (
	"net/netip"
	"strings"
)

// maxHost is the longest host name of the domain name system.
const maxHost = 253

// validHost reports whether s is a host name as DNS allows it: labels of
// letters, digits, dashes and underscores, joined by single dots.
func validHost(s string) bool {
	if s == "" || len(s) > maxHost {
		return false
	}
	labelLen := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if labelLen == 0 {
				return false
			}
			labelLen = 0
		case isHostByte(c):
			labelLen++
		default:
			return false
		}
	}
	return labelLen > 0
}

func isHostByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// cutPort splits a Host value into the name and the port, which may be empty.
// Brackets of an IPv6 literal stay on.
func cutPort(host string) (name, port string) {
	for i := len(host) - 1; i >= 0; i-- {
		switch host[i] {
		case ':':
			return host[:i], host[i+1:]
		case ']':
			return host, ""
		}
	}
	return host, ""
}

// normalHost returns a Host value as the routing table knows it: without port,
// without a final dot, in lower case. It returns "" for what is no host name.
func normalHost(host string) string {
	name, port := cutPort(host)
	if !validPort(port) {
		return ""
	}
	if n := len(name); n > 1 && name[n-1] == '.' {
		name = name[:n-1]
	}
	if !validHost(name) {
		return ""
	}
	return strings.ToLower(name)
}

func validPort(port string) bool {
	if len(port) > 5 {
		return false
	}
	for i := range len(port) {
		if port[i] < '0' || port[i] > '9' {
			return false
		}
	}
	return true
}

// validHostValue reports whether a Host value is a name or an IP literal, with
// or without a port.
func validHostValue(host string) bool {
	name, port := cutPort(host)
	if !validPort(port) {
		return false
	}
	if inner, ok := strings.CutPrefix(name, "["); ok {
		_, err := netip.ParseAddr(strings.TrimSuffix(inner, "]"))
		return err == nil
	}
	return validHost(strings.TrimSuffix(name, "."))
}

// isVisible reports whether s, a request target, has neither spaces nor control
// characters: over HTTP/2 it may arrive with them.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return s != ""
}
