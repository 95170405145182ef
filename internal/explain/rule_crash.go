package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/explain/event"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// recent is how long an end that was overcome is still news: then the restart
// back-off begins anew.
const recent = 10 * time.Minute

// crashLoop is a container whose process ends by itself.
func crashLoop(f *facts) *Verdict {
	for _, c := range f.containers {
		ends := filter(c.terminated("ProcessExited"), func(e event.Event) bool { return !c.init || e.Code != "0" })
		if len(ends) == 0 {
			continue
		}
		end := ends[len(ends)-1]
		if c.overcome(end) && (c.ready || c.init) && f.Now.Sub(end.Time) >= recent {
			continue
		}
		v := &Verdict{
			Title: fmt.Sprintf("container %s ends by itself with exit code %s", c.Name, end.Code),
			Why:   exitMeaning(end.Code) + " " + c.restartText(f, ends),
			Fix:   "Run it by hand to see it fail: " + c.byHand() + ".",
		}
		lines := []Line{rowLine(end)}
		if last, telling := c.lastWords(end); telling || last != nil && end.Code != "0" {
			lines = append(lines, outputLine(*last))
			v.Fix = "Fix what the last line says; the lines before it are in \"acalocal logs show -n " + f.App.Name + " --tail 100\"."
			if telling {
				v.Title += ": " + clipTitle(last.Text)
			}
		}
		if end.Code == "0" {
			v.Fix = "A container app runs for good: let the process serve or wait instead of ending. Work that ends belongs in a job."
		}
		v.Evidence = evidence(lines...)
		return v
	}
	return nil
}

// overcome says that a container has started again since an end.
func (c *containerFacts) overcome(end event.Event) bool { return c.lastStart().After(end.Time) }

// stable says that a container is well after an end. One without probes counts
// as ready as soon as it runs, so it must have run for a while.
func (c *containerFacts) stable(f *facts, end event.Event) bool {
	return c.overcome(end) && c.ready && (len(c.probes) > 0 || f.Now.Sub(c.lastStart()) >= time.Minute)
}

func (c *containerFacts) restartText(f *facts, ends []event.Event) string {
	if c.init {
		return "An init container must end with code 0 before anything else starts; it is tried again after each wait."
	}
	if len(ends) == 1 && c.ready {
		return "It was started again and is ready now."
	}
	return fmt.Sprintf("It ended %s; each restart waits longer, from 10 s up to 5 min, and the revision is Failed meanwhile.", plural(len(ends), "time", "times"))
}

// exitMeanings are the usual meanings of exit codes
// (https://azureossd.github.io/2024/01/19/Container-Apps-Backoff-restarts-and-container-exits/).
var exitMeanings = map[string]string{
	"0":   "The process finished and reported success.",
	"1":   "The app reported an error, most often an exception that nobody caught.",
	"2":   "The app reported an error: Go programs end so after a panic, shells and command lines after a wrong option.",
	"126": "A shell found the program but may not execute it.",
	"127": "A shell did not find the program.",
	"134": "The process aborted itself (SIGABRT).",
	"137": "The process was killed (SIGKILL), and not by a probe or a stop; no memory kill was seen either.",
	"139": "The process crashed with a memory fault (SIGSEGV).",
	"143": "The process ended on a stop signal (SIGTERM) that the platform did not send.",
}

func exitMeaning(code string) string {
	if text, ok := exitMeanings[code]; ok {
		return text
	}
	return "The process ended with an exit code of its own."
}

// byHand is the command that runs a container as the revision does. Of its
// variables it has the names alone: the values may be secret.
func (c *containerFacts) byHand() string {
	words := []string{"docker run --rm -it"}
	for _, v := range c.Env {
		words = append(words, "-e "+v.Name+"=…")
	}
	rest := c.Args
	if len(c.Command) > 0 {
		words = append(words, "--entrypoint "+shellWord(c.Command[0]))
		rest = slices.Concat(c.Command[1:], c.Args)
	}
	words = append(words, c.Image)
	for _, w := range rest {
		words = append(words, shellWord(w))
	}
	return strings.Join(words, " ")
}

// shellWord quotes a word where a shell would read it otherwise.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=@,+") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// lastWords is the line that says why a process ended: the end of a traceback,
// else the last line that sounds like an error. Without one it is the last line
// of all, which is not telling; nil when nothing was printed.
func (c *containerFacts) lastWords(end event.Event) (last *Output, telling bool) {
	start := c.startBefore(end.Time, end.Replica)
	lines := filter(c.lines, func(l Output) bool {
		return l.Replica == end.Replica && !l.Time.Before(start) && !l.Time.After(end.Time.Add(2*time.Second)) && strings.TrimSpace(l.Text) != ""
	})
	for _, p := range lastWordsPatterns {
		for i := len(lines) - 1; i >= 0; i-- {
			if p.MatchString(lines[i].Text) {
				return &lines[i], true
			}
		}
	}
	if len(lines) == 0 {
		return nil, false
	}
	return &lines[len(lines)-1], false
}

// lastWordsPatterns are how runtimes name what went wrong, most telling first.
var lastWordsPatterns = []*lazyregexp.Regexp{
	lazyregexp.New(`^(?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Warning|NotFound)(?::|$)`), // Python
	lazyregexp.New(`^(?:Uncaught |Unhandled )?[A-Z]\w*Error(?: \[\w+\])?: `),                                    // Node
	lazyregexp.New(`^(?:panic|fatal error): `),                                                                  // Go
	lazyregexp.New(`^(?:Exception in thread|Caused by:|Unhandled exception\.)`),                                 // Java, .NET
	lazyregexp.New(`(?i)^\S*\s*(?:error|fatal|critical|exec)\b`),
	lazyregexp.New(`(?i)\b(?:error|fatal|failed|cannot|can't|not found|no such|denied)\b`),
}

func clipTitle(text string) string {
	text = clip(text)
	if runes := []rune(text); len(runes) > 100 {
		return string(runes[:99]) + "…"
	}
	return text
}

func exitsChecked(f *facts) string {
	for _, c := range f.containers {
		if c.running {
			return "no container ended by itself"
		}
	}
	return ""
}
