package kql_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
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
			case <-time.After(time.Minute):
				t.Fatal("still running a minute after its context ended")
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

func TestLimitsCutAResult(t *testing.T) {
	const words = ", so not all records were returned (E_QUERY_RESULT_SET_TOO_LARGE, 0x80DA0003). See https://aka.ms/kustoquerylimits for more information and possible solutions."
	const records, bytes = "The results of this query exceed the set limit of %s records" + words, "The results of this query exceed the set limit of %s bytes" + words
	numbers := `range x from 1 to 100000 step 1` // 10 bytes each
	texts := `range x from 1 to 100000 step 1 | project s = strcat("0123456", x % 10)`
	for _, c := range []struct {
		name, text string
		limits     kql.Limits
		rows       []int // of each table
		want       string
	}{
		{"fits", numbers, kql.Limits{MaxRows: 100000, MaxBytes: 1000000}, []int{100000}, ""},
		{"rows", numbers, kql.Limits{MaxRows: 10000}, []int{10000}, strings.Replace(records, "%s", "10000", 1)},
		{"bytes", numbers, kql.Limits{MaxBytes: 99999}, []int{9999}, strings.Replace(bytes, "%s", "99999", 1)},
		{"bytes of text", texts, kql.Limits{MaxBytes: 110}, []int{10}, strings.Replace(bytes, "%s", "110", 1)},
		{"bytes of few texts", texts + ` | summarize by s`, kql.Limits{MaxBytes: 50}, []int{4}, strings.Replace(bytes, "%s", "50", 1)},
		{"bytes of dynamics", `range x from 1 to 10 step 1 | project d = pack("a", "xyz")`, kql.Limits{MaxBytes: 50}, []int{2}, strings.Replace(bytes, "%s", "50", 1)},
		{"whichever is first", numbers, kql.Limits{MaxRows: 100, MaxBytes: 99}, []int{9}, strings.Replace(bytes, "%s", "99", 1)},
		{"none", `range x from 1 to 600000 step 1 | extend s = strrep("0123456789", 20)`, kql.NoLimits, []int{600000}, ""},
		{"all tables together", numbers + ` | fork a = (take 60) b = (take 60)`, kql.Limits{MaxRows: 100}, []int{60, 40}, strings.Replace(records, "%s", "100", 1)},
		{"nothing is left", numbers + ` | fork a = (take 100) b = (take 60)`, kql.Limits{MaxRows: 100}, []int{100, 0}, strings.Replace(records, "%s", "100", 1)},
		{"default rows", `range x from 1 to 500001 step 1`, kql.Limits{}, []int{500000}, strings.Replace(records, "%s", "500000", 1)},
		{"default bytes", `range x from 1 to 10000 step 1 | project s = strrep("0123456789", 1024)`, kql.Limits{}, []int{6248}, strings.Replace(bytes, "%s", "64000000", 1)},
		{"set rows", `set truncationmaxrecords = 7; ` + numbers, kql.Limits{}, []int{7}, strings.Replace(records, "%s", "7", 1)},
		{"set more rows", `set truncationmaxrecords=200; ` + numbers, kql.Limits{MaxRows: 7}, []int{200}, strings.Replace(records, "%s", "200", 1)},
		{"set bytes", `set truncationmaxsize = 2 * 20; ` + numbers, kql.Limits{}, []int{4}, strings.Replace(bytes, "%s", "40", 1)},
		{"set none", `set notruncation; ` + numbers, kql.Limits{MaxRows: 7, MaxBytes: 70}, []int{100000}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			res, err := kql.Query(context.Background(), kql.Tables{}, c.text, kql.Options{Limits: c.limits})
			if err != nil {
				t.Fatal(err)
			}
			var rows []int
			for _, table := range res.Tables {
				rows = append(rows, table.Rows())
			}
			if !slices.Equal(rows, c.rows) {
				t.Errorf("%d rows, want %d", rows, c.rows)
			}
			got := ""
			if res.Partial != nil {
				got = res.Partial.Error()
			}
			if got != c.want {
				t.Errorf("partial: %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestALimitThatIsNoneIsAFault(t *testing.T) {
	for _, c := range []struct{ set, want string }{
		{`set truncationmaxrecords = "7"`, "KQL021: 'set truncationmaxrecords' needs a whole number, 1 or more."},
		{`set truncationmaxrecords`, "KQL021: 'set truncationmaxrecords' needs a whole number, 1 or more."},
		{`set truncationmaxsize = 0`, "KQL021: 'set truncationmaxsize' needs a whole number, 1 or more."},
		{`set truncationmaxsize = long(null)`, "KQL021: 'set truncationmaxsize' needs a whole number, 1 or more."},
	} {
		_, err := kql.Query(context.Background(), kql.Tables{}, c.set+"; print 1", kql.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.set, err, c.want)
		}
	}
}

// textTable has blocks of a thousand bytes a row, each the part of one text. It
// notes in peak how much memory is in use while it is read.
type textTable struct {
	blocks int
	peak   *int64
}

func (textTable) Schema() kql.Schema { return kql.Schema{{Name: "s", Type: kql.String}} }

func (t textTable) Scan(context.Context, kql.ScanRequest) (kql.Scanner, error) { return &t, nil }

func (t *textTable) Next(context.Context) (*kql.Block, error) {
	*t.peak = max(*t.peak, heap())
	if t.blocks--; t.blocks < 0 {
		return nil, nil
	}
	const width = 1000
	text := strings.Repeat("x", width*kql.BlockRows-1) + "y"
	strs := make([]string, kql.BlockRows)
	for i := range strs {
		strs[i] = text[i*width : (i+1)*width]
	}
	return &kql.Block{Rows: len(strs), Columns: []*kql.Vector{{Type: kql.String, Strs: strs}}}, nil
}

func (*textTable) Close() error { return nil }

// TestAQueryHoldsOnToItsRowsAlone reads 800 MB of text.
func TestAQueryHoldsOnToItsRowsAlone(t *testing.T) {
	for _, c := range []struct {
		text    string
		rows    int
		partial bool
	}{
		{"T", 63808, true},
		{"T | extend d = bag_pack('a', s) | project d", 63116, true},
		{"T | where extract('.(y)', 1, s) == 'y'", 100, false},
		{"T | where extract('.(y)', 1, s) == 'y' | sort by s", 100, false},
		{"T | where extract('.(y)', 1, s) == 'y' | project d = bag_pack('a', pack_array(s))", 100, false},
	} {
		t.Run(c.text, func(t *testing.T) {
			before, peak := heap(), int64(0)
			res, err := kql.Query(context.Background(), kql.Tables{"T": textTable{100, &peak}}, c.text, kql.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if grown := max(peak, heap()) - before; grown > 100<<20 {
				t.Errorf("the query took %d MB", grown>>20)
			}
			if n := res.Tables[0].Rows(); n != c.rows || (res.Partial != nil) != c.partial {
				t.Errorf("%d rows, want %d; partial: %v", n, c.rows, res.Partial)
			}
		})
	}
}

// heap returns how many bytes are in use.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
