// Package deps holds the packages to the order of docs/architecture.md: who
// may import whom, and why not.
package deps

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/acalocal/acalocal/"

// rule forbids imports: in packages below from, of packages below any of to.
type rule struct {
	from    string   // path below the module; "" is every package
	except  []string // packages below from that may
	to      []string // full import paths, or paths of ours with a leading "./"
	because string
}

var rules = []rule{
	{"emulator/aca", nil, []string{"./"}, "the words of ACA are plain data that anyone may import"},
	{"ingress", nil, []string{"./"}, "the edge is a leaf: the core compiles its table"},
	{"probes", []string{"probes/check"}, []string{"./emulator", "./ingress", "./logsink", "./internal"}, "the prober is a leaf: the core compiles its targets"},
	{"logsink/kql", nil, []string{"./emulator", "./ingress", "./probes", "./internal"}, "the language knows no store and no emulator"},
	{"logsink", nil, []string{"./emulator", "./ingress", "./probes", "./internal"}, "the store takes records and knows nobody who writes them"},
	{"internal/telemetry/endpoint", nil, []string{"./"}, "names are a leaf"},
	{"internal/telemetry", nil, []string{"./emulator", "./ingress", "./internal/core", "./internal/daemon"}, "the endpoint knows the store's records and nobody who serves it"},
	{"internal/otlp", nil, []string{"./emulator", "./ingress", "./internal"}, "the exporter knows the store's rows and nobody who runs it"},
	{"internal/scale", nil, []string{"./"}, "the arithmetic of scaling is pure"},
	{"internal/scaler", nil, []string{"./emulator", "./ingress", "./logsink", "./internal/core", "./internal/daemon", "./internal/docker", "./internal/api", "./internal/cli"}, "scalers read metrics and know nobody who decides by them"},
	{"internal/home", nil, []string{"./"}, "paths are a leaf"},
	{"internal/container", []string{"internal/container/runtimetest", "internal/container/containertest"}, []string{"./"}, "the port to a container engine names no engine and nobody who uses it"},
	{"internal/core", []string{"internal/core/coretest"}, []string{"context", "net", "net/http", "os", "sync", "sync/atomic", "time/tzdata"}, "decisions are pure: what blocks lives around them"},
	{"internal/core", nil, []string{"./internal/docker", "./internal/daemon", "./internal/api", "./internal/scaler", "./logsink"}, "the core gives orders and knows nobody who carries them out"},
	{"internal/agent/holder", nil, []string{"net/http", "crypto/tls", "encoding/json"}, "the program in every replica stays small"},
	{"internal/agent/standin", nil, []string{"./", "net/http", "crypto/tls", "encoding/json"}, "the program in every replica stays small, and plays without it"},
	{"", []string{"internal/docker"}, []string{"github.com/moby/moby", "github.com/moby/buildkit"}, "one package knows the Docker client"},
	{"emulator", []string{"emulator/emulatortest"}, []string{"./internal/docker", "./internal/daemon", "./internal/cli", "./internal/api"}, "the engine is plugged in by the daemon"},
	{"internal/api", nil, []string{"./internal/daemon", "./internal/docker", "./internal/cli", "./internal/core"}, "the API asks through the interfaces it declares"},
	{"internal/client", nil, []string{"./internal/daemon", "./internal/docker", "./internal/core"}, "a client knows the wire alone"},
	{"internal/explain", nil, []string{"./internal/daemon", "./internal/docker", "./internal/core", "./internal/cli"}, "verdicts are pure: evidence is handed in"},
}

// pkg is what "go list" says of a package.
type pkg struct {
	ImportPath string
	Imports    []string
}

func TestPackagesKeepToTheArchitecture(t *testing.T) {
	for _, p := range list(t, module+"...") {
		for _, r := range rules {
			for _, broken := range r.broken(p) {
				t.Errorf("%s imports %s: %s", strings.TrimPrefix(p.ImportPath, module), strings.TrimPrefix(broken, module), r.because)
			}
		}
	}
}

// broken are the imports of p that r forbids. A package may import what is
// below itself.
func (r rule) broken(p pkg) []string {
	if !below(p.ImportPath, module+r.from) || slices.ContainsFunc(r.except, func(e string) bool { return below(p.ImportPath, module+e) }) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.Imports), func(i string) bool {
		own := r.from != "" && below(i, module+r.from)
		return own || !slices.ContainsFunc(r.to, func(to string) bool { return r.matches(i, to) })
	})
}

func (rule) matches(path, to string) bool {
	if ours, ok := strings.CutPrefix(to, "./"); ok {
		return below(path, module+ours)
	}
	return path == to || strings.HasPrefix(path, to+"/") && strings.Contains(to, ".")
}

func below(path, dir string) bool {
	dir = strings.TrimSuffix(dir, "/")
	return path == dir || strings.HasPrefix(path, dir+"/")
}

// list returns the packages that "go list" with the given arguments names.
func list(t *testing.T, args ...string) (out []pkg) {
	t.Helper()
	text, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	for {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return out
		} else if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
}

func TestARuleThatIsBrokenIsSeen(t *testing.T) {
	r := rule{from: "internal/core", to: []string{"net/http", "./logsink"}}
	p := pkg{ImportPath: module + "internal/core", Imports: []string{"net/http", "net", module + "logsink/kql", module + "internal/core/sub"}}
	want := []string{"net/http", module + "logsink/kql"}
	if got := r.broken(p); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// A program that reaches text/template calls methods by names known at run time
// only, so the linker has to keep every method of every type: a quarter of the
// program. Cobra imports it for templates of help texts, which we do not set.
func TestReleasesReachNoTemplates(t *testing.T) {
	for _, p := range list(t, "-deps", "-tags", "grpcnotrace", module+"cmd/acalocal") {
		for _, i := range p.Imports {
			if (i == "text/template" || i == "html/template") && p.ImportPath != "github.com/spf13/cobra" {
				t.Errorf("%s imports %s: see docs/decisions/0710", p.ImportPath, i)
			}
		}
	}
}
