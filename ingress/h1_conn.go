package ingress

import (
	"bufio"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// h1Conn is one HTTP/1.1 connection to a replica. One exchange uses it at a
// time.
type h1Conn struct {
	net.Conn
	r      *bufio.Reader
	head   []byte // the head being read
	parsed responseHead
	used   int       // exchanges begun
	since  time.Time // idle since
	keep   time.Duration
}

// h1Buffer is the read buffer of a connection: bodies larger than that are
// read straight into the buffer they are copied with.
const h1Buffer = 4 << 10

func newH1Conn(c net.Conn) *h1Conn {
	return &h1Conn{Conn: c, r: bufio.NewReaderSize(c, h1Buffer), keep: upstreamIdle}
}

// errNoAnswer says that the connection ended before the first byte of an
// answer.
var errNoAnswer = errors.New("the app closed the connection without an answer")

// versionPrefix is how an answer begins. An app that speaks HTTP/2 or TLS
// begins otherwise, and need not send a line end ever.
const versionPrefix = "HTTP/"

// readHead reads and parses the head of an answer.
func (c *h1Conn) readHead() error {
	c.head = c.head[:0]
	if err := c.checkStart(); err != nil {
		return err
	}
	for {
		line, err := c.r.ReadSlice('\n')
		c.head = append(c.head, line...)
		if len(c.head) > maxHeadBytes {
			return &protocolError{"the head of the answer is over " + strconv.Itoa(maxHeadBytes) + " bytes"}
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			return c.headError(err)
		}
		if len(line) == 2 && line[0] == '\r' {
			return c.parsed.parse(string(c.head[:len(c.head)-2]))
		}
	}
}

// checkStart looks at the first bytes of an answer. Only a TLS alert is no
// protocol error: on Azure an app that speaks TLS shows as "connection
// termination" (microsoft/azure-container-apps issue 705).
func (c *h1Conn) checkStart() error {
	start, err := c.r.Peek(len(versionPrefix))
	const alert, tls = 0x15, 0x03
	switch {
	case err != nil:
		c.head = append(c.head, start...)
		return c.headError(err)
	case start[0] == alert && start[1] == tls:
		c.head = append(c.head, start...)
		return errTLS
	case string(start) != versionPrefix:
		return &protocolError{"the answer is not HTTP/1.1"}
	}
	return nil
}

// errTLS says that the app expects TLS.
var errTLS = errors.New("the app answered with a TLS alert: it speaks TLS, see targetPortHttpScheme")

func (c *h1Conn) headError(err error) error {
	switch {
	case err != io.EOF:
		return err
	case len(c.head) == 0:
		return errNoAnswer
	}
	return errCut
}

// body returns the body of the answer whose head has been read.
func (c *h1Conn) body(method string) (r io.Reader, length int64) {
	h := &c.parsed
	switch {
	case h.bodyless(method):
		return nil, 0
	case h.chunked:
		return &chunkedBody{r: c.r}, -1
	case h.length == 0:
		return nil, 0
	case h.length > 0:
		return &lengthBody{r: c.r, left: h.length}, h.length
	}
	h.close = true
	return closeBody{c.r}, -1
}

// keepAlive takes the app's word for how long an unused connection lives, with
// a second to spare.
func (c *h1Conn) keepAlive() {
	for part := range strings.SplitSeq(c.parsed.get("Keep-Alive"), ",") {
		text, ok := strings.CutPrefix(strings.TrimSpace(part), "timeout=")
		if seconds, err := strconv.Atoi(text); ok && err == nil {
			c.keep = min(upstreamIdle, time.Duration(max(seconds-1, 0))*time.Second)
		}
	}
}
