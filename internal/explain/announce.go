package explain

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// announcement is where a server says in its own log that it listens.
type announcement struct {
	port     int
	loopback bool
}

// announcements are how common servers say so. The first group that is set is
// the host, the second the port; a pattern with one group has only a port.
var announcements = []*lazyregexp.Regexp{
	// Gunicorn, Uvicorn, Hypercorn, Flask, Waitress, Django, .NET
	lazyregexp.New(`(?i)(?:listening (?:at|on)|running on|serving on|development server at|now listening on):?\s+(?:https?|tcp)://(\[[0-9a-f:.]+\]|[^\s:/()'"]+):(\d{1,5})`),
	// Jetty, Tomcat, Spring, Netty
	lazyregexp.New(`(?i)(?:tomcat|jetty|netty|undertow) (?:initialized|started) (?:with|on) ports?\(?s?\)?:? ?(\d{1,5})`),
	// Node and Go programs, by convention
	lazyregexp.New(`(?i)\blistening (?:at|on):? ([0-9a-z.\-]+|\[[0-9a-f:]+\]):(\d{1,5})\b`),
	lazyregexp.New(`(?i)\b(?:listening (?:at|on)|(?:listening|running|started|serving) (?:at|on) port):? :?(\d{2,5})(?:\D|$)`),
}

// announced says where a line claims that its program listens.
func announced(line string) (a announcement, ok bool) {
	for _, p := range announcements {
		m := p.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		port, err := strconv.Atoi(m[len(m)-1])
		if err != nil || port < 1 || port > 65535 {
			continue
		}
		a.port = port
		if len(m) == 3 {
			a.loopback = isLoopback(m[1])
		}
		return a, true
	}
	return announcement{}, false
}

func isLoopback(host string) bool {
	host = strings.Trim(host, "[]")
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// announcedBy are the announcements of a container with their lines, the
// newest last.
func (c *containerFacts) announcedBy() (list []announcement, lines []Output) {
	for _, l := range c.lines {
		if a, ok := announced(l.Text); ok {
			list, lines = append(list, a), append(lines, l)
		}
	}
	return list, lines
}

// announcedPort is the newest line in which a container says that it listens
// on a port, nil when none does.
func (c *containerFacts) announcedPort(port int) *Output {
	list, lines := c.announcedBy()
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].port == port {
			return &lines[i]
		}
	}
	return nil
}
