package cli

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/internal/version"
	"github.com/google/go-cmp/cmp"
)

// healthy are the facts of a machine that has nothing wrong with it.
func healthy() *facts {
	now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	return &facts{
		engine: docker.Info{
			Host: "unix:///var/run/docker.sock", Version: "28.0.1", APIVersion: "1.48", OS: "Debian GNU/Linux 12", Architecture: "amd64",
			CgroupVersion: "2", StorageDriver: "overlay2", CPUs: 4, Memory: 8 << 30, SwapLimit: true, BuildKit: true,
			Clock: now, ClockRead: now,
		},
		home: home.At("/state"), free: 100 << 30,
		ports: []portFact{{port: 8080}, {port: 8081, taken: true, ours: true}},
	}
}

func TestDoctor(t *testing.T) {
	const (
		engine = "ok     docker     Docker Engine 28.0.1 at unix:///var/run/docker.sock, Debian GNU/Linux 12 (API 1.48, amd64, cgroup 2, overlay2)\n"
		rest   = "ok     build      images are built with BuildKit\n" +
			"ok     limits     4 CPUs, 8.0 GiB of memory\n" +
			"ok     clock      the engine's clock agrees with this machine's\n"
		disk  = "ok     disk       100.0 GiB free at /state; the engine uses 0.0 GiB\n"
		ports = "ok     ports      the usual loopback ports are free or in use by acalocal\n"
		clean = "ok     leftovers  no dead environment has left anything\n"
		all   = engine + rest + disk + ports + clean
	)
	f := func(name string, edit func(*facts), want string) {
		t.Helper()
		facts := healthy()
		edit(facts)
		var b strings.Builder
		if err := writeDiagnoses(&b, diagnose(facts), false); err != nil {
			t.Fatal(err)
		}
		first, got, _ := strings.Cut(b.String(), "\n")
		if !strings.HasPrefix(first, "ok     acalocal   "+version.Version) {
			t.Errorf("%s: first line %q", name, first)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	with := func(old, replacement string) string { return strings.Replace(all, old, replacement, 1) }

	f("healthy", func(*facts) {}, all)
	f("no engine", func(f *facts) {
		f.engineErr = container.Errorf(container.CodeUnreachable, "start Docker", "no engine at unix:///x")
	}, "fail   docker     no engine at unix:///x\n                  hint: start Docker\n"+
		"ok     disk       100.0 GiB free at /state\n"+ports+clean)
	f("old engine", func(f *facts) { f.engine.APIVersion = "1.40" },
		with(engine, "warn   docker     Docker Engine 28.0.1 at unix:///var/run/docker.sock, Debian GNU/Linux 12 (API 1.40, amd64, cgroup 2, overlay2)\n"+
			"                  hint: update to Docker Engine 20.10 or newer; older ones are not tried\n"))
	f("rootless", func(f *facts) { f.engine.Rootless = true }, with("overlay2)", "overlay2, rootless)"))
	f("clock", func(f *facts) { f.engine.Clock = f.engine.Clock.Add(-90 * time.Second) },
		with("ok     clock      the engine's clock agrees with this machine's\n",
			"warn   clock      the engine's clock is -1m30s off: log lines and requests will not be in order\n"+
				"                  hint: restart Docker Desktop, or synchronise the clock of the engine's machine\n"))
	f("little disk", func(f *facts) { f.free = 1 << 30 }, with(disk,
		"warn   disk       1.0 GiB free at /state; the engine uses 0.0 GiB\n"+
			"                  hint: images and logs may not fit; free space, for instance with \"docker system prune\"\n"))
	f("full disk", func(f *facts) { f.free = 1 << 20 }, with(disk,
		"fail   disk       0.0 GiB free at /state; the engine uses 0.0 GiB\n"+
			"                  hint: free space, for instance with \"docker system prune\"\n"))
	f("no state directory", func(f *facts) { f.homeErr = errors.New("find the state directory: no home") },
		engine+rest+"warn   disk       find the state directory: no home\n"+ports)
	f("port taken", func(f *facts) { f.ports[0].taken = true }, with(ports,
		"warn   ports      in use by another program: 8080; others will be taken instead\n"+
			"                  hint: \"acalocal status\" names the ports in use; --port fixes that of an app\n"))
	f("leftovers", func(f *facts) {
		f.files, f.running = []string{"dead", "live"}, []string{"live"}
		f.tests, f.testing = []string{"t-1"}, []string{"t-2"}
		f.held = []docker.Environment{
			{Name: "dead", Schema: "1", Containers: 2, Running: 1, Networks: []string{"n"}},
			{Name: "live", Schema: "1"}, {Name: "t-1", Schema: "1", Containers: 2, Networks: []string{"n"}}, {Name: "t-2", Schema: "1", Containers: 2}, {Name: "other", Schema: "1", Containers: 3}, {Name: "old", Schema: "0"},
		}
	}, with(clean,
		"warn   leftovers  environment dead has no daemon but has left files, 2 containers (1 running), 1 networks, 0 volumes\n"+
			"                  hint: \"acalocal up --env dead\" takes it up again; \"acalocal down --env dead\" removes it\n"+
			"warn   leftovers  a test that was killed has left environment t-1: files, 2 containers (0 running), 1 networks, 0 volumes\n"+
			"                  hint: the next test on this engine removes it, or \"acalocal doctor --fix\"\n"+
			"warn   leftovers  the engine holds environment other (3 containers, 0 running), whose daemon is not this user's\n"+
			"                  hint: if nobody else uses it, \"acalocal down --env other\" removes it\n"+
			"warn   leftovers  the engine holds environment old of another version of acalocal (labels \"0\")\n"+
			"                  hint: use that version to remove it\n"))
}

func TestFreeSpaceOfADirectoryThatExists(t *testing.T) {
	free, err := freeSpace(nearestDir("/no/such/directory"))
	if err != nil || free == 0 {
		t.Errorf("got %d, %v", free, err)
	}
}

func TestPortsAreAskedFor(t *testing.T) {
	if isTaken(0) {
		t.Error("port 0 is never taken")
	}
}
