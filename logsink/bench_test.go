package logsink

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/acalocal/acalocal/logsink/kql"
)

// benchRows is how many rows the query benchmarks run over; set
// LOGSINK_BENCH_ROWS for more.
func benchRows() int {
	if n, err := strconv.Atoi(os.Getenv("LOGSINK_BENCH_ROWS")); err == nil {
		return n
	}
	return 1_000_000
}

const benchApps = 20

// benchLine appends a message of about 130 bytes, like those of web services.
func benchLine(b []byte, rnd *rand.Rand, i int) []byte {
	switch rnd.IntN(10) {
	case 0:
		return fmt.Appendf(b, "ERROR [worker-%d] order %d failed: upstream connect error or disconnect/reset before headers, trace=%016x%016x\n", rnd.IntN(4), i, rnd.Uint64(), rnd.Uint64())
	case 1, 2:
		return fmt.Appendf(b, "INFO  [worker-%d] cache miss for key user:%d:profile, loading from postgres replica-%d in %d ms, trace=%016x\n", rnd.IntN(4), rnd.IntN(100000), rnd.IntN(3), rnd.IntN(400), rnd.Uint64())
	default:
		return fmt.Appendf(b, "10.0.%d.%d - - \"GET /api/v1/orders/%d?expand=items HTTP/1.1\" %d %d \"-\" \"python-requests/2.31\" duration=%dms id=%08x\n", rnd.IntN(4), rnd.IntN(250), rnd.IntN(1000000), []int{200, 200, 200, 404, 500}[rnd.IntN(5)], rnd.IntN(20000), rnd.IntN(900), rnd.Uint32())
	}
}

// fill ingests n rows of benchApps apps at the same time, over six hours;
// another series comes from other containers of the same apps.
func fill(tb testing.TB, s *Store, n, series int) {
	tb.Helper()
	var wg sync.WaitGroup
	for app := range benchApps {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(app), uint64(series)))
			c := Container{App: fmt.Sprintf("app-%02d", app), Revision: fmt.Sprintf("app-%02d--000000%d", app, rnd.IntN(3)), Replica: fmt.Sprintf("app-%02d--0000001-6bffcf46d6-j79zb", app), Name: "main", ID: fmt.Sprintf("%064x", app+series*benchApps), Image: "reg.example/app:v1"}
			i := 0
			buf := make([]byte, 0, 256)
			step := 6 * time.Hour / time.Duration(n/benchApps)
			if err := s.Ingest(context.Background(), c, func() (Entry, error) {
				if i == n/benchApps {
					return Entry{}, io.EOF
				}
				i++
				buf = benchLine(buf[:0], rnd, i)
				return Entry{Time: epoch.Add(time.Duration(i)*step + time.Duration(rnd.IntN(int(step)/2+1))), Data: buf}, nil
			}); err != nil {
				tb.Error(err)
			}
		})
	}
	wg.Wait()
}

func dirSize(tb testing.TB, dir string) (size int64) {
	tb.Helper()
	if err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			info, err := e.Info()
			if err != nil {
				return err
			}
			size += info.Size()
		}
		return err
	}); err != nil {
		tb.Fatal(err)
	}
	return size
}

// BenchmarkIngest measures durable rows a second, twenty containers writing.
func BenchmarkIngest(b *testing.B) {
	const rows = 200_000
	for b.Loop() {
		dir := b.TempDir()
		s := mustOpen(b, Options{Dir: dir, MaxBytes: 64 << 30})
		fill(b, s, rows, 0)
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkIngestOne measures one container printing short lines.
func BenchmarkIngestOne(b *testing.B) {
	s := mustOpen(b, Options{Dir: b.TempDir(), MaxBytes: 64 << 30})
	text := []byte("2026-06-26 08:19:07 INFO a line of a hundred bytes or so, as applications print them all day long, 1\n")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	i := 0
	n := b.N
	b.ResetTimer()
	if err := s.Ingest(context.Background(), web, func() (Entry, error) {
		if i == n {
			return Entry{}, io.EOF
		}
		i++
		return Entry{Time: epoch.Add(time.Duration(i) * 1000), Data: text}, nil
	}); err != nil {
		b.Fatal(err)
	}
}

var benchQueries = []struct{ name, query string }{
	{"newest-100-of-app", `ContainerAppConsoleLogs_CL | where ContainerAppName_s == "app-07" | top 100 by TimeGenerated desc | project TimeGenerated, Log_s`},
	{"has-error-by-5m", `ContainerAppConsoleLogs_CL | where Log_s has "error" | summarize count() by bin(TimeGenerated, 5m), RevisionName_s`},
	{"contains", `ContainerAppConsoleLogs_CL | where Log_s contains "xyz" | count`},
	{"extract-percentile", `ContainerAppConsoleLogs_CL | where ContainerAppName_s == "app-03" | extend d = tolong(extract(@"duration=(\d+)ms", 1, Log_s)) | summarize percentile(d, 95)`},
	{"top-k", `ContainerAppConsoleLogs_CL | summarize n=count() by ContainerAppName_s | top 5 by n`},
	{"distinct", `ContainerAppConsoleLogs_CL | distinct ContainerAppName_s, RevisionName_s`},
	{"rare-term", `ContainerAppConsoleLogs_CL | where Log_s has "needle" | project TimeGenerated, Log_s`},
	{"last-hour-by-app", `ContainerAppConsoleLogs_CL | where TimeGenerated > ago(1h) | summarize count() by ContainerAppName_s`},
	{"take-10", `ContainerAppConsoleLogs_CL | take 10`},
	{"count", `ContainerAppConsoleLogs_CL | count`},
}

// BenchmarkQuery runs the queries people run over a filled store.
func BenchmarkQuery(b *testing.B) {
	dir := b.TempDir()
	s := mustOpen(b, Options{Dir: dir, MaxBytes: 64 << 30})
	n := benchRows()
	fill(b, s, n/2, 0)
	mustIngest(b, s, Container{App: "app-13", ID: "x"}, line(0, Stdout, "here is a needle\n"), line(1, Stdout, "needle again\n"))
	fill(b, s, n/2, 1)
	b.Logf("%d rows, %.1f bytes a row", n, float64(dirSize(b, dir))/float64(n))
	for _, q := range benchQueries {
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				res, err := s.Query(context.Background(), q.query, kql.Options{Now: epoch.Add(6 * time.Hour)})
				if err != nil {
					b.Fatal(err)
				}
				if len(res.Tables) != 1 {
					b.Fatal("no table")
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

// BenchmarkLatency measures how long after an engine gave a line a tail and a
// query can see it, at 20,000 lines a second from twenty containers. b.N is
// the number of hundredths of a second.
func BenchmarkLatency(b *testing.B) {
	s := mustOpen(b, Options{Dir: b.TempDir(), MaxBytes: 64 << 30})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	const perTick = 10 // lines of each container each 10 ms
	total := b.N * perTick * benchApps
	seen := s.TailConsole(ctx, Filter{}, 0, true)
	var writers sync.WaitGroup
	for app := range benchApps {
		writers.Go(func() {
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			i := 0
			c := Container{App: fmt.Sprint("app-", app), ID: fmt.Sprint(app)}
			if err := s.Ingest(ctx, c, func() (Entry, error) {
				if i == b.N*perTick {
					return Entry{}, io.EOF
				}
				if i++; i%perTick == 1 {
					<-tick.C
				}
				now := time.Now()
				return Entry{Time: now, Data: fmt.Appendf(nil, "%d a line of some length, so that it takes some time to write\n", now.UnixNano())}, nil
			}); err != nil {
				b.Error(err)
			}
		})
	}
	var delays []time.Duration
	for l, err := range seen {
		if err != nil {
			b.Fatal(err)
		}
		stamp, _, _ := strings.Cut(l.Text, " ")
		n, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		if delays = append(delays, time.Since(time.Unix(0, n))); len(delays) == total {
			break
		}
	}
	writers.Wait()
	slices.Sort(delays)
	for _, p := range []float64{0.5, 0.99, 1} {
		b.ReportMetric(float64(delays[int(p*float64(total-1))].Microseconds())/1000, fmt.Sprintf("ms-p%g", 100*p))
	}
}

// BenchmarkIdle reports the memory of a store that has been busy.
func BenchmarkIdle(b *testing.B) {
	s := mustOpen(b, Options{Dir: b.TempDir(), MaxBytes: 64 << 30})
	for b.Loop() {
		fill(b, s, 100_000, b.N)
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	b.ReportMetric(float64(m.HeapAlloc)/(1<<20), "MiB-heap")
}
