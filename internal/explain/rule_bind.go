package explain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// bindFailures are what programs say when they may not bind a port. The group
// is the port; Gunicorn does not name the reason.
var bindFailures = []*lazyregexp.Regexp{
	lazyregexp.New(`Can't connect to \('[^']*', (\d{1,5})`),                                        // Gunicorn
	lazyregexp.New(`listen EACCES: permission denied (?:\S*:)?(\d{1,5})\b`),                        // Node
	lazyregexp.New(`bind\(\) to (?:\S*:)?(\d{1,5}) failed \(13: [Pp]ermission denied\)`),           // nginx
	lazyregexp.New(`listen tcp\d? \S*:(\d{1,5}): bind: permission denied`),                         // Go
	lazyregexp.New(`(?i)permission denied.*could not bind to address \S*:(\d{1,5})`),               // Apache
	lazyregexp.New(`(?i)permission denied.*?(?:bind|address|port)\D{0,40}(\d{1,5})\b`),             // by convention
	lazyregexp.New(`(?i)(?:bind|listen)\w*\b.*?:(\d{1,5})\b.*?permission denied`),                  // by convention
	lazyregexp.New(`SocketException \(13\): Permission denied.*?(\d{1,5})`),                        // .NET
	lazyregexp.New(`Failed to bind to address \S*:(\d{1,5})\S*: permission denied`),                // Kestrel
	lazyregexp.New(`java\.net\.(?:BindException|SocketException): Permission denied.*?(\d{1,5})?`), // Java
}

// inUse are what programs say when another process has the port.
var inUse = lazyregexp.New(`(?i)address (?:is )?already in use|EADDRINUSE|Connection in use: \(`)

// portIn finds what may be a port in a line.
var portIn = lazyregexp.New(`(?:[:\s]|Errno )(\d{2,5})\b`)

// portOf is the last port that a line names, 0 when it names none.
func portOf(line string) int {
	port := 0
	for _, m := range portIn.FindAllStringSubmatch(line, -1) {
		if n, err := strconv.Atoi(m[1]); err == nil && !strings.HasPrefix(m[0], "Errno") {
			port = n
		}
	}
	return port
}

// privilegedPort: users other than root may not bind ports below 1024
// (https://azureossd.github.io/2024/06/10/Container-Apps-Ports-under-1024/).
func privilegedPort(f *facts) *Verdict {
	for _, c := range f.containers {
		if len(c.terminated("ProcessExited")) == 0 || len(c.linesThat(inUse)) > 0 {
			continue
		}
		line, port := c.refusedPort()
		if line == nil {
			continue
		}
		return &Verdict{
			Title: fmt.Sprintf("container %s may not listen on port %d: it does not run as root", c.Name, port),
			Why: fmt.Sprintf("The image's user is not root, and ports below 1024 are root's. The process ends at once with a bind error, "+
				"here as on Azure, so nothing ever listens on %d.", port),
			Evidence: evidence(outputLine(*line), rowLine(last(c.terminated("ProcessExited"), 1)[0])),
			Fix:      "Let the app listen on a port from 1024 on, 8080 say, and set targetPort (and the probes' ports) to it.",
		}
	}
	return nil
}

// refusedPort is the last line that tells of a port below 1024 that may not be
// bound.
func (c *containerFacts) refusedPort() (*Output, int) {
	for i := len(c.lines) - 1; i >= 0; i-- {
		for _, p := range bindFailures {
			m := p.FindStringSubmatch(c.lines[i].Text)
			if m == nil {
				continue
			}
			if port, err := strconv.Atoi(m[1]); err == nil && port > 0 && port < 1024 {
				return &c.lines[i], port
			}
		}
	}
	return nil, 0
}

func (c *containerFacts) linesThat(p *lazyregexp.Regexp) []Output {
	return filter(c.lines, func(l Output) bool { return p.MatchString(l.Text) })
}

// portInUse: the containers of a replica share one network namespace
// (https://azureossd.github.io/2024/03/06/Container-Apps-Using-multi-containers/).
func portInUse(f *facts) *Verdict {
	for _, c := range f.containers {
		lines := c.linesThat(inUse)
		ends := c.terminated("ProcessExited")
		if len(lines) == 0 || len(ends) == 0 || c.stable(f, ends[len(ends)-1]) {
			continue
		}
		line := lines[len(lines)-1]
		what := "its port"
		if port := portOf(line.Text); port != 0 {
			what = fmt.Sprintf("port %d", port)
		}
		v := &Verdict{
			Title:    fmt.Sprintf("container %s cannot listen on %s: another process of the replica has it", c.Name, what),
			Why:      "All containers of a replica share one network, so each port can be listened on only once among them.",
			Evidence: evidence(outputLine(line), rowLine(ends[len(ends)-1])),
			Fix:      "Give the containers different ports.",
		}
		if len(f.App.Properties.Template.Containers) == 1 {
			v.Why = "The app has one container, so it is a second process inside it that listens on the same port, often a reloader or a worker started twice."
			v.Fix = "Start the server once."
		}
		return v
	}
	return nil
}
