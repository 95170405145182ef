package explain

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/lazyregexp"
)

// gunicorn is what its log and its settings tell of a Gunicorn in a container:
// https://docs.gunicorn.org/en/stable/settings.html.
type gunicorn struct {
	seen     bool
	workers  int           // 0 when not known
	timeout  time.Duration // 0 when not known: the image's own command may set it
	boots    []workerLine
	timeouts []workerLine // WORKER TIMEOUT
	kills    []workerLine // sent SIGKILL, perhaps out of memory, that no timeout explains
}

// workerLine is a line about one worker.
type workerLine struct {
	pid int
	Output
}

var (
	gunicornStart   = lazyregexp.New(`\[INFO\] Starting gunicorn \d`)
	gunicornBoot    = lazyregexp.New(`\[INFO\] Booting worker with pid: (\d{1,9})`)
	gunicornTimeout = lazyregexp.New(`\[CRITICAL\] WORKER TIMEOUT \(pid:(\d{1,9})\)`)
	// From 21.0 on, and before.
	gunicornKill  = lazyregexp.New(`\[ERROR\] Worker \(pid:(\d{1,9})\) was sent SIGKILL! Perhaps out of memory\?|\[WARNING\] Worker with pid (\d{1,9}) was terminated due to signal 9`)
	gunicornError = lazyregexp.New(`\[ERROR\] Error handling request (\S+)`)
)

// readGunicorn reads a container's log and settings.
func readGunicorn(c *containerFacts) gunicorn {
	var g gunicorn
	first := 0 // workers of the latest start, before anything happened to them
	counting := false
	timedOut := map[int]bool{}
	for _, l := range c.lines {
		switch {
		case gunicornStart.MatchString(l.Text):
			g.seen, first, counting = true, 0, true
		case g.take(&g.boots, gunicornBoot, l):
			if counting {
				first++
			}
		case g.take(&g.timeouts, gunicornTimeout, l):
			timedOut[g.timeouts[len(g.timeouts)-1].pid] = true
			counting = false
		case g.take(&g.kills, gunicornKill, l):
			counting = false
		}
	}
	// Gunicorn kills a worker that timed out itself, in the same words.
	g.kills = slices.DeleteFunc(g.kills, func(k workerLine) bool { return timedOut[k.pid] })
	g.workers = first
	g.readSettings(c.Container)
	return g
}

func (g *gunicorn) take(into *[]workerLine, p *lazyregexp.Regexp, l Output) bool {
	m := p.FindStringSubmatch(l.Text)
	if m == nil {
		return false
	}
	pid, _ := strconv.Atoi(strings.Join(m[1:], "")) // at most nine digits, in one of the groups
	*into = append(*into, workerLine{pid, l})
	g.seen = true
	return true
}

// readSettings takes what the definition says; the command line wins over
// GUNICORN_CMD_ARGS, and that over WEB_CONCURRENCY.
func (g *gunicorn) readSettings(c aca.Container) {
	words := slices.Concat(strings.Fields(envValue(c, "GUNICORN_CMD_ARGS")), commandWords(c))
	if n, err := strconv.Atoi(envValue(c, "WEB_CONCURRENCY")); err == nil && n > 0 && g.workers == 0 {
		g.workers = n
	}
	if n, ok := option(words, "-w", "--workers"); ok && g.workers == 0 {
		g.workers = n
	}
	if n, ok := option(words, "-t", "--timeout"); ok && n > 0 {
		g.timeout = time.Duration(n) * time.Second
	}
}

// commandWords are command and args as one list; what a shell gets as one word
// is split, without regard to quotes: only options are looked for.
func commandWords(c aca.Container) []string {
	var out []string
	for _, w := range slices.Concat(c.Command, c.Args) {
		out = append(out, strings.Fields(w)...)
	}
	return out
}

// option is the last value of a numeric option, by its short or long name.
func option(words []string, short, long string) (n int, ok bool) {
	for i, w := range words {
		value, isLong := strings.CutPrefix(w, long+"=")
		switch {
		case isLong:
		case (w == long || w == short) && i+1 < len(words):
			value = words[i+1]
		default:
			continue
		}
		if v, err := strconv.Atoi(value); err == nil {
			n, ok = v, true
		}
	}
	return n, ok
}

// envValue is the literal value of a variable, "" when it has none.
func envValue(c aca.Container, name string) string {
	for _, v := range c.Env {
		if v.Name == name {
			return v.Value
		}
	}
	return ""
}

// hasEnv says that a variable is set, to a value or a secret's.
func hasEnv(c aca.Container, name string) bool {
	return slices.ContainsFunc(c.Env, func(v aca.EnvVar) bool {
		return v.Name == name && (v.Value != "" || v.SecretRef != "")
	})
}

// memoryOf is a container's memory limit in bytes.
func memoryOf(c aca.Container) int64 {
	if c.Resources != nil && c.Resources.Memory != "" {
		if n, err := aca.ParseMemory(c.Resources.Memory); err == nil {
			return n
		}
	}
	return 1 << 30
}

// memoryText is a container's memory limit as its definition has it.
func memoryText(c aca.Container) string {
	if c.Resources != nil && c.Resources.Memory != "" {
		return c.Resources.Memory
	}
	return "1Gi"
}
