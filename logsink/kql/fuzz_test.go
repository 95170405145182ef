package kql_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// seedQueries are the queries of the test data.
func seedQueries(tb testing.TB) []string {
	tb.Helper()
	var out []string
	for _, file := range []string{"testdata/cases.jsonl", "testdata/rejects.jsonl"} {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		sc := bufio.NewScanner(bytes.NewReader(data))
		sc.Buffer(nil, 1<<22)
		for sc.Scan() {
			var c struct{ Query string }
			if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
				tb.Fatal(err)
			}
			out = append(out, c.Query)
		}
	}
	corpus, err := os.ReadFile("testdata/corpus.txt")
	if err != nil {
		tb.Fatal(err)
	}
	return append(out, strings.Split(string(corpus), "\n---\n")...)
}

// checkStable wants the printed form to print as itself again.
func checkStable(t *testing.T, text string) {
	t.Helper()
	once, err := kql.Format(text)
	if err != nil {
		return // not a query
	}
	twice, err := kql.Format(once)
	if err != nil {
		t.Fatalf("the printed form does not parse: %v\nfrom %q\nprinted %q", err, text, once)
	}
	if once != twice {
		t.Fatalf("the printed form changes when printed again\nfrom  %q\nonce  %q\ntwice %q", text, once, twice)
	}
}

func TestPrinterIsStableOnEveryQueryOfTheTestData(t *testing.T) {
	for _, q := range seedQueries(t) {
		checkStable(t, q)
	}
}

func TestPrintedQueriesBindAsTheirOriginals(t *testing.T) {
	cat := workspaceTables()
	for _, q := range seedQueries(t) {
		printed, err := kql.Format(q)
		if err != nil {
			continue
		}
		want, err1 := kql.Check(cat, q, kql.Options{})
		got, err2 := kql.Check(cat, printed, kql.Options{})
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if codes(got) != codes(want) {
			t.Errorf("printing changes the meaning\n%s\n%s\n got %v\nwant %v", q, printed, got, want)
		}
	}
}

func codes(ds kql.Diagnostics) string {
	var b strings.Builder
	for _, d := range ds {
		b.WriteString(d.Code + " " + d.Message + "\n")
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	for _, q := range seedQueries(f) {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, text string) { checkStable(t, text) })
}

// FuzzQuery runs anything that binds: no text may make the engine panic.
func FuzzQuery(f *testing.F) {
	for _, q := range seedQueries(f) {
		f.Add(q)
	}
	cat := workspaceTables()
	f.Fuzz(func(t *testing.T, text string) {
		_, err := kql.Query(context.Background(), cat, text,
			kql.Options{Timeout: 200 * time.Millisecond, MemoryBudget: 16 << 20, Limits: kql.Limits{MaxRows: 1000}})
		var bug *kql.PanicError
		if errors.As(err, &bug) {
			t.Fatalf("%q: %v\n%s", text, bug, bug.Stack)
		}
	})
}

func FuzzParseDynamic(f *testing.F) {
	for _, s := range []string{`{"a":[1,2.5,"x",null,true]}`, `[]`, `"A\n"`, `-0.5e3`, `{"a":{"b":{}}}`, `1e999`, `9223372036854775808`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := kql.ParseDynamic(text)
		if !ok {
			return
		}
		out := string(kql.AppendJSON(nil, v))
		w, ok := kql.ParseDynamic(out)
		if !ok {
			t.Fatalf("%q was written as %q, which does not parse", text, out)
		}
		if again := string(kql.AppendJSON(nil, w)); again != out {
			t.Fatalf("%q was written as %q and then as %q", text, out, again)
		}
	})
}

func FuzzParseDateTime(f *testing.F) {
	for _, s := range []string{"2025-11-24T10:11:12.1234567Z", "2025-11-24", "12-02-2022", "Mon, 24 Nov 2025 10:11:12 GMT", "9999-12-31T23:59:59.9999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := kql.ParseDateTime(text)
		if !ok {
			return
		}
		if w, ok := kql.ParseDateTime(v.String()); !ok || w != v {
			t.Fatalf("%q reads as %s, which reads as %s", text, v, w)
		}
	})
}

func FuzzParseTimeSpan(f *testing.F) {
	for _, s := range []string{"1.02:03:04.5", "00:00:01", "15s", "-1d", "3", "1.5h", "10675199.02:48:05.4775807"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := kql.ParseTimeSpan(text)
		if !ok {
			return
		}
		if w, ok := kql.ParseTimeSpan(v.String()); !ok || w != v {
			t.Fatalf("%q reads as %s, which reads as %s", text, v, w)
		}
	})
}

func FuzzParseDec(f *testing.F) {
	for _, s := range []string{"1.5", "-0.001", "1e10", "123456789012345678901234567890.12345", "1e-30"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := kql.ParseDec(text)
		if !ok {
			return
		}
		if w, ok := kql.ParseDec(v.String()); !ok || w.Cmp(v) != 0 {
			t.Fatalf("%q reads as %s, which reads as %v", text, v, w)
		}
	})
}
