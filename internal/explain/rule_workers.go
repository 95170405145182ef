package explain

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// workerTimeout: Gunicorn's master ends a worker that has not reported for
// --timeout seconds. A sync worker reports between requests only, so a slow
// request looks like a dead worker
// (https://azureossd.github.io/2024/07/01/Gunicorn-worker-timeouts/).
func workerTimeout(f *facts) *Verdict {
	for _, c := range f.containers {
		g := readGunicorn(c)
		if len(g.timeouts) == 0 {
			continue
		}
		after, limit, above := "", "Gunicorn's timeout", ""
		if g.timeout > 0 {
			after = " after " + seconds(g.timeout)
			limit += " of " + seconds(g.timeout)
			above = fmt.Sprintf(" above %d", int(g.timeout.Seconds()))
		}
		v := &Verdict{Evidence: workerEvidence(c, g)}
		if !f.everReady && g.slowBoot() {
			v.Title = fmt.Sprintf("Gunicorn ends its workers before they have started: they need more than %s", limit)
			v.Why = fmt.Sprintf("Each worker loads the app before it reports to its master for the first time, and was ended by the master while doing so: %s. "+
				"No worker ever serves a request.", plural(len(g.timeouts), "time", "times"))
			v.Fix = fmt.Sprintf("Load the app once before the workers are made (--preload), do less at import time, or raise --timeout%s.", above)
		} else {
			v.Title = fmt.Sprintf("Gunicorn workers are ended%s without an answer (WORKER TIMEOUT)", after)
			v.Why = fmt.Sprintf("A request took longer than %s, so the master ended the worker and with it every request it had, %s so far. "+
				"The platform sees none of it: no row, no restart; clients get an error or a broken connection.", limit, plural(len(g.timeouts), "time", "times"))
			v.Fix = "Make the slow request fast, or answer it in the background; raise --timeout if it must take so long (the ingress ends it at 240 s in any case); use --worker-class gthread --threads 4 so that one slow request does not block a worker."
		}
		v.Patch = f.longerTimeout(c, g)
		return v
	}
	return nil
}

// slowBoot says that the workers that timed out had never got to work: each
// ended one timeout after its boot. When the timeout is not known, all must
// have lived equally long.
func (g *gunicorn) slowBoot() bool {
	const slack = 5 * time.Second
	booted := map[int]time.Time{}
	for _, b := range g.boots {
		booted[b.pid] = b.Time
	}
	var lives []time.Duration
	for _, t := range g.timeouts {
		at, ok := booted[t.pid]
		if !ok {
			return false
		}
		lives = append(lives, t.Time.Sub(at))
	}
	limit := g.timeout
	if limit == 0 {
		limit = slices.Min(lives)
	}
	return slices.Max(lives) <= limit+slack
}

func workerEvidence(c *containerFacts, g gunicorn) []Line {
	var lines []Line
	for _, t := range last(g.timeouts, 3) {
		lines = append(lines, outputLine(t.Output))
	}
	for _, l := range last(c.linesThat(gunicornError), 2) {
		lines = append(lines, outputLine(l))
	}
	if g.timeout > 0 {
		lines = append(lines, Line{Text: "the definition sets Gunicorn's timeout to " + seconds(g.timeout)})
	}
	return evidence(lines...)
}

// longerTimeout raises the timeout where the definition has it.
func (f *facts) longerTimeout(c *containerFacts, g gunicorn) string {
	if g.timeout == 0 || g.timeout >= 120*time.Second {
		return ""
	}
	p := f.newPatch()
	if p.setOption(c.Name, "-t", "--timeout", strconv.Itoa(120)) {
		return p.diff()
	}
	return ""
}

func workersChecked(f *facts) string {
	for _, c := range f.containers {
		if readGunicorn(c).seen {
			return "Gunicorn's workers answered their master in time"
		}
	}
	return ""
}
