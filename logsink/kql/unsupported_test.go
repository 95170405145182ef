package kql_test

import (
	"testing"

	"github.com/acalocal/acalocal/logsink/kql"
)

// What is not supported is named once, and nothing behind it is blamed for it.
func TestUnsupportedOperatorsAreNamedOnce(t *testing.T) {
	for text, want := range map[string]string{
		`externaldata(a:string)[h@"https://example.com/x.csv"] with(format="csv") | where a == "x" | take 1`:  "externaldata",
		`let x = externaldata(a:string)["https://example.com/x"] | where a != ""; x | summarize count() by a`: "externaldata",
		`print a = "x" | join kind=inner (externaldata(a:string)["https://example.com/x"] | distinct a) on a`: "externaldata",
		`print a = "x" | where a in ((externaldata(a:string)["https://example.com/x"] | project a))`:          "externaldata",
		`print a = 1 | make-graph a --> a | count`:                                                            "make-graph",
	} {
		ds, err := kql.Check(kql.Tables{}, text, kql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(ds) != 1 || ds[0].Code != "KQL003" || ds[0].Message != "The operator '"+want+"' is not supported yet." {
			t.Errorf("%s: %v", text, ds)
		}
	}
}

// Kusto refuses a regular expression without a capturing group; null for every
// row would look like an answer.
func TestExtractAllNeedsGroups(t *testing.T) {
	for text, want := range map[string]int{
		`print extract_all(@"\d+", "1 22")`:                                             1,
		`print extract_all("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)(l)(m)(n)(o)(p)(q)", "x")`: 1,
		`print extract_all(@"(?:\d+)", "1 22")`:                                         1,
		`print extract_all(@"(\d+)", "1 22")`:                                           0,
	} {
		ds, err := kql.Check(kql.Tables{}, text, kql.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(ds) != want || want == 1 && (ds[0].Code != "KQL011" || ds[0].Start != 18 || ds[0].Message != "The regular expression must have 1 to 16 capturing groups.") {
			t.Errorf("%s: %v", text, ds)
		}
	}
}
