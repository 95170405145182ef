package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEveryProbeRuleIsProved holds docs/probes.md to the tests: each rule of
// testdata/probes.txt names tests that exist, or says why it does not hold here.
func TestEveryProbeRuleIsProved(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "probes.txt"))
	if err != nil {
		t.Fatal(err)
	}
	p := &rulePage{T: t, scenarios: map[string]bool{}, sources: map[string]string{}}
	for _, f := range load(t) {
		p.scenarios[f.id] = f.on != ""
	}
	p.b.WriteString(`# Rules of probes

What Azure Container Apps does with probes, and the tests that prove that acalocal does the same. Generated from
internal/scenario/testdata/probes.txt by "go test ./internal/scenario -update"; do not edit. Timing is tested in virtual
time. Upper-case names are of [scenarios](scenarios.md); for the sources see [events.md](events.md).

| rule | source | proved by |
|---|---|---|
`)
	for i, line := range strings.Split(strings.TrimSuffix(string(data), "\n"), "\n") {
		if i < 3 || line[0] == '#' { // the head of the file, and that of a section
			continue
		}
		p.rule(line)
	}
	path := filepath.Join("..", "..", "docs", "probes.md")
	if *update {
		if err := os.WriteFile(path, []byte(p.b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(p.b.String(), string(got)); diff != "" {
		t.Errorf("run \"go test ./internal/scenario -update\" (-want +got):\n%s", diff)
	}
}

// rulePage writes the page and checks what it says.
type rulePage struct {
	*testing.T
	b         strings.Builder
	scenarios map[string]bool   // that run
	sources   map[string]string // of test files that were read
}

func (p *rulePage) rule(line string) {
	words := strings.Split(line, " | ")
	if len(words) != 3 {
		p.Fatalf("rule %q", line)
	}
	if why, not := strings.CutPrefix(words[2], "not: "); not {
		fmt.Fprintf(&p.b, "| %s | %s | not here: %s |\n", words[0], words[1], why)
		return
	}
	var proofs []string
	for proof := range strings.SplitSeq(words[2], "; ") {
		file, text, isTest := strings.Cut(proof, ` "`)
		text = strings.TrimSuffix(text, `"`)
		switch {
		case !isTest && !p.scenarios[proof]:
			p.Errorf("%s: there is no scenario %s that runs", words[0], proof)
		case isTest && !strings.Contains(p.source(file), text):
			p.Errorf("%s: %s has no %q", words[0], file, text)
		case isTest:
			proof = fmt.Sprintf("%s: %s", file, text)
		}
		if !slices.Contains(proofs, proof) {
			proofs = append(proofs, proof)
		}
	}
	fmt.Fprintf(&p.b, "| %s | %s | %s |\n", words[0], words[1], strings.Join(proofs, "; "))
}

// source is the text of a test file, by its path in the module.
func (p *rulePage) source(file string) string {
	if text, ok := p.sources[file]; ok {
		return text
	}
	data, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
	if err != nil {
		p.Errorf("%v", err)
	}
	p.sources[file] = string(data)
	return p.sources[file]
}
