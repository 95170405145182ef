package standin

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The exit codes of a process that a signal has ended, as a shell counts.
const (
	codeKilled     = 137
	codeTerminated = 143
)

// Where the parts of a stand-in lie in its image and volume. The counter is in
// a directory that lives as long as the replica, if there is one.
const (
	ScriptPath  = "/stand-in/script"
	CounterDir  = "/stand-in/starts"
	CounterName = "/stand-in/counter" // holds the name of the counter's file
)

// Run plays the script of the image below root as the program of a container
// and returns the code to exit with. Without a directory for the counter each
// start is the first.
func Run(root string, signals <-chan os.Signal) (int, error) {
	text, err := os.ReadFile(root + ScriptPath)
	if err != nil {
		return 1, err
	}
	s, err := Parse(string(text))
	if err != nil {
		return 1, err
	}
	start, err := countStart(root)
	if err != nil {
		return 1, err
	}
	return Play(s.attempt(start), os.Stdout, os.Stderr, signals), nil
}

// attempt is what the n-th start does, from 1.
func (s Script) attempt(n int) Attempt {
	if len(s.Attempts) == 0 {
		return Attempt{}
	}
	return s.Attempts[min(n, len(s.Attempts))-1]
}

// countStart adds one to the number in the counter's file. A file that is not
// there is 0; a directory that is not there is none of the first start.
func countStart(root string) (int, error) {
	if _, err := os.Stat(root + CounterDir); os.IsNotExist(err) {
		return 1, nil
	}
	name, err := os.ReadFile(root + CounterName)
	if err != nil {
		return 0, err
	}
	file := root + CounterDir + "/" + string(name)
	text, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return 0, err
	}
	n, _ := strconv.Atoi(strings.TrimSpace(string(text))) // a file cut short counts from the beginning
	n++
	return n, os.WriteFile(file, []byte(strconv.Itoa(n)), 0o644)
}

// step is one thing to do at a time.
type step struct {
	at time.Duration
	do func()
}

// Play plays one attempt and returns the code to exit with. A process that
// neither ends nor is stopped plays for ever.
func Play(a Attempt, stdout, stderr io.Writer, signals <-chan os.Signal) int {
	p := &player{a: a, begin: time.Now(), stderr: stderr, ended: make(chan int, 1)}
	defer p.close()
	steps := p.steps(stdout)
	next := time.NewTimer(0)
	defer next.Stop()
	var stopped <-chan time.Time
	for {
		if len(steps) > 0 {
			next.Reset(time.Until(p.begin.Add(steps[0].at)))
		} else {
			next.Stop()
		}
		select {
		case <-next.C:
			steps[0].do()
			steps = steps[1:]
		case code := <-p.ended:
			return code
		case <-signals:
			switch {
			case a.Stop == nil:
				return codeTerminated
			case a.Stop.After != Never && stopped == nil:
				stopped = time.After(a.Stop.After)
			}
		case <-stopped:
			return a.Stop.Code
		}
	}
}

// player is one attempt under way.
type player struct {
	a      Attempt
	begin  time.Time
	stderr io.Writer
	ended  chan int // holds the code of the first end
	closer []io.Closer
}

// steps are all that is to be done, in order.
func (p *player) steps(stdout io.Writer) []step {
	var out []step
	for _, l := range p.a.Listens {
		out = append(out, step{l.At, func() { p.listen(l) }})
	}
	for _, line := range p.a.Prints {
		to := stdout
		if line.Stderr {
			to = p.stderr
		}
		out = append(out, step{line.At, func() { fmt.Fprintln(to, line.Text) }})
	}
	for _, h := range p.a.Hogs {
		out = append(out, step{h.At, func() { p.hog(h.Child) }})
	}
	if p.a.Exit != nil {
		out = append(out, step{p.a.Exit.At, func() { p.end(p.a.Exit.Code) }})
	}
	out = slices.DeleteFunc(out, func(s step) bool { return s.at == Never })
	slices.SortStableFunc(out, func(a, b step) int { return int(max(min(a.at-b.at, 1), -1)) })
	return out
}

func (p *player) end(code int) {
	select {
	case p.ended <- code:
	default: // it has ended already
	}
}

func (p *player) complain(err error) { fmt.Fprintln(p.stderr, "acalocal stand-in:", err) }

func (p *player) close() {
	for _, c := range p.closer {
		_ = c.Close() // the process ends anyway
	}
}
