package logsink

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// TestBlocksKeepTheirRowsWhileOthersAreRead holds on to all blocks of a scan,
// whose reader decodes one after the other into the same memory.
func TestBlocksKeepTheirRowsWhileOthersAreRead(t *testing.T) {
	s := shopLogs(t)
	waitSealed(t, s)
	table := mustTable(t, s, "ContainerAppConsoleLogs_CL")
	schema := table.Schema()
	cols := ordinals(t, schema, "_seq_d", "time_t", "ContainerAppName_s", "Stream_s", "Log_s")
	value := func(b *kql.Block, column string, row int) kql.Value {
		return b.Columns[schema.Index(column)].Value(row)
	}
	where := func(column string, op kql.PredicateOp, text string) kql.Predicate {
		return kql.Predicate{Column: schema.Index(column), Op: op, Values: []kql.Value{{Type: kql.String, Str: text}}}
	}
	for name, tt := range map[string]struct {
		preds []kql.Predicate
		rows  int // at least
	}{
		"all":       {nil, 3 * 9000},
		"few":       {[]kql.Predicate{where("Stream_s", kql.OpEqual, "stderr")}, 3 * 9},
		"some":      {[]kql.Predicate{where("Log_s", kql.OpContains, "7 ms")}, 2000},
		"most":      {[]kql.Predicate{where("Log_s", kql.OpContains, "took")}, 3 * 8900},
		"of an app": {[]kql.Predicate{where("ContainerAppName_s", kql.OpEqual, "cart")}, 9000},
	} {
		sc, err := table.Scan(t.Context(), kql.ScanRequest{Columns: cols, Predicates: tt.preds})
		if err != nil {
			t.Fatal(err)
		}
		var blocks []*kql.Block
		for {
			b, err := sc.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			blocks = append(blocks, b)
		}
		if err := sc.Close(); err != nil {
			t.Fatal(err)
		}
		scanRows(t, table, kql.ScanRequest{Columns: cols}) // by readers that have been used
		rows := 0
		for _, b := range blocks {
			for i := range b.Rows {
				seq := int(value(b, "_seq_d", i).Real)
				app, n := []string{"shop", "cart", "mail"}[seq/9000], seq%9000
				at := kql.TicksOf(epoch.Add(time.Duration(n) * 100 * time.Millisecond))
				text := value(b, "Log_s", i).Str
				order := []string{fmt.Sprintf("GET /orders/%d ", n), fmt.Sprintf("ERROR order %d:", n), fmt.Sprintf(`{"level":"Error","order":%d}`, n)}
				stream := Stream(n % 1000 / 999).String()
				if value(b, "time_t", i).Int != int64(at) || value(b, "ContainerAppName_s", i).Str != app || value(b, "Stream_s", i).Str != stream ||
					!strings.HasPrefix(text, order[0]) && !strings.HasPrefix(text, order[1]) && text != order[2] {
					t.Fatalf("%s: row %d of %s is %v, %v, %v, %q", name, n, app,
						value(b, "time_t", i), value(b, "ContainerAppName_s", i), value(b, "Stream_s", i), text)
				}
			}
			rows += b.Rows
		}
		if rows < tt.rows {
			t.Errorf("%s: %d rows, want %d at least", name, rows, tt.rows)
		}
	}
}

// TestTheNewestTimeOfEachNameIsRemembered asks for the newest rows of an app
// that shares blocks with later rows of others.
func TestTheNewestTimeOfEachNameIsRemembered(t *testing.T) {
	s := mustOpen(t, Options{Dir: t.TempDir()})
	for _, part := range []struct {
		app        string
		from, rows int
	}{{"cart", 0, 4000}, {"shop", 4000, 5000}, {"cart", 9000, 9000}} {
		var list []Entry
		for i := range part.rows {
			list = append(list, line(part.from+i, Stdout, "text\n"))
		}
		mustIngest(t, s, Container{App: part.app, Name: "main", ID: part.app}, list...)
	}
	waitSealed(t, s)
	table := mustTable(t, s, "ContainerAppConsoleLogs_CL").(*storeTable)
	snap := table.table.state.snapshot(table.table.problems)
	defer snap.release()
	cart := kql.Predicate{Column: table.Schema().Index("ContainerAppName_s"), Op: kql.OpEqual, Values: []kql.Value{{Type: kql.String, Str: "cart"}}}
	plan := newScanPlan(table.view, kql.ScanRequest{Predicates: []kql.Predicate{cart}, Newest: true, Limit: 12000}, table.end)
	const query = "ContainerAppConsoleLogs_CL | where ContainerAppName_s == 'cart' | top 12000 by TimeGenerated desc | project time_t"
	first := answer(t, s.Catalog(), query)
	again := answer(t, s.Catalog(), query)
	if len(first) != 12000 || strings.Join(first, "\n") != strings.Join(again, "\n") {
		t.Errorf("first %d rows, then %d, or others", len(first), len(again))
	}
	remembered := 0
	for i := range snap.count() {
		p := snap.part(i)
		times, err := p.ints(0, nil)
		if err != nil {
			t.Fatal(err)
		}
		apps, err := p.tuples(consoleSource, nil)
		if err != nil {
			t.Fatal(err)
		}
		newest := int64(math.MinInt64)
		for row, at := range times {
			if apps.of(row)[0] == "cart" {
				newest = max(newest, at)
			}
		}
		switch latest := plan.latest(p); latest {
		case p.max: // not read, or cart's
		case newest:
			remembered++
		default:
			t.Errorf("block %d ends for cart at %v, want %v", i, fromTicks(latest), fromTicks(newest))
		}
	}
	if remembered == 0 {
		t.Error("no block is known to end earlier for cart than for others")
	}
}

func TestCodesAreCompressedWhereTheyUnpackAtOnce(t *testing.T) {
	c, err := newCompressor()
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	runs, mixed := make([]byte, sealRows), make([]byte, sealRows)
	for i := range runs {
		runs[i], mixed[i] = byte(i/3000), byte(rnd.IntN(2))
	}
	for name, tt := range map[string]struct {
		raw  []byte
		code uint8
	}{"runs": {runs, codecZstd}, "in turn": {mixed, codecRaw}} {
		stored, s := c.append(nil, tt.raw, worthTime)
		got, err := s.open(stored, nil)
		if s.code != tt.code || err != nil || string(got) != string(tt.raw) {
			t.Errorf("codes %s: codec %d, want %d; %v", name, s.code, tt.code, err)
		}
		if _, s := c.append(nil, tt.raw, worthSpace); s.code != codecZstd {
			t.Errorf("codes %s could be compressed", name)
		}
	}
}
