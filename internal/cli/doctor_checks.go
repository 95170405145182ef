package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/internal/version"
)

// checks are what the doctor looks at, in this order. Each turns facts into
// diagnoses and touches nothing.
var checks = []func(*facts) []diagnosis{
	checkVersion,
	checkEngine,
	checkBuildKit,
	checkLimits,
	checkClock,
	checkDisk,
	checkPorts,
	checkLeftovers,
}

// diagnose judges the facts.
func diagnose(f *facts) []diagnosis {
	var diagnoses []diagnosis
	for _, check := range checks {
		diagnoses = append(diagnoses, check(f)...)
	}
	return diagnoses
}

func checkVersion(*facts) []diagnosis {
	return []diagnosis{{Check: "acalocal", Level: levelOK, Text: version.Version + " " + orDash(version.Commit())}}
}

// oldestAPI is the API of Docker Engine 20.10, the oldest that is tried.
const oldestAPI = "1.41"

func checkEngine(f *facts) []diagnosis {
	const check = "docker"
	if f.engineErr != nil {
		return []diagnosis{{Check: check, Level: levelFail, Text: f.engineErr.Error(), Hint: hintOf(f.engineErr)}}
	}
	e := f.engine
	out := []diagnosis{{Check: check, Level: levelOK, Text: fmt.Sprintf("Docker Engine %s at %s, %s (API %s, %s, cgroup %s, %s%s)",
		e.Version, e.Host, e.OS, e.APIVersion, e.Architecture, e.CgroupVersion, e.StorageDriver, kindOf(e))}}
	if olderAPI(e.APIVersion, oldestAPI) {
		out[0].Level, out[0].Hint = levelWarn, "update to Docker Engine 20.10 or newer; older ones are not tried"
	}
	return out
}

func kindOf(e docker.Info) string {
	switch {
	case e.Desktop:
		return ", Docker Desktop"
	case e.Rootless:
		return ", rootless"
	}
	return ""
}

// olderAPI compares API versions such as "1.41".
func olderAPI(a, b string) bool {
	var a1, a2, b1, b2 int
	if _, err := fmt.Sscanf(a, "%d.%d", &a1, &a2); err != nil {
		return false // an engine that names no version is left alone
	}
	if _, err := fmt.Sscanf(b, "%d.%d", &b1, &b2); err != nil {
		return false
	}
	return a1 < b1 || a1 == b1 && a2 < b2
}

func checkBuildKit(f *facts) []diagnosis {
	switch {
	case f.engineErr != nil:
		return nil
	case f.engine.BuildKit:
		return []diagnosis{{Check: "build", Level: levelOK, Text: "images are built with BuildKit"}}
	}
	return []diagnosis{{Check: "build", Level: levelWarn, Text: "the engine has no BuildKit; images are built with the classic builder",
		Hint: "build secrets and cache mounts need BuildKit: update the engine"}}
}

func checkLimits(f *facts) []diagnosis {
	switch {
	case f.engineErr != nil:
		return nil
	case f.engine.SwapLimit:
		return []diagnosis{{Check: "limits", Level: levelOK, Text: fmt.Sprintf("%d CPUs, %s of memory", f.engine.CPUs, gibibytes(uint64(f.engine.Memory)))}}
	}
	return []diagnosis{{Check: "limits", Level: levelWarn, Text: "the kernel does not limit swap: an app above its memory is not killed as on Azure",
		Hint: "boot with swapaccount=1, or use cgroup 2"}}
}

// maxSkew is how far the engine's clock may be off: log lines carry its time,
// requests ours.
const maxSkew = 2 * time.Second

func checkClock(f *facts) []diagnosis {
	if f.engineErr != nil || f.engine.Clock.IsZero() {
		return nil
	}
	skew := f.engine.Clock.Sub(f.engine.ClockRead)
	if skew.Abs() <= maxSkew {
		return []diagnosis{{Check: "clock", Level: levelOK, Text: "the engine's clock agrees with this machine's"}}
	}
	return []diagnosis{{Check: "clock", Level: levelWarn, Text: fmt.Sprintf("the engine's clock is %s off: log lines and requests will not be in order", skew.Round(time.Second)),
		Hint: "restart Docker Desktop, or synchronise the clock of the engine's machine"}}
}

// Free space below which the doctor warns, and below which nothing works.
const (
	littleSpace = 2 << 30
	noSpace     = 200 << 20
)

func checkDisk(f *facts) []diagnosis {
	const check = "disk"
	if err := firstError(f.homeErr, f.freeErr); err != nil {
		return []diagnosis{{Check: check, Level: levelWarn, Text: err.Error(), Hint: hintOf(err)}}
	}
	out := diagnosis{Check: check, Level: levelOK, Text: fmt.Sprintf("%s free at %s", gibibytes(f.free), f.home.Dir())}
	if f.engineErr == nil {
		d := f.engine.Disk
		out.Text += fmt.Sprintf("; the engine uses %s", gibibytes(uint64(max(d.Images+d.Containers+d.Volumes+d.BuildCache, 0))))
	}
	switch {
	case f.free < noSpace:
		out.Level, out.Hint = levelFail, `free space, for instance with "docker system prune"`
	case f.free < littleSpace:
		out.Level, out.Hint = levelWarn, `images and logs may not fit; free space, for instance with "docker system prune"`
	}
	return []diagnosis{out}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func gibibytes(n uint64) string { return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30)) }

func checkPorts(f *facts) []diagnosis {
	var taken []string
	for _, p := range f.ports {
		if p.taken && !p.ours {
			taken = append(taken, fmt.Sprint(p.port))
		}
	}
	if len(taken) == 0 {
		return []diagnosis{{Check: "ports", Level: levelOK, Text: "the usual loopback ports are free or in use by acalocal"}}
	}
	return []diagnosis{{Check: "ports", Level: levelWarn, Text: fmt.Sprintf("in use by another program: %s; others will be taken instead", strings.Join(taken, ", ")),
		Hint: "\"acalocal status\" names the ports in use; --port fixes that of an app"}}
}

// checkLeftovers finds environments without a daemon. Those whose files are
// ours may be removed by --fix. Others may belong to another user of the same
// engine, whose daemon this one cannot see: they are only named.
func checkLeftovers(f *facts) []diagnosis {
	if f.homeErr != nil {
		return nil
	}
	var out []diagnosis
	held := map[string]docker.Environment{}
	for _, e := range f.held {
		held[e.Name] = e
	}
	for _, name := range f.files {
		if !slices.Contains(f.running, name) {
			out = append(out, leftoverOf(f.home.Environment(name), held[name]))
		}
	}
	for _, name := range f.tests {
		out = append(out, testLeftoverOf(home.Tests().Environment(name), held[name]))
	}
	ours := slices.Concat(f.files, f.running, f.tests, f.testing)
	for _, e := range f.held {
		if !slices.Contains(ours, e.Name) {
			out = append(out, strangerOf(e))
		}
	}
	if len(out) == 0 {
		out = append(out, diagnosis{Check: "leftovers", Level: levelOK, Text: "no dead environment has left anything"})
	}
	return out
}

// testLeftoverOf is about what a test binary that was killed has left.
func testLeftoverOf(files home.Environment, e docker.Environment) diagnosis {
	return diagnosis{
		Check: "leftovers", Level: levelWarn, leftover: files,
		Text: fmt.Sprintf("a test that was killed has left environment %s: %s", files.Name, contentsOf(e)),
		Hint: "the next test on this engine removes it, or \"acalocal doctor --fix\"",
	}
}

// contentsOf says what there is of an environment.
func contentsOf(e docker.Environment) string {
	what := "files"
	if e.Containers+len(e.Networks)+len(e.Volumes) > 0 {
		what += fmt.Sprintf(", %d containers (%d running), %d networks, %d volumes", e.Containers, e.Running, len(e.Networks), len(e.Volumes))
	}
	return what
}

func leftoverOf(files home.Environment, e docker.Environment) diagnosis {
	name := files.Name
	return diagnosis{
		Check: "leftovers", Level: levelWarn, leftover: files,
		Text: fmt.Sprintf("environment %s has no daemon but has left %s", name, contentsOf(e)),
		Hint: fmt.Sprintf("\"acalocal up --env %s\" takes it up again; \"acalocal down --env %s\" removes it", name, name),
	}
}

func strangerOf(e docker.Environment) diagnosis {
	f := diagnosis{
		Check: "leftovers", Level: levelWarn,
		Text: fmt.Sprintf("the engine holds environment %s (%d containers, %d running), whose daemon is not this user's", e.Name, e.Containers, e.Running),
		Hint: fmt.Sprintf("if nobody else uses it, \"acalocal down --env %s\" removes it", e.Name),
	}
	if e.Schema != container.SchemaVersion {
		f.Text = fmt.Sprintf("the engine holds environment %s of another version of acalocal (labels %q)", e.Name, e.Schema)
		f.Hint = "use that version to remove it"
	}
	return f
}
