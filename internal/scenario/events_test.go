package scenario

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// eventRow is a row Azure writes, and where it is seen here or why it is not.
type eventRow struct {
	reason, text, source, why string
	scenarios                 []string
}

// eventRows reads testdata/events.txt and finds each row in the transcripts.
func eventRows(t *testing.T, files []*file) []eventRow {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "events.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var out []eventRow
	for line := range strings.Lines(string(data)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		words := append(strings.Split(line, " | "), "")
		if len(words) < 4 || len(words) > 5 {
			t.Fatalf("row %q", line)
		}
		r := eventRow{reason: words[0], text: words[1], source: words[2], why: words[3]}
		pattern := regexp.MustCompile("(?m)[~!] " + regexp.QuoteMeta(r.reason) + ": " + strings.ReplaceAll(regexp.QuoteMeta(r.text), "…", ".*"))
		for _, f := range files {
			if pattern.MatchString(f.section("want")) {
				r.scenarios = append(r.scenarios, f.id)
			}
		}
		out = append(out, r)
	}
	return out
}

// TestEveryEventRowArisesOrSaysWhyNot holds docs/events.md to the transcripts:
// a row of Azure's is in one of them, or there is a reason.
func TestEveryEventRowArisesOrSaysWhyNot(t *testing.T) {
	rows := eventRows(t, load(t))
	for _, r := range rows {
		switch {
		case len(r.scenarios) == 0 && r.why == "":
			t.Errorf("%s: %s: is in no transcript, and nothing says why", r.reason, r.text)
		case len(r.scenarios) > 0 && r.why != "":
			t.Errorf("%s: %s: is said not to arise, and does in %v", r.reason, r.text, r.scenarios)
		}
	}
	path := filepath.Join("..", "..", "docs", "events.md")
	want := eventPage(rows)
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("run \"go test ./internal/scenario -update\" (-want +got):\n%s", diff)
	}
}

// TestEveryWrittenReasonIsInTheList wants each reason that a transcript has to
// be one of Azure's.
func TestEveryWrittenReasonIsInTheList(t *testing.T) {
	files := load(t)
	known := map[string]bool{}
	for _, r := range eventRows(t, files) {
		for _, reason := range strings.Split(r.reason, ", ") {
			known[reason] = true
		}
	}
	written := regexp.MustCompile(`(?m)^ *(?:\+[0-9.]+ )?[~!] ([A-Za-z:]+): `)
	for _, f := range files {
		for _, m := range written.FindAllStringSubmatch(f.section("want"), -1) {
			if !known[m[1]] {
				t.Errorf("%s writes %s, which testdata/events.txt does not have", f.id, m[1])
			}
		}
	}
}

func eventPage(rows []eventRow) string {
	var b strings.Builder
	b.WriteString(`# System log rows

What Azure Container Apps writes into the system log of an app, and where acalocal writes it. Generated from
internal/scenario/testdata/events.txt by "go test ./internal/scenario -update"; do not edit. A row that arises is found
in the transcript of each scenario named ([docs/scenarios.md](scenarios.md)); one that does not has its reason.

Sources: *labs* and *lab guides* are of github.com/yeongseon/azure-container-apps-practical-guide, *docs/container-apps* of
github.com/yeongseon/azure-paas-troubleshooting-labs, *issues* of github.com/microsoft/azure-container-apps, *posts* of
azureossd.github.io.

| reason | text | arises | source |
|---|---|---|---|
`)
	arise := 0
	for _, r := range rows {
		where := "no: " + r.why
		if r.why == "" {
			arise++
			where = "in " + strings.Join(r.scenarios[:min(len(r.scenarios), 4)], ", ")
			if n := len(r.scenarios) - 4; n > 0 {
				where += fmt.Sprintf(" and %d more", n)
			}
		}
		cells := []string{r.reason, r.text, where, r.source}
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(slices.Clone(cells), " | "))
	}
	fmt.Fprintf(&b, "\n%d kinds of rows: %d arise, %d do not.\n", len(rows), arise, len(rows)-arise)
	return b.String()
}
