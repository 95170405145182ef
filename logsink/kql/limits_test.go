package kql_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// endless are queries that would run for years; each leans on another
// operator or function.
var endless = map[string]string{
	"range":       `range x from 1 to 9000000000000000 step 1 | count`,
	"where":       `range x from 1 to 9000000000000000 step 1 | where x < 0`,
	"extend":      `range x from 1 to 9000000000000000 step 1 | extend y = strcat(x, "a") | count`,
	"summarize":   `range x from 1 to 9000000000000000 step 1 | summarize count() by x % 10`,
	"distinct":    `range x from 1 to 9000000000000000 step 1 | distinct a = x % 7`,
	"cross join":  `let T = range x from 1 to 500000 step 1 | extend k = 1; T | join kind=inner T on k | count`,
	"semi join":   `range x from 1 to 9000000000000000 step 1 | join kind=leftanti (range x from 1 to 2 step 1) on x | count`,
	"top":         `range x from 1 to 9000000000000000 step 1 | top 3 by x`,
	"mv-expand":   `range x from 1 to 9000000000000000 step 1 | mv-expand y = range(1, 1000) | count`,
	"mv-apply":    `range x from 1 to 9000000000000000 step 1 | extend a = range(1, 50) | mv-apply a on (count) | count`,
	"parse":       `range x from 1 to 9000000000000000 step 1 | extend s = tostring(x) | parse s with a:long "x" b | count`,
	"parse-kv":    `range x from 1 to 9000000000000000 step 1 | extend s = "a=1 b=2" | parse-kv s as (a:long) | count`,
	"union":       `union (range x from 1 to 9000000000000000 step 1), (print x = 1) | count`,
	"regex":       `range x from 1 to 9000000000000000 step 1 | where tostring(x) matches regex @"(a|b)*c$" | count`,
	"json":        `range x from 1 to 9000000000000000 step 1 | extend d = parse_json('{"a":[1,2,{"b":3}]}') | extend e = d.a[2].b + x | count`,
	"search":      `range x from 1 to 9000000000000000 step 1 | extend s = tostring(x) | search "zzz" | count`,
	"subquery in": `range x from 1 to 9000000000000000 step 1 | where x in ((range y from 1 to 9000000000000000 step 1 | where y < 0))`,
	"toscalar":    `print toscalar(range y from 1 to 9000000000000000 step 1 | summarize max(y))`,
	"bag_unpack":  `range x from 1 to 9000000000000000 step 1 | summarize d = take_any(bag_pack("a", x)) | evaluate bag_unpack(d)`,
	"doubling":    `let a = union (print x = 1), (print x = 2);` + doubling("a", 40) + `z39 | count`,
}

// doubling declares tables that are each the union of the one before with
// itself.
func doubling(first string, n int) string {
	var b strings.Builder
	prev := first
	for i := range n {
		name := "z" + itoa(i)
		b.WriteString("let " + name + " = union " + prev + ", " + prev + ";")
		prev = name
	}
	return b.String()
}

func TestEveryOperatorEndsSoonAfterItsContext(t *testing.T) {
	for name, text := range endless {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() {
				_, err := kql.Query(ctx, kql.Tables{}, text, kql.Options{})
				done <- err
			}()
			select {
			case err := <-done:
				t.Fatalf("ended by itself: %v", err)
			case <-time.After(20 * time.Millisecond):
			}
			cancel()
			select {
			case err := <-done:
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("got %v, want the context's error", err)
				}
			case <-time.After(5 * time.Second):
				t.Fatal("still running 5 s after its context ended")
			}
		})
	}
}

func TestLimitsEndAQueryWithAClearError(t *testing.T) {
	small := kql.Options{MemoryBudget: 8 << 20}
	for _, c := range []struct {
		name, text string
		opts       kql.Options
		want       string
	}{
		{"sort", `range x from 1 to 100000000 step 1 | sort by x desc`, small, "memory budget"},
		{"groups", `range x from 1 to 100000000 step 1 | summarize count() by x`, small, "memory budget"},
		{"make_list", `range x from 1 to 100000000 step 1 | summarize make_list(x) by x % 100`, small, "memory budget"},
		{"dcount", `range x from 1 to 100000000 step 1 | summarize dcount(x)`, small, "memory budget"},
		{"join", `range x from 1 to 100000000 step 1 | join (range x from 1 to 100000000 step 1) on x`, small, "memory budget"},
		{"arrays", `range x from 1 to 100000 step 1 | extend a = range(1, 1000000) | count`, small, ""},
		{"arrays used", `range x from 1 to 100000 step 1 | extend a = range(x, x + 1000000) | where array_length(a) > 0 | count`, small, "memory budget"},
		{"doubling text", `print s = "0123456789" ` + strings.Repeat(`| extend s = strcat(s, s) `, 40) + `| project strlen(s)`, kql.Options{}, "text"},
		{"timeout", `range x from 1 to 9000000000000000 step 1 | count`, kql.Options{Timeout: 20 * time.Millisecond}, "time limit"},
		{"long series", `range t from datetime(2020-01-01) to datetime(2025-01-01) step 1d | make-series count() on t from datetime(2000-01-01) to datetime(2025-01-01) step 1s`, kql.Options{}, "limit of 1048576"},
		{"deep parentheses", `print ` + strings.Repeat("(", 10000) + "1" + strings.Repeat(")", 10000), kql.Options{}, "too deeply"},
		{"deep json", `print ` + "dynamic(" + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + ")", kql.Options{}, "too deeply"},
		{"deep minus", `print ` + strings.Repeat("-", 10000) + "1", kql.Options{}, "too deeply"},
		{"long or", `print ` + strings.Repeat("true or ", 100000) + "false", kql.Options{}, "too deeply"},
		{"calls", `let f = (x:long) { x + 1 };` + exponentialCalls(20) + `print g20(1)`, kql.Options{}, "more than 10000 times"},
		{"recursion", `let f = (x:long) { f(x) }; print f(1)`, kql.Options{}, "f"},
		{"text", strings.Repeat(" ", 3<<20) + "print 1", kql.Options{}, "longer than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := kql.Query(context.Background(), kql.Tables{}, c.text, c.opts)
			switch {
			case c.want == "" && err != nil:
				t.Fatal(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
			var bug *kql.PanicError
			if errors.As(err, &bug) {
				t.Fatalf("%v\n%s", bug, bug.Stack)
			}
		})
	}
}

func exponentialCalls(n int) string {
	var b strings.Builder
	prev := "f"
	for i := 1; i <= n; i++ {
		name := "g" + itoa(i)
		b.WriteString("let " + name + " = (x:long) { " + prev + "(x) + " + prev + "(x) };")
		prev = name
	}
	return b.String()
}

func TestRowLimitGivesAPartialResult(t *testing.T) {
	res, err := kql.Query(context.Background(), kql.Tables{}, `range x from 1 to 100000 step 1`, kql.Options{MaxRows: 10000})
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Tables[0].Rows(); got != 10000 {
		t.Errorf("%d rows, want 10000", got)
	}
	if res.Partial == nil || !strings.Contains(res.Partial.Error(), "more than 10000 rows") {
		t.Errorf("partial: %v", res.Partial)
	}
}
