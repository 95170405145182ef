package ingress

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
