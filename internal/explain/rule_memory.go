package explain

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/internal/explain/event"
)

// tooManyWorkers: each Gunicorn worker is a process with a copy of the app, and
// all of them share the container's memory. The kernel kills the one that asks
// for too much; ACA writes no row when that is not the first process
// (observed: github.com/yeongseon/azure-paas-troubleshooting-labs,
// docs/container-apps/oom-visibility-gap).
func tooManyWorkers(f *facts) *Verdict {
	for _, c := range f.containers {
		g := readGunicorn(c)
		if !g.seen || g.workers < 2 || !c.killedForMemory(g) || !g.manyKilled(c) {
			continue
		}
		fit := g.workersThatFit()
		v := &Verdict{
			Title: fmt.Sprintf("%d Gunicorn workers do not fit into %s of memory", g.workers, memoryText(c.Container)),
			Why: fmt.Sprintf("The limit of container %s leaves %s for each of its %d workers, and the kernel killed %s for want of memory. "+
				"%s. Gunicorn's usual formula, 2 × CPUs + 1, counts the CPUs of the machine, not those of the container.",
				c.Name, mebibytes(memoryOf(c.Container)/int64(g.workers)), g.workers, plural(max(c.oomKills, len(g.kills)), "process", "processes"), invisible(c)),
			Evidence: c.memoryEvidence(g),
			Fix:      fmt.Sprintf("Run fewer workers (%d, with threads for concurrency: --workers %d --threads 4), or give the container more memory.", fit, fit),
		}
		v.Patch = f.fewerWorkers(c, fit)
		if v.Patch == "" {
			v.Patch = f.moreMemory(c)
		}
		return v
	}
	return nil
}

// killedForMemory says that the kernel, or at least Gunicorn's guess, blames
// memory.
func (c *containerFacts) killedForMemory(g gunicorn) bool {
	return c.oomKills > 0 || len(g.kills) > 0
}

// youngWorker is how soon after its start a worker's death is due to its mere
// presence rather than to what it was asked to do.
const youngWorker = time.Minute

// manyKilled tells workers that do not fit beside each other from one that grew
// with its requests.
func (g *gunicorn) manyKilled(c *containerFacts) bool {
	booted := map[int]time.Time{}
	for _, b := range g.boots {
		booted[b.pid] = b.Time
	}
	pids := map[int]bool{}
	for _, k := range g.kills {
		pids[k.pid] = true
		if at, ok := booted[k.pid]; ok && k.Time.Sub(at) < youngWorker {
			return true
		}
	}
	return len(pids) > 1 || len(g.kills) == 0 && len(c.terminated("ProcessExited")) > 0
}

// workersThatFit leaves each worker twice what it had.
func (g *gunicorn) workersThatFit() int { return max(g.workers/2, 1) }

func (c *containerFacts) memoryEvidence(g gunicorn) []Line {
	var lines []Line
	for _, k := range last(g.kills, 3) {
		lines = append(lines, outputLine(k.Output))
	}
	for _, e := range last(filter(c.terminated("ProcessExited"), func(e event.Event) bool { return e.Code == "137" }), 2) {
		lines = append(lines, rowLine(e))
	}
	if c.oomKills > 0 {
		lines = append(lines, Line{Text: fmt.Sprintf("the kernel's memory limit killed %s in container %s", plural(c.oomKills, "process", "processes"), c.Name)})
	}
	return evidence(lines...)
}

// invisible says what the platform shows of the kills.
func invisible(c *containerFacts) string {
	for _, e := range c.terminated("ProcessExited") {
		if e.Code == "137" {
			return "The platform shows them as exit code 137 without the word memory"
		}
	}
	return "The platform shows none of it: the first process went on, so there is no row and no restart"
}

// fewerWorkers changes the number of workers where the definition has it.
func (f *facts) fewerWorkers(c *containerFacts, n int) string {
	p := f.newPatch()
	text := strconv.Itoa(n)
	if envValue(c.Container, "WEB_CONCURRENCY") != "" && p.setEnv(c.Name, "WEB_CONCURRENCY", strconv.Quote(text)) {
		return p.diff()
	}
	if p.setOption(c.Name, "-w", "--workers", text) {
		return p.diff()
	}
	return ""
}

// setOption changes the value of an option in command or args.
func (p *patch) setOption(container, short, long, value string) bool {
	for _, key := range []string{"args", "command"} {
		list := p.container(container, key)
		if list == nil {
			continue
		}
		for i, n := range list.Content {
			if (n.Value == short || n.Value == long) && i+1 < len(list.Content) {
				return p.set(list.Content[i+1], strconv.Quote(value))
			}
			if strings.HasPrefix(n.Value, long+"=") {
				return p.set(n, long+"="+value)
			}
		}
	}
	return false
}

// moreMemory doubles a container's memory, and its CPU with it: ACA allows
// pairs only.
func (f *facts) moreMemory(c *containerFacts) string {
	cpu, memory := 0.5, memoryOf(c.Container)
	if c.Resources != nil && c.Resources.CPU != 0 {
		cpu = c.Resources.CPU
	}
	if cpu > 2 || len(f.App.Properties.Template.Containers) > 1 {
		return ""
	}
	cores := strconv.FormatFloat(2*cpu, 'f', -1, 64)
	gi := strconv.FormatFloat(math.Round(float64(2*memory)/(1<<30)*100)/100, 'f', -1, 64) + "Gi"
	p := f.newPatch()
	resources := p.container(c.Name, "resources")
	switch {
	case resources == nil:
		p.addKey(p.container(c.Name), "resources:", "  cpu: "+cores, "  memory: "+gi)
	case child(resources, "cpu") != nil && child(resources, "memory") != nil:
		if p.set(child(resources, "cpu"), cores) {
			p.ok = p.set(p.container(c.Name, "resources", "memory"), gi)
		}
	}
	return p.diff()
}

// outOfMemory is a container that needs more than its limit, whatever its
// number of workers.
func outOfMemory(f *facts) *Verdict {
	for _, c := range f.containers {
		g := readGunicorn(c)
		if !c.killedForMemory(g) {
			continue
		}
		v := &Verdict{Evidence: c.memoryEvidence(g), Patch: f.moreMemory(c)}
		limit := memoryText(c.Container)
		if len(g.kills) > 0 {
			v.Title = fmt.Sprintf("a Gunicorn worker needs more memory than the %s of container %s", limit, c.Name)
			v.Why = fmt.Sprintf("A worker grew until the kernel killed it; Gunicorn started another one within a second, and the request it was working on is lost. %s.", invisible(c))
			v.Fix = "Find the request that takes the memory, let workers end before they grow too large (--max-requests 1000 --max-requests-jitter 50), or give the container more memory."
			return v
		}
		v.Title = fmt.Sprintf("container %s needs more memory than its limit of %s", c.Name, limit)
		v.Why = fmt.Sprintf("The kernel killed %s at the limit; there is no swap. %s.", plural(c.oomKills, "of its processes", "of its processes"), invisible(c))
		v.Fix = "Give the container more memory, or use less of it."
		return v
	}
	return nil
}

func memoryChecked(f *facts) string {
	known := false
	for _, c := range f.containers {
		known = known || c.running
	}
	if !known {
		return ""
	}
	total := aca.TotalResources(&f.App.Properties.Template)
	return "memory: nothing was killed at the limit of " + strconv.FormatFloat(math.Round(float64(total.Memory)/(1<<30)*100)/100, 'f', -1, 64) + "Gi"
}

func mebibytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
