package check

import (
	"bytes"
	"fmt"
	"math"
	"strconv"

	"github.com/acalocal/acalocal/emulator/aca"
)

// workerMemory is what one Python web worker is assumed to need, in bytes: a
// Flask or Django process with a handful of libraries.
const workerMemory = 110 << 20

var resourceRules = []Rule{
	{
		ID: "workers-exceed-memory", Severity: aca.SeverityWarning,
		Title: "more workers than the memory carries",
		Why: "Every worker is a process with its own copy of the app. When they exceed the limit the kernel kills one: gunicorn logs \"was sent " +
			"SIGKILL! Perhaps out of memory?\", the platform logs nothing, and requests fail now and then.",
		Do:     "lower the number of workers or raise memory",
		Source: "https://github.com/yeongseon/azure-paas-troubleshooting-labs, container-apps/oom-visibility-gap",
		look: func(s *subject) {
			n, ok := s.workers()
			if limit := s.memory(); ok && limit > 0 && int64(n)*workerMemory > limit*9/10 {
				s.atCommand("%d workers at about %d Mi each do not fit into %s Gi", n, workerMemory>>20, gibibytes(limit))
			}
		},
	},
	{
		ID: "workers-from-cpu-count", Severity: aca.SeverityWarning,
		Title: "the number of workers follows the CPUs of the node",
		Why: "cpu_count() sees the machine, not the container's share: cpu_count()*2+1 on a large node starts dozens of workers in half a core and " +
			"one gibibyte, and the kernel kills them.",
		Do:     "set a fixed number, for example with WEB_CONCURRENCY",
		Source: "https://github.com/yeongseon/azure-container-apps-practical-guide, apps/python",
		look: func(s *subject) {
			if !s.command.runs("gunicorn") || s.env["WEB_CONCURRENCY"] != "" {
				return
			}
			if _, fixed := s.command.flag("--workers", "-w"); fixed {
				return
			}
			if f := s.contextFile(s.gunicornConfig()); f != nil && bytes.Contains(f.text, []byte("cpu_count(")) {
				s.inFile(f, f.lineOf("cpu_count("), "the number of workers is taken from the CPUs of the node")
			}
		},
	},
	{
		ID: "workers-single", Severity: aca.SeverityWarning,
		Title: "one worker answers requests and probes",
		Why: "While the only worker is busy, probes wait behind the request: readiness fails, then liveness, and the container is killed although it " +
			"works.",
		Do:     "start two workers or more, or use threads (--threads 4)",
		Source: "https://github.com/yeongseon/azure-paas-troubleshooting-labs, container-apps/worker-saturation-liveness",
		look: func(s *subject) {
			n, ok := s.workers()
			if !s.command.runs("gunicorn") || n > 1 || !ok && s.contextFile(s.gunicornConfig()) != nil {
				return
			}
			threads, _ := s.command.flag("--threads")
			if class, _ := s.command.flag("--worker-class", "-k"); atoi(threads) > 1 || class != "" && class != "sync" {
				return
			}
			if liveness, _ := probeOf(s.main, aca.Liveness); liveness != nil && liveness.HTTPGet != nil {
				s.atCommand("gunicorn runs one worker without threads, and an HTTP liveness probe asks it")
			}
		},
	},
	{
		ID: "grace-shorter-than-server", Severity: aca.SeverityNote,
		Title: "the server's own grace is longer than the platform's",
		Why:   "After terminationGracePeriodSeconds (30 unless set) the container is killed; a server that still waits for its requests loses them.",
		Do:    "raise terminationGracePeriodSeconds above the server's timeout", Source: "https://azureossd.github.io/2024/05/27/Container-Apps-graceful-termination/",
		look: func(s *subject) {
			value, ok := s.command.flag("--graceful-timeout", "--timeout-graceful-shutdown")
			if grace := int(s.template.GracePeriod().Seconds()); ok && atoi(value) >= grace {
				s.atCommand("the server takes up to %s s to stop, the platform gives it %d s", value, grace)
			}
		},
	},
}

// workers is the number of worker processes the main container starts; ok is
// false when nothing says so.
func (s *subject) workers() (n int, ok bool) {
	value, ok := s.command.flag("--workers", "-w")
	if !ok || !s.command.runs("gunicorn") && !s.command.runs("uvicorn") && !s.command.runs("hypercorn") {
		value, ok = s.env["WEB_CONCURRENCY"]
		if !ok || !s.command.runs("gunicorn") && !s.command.runs("uvicorn") {
			return 0, false
		}
	}
	n = atoi(value)
	return n, n > 0
}

// gunicornConfig is the name of gunicorn's configuration file.
func (s *subject) gunicornConfig() string {
	if name, ok := s.command.flag("--config", "-c"); ok {
		return name
	}
	return "gunicorn.conf.py"
}

// memory is the limit of the main container in bytes, 0 when it is not known.
func (s *subject) memory() int64 {
	if s.main.Resources == nil || s.main.Resources.Memory == "" {
		return 1 << 30 // the default
	}
	n, err := aca.ParseMemory(s.main.Resources.Memory)
	if err != nil {
		return 0 // Validate reports it
	}
	return n
}

// gibibytes prints bytes in Gi with as many decimals as needed, at most two.
func gibibytes(bytes int64) string {
	return strconv.FormatFloat(math.Round(float64(bytes)/(1<<30)*100)/100, 'f', -1, 64)
}

// atoi is the number a text begins with, 0 when there is none.
func atoi(s string) int {
	var n int
	if _, err := fmt.Sscanf(s, "%d", &n); err != nil {
		return 0
	}
	return n
}
