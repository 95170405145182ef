// Command logs measures the log store against DuckDB on the same rows, in the
// same run: appending durably, disk used, and the queries people run.
//
//	go run . -rows 10000000
//
// Each step runs in a process of its own, so that memory can be told apart. With
// 10 M rows all of them take about five minutes on two quiet cores, and 4 GB of
// disk.
// DuckDB has as many threads as there are cores, the newest storage version,
// and one appender whose flushes are commits.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// report is what a step prints.
type report struct {
	Seconds map[string]float64 // by query, or "load"
	CPU     map[string]float64 // seconds of all cores, by query
	Answers map[string]string  // to compare
}

var (
	rows = flag.Int("rows", 10_000_000, "how many rows")
	keep = flag.String("dir", "", "where to keep the data; a temporary directory if empty")
	runs = flag.Int("runs", 3, "how often each query runs; the fastest counts")
	step = flag.String("step", "", "for the command itself: store-load, store-query, store-latency, duck-load, duck-query")
)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "logs:", err)
		os.Exit(1)
	}
}

func run() error {
	if *step != "" {
		r, err := steps[*step](*keep)
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	dir := *keep
	if dir == "" {
		var err error
		if dir, err = os.MkdirTemp("", "bench-logs-*"); err != nil {
			return err
		}
		defer os.RemoveAll(dir)
	}
	return compare(dir)
}

var steps = map[string]func(dir string) (report, error){
	"store-load": loadStore, "store-query": queryStore, "duck-load": loadDuck, "duck-query": queryDuck, "store-latency": latencyStore,
}

// child runs a step and returns its report and the most memory it used.
func child(name, dir string) (r report, rss int64, err error) {
	fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().Format(time.TimeOnly), name)
	cmd := exec.Command(os.Args[0], "-step", name, "-dir", dir, "-rows", fmt.Sprint(*rows), "-runs", fmt.Sprint(*runs))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return r, 0, fmt.Errorf("%s: %w", name, err)
	}
	rss = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	return r, rss, json.Unmarshal(out.Bytes(), &r)
}

func compare(dir string) error {
	reports, memory := map[string]report{}, map[string]int64{}
	// Queries alternate, so that what else the machine does hits both.
	for _, name := range []string{"store-latency", "store-load", "duck-load", "store-query", "duck-query", "store-query", "duck-query"} {
		r, rss, err := child(name, dir)
		if err != nil {
			return err
		}
		reports[name] = faster(reports[name], r)
		memory[name] = max(memory[name], rss)
	}
	fmt.Printf("%d rows\n\n| what | acalocal | DuckDB | ratio | must | aim | ratio of CPU |\n| --- | --- | --- | --- | --- | --- | --- |\n", *rows)
	ours, theirs := reports["store-load"].Seconds["load"], reports["duck-load"].Seconds["load"]
	fmt.Printf("| append durably, rows/s (more is better) | %.0f | %.0f | %.2f | 2 | 4 | |\n",
		float64(*rows)/ours, float64(*rows)/theirs, theirs/ours)
	a, b := size(filepath.Join(dir, "store")), size(filepath.Join(dir, "duck"))
	fmt.Printf("| disk, bytes a row | %.1f | %.1f | %.2f | 0.8 | 0.6 | |\n", float64(a)/float64(*rows), float64(b)/float64(*rows), float64(a)/float64(b))
	for _, q := range queries {
		ours, theirs := reports["store-query"].Seconds[q.name], reports["duck-query"].Seconds[q.name]
		cpu := reports["store-query"].CPU[q.name] / reports["duck-query"].CPU[q.name]
		fmt.Printf("| %s, ms | %.1f | %.1f | %.2f | %s | %s | %.2f |\n", q.name, ours*1000, theirs*1000, ours/theirs, q.must, q.aim, cpu)
		if x, y := reports["store-query"].Answers[q.name], reports["duck-query"].Answers[q.name]; x != y {
			return fmt.Errorf("%s: answers differ: %s and %s", q.name, x, y)
		}
	}
	fmt.Printf("| first rows of a take, ms | %.1f | | | 50 | | |\n", reports["store-query"].Seconds["take"]*1000)
	latency := reports["store-latency"].Seconds
	for _, l := range []struct{ key, what, must string }{
		{"p50", "line printed to queryable, p50", ""}, {"p99", "the same, p99", "100"}, {"max", "the same, longest", ""}, {"stall", "longest wait to print", "100"},
	} {
		fmt.Printf("| %s, at %d lines/s, ms | %.1f | | | %s | | |\n", l.what, latencyRate, latency[l.key]*1000, l.must)
	}
	for _, name := range []string{"load", "query"} {
		fmt.Printf("| most memory during %s, MiB | %d | %d | | | | |\n", name, memory["store-"+name]>>20, memory["duck-"+name]>>20)
	}
	return nil
}

// faster returns b with the times of a that are shorter.
func faster(a, b report) report {
	for name, s := range a.Seconds {
		b.Seconds[name] = min(b.Seconds[name], s)
	}
	for name, s := range a.CPU {
		b.CPU[name] = min(b.CPU[name], s)
	}
	return b
}

func size(dir string) (n int64) {
	_ = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() && !strings.HasSuffix(path, "/lock") {
			if info, err := e.Info(); err == nil {
				n += info.Size()
			}
		}
		return nil
	})
	return n
}

// best notes the shortest time and the least CPU of several runs.
func (r *report) best(name string, f func() error) error {
	for i := range *runs {
		began, used := time.Now(), cpu()
		if err := f(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		s, c := time.Since(began).Seconds(), (cpu() - used).Seconds()
		if i > 0 {
			s, c = min(s, r.Seconds[name]), min(c, r.CPU[name])
		}
		r.Seconds[name], r.CPU[name] = s, c
	}
	return nil
}

// cpu is what the process has used of all cores, in its own code and in the
// system's. On a machine that does other things, too, it says more than time.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // there is such a process
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
