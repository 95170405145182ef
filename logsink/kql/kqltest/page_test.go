package kqltest

import (
	"os"
	"strings"
	"testing"
)

func TestTheReferencePageIsUpToDate(t *testing.T) {
	s, err := Score(dir)
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../../../docs/kql.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != Page(s) {
		t.Error("docs/kql.md is not what the code says; run: go run ./logsink/kql/internal/conformance")
	}
}

func TestEveryFunctionOnThePageHasOneLine(t *testing.T) {
	page := Page(&Scores{Cases: NewTally(), Rejects: NewTally(), Corpus: NewTally()})
	for _, name := range []string{"| `tostring` |", "| `mv-expand` |", "| `arg_max` |", "| `bag_unpack` |"} {
		if strings.Count(page, name) != 1 {
			t.Errorf("%s is there %d times", name, strings.Count(page, name))
		}
	}
}
