package ingress

import (
	"net/http"
	"strconv"
	"strings"
)

// responseHead is the parsed head of an app's answer.
type responseHead struct {
	status  int
	minor   int // of the version: 0 or 1
	fields  []field
	length  int64 // from content-length; -1 without
	chunked bool
	close   bool // the connection ends with this answer
}

// parseHead parses the head of an answer, from the status line up to and
// without the empty line. Names come out in canonical form. It accepts little
// and repairs nothing: whatever could be read in two ways is an error.
func (h *responseHead) parse(text string) error {
	*h = responseHead{fields: h.fields[:0], length: -1}
	line, rest, err := cutLine(text)
	if err != nil {
		return err
	}
	if err := h.parseStatus(line); err != nil {
		return err
	}
	for rest != "" {
		if line, rest, err = cutLine(rest); err != nil {
			return err
		}
		if err := h.parseField(line); err != nil {
			return err
		}
	}
	return h.checkFraming()
}

// cutLine cuts the first line, which must end in CR LF.
func cutLine(s string) (line, rest string, err error) {
	i := strings.IndexByte(s, '\n')
	if i < 1 || s[i-1] != '\r' {
		return "", "", &protocolError{"a line of the head does not end in CR LF"}
	}
	return s[:i-1], s[i+1:], nil
}

// parseStatus parses "HTTP/1.1 200 OK"; the text may be missing.
func (h *responseHead) parseStatus(line string) error {
	const prefix = "HTTP/1."
	if len(line) < len("HTTP/1.1 200") || line[:len(prefix)] != prefix || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return &protocolError{"malformed status line " + strconv.Quote(line)}
	}
	switch line[7] {
	case '0', '1':
		h.minor = int(line[7] - '0')
	default:
		return &protocolError{"version " + strconv.Quote(line[:8])}
	}
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return &protocolError{"malformed status line " + strconv.Quote(line)}
		}
		h.status = h.status*10 + int(c-'0')
	}
	if h.status < 100 {
		return &protocolError{"status " + line[9:12]}
	}
	h.close = h.minor == 0
	return nil
}

func (h *responseHead) parseField(line string) error {
	name, value, ok := strings.Cut(line, ":")
	if !ok || !isToken(name) {
		return &protocolError{"malformed header line " + strconv.Quote(line)}
	}
	value = strings.Trim(value, " \t")
	if !isFieldValue(value) {
		return &protocolError{"control character in header " + name}
	}
	name = http.CanonicalHeaderKey(name)
	switch name {
	case "Content-Length":
		return h.parseLength(value)
	case "Transfer-Encoding":
		if h.chunked || !strings.EqualFold(value, "chunked") {
			return &protocolError{"transfer-encoding " + strconv.Quote(value)}
		}
		h.chunked = true
		return nil
	case "Connection":
		lines := []string{value}
		h.close = h.close && !hasToken(lines, "keep-alive") || hasToken(lines, "close")
	}
	h.fields = append(h.fields, field{name, value})
	return nil
}

// parseLength takes digits only, and the same value again.
func (h *responseHead) parseLength(value string) error {
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil || len(value) > 18 || value[0] == '+' || h.length >= 0 && h.length != int64(n) {
		return &protocolError{"content-length " + strconv.Quote(value)}
	}
	h.length = int64(n)
	return nil
}

func (h *responseHead) checkFraming() error {
	if h.chunked && (h.length >= 0 || h.minor == 0) {
		return &protocolError{"transfer-encoding beside content-length or in HTTP/1.0"}
	}
	return nil
}

// bodyless reports whether an answer has no body whatever its headers say.
func (h *responseHead) bodyless(method string) bool {
	return method == http.MethodHead || h.status < 200 || h.status == http.StatusNoContent || h.status == http.StatusNotModified
}

// get returns the first value of a header in canonical form.
func (h *responseHead) get(name string) string {
	for _, f := range h.fields {
		if f.name == name {
			return f.value
		}
	}
	return ""
}

// isToken reports whether s is a token of RFC 9110, section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		if !tokenByte[s[i]] {
			return false
		}
	}
	return s != ""
}

var tokenByte = func() (t [256]bool) {
	for c := range 256 {
		alnum := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		t[c] = alnum || c < 128 && strings.IndexByte("!#$%&'*+-.^_`|~", byte(c)) >= 0
	}
	return t
}()

// isFieldValue reports whether s has no control characters but tabs.
func isFieldValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
