package standin

import (
	"bufio"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// listen accepts connections on a port.
func (p *player) listen(l Listen) {
	host := ""
	if l.Loopback {
		host = "127.0.0.1"
	}
	ln, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(l.Port)))
	if err != nil { // another container of the replica has it, as in the recorded life or not
		p.complain(err)
		return
	}
	p.closer = append(p.closer, ln)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
}

// serveFor is how long a connection may take to say what it wants.
const serveFor = 10 * time.Minute

// serve answers one request. A connection that sends nothing, as a TCP probe
// does, gets nothing.
func (p *player) serve(c net.Conn) {
	defer c.Close()
	if c.SetDeadline(time.Now().Add(serveFor)) != nil {
		return
	}
	path, err := readRequest(bufio.NewReader(c))
	if err != nil {
		return
	}
	a := p.a.answerTo(path, time.Since(p.begin))
	if a.Delay == Never {
		_, _ = c.Read(make([]byte, 1)) // until the client gives up
		return
	}
	if a.Delay > 0 {
		time.Sleep(a.Delay) // the program was this slow
	}
	if a.Status == 0 {
		return // no answer in HTTP
	}
	body := "stand-in\n"
	fmt.Fprintf(c, "HTTP/1.1 %d Recorded\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", a.Status, len(body), body)
}

// readRequest reads the head of a request and returns its path.
func readRequest(r *bufio.Reader) (path string, err error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	words := strings.Fields(line)
	if len(words) != 3 {
		return "", fmt.Errorf("request line %q", line)
	}
	for {
		header, err := r.ReadString('\n')
		if err != nil {
			return "", err
		}
		if strings.TrimRight(header, "\r\n") == "" {
			return words[1], nil
		}
	}
}

// answerTo is how a request is answered at a time since the start.
func (a Attempt) answerTo(path string, at time.Duration) Answer {
	found := Answer{Status: 200}
	plain, _, _ := strings.Cut(path, "?")
	for _, n := range a.Answers {
		want, _, _ := strings.Cut(n.Path, "?")
		if at >= n.From && (want == "*" || want == plain) {
			found = n
		}
	}
	return found
}
