package docker

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apicontainer "github.com/moby/moby/api/types/container"

	"github.com/acalocal/acalocal/internal/container"
)

func TestWorkingSetLeavesOutFilesNotReadLately(t *testing.T) {
	at := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		stats map[string]uint64
		want  int64
	}{
		"control groups 1":              {map[string]uint64{"total_inactive_file": 300, "inactive_file": 1}, 700},
		"control groups 2":              {map[string]uint64{"inactive_file": 250}, 750},
		"no details":                    {nil, 1000},
		"more files than memory in use": {map[string]uint64{"inactive_file": 2000}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var s apicontainer.StatsResponse
			s.Read = at
			s.CPUStats.CPUUsage.TotalUsage = 5e9
			s.MemoryStats.Usage, s.MemoryStats.Stats = 1000, c.stats
			s.Networks = map[string]apicontainer.NetworkStats{"eth0": {RxBytes: 1, TxBytes: 2}, "eth1": {RxBytes: 10, TxBytes: 20}}
			want := container.Stats{At: at, CPU: 5 * time.Second, WorkingSet: c.want, RxBytes: 11, TxBytes: 22}
			if diff := cmp.Diff(want, statsOf(s)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
