package ingress

import "testing"

// Records are numbered from 1; a reader gets those that are kept and the count
// of those that are not, while the ring fills, when it is full and after.
func TestRingKeepsTheNewestAndCountsTheLost(t *testing.T) {
	r := newRing(4)
	if len(r.records) != 0 {
		t.Errorf("an unused ring has room for %d records", len(r.records))
	}
	f := func(after uint64, want []uint64, wantLost uint64) {
		t.Helper()
		got, lost := r.after(after, make([]Record, 0, 3))
		if len(got) != len(want) || lost != wantLost {
			t.Fatalf("after %d of %d: %d records, %d lost; want %d, %d", after, r.last, len(got), lost, len(want), wantLost)
		}
		for i, rec := range got {
			if rec.ID != want[i] || rec.Status != int(want[i]) {
				t.Errorf("after %d of %d: record %d has ID %d and status %d, want %d", after, r.last, i, rec.ID, rec.Status, want[i])
			}
		}
	}
	add := func() { r.add(&Record{Status: int(r.last + 1)}) }
	f(0, nil, 0)
	add()
	add()
	f(0, []uint64{1, 2}, 0)
	f(2, nil, 0)
	add()
	add()
	f(0, []uint64{1, 2, 3}, 0)
	f(3, []uint64{4}, 0)
	for range 5 {
		add()
	}
	f(0, []uint64{6, 7, 8}, 5)
	f(5, []uint64{6, 7, 8}, 0)
	f(8, []uint64{9}, 0)
	if len(r.records) != 4 {
		t.Errorf("the ring keeps %d records, want 4", len(r.records))
	}
}
