package kqltest

import (
	"fmt"
	"sort"
	"strings"

	"github.com/acalocal/acalocal/logsink/kql"
)

// Scores is how much of the data passes, by category.
type Scores struct {
	Cases, Rejects, Corpus *Tally
	// Codes and Texts count the rejects whose first diagnostic has the
	// expected code, and the expected code and text.
	Codes, Texts int
	// Failures are what does not pass and is not in Known.
	Failures []string
}

// Score runs everything in dir.
func Score(dir string) (*Scores, error) {
	s := &Scores{Cases: NewTally(), Rejects: NewTally(), Corpus: NewTally()}
	cases, err := Cases(dir)
	if err != nil {
		return nil, err
	}
	for _, c := range cases {
		err := c.Run()
		s.Cases.Add(c.Category, err == nil)
		if _, known := Known[c.Name]; err != nil && !known {
			s.Failures = append(s.Failures, c.Name+": "+err.Error())
		}
	}
	rejects, err := Rejects(dir)
	if err != nil {
		return nil, err
	}
	for _, r := range rejects {
		s.reject(&r)
	}
	corpus, err := Corpus(dir)
	if err != nil {
		return nil, err
	}
	for _, w := range corpus {
		err := w.Run()
		kind := "binds"
		if w.Expect != "" {
			kind = "fails as expected"
		}
		s.Corpus.Add(kind, err == nil)
		if err != nil {
			s.Failures = append(s.Failures, fmt.Sprintf("corpus line %d: %v", w.Line, err))
		}
	}
	return s, nil
}

func (s *Scores) reject(r *Reject) {
	v, diags, err := r.Run()
	s.Rejects.Add(r.Category, v >= Overlaps)
	if v >= SameCode {
		s.Codes++
	}
	if v >= SameText {
		s.Texts++
	}
	if v < Overlaps {
		s.Failures = append(s.Failures, fmt.Sprintf("%s: got %v, %v", r.Name, diags, err))
	}
}

// String prints the tallies.
func (s *Scores) String() string {
	var b strings.Builder
	for _, part := range []struct {
		name  string
		tally *Tally
	}{{"cases", s.Cases}, {"rejects", s.Rejects}, {"corpus", s.Corpus}} {
		passed, total := part.tally.Sum()
		fmt.Fprintf(&b, "%s %d/%d\n%s", part.name, passed, total, part.tally)
	}
	_, rejects := s.Rejects.Sum()
	fmt.Fprintf(&b, "rejects with the expected code %d/%d, and text %d/%d\n", s.Codes, rejects, s.Texts, rejects)
	return b.String()
}

const pageHead = `# KQL

<!-- Written by go run ./logsink/kql/internal/conformance; do not edit. -->

acalocal runs the Kusto Query Language as Azure Monitor does: the query you paste from a runbook, an alert or a
workbook gives the same columns, names, types, nulls and errors here.

` + "```" + `sh
acalocal kql eval 'print Hello = strcat("K", "QL")'
docker logs app 2>&1 | acalocal kql eval --data L=- 'L | where line has "error" | count'
acalocal kql eval --data R=requests.csv --format markdown 'R | summarize count() by status'
acalocal kql check 'ContainerAppConsoleLogs_CL | where log_s has "x"'
acalocal kql fmt -f query.kql
` + "```" + `

Files ending in ` + "`.jsonl`, `.csv` and `.tsv`" + ` are read as tables with typed columns; any other file, and stdin, is lines of
text in the column ` + "`line`" + `. The tables of a Log Analytics workspace are known, without rows, so that a query
about them can be checked anywhere.

What is not supported is named as such, with its place in the query; it is never taken for something else.
Where the service estimates (dcount, percentile, hll, tdigest), acalocal computes exactly. The limits of a query are those of
Azure Monitor: 500,000 rows and 64 MB unless set statements (truncationmaxrecords, truncationmaxsize, notruncation) say
otherwise, ten minutes, and 1 GB of memory.
`

// Page returns the reference page.
func Page(s *Scores) string {
	var b strings.Builder
	b.WriteString(pageHead)
	ref := kql.Reference()
	for _, kind := range []string{"operators", "functions", "aggregates", "plug-ins"} {
		writeKind(&b, kind, ref[kind])
	}
	b.WriteString("\n## Conformance\n\n| data | passed | of |\n| --- | ---: | ---: |\n")
	for _, part := range []struct {
		name  string
		tally *Tally
	}{{"queries with a documented or derived result", s.Cases}, {"texts the language service rejects", s.Rejects},
		{"queries found in public repositories", s.Corpus}} {
		passed, total := part.tally.Sum()
		fmt.Fprintf(&b, "| %s | %d | %d |\n", part.name, passed, total)
	}
	var known []string
	for name := range Known {
		known = append(known, name)
	}
	sort.Strings(known)
	b.WriteString("\nNot reproduced:\n\n")
	for _, name := range known {
		fmt.Fprintf(&b, "- %s: %s.\n", name, Known[name])
	}
	return b.String()
}

func writeKind(b *strings.Builder, kind string, entries []kql.Entry) {
	var missing []string
	supported := 0
	for _, e := range entries {
		if e.Supported {
			supported++
		} else {
			missing = append(missing, "`"+e.Name+"`")
		}
	}
	fmt.Fprintf(b, "\n## %s\n\n", strings.ToUpper(kind[:1])+kind[1:])
	fmt.Fprintf(b, "%d supported.\n\n| name | |\n| --- | --- |\n", supported)
	for _, e := range entries {
		if e.Supported {
			fmt.Fprintf(b, "| `%s` | %s |\n", e.Name, signature(e.Signature))
		}
	}
	if len(missing) > 0 {
		fmt.Fprintf(b, "\nNot supported: %s.\n", strings.Join(missing, ", "))
	}
}

// signature shows overloads apart, as code.
func signature(s string) string {
	if s == "" || !strings.Contains(s, "->") {
		return s
	}
	var parts []string
	for _, p := range strings.Split(s, ";") {
		p = strings.ReplaceAll(strings.TrimSpace(p), "!", "")
		parts = append(parts, "`"+strings.ReplaceAll(p, "|", " or ")+"`")
	}
	return strings.Join(parts, "<br>")
}
