package kql

import (
	"testing"
	"time"
)

func TestWithinLimitsTablesToTheSpan(t *testing.T) {
	at := func(h int) Ticks { return TicksOf(time.Date(2026, 6, 1, h, 0, 0, 0, time.UTC)) }
	times := &Vector{Type: DateTime, Ints: []int64{int64(at(1)), int64(at(2)), int64(at(3))}}
	names := &Vector{Type: String, Strs: []string{"a", "b", "c"}}
	cat := Tables{"T": &MemTable{
		Cols:   Schema{{"Name", String}, {"TimeGenerated", DateTime}},
		Blocks: []*Block{{Rows: 3, Columns: []*Vector{names, times}}},
	}}
	for _, c := range []struct {
		span TimeRange
		want string
	}{
		{TimeRange{}, "abc"},
		{TimeRange{From: at(2)}, "bc"},
		{TimeRange{To: at(2)}, "ab"},
		{TimeRange{From: at(2), To: at(2)}, "b"},
		{TimeRange{From: at(9)}, ""},
	} {
		res, err := Query(t.Context(), Within(cat, c.span), "T | project Name", Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, b := range res.Tables[0].Blocks {
			for i := range b.Rows {
				got += b.Columns[0].Str(i)
			}
		}
		if got != c.want {
			t.Errorf("span %v gives %q, want %q", c.span, got, c.want)
		}
	}
}
