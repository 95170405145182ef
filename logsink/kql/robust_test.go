package kql_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// samples are arguments a hostile or careless query may pass, by type.
var samples = map[string][]string{
	"bool":     {"true", "false", "bool(null)"},
	"int":      {"int(3)", "int(-1)", "int(null)", "int(2147483647)"},
	"long":     {"0", "1", "7", "-3", "long(null)", "9223372036854775807", "long(-9223372036854775808)"},
	"real":     {"0.0", "1.5", "-2.25", "real(nan)", "real(+inf)", "real(-inf)", "real(null)", "1e308"},
	"decimal":  {"decimal(1.5)", "decimal(-3)", "decimal(0)", "decimal(null)"},
	"string":   {`""`, `"a"`, `"Hello, wörld"`, `"10.1.2.3/8"`, `"("`, `"day"`, `"{\"a\":[1]}"`, `"2025-11-24"`, `"\\"`, `"%zz"`, `"<a><b/></a>"`},
	"datetime": {"datetime(2025-11-24 10:11:12.1234567)", "datetime(0001-01-01)", "datetime(9999-12-31T23:59:59.9999999Z)", "datetime(null)"},
	"timespan": {"1h", "0s", "-1d", "timespan(null)", "time(10675199.02:48:05.4775807)"},
	"guid":     {"guid(74be27de-1e4e-49d9-b579-fe0b331d3642)", "guid(null)"},
	"dynamic": {"dynamic(null)", "dynamic([])", "dynamic({})", "dynamic([1,2.5,null])", `dynamic(["a",true,[1]])`, `dynamic({"a":{"b":1}})`,
		`dynamic("x")`, "dynamic(5)", "dynamic([0,0])"},
}

// classes are the parameter words that stand for several types.
var classes = map[string][]string{
	"any": {"bool", "long", "real", "string", "datetime", "timespan", "guid", "dynamic", "decimal"}, "T": {"long", "string", "dynamic", "real"},
	"number": {"int", "long", "real", "decimal"}, "integer": {"int", "long"}, "summable": {"long", "real", "timespan"},
	"orderable": {"long", "real", "string", "datetime"}, "bag": {"dynamic"}, "scalar": {"long", "string"},
}

func sampleOf(rng *rand.Rand, word string) string {
	word = strings.TrimPrefix(word, "!")
	alts := strings.Split(word, "|")
	word = alts[rng.IntN(len(alts))]
	if types, ok := classes[word]; ok {
		word = types[rng.IntN(len(types))]
	}
	list := samples[word]
	return list[rng.IntN(len(list))]
}

// callOf makes a call of a function by one of its overloads.
func callOf(rng *rand.Rand, name, sig string) string {
	alts := strings.Split(sig, ";")
	params, _, _ := strings.Cut(alts[rng.IntN(len(alts))], "->")
	var args []string
	for _, p := range strings.Split(params, ",") {
		p = strings.TrimSpace(p)
		optional := strings.HasSuffix(p, "?")
		p = strings.TrimSuffix(p, "?")
		variadic := strings.HasSuffix(p, "...")
		p = strings.TrimSuffix(p, "...")
		if p == "" || optional && rng.IntN(2) == 0 {
			break
		}
		args = append(args, sampleOf(rng, p))
		for variadic && rng.IntN(2) == 0 {
			args = append(args, sampleOf(rng, p))
		}
	}
	return name + "(" + strings.Join(args, ", ") + ")"
}

// mustNotPanic runs a query; any outcome but a bug is fine.
func mustNotPanic(t *testing.T, text string) {
	t.Helper()
	_, err := kql.Query(context.Background(), kql.Tables{}, text, kql.Options{MemoryBudget: 4 << 20, Timeout: 5 * time.Second})
	var bug *kql.PanicError
	if errors.As(err, &bug) {
		t.Fatalf("%s: %v\n%s", text, bug, bug.Stack)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("%s: %v", text, err)
	}
}

func TestNoArgumentMakesAFunctionPanic(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	for _, e := range kql.Reference()["functions"] {
		if !e.Supported {
			continue
		}
		sig := e.Signature
		if !strings.Contains(sig, "->") {
			sig = "any?, any?, any?, any? -> any" // a form of its own
		}
		for range 12 {
			call := callOf(rng, e.Name, sig)
			mustNotPanic(t, "print "+call)
			// Once more over columns, where nothing is folded.
			mustNotPanic(t, fmt.Sprintf("range i from 1 to 3 step 1 | extend x = iff(i == 2, %s, %s) | project tostring(x)", call, call))
		}
	}
}

func TestNoArgumentMakesAnAggregatePanic(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for _, e := range kql.Reference()["aggregates"] {
		for range 40 {
			call := callOf(rng, e.Name, e.Signature)
			mustNotPanic(t, "range i from 1 to 3 step 1 | summarize "+call+" by i % 2")
			mustNotPanic(t, "range i from 1 to 0 step 1 | summarize "+call)
		}
	}
}

func TestNoColumnToStandForMakesAnAggregatePanic(t *testing.T) {
	for _, e := range kql.Reference()["aggregates"] {
		for _, table := range []string{"Nowhere", "print", "range i from 1 to 3 step 1 | project-away i"} {
			mustNotPanic(t, table+" | summarize "+e.Name+"(*), count()")
			mustNotPanic(t, table+" | summarize "+e.Name+"(1, *) by x")
		}
	}
}

func TestEveryFunctionTakesColumnsThatChange(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for _, e := range kql.Reference()["functions"] {
		if !e.Supported || !strings.Contains(e.Signature, "->") {
			continue
		}
		params, _, _ := strings.Cut(strings.Split(e.Signature, ";")[0], "->")
		var cols, names []string
		for i, p := range strings.Split(params, ",") {
			p = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSpace(p), "?"), "...")
			if p == "" || strings.HasPrefix(p, "!") {
				continue
			}
			name := "c" + itoa(i)
			a, b := sampleOf(rng, p), sampleOf(rng, p)
			cols = append(cols, fmt.Sprintf("%s = iff(i == 1, %s, %s)", name, a, b))
			names = append(names, name)
		}
		if len(cols) == 0 {
			continue
		}
		mustNotPanic(t, "range i from 1 to 3 step 1 | extend "+strings.Join(cols, ", ")+
			" | extend r = "+e.Name+"("+strings.Join(names, ", ")+") | project tostring(r)")
	}
}
