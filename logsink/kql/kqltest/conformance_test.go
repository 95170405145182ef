package kqltest

import "testing"

const dir = "../testdata"

func TestCasesGiveTheDocumentedResult(t *testing.T) {
	cases, err := Cases(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			err := c.Run()
			reason, known := Known[c.Name]
			switch {
			case known && err == nil:
				t.Error("passes now; take it out of Known")
			case known:
				t.Skip(reason)
			case err != nil:
				t.Errorf("%s\n%v", c.Query, err)
			}
		})
	}
}

func TestRejectsAreRejectedWhereAndAsTheLanguageServiceDoes(t *testing.T) {
	rejects, err := Rejects(dir)
	if err != nil {
		t.Fatal(err)
	}
	sameCode := 0
	for _, r := range rejects {
		v, diags, err := r.Run()
		switch {
		case err != nil:
			t.Errorf("%s: %v", r.Name, err)
		case v < Overlaps:
			t.Errorf("%s: %s\n got %v\nwant %v", r.Name, r.Query, diags, r.Diagnostics)
		case v < SameText:
			t.Logf("%s: %s\n got %v\nwant %v", r.Name, r.Query, diags, r.Diagnostics)
		}
		if v >= SameCode {
			sameCode++
		}
	}
	if sameCode*10 < len(rejects)*9 {
		t.Errorf("%d of %d have the expected code, want at least 90 %%", sameCode, len(rejects))
	}
}

func TestQueriesFromTheWildBind(t *testing.T) {
	corpus, err := Corpus(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range corpus {
		if err := w.Run(); err != nil {
			t.Errorf("corpus.txt:%d: %v\n%s", w.Line, err, w.Query)
		}
	}
}
