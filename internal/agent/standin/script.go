// Package standin plays the part of a program whose image is not at hand: it
// listens, answers, prints, takes memory and ends when a script says so.
//
// A script is text, one instruction a line; times are Go durations since the
// start of the process:
//
//	attempt                          what follows is for the next start; the last is for all further ones
//	listen AT PORT any|loopback      accept connections from then on
//	answer FROM PATH STATUS DELAY    answer requests so from then on; PATH "*" is any, STATUS 0 hangs up, DELAY "never" is no answer
//	print AT stdout|stderr TEXT      one line, to the end of the line
//	hog AT self|child                take memory until the kernel kills the process, or a child of it
//	exit AT CODE                     end
//	stop AFTER CODE                  on SIGTERM, end that much later; AFTER "never" ignores it
//
// Without a stop a process ends on SIGTERM as one without a handler: 143.
//
// The program is the agent, which is in an image of nothing else. It imports
// little, because the agent runs once per replica.
package standin

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Script is what a container does, start by start. The last attempt is for all
// further starts; without any the process does nothing until it is stopped.
type Script struct{ Attempts []Attempt }

// Attempt is what one process does. Times are since its start.
type Attempt struct {
	Listens []Listen
	Answers []Answer
	Prints  []Print
	Hogs    []Hog
	Exit    *Exit
	Stop    *Stop
}

// Never is a time that does not come.
const Never = time.Duration(math.MaxInt64)

// Listen is a TCP port that is listened on.
type Listen struct {
	At       time.Duration
	Port     int
	Loopback bool
}

// Answer is how requests for a path are answered from a time on. The last one
// that fits counts; where none does, the answer is 200 at once.
type Answer struct {
	From   time.Duration
	Path   string        // without query; "*" is any
	Status int           // 0: hang up without an answer
	Delay  time.Duration // Never: no answer
}

// Print is one line of output.
type Print struct {
	At     time.Duration
	Stderr bool
	Text   string // without line end
}

// Hog is memory taken until the kernel kills the process itself or a child.
type Hog struct {
	At    time.Duration
	Child bool
}

// Exit is how the process ends by itself.
type Exit struct {
	At   time.Duration
	Code int
}

// Stop is how it ends on SIGTERM. After Never it does not.
type Stop struct {
	After time.Duration
	Code  int
}

// String is the script as Parse reads it.
func (s Script) String() string {
	var b strings.Builder
	for _, a := range s.Attempts {
		b.WriteString("attempt\n")
		for _, l := range a.Listens {
			fmt.Fprintf(&b, "listen %s %d %s\n", l.At, l.Port, pick(l.Loopback, "loopback", "any"))
		}
		for _, n := range a.Answers {
			fmt.Fprintf(&b, "answer %s %s %d %s\n", n.From, word(n.Path), n.Status, durationText(n.Delay))
		}
		for _, p := range a.Prints {
			fmt.Fprintf(&b, "print %s %s %s\n", p.At, pick(p.Stderr, "stderr", "stdout"), oneLine(p.Text))
		}
		for _, h := range a.Hogs {
			fmt.Fprintf(&b, "hog %s %s\n", h.At, pick(h.Child, "child", "self"))
		}
		if a.Exit != nil {
			fmt.Fprintf(&b, "exit %s %d\n", a.Exit.At, a.Exit.Code)
		}
		if a.Stop != nil {
			fmt.Fprintf(&b, "stop %s %d\n", durationText(a.Stop.After), a.Stop.Code)
		}
	}
	return b.String()
}

func pick(b bool, yes, no string) string {
	if b {
		return yes
	}
	return no
}

func durationText(d time.Duration) string {
	if d == Never {
		return "never"
	}
	return d.String()
}

// word keeps a path one word: a request line has no spaces in it either.
func word(path string) string {
	path = strings.Join(strings.Fields(path), "%20")
	if path == "" {
		return "/"
	}
	return path
}

// oneLine keeps text on its line.
func oneLine(text string) string {
	return strings.NewReplacer("\n", " ", "\r", " ").Replace(text)
}

// instructions read the words after the name of each instruction.
var instructions = map[string]struct {
	words int
	read  func(p *parser, a *Attempt, words []string)
}{
	"listen": {3, func(p *parser, a *Attempt, w []string) {
		a.Listens = append(a.Listens, Listen{p.duration(w[0]), p.number(w[1], 1, 65535), p.one(w[2], "loopback", "any")})
	}},
	"answer": {4, func(p *parser, a *Attempt, w []string) {
		a.Answers = append(a.Answers, Answer{p.duration(w[0]), w[1], p.number(w[2], 0, 999), p.duration(w[3])})
	}},
	"print": {3, func(p *parser, a *Attempt, w []string) {
		a.Prints = append(a.Prints, Print{p.duration(w[0]), p.one(w[1], "stderr", "stdout"), w[2]})
	}},
	"hog": {2, func(p *parser, a *Attempt, w []string) {
		a.Hogs = append(a.Hogs, Hog{p.duration(w[0]), p.one(w[1], "child", "self")})
	}},
	"exit": {2, func(p *parser, a *Attempt, w []string) { a.Exit = &Exit{p.duration(w[0]), p.number(w[1], 0, 255)} }},
	"stop": {2, func(p *parser, a *Attempt, w []string) { a.Stop = &Stop{p.duration(w[0]), p.number(w[1], 0, 255)} }},
}

// parser keeps the first error.
type parser struct {
	line int
	err  error
}

// Parse reads a script. Errors name the line.
func Parse(text string) (Script, error) {
	var s Script
	p := &parser{}
	for line := range strings.Lines(text) {
		p.line++
		line = strings.TrimRight(line, "\r\n")
		name, rest, _ := strings.Cut(line, " ")
		in, known := instructions[name]
		switch {
		case strings.TrimSpace(line) == "", strings.HasPrefix(line, "#"):
		case line == "attempt":
			s.Attempts = append(s.Attempts, Attempt{})
		case !known:
			p.fail("unknown instruction %q", name)
		case len(s.Attempts) == 0:
			p.fail("%s comes before the first attempt", name)
		default:
			words := strings.SplitN(rest, " ", in.words)
			if len(words) != in.words {
				p.fail("%s wants %d words", name, in.words)
				break
			}
			in.read(p, &s.Attempts[len(s.Attempts)-1], words)
		}
		if p.err != nil {
			return Script{}, p.err
		}
	}
	return s, nil
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("script line %d: %s", p.line, fmt.Sprintf(format, args...))
	}
}

func (p *parser) duration(text string) time.Duration {
	if text == "never" {
		return Never
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		p.fail("%q is no time since the start", text)
	}
	return d
}

func (p *parser) number(text string, low, high int) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > high {
		p.fail("%q is not a number from %d to %d", text, low, high)
	}
	return n
}

func (p *parser) one(text, yes, no string) bool {
	if text != yes && text != no {
		p.fail("%q is neither %s nor %s", text, yes, no)
	}
	return text == yes
}
