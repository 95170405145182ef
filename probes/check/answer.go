package check

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

const (
	// maxHead bounds status line and headers together.
	maxHead = 1 << 20
	// maxBody is how much of a body is read before the status is believed;
	// kubelet stops there as well.
	maxBody = 10 << 10
	// maxInterim is how many 1xx answers may come before the real one.
	maxInterim = 5
)

// answer reads one HTTP/1.x response and keeps only what decides a probe.
type answer struct {
	r        *bufio.Reader
	headLeft int
	status   int
	length   int64 // of the body, or -1 when it ends with the connection
	chunked  bool
}

func newAnswer(r io.Reader) *answer {
	return &answer{r: bufio.NewReaderSize(r, 4096), headLeft: maxHead}
}

// readHead reads up to the blank line and returns the final status.
func (a *answer) readHead() (status int, err error) {
	for range maxInterim {
		if err := a.readStatus(); err != nil {
			return 0, err
		}
		if err := a.readHeaders(); err != nil {
			return 0, err
		}
		if a.status >= 200 || a.status == 101 {
			return a.status, nil
		}
	}
	return 0, malformed("too many 1xx informational responses")
}

func (a *answer) readStatus() error {
	line, err := a.line()
	if err != nil {
		return err
	}
	status, ok := parseStatus(line)
	if !ok {
		return malformed("net/http: HTTP/1.x transport connection broken: malformed HTTP response " + strconv.Quote(line))
	}
	a.status, a.length, a.chunked = status, -1, false
	return nil
}

// parseStatus takes the number out of a line such as "HTTP/1.1 204 No Content".
func parseStatus(line string) (status int, ok bool) {
	version, rest, _ := strings.Cut(line, " ")
	digits, _, _ := strings.Cut(strings.TrimLeft(rest, " "), " ")
	if version != "HTTP/1.0" && version != "HTTP/1.1" || len(digits) != 3 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	return int(n), err == nil && n >= 100
}

func (a *answer) readHeaders() error {
	for {
		line, err := a.line()
		if err != nil {
			return unexpected(err)
		}
		if line == "" {
			return nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return malformed("malformed MIME header line: " + line)
		}
		if err := a.header(name, strings.TrimSpace(value)); err != nil {
			return err
		}
	}
}

// header keeps what says how long the body is; chunked wins over a length.
func (a *answer) header(name, value string) error {
	switch {
	case strings.EqualFold(name, "Transfer-Encoding"):
		a.chunked = strings.EqualFold(value, "chunked")
	case strings.EqualFold(name, "Content-Length"):
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 0 {
			return malformed("bad Content-Length " + strconv.Quote(value))
		}
		a.length = n
	}
	return nil
}

// skipBody reads the body, or as much of it as counts.
func (a *answer) skipBody() error {
	switch {
	case a.status == 101 || a.status == 204 || a.status == 304:
		return nil
	case a.chunked:
		return a.skipChunks()
	case a.length >= 0:
		_, err := io.CopyN(io.Discard, a.r, min(a.length, maxBody))
		return unexpected(err)
	}
	_, err := io.CopyN(io.Discard, a.r, maxBody)
	if err == io.EOF {
		return nil
	}
	return err
}

func (a *answer) skipChunks() error {
	for left := int64(maxBody); left > 0; {
		line, err := a.line()
		if err != nil {
			return unexpected(err)
		}
		size, _, _ := strings.Cut(line, ";")
		n, err := strconv.ParseUint(strings.TrimSpace(size), 16, 32)
		if err != nil {
			return malformed("invalid byte in chunk length")
		}
		if n == 0 {
			return a.readHeaders() // trailers, then the end
		}
		n = min(n, uint64(left))
		if _, err := io.CopyN(io.Discard, a.r, int64(n)); err != nil {
			return unexpected(err)
		}
		if left -= int64(n); left == 0 {
			return nil
		}
		if line, err := a.line(); err != nil || line != "" {
			return unexpected(orElse(err, malformed("malformed chunked encoding")))
		}
	}
	return nil
}

// line reads one line without its end, at most what is left of maxHead.
func (a *answer) line() (string, error) {
	var b []byte
	for {
		part, err := a.r.ReadSlice('\n')
		b = append(b, part...)
		if a.headLeft -= len(part); a.headLeft < 0 {
			return "", malformed("net/http: server response headers exceeded " + strconv.Itoa(maxHead) + " bytes; aborted")
		}
		if err == nil {
			return strings.TrimSuffix(string(b[:len(b)-1]), "\r"), nil
		}
		if err == io.EOF && len(b) > 0 {
			return "", io.ErrUnexpectedEOF
		}
		if err != bufio.ErrBufferFull {
			return "", err
		}
	}
}

// unexpected makes an end in the middle of an answer say so.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// malformed is what is wrong with an answer that is not HTTP/1.x.
type malformed string

func (m malformed) Error() string { return string(m) }
