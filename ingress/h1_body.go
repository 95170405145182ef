package ingress

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// errCut says that an answer ended before its end.
var errCut = errors.New("the app closed the connection before the end of its answer")

// lengthBody is a body of known length.
type lengthBody struct {
	r    *bufio.Reader
	left int64
}

func (b *lengthBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	switch {
	case b.left == 0:
		return n, io.EOF
	case err == io.EOF:
		return n, errCut
	}
	return n, err
}

// closeBody is a body that ends with the connection.
type closeBody struct{ r *bufio.Reader }

func (b closeBody) Read(p []byte) (int, error) { return b.r.Read(p) }

// chunkedBody is a body in chunks. Sizes are hexadecimal digits and nothing
// else, every CR LF is checked, extensions are skipped.
type chunkedBody struct {
	r       *bufio.Reader
	left    uint64 // of the current chunk
	inside  bool   // a chunk has begun and its CR LF is still to come
	done    bool
	trailer http.Header
}

// maxChunkLine bounds the size line with its extensions, and a trailer line.
const maxChunkLine = 4 << 10

func (b *chunkedBody) Read(p []byte) (int, error) {
	total := 0
	for total < len(p) {
		if b.done {
			return total, io.EOF
		}
		if b.left == 0 {
			// What is there goes out before waiting for more.
			if total > 0 && !b.lineBuffered() {
				return total, nil
			}
			if err := b.next(); err != nil {
				return total, cut(err)
			}
			continue
		}
		part := p[total:]
		if uint64(len(part)) > b.left {
			part = part[:b.left]
		}
		if total > 0 && b.r.Buffered() == 0 {
			return total, nil
		}
		n, err := b.r.Read(part)
		total += n
		b.left -= uint64(n)
		if err != nil {
			return total, cut(err)
		}
	}
	return total, nil
}

// ready reports whether the next Read returns without waiting.
func (b *chunkedBody) ready() bool {
	return b.done || b.left > 0 && b.r.Buffered() > 0 || b.left == 0 && b.lineBuffered()
}

// lineBuffered reports whether the end of this chunk and the next size line
// can be read without waiting.
func (b *chunkedBody) lineBuffered() bool {
	buf, _ := b.r.Peek(b.r.Buffered())
	s := string(buf[min(2, len(buf)):])
	return strings.Contains(s[:min(len(s), maxChunkLine)], "\r\n")
}

// next reads up to the data of the next chunk, or to the end.
func (b *chunkedBody) next() error {
	if b.inside {
		if err := b.expectCRLF(); err != nil {
			return err
		}
		b.inside = false
	}
	line, err := b.line()
	if err != nil {
		return err
	}
	size, err := chunkSize(line)
	if err != nil {
		return err
	}
	if size == 0 {
		return b.readTrailer()
	}
	b.left, b.inside = size, true
	return nil
}

func (b *chunkedBody) expectCRLF() error {
	var crlf [2]byte
	if _, err := io.ReadFull(b.r, crlf[:]); err != nil {
		return err
	}
	if crlf != [2]byte{'\r', '\n'} {
		return &protocolError{"a chunk is longer than its size"}
	}
	return nil
}

// line reads a line without its CR LF. The result is valid until the next read.
func (b *chunkedBody) line() ([]byte, error) {
	line, err := b.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull || len(line) > maxChunkLine {
		return nil, &protocolError{"a line of a chunked body is too long"}
	}
	if err != nil {
		return nil, err
	}
	if len(line) < 2 || line[len(line)-2] != '\r' {
		return nil, &protocolError{"a line of a chunked body does not end in CR LF"}
	}
	return line[:len(line)-2], nil
}

// chunkSize parses the size of a chunk: 1 to 15 hexadecimal digits, then
// nothing or an extension.
func chunkSize(line []byte) (uint64, error) {
	var size uint64
	for i, c := range line {
		d, ok := hexDigit(c)
		if !ok {
			if c == ';' && i > 0 {
				return size, nil
			}
			return 0, &protocolError{"chunk size " + strconv.Quote(string(line))}
		}
		if i == 15 {
			return 0, &protocolError{"chunk size " + strconv.Quote(string(line))}
		}
		size = size<<4 | uint64(d)
	}
	if len(line) == 0 {
		return 0, &protocolError{"a chunk has no size"}
	}
	return size, nil
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// readTrailer reads the trailer section. Fields that would frame, route or
// authenticate are dropped.
func (b *chunkedBody) readTrailer() error {
	h := responseHead{length: -1}
	for range defaultHeaderCount {
		line, err := b.line()
		if err != nil {
			return err
		}
		if len(line) == 0 {
			b.trailer = trailerOf(h.fields)
			b.done = true
			return nil
		}
		if err := h.parseField(string(line)); err != nil {
			return err
		}
	}
	return &protocolError{"too many trailers"}
}

// notInTrailers are fields a trailer cannot carry (RFC 9110, section 6.5.1).
var notInTrailers = map[string]bool{
	"Host": true, "Authorization": true, "Set-Cookie": true, "Cookie": true, "Content-Encoding": true,
	"Content-Type": true, "Content-Range": true, "Content-Length": true, "Transfer-Encoding": true,
	"Cache-Control": true, "Location": true, "Www-Authenticate": true, "Expect": true, "Te": true, "Max-Forwards": true,
}

func trailerOf(fields []field) http.Header {
	var t http.Header
	for _, f := range fields {
		if notInTrailers[f.name] || dropsRequest(f.name) {
			continue
		}
		if t == nil {
			t = http.Header{}
		}
		t[f.name] = append(t[f.name], f.value)
	}
	return t
}

// cut turns the end of the connection inside a body into an error of its own:
// the end because of a fault must never look like the end of the body.
func cut(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return errCut
	}
	return err
}
