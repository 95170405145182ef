package logsink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/acalocal/acalocal/logsink/kql"
)

// faultyDisk is a disk that refuses to write, half-way, while broken is set.
type faultyDisk struct{ broken atomic.Bool }

func (d *faultyDisk) open(path string) (diskFile, error) {
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	return &faultyFile{f, d}, nil
}

type faultyFile struct {
	diskFile
	disk *faultyDisk
}

func (f *faultyFile) WriteAt(p []byte, off int64) (int, error) {
	if f.disk.broken.Load() {
		n, _ := f.diskFile.WriteAt(p[:len(p)/2], off)
		return n, syscall.ENOSPC
	}
	return f.diskFile.WriteAt(p, off)
}

func (f *faultyFile) Sync() error {
	if f.disk.broken.Load() {
		return syscall.EIO
	}
	return f.diskFile.Sync()
}

// mustOpenOn opens a store on the disk.
func mustOpenOn(t *testing.T, disk *faultyDisk, opts Options) *Store {
	t.Helper()
	opts.MaxAge = 1e6 * time.Hour
	s, err := open(opts, disk.open)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // again for some tests
	return s
}

// numberedLines returns a next function for n lines, calling at before each.
func numberedLines(n int, at func(i int)) func() (Entry, error) {
	i := 0
	return func() (Entry, error) {
		if i == n {
			return Entry{}, io.EOF
		}
		i++
		if at != nil {
			at(i)
		}
		return line(i, Stdout, fmt.Sprintf("line %d\n", i)), nil
	}
}

// mustHaveLines checks that the store has exactly lines 1 to n.
func mustHaveLines(t *testing.T, s *Store, n int) {
	t.Helper()
	got := printed(t, s, Filter{})
	for i, g := range got {
		if want := fmt.Sprintf("%d stdout F line %d", i+1, i+1); g != want {
			t.Fatalf("row %d is %q, want %q", i, g, want)
		}
	}
	if len(got) != n {
		t.Fatalf("%d rows, want %d; problems %v", len(got), n, s.Problems())
	}
}

func TestFullDiskDelaysLinesAndLosesNone(t *testing.T) {
	const n = 40_000
	dir := t.TempDir()
	var disk faultyDisk
	reported := make(chan Problem, 100)
	s := mustOpenOn(t, &disk, Options{Dir: dir, Report: func(p Problem) { reported <- p }})
	err := s.Ingest(context.Background(), web, numberedLines(n, func(i int) {
		if i == n/3 {
			disk.broken.Store(true)
			go func() {
				p := <-reported
				if !strings.Contains(p.What, "no space left") && !strings.Contains(p.What, "input/output error") {
					t.Errorf("reported %q", p.What)
				}
				disk.broken.Store(false)
			}()
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	mustHaveLines(t, s, n)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mustHaveLines(t, mustOpen(t, Options{Dir: dir}), n)
}

func TestFullDiskIsToldToThoseWhoCannotWait(t *testing.T) {
	var disk faultyDisk
	s := mustOpenOn(t, &disk, Options{Dir: t.TempDir()})
	disk.broken.Store(true)
	err := s.AppendEvent(Event{Reason: "ProbeFailed", Msg: "first"})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error %v, want one that says the disk is full", err)
	}
	disk.broken.Store(false)
	if err := s.AppendEvent(Event{Reason: "ProbeFailed", Msg: "second"}); err != nil {
		t.Fatal(err)
	}
	var got []string
	for e := range s.TailEvents(context.Background(), Filter{}, 10, false) {
		got = append(got, e.Msg)
	}
	if diff := cmp.Diff([]string{"first", "second"}, got); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
}

func TestClosingDoesNotWaitForBrokenDisk(t *testing.T) {
	dir := t.TempDir()
	var disk faultyDisk
	s := mustOpenOn(t, &disk, Options{Dir: dir})
	mustIngest(t, s, web, line(1, Stdout, "line 1\n"))
	disk.broken.Store(true)
	broken := make(chan error)
	go func() { broken <- s.Ingest(context.Background(), web, entries(io.EOF, line(2, Stdout, "line 2\n"))) }()
	waitFor(t, "the failure to be reported", func() bool { return len(s.Problems()) > 0 })
	if err := s.Close(); err != nil {
		t.Error("close:", err)
	}
	if err := <-broken; !errors.Is(err, ErrClosed) {
		t.Errorf("ingest: %v, want ErrClosed", err)
	}
	if err := s.AppendEvent(Event{Msg: "late"}); !errors.Is(err, ErrClosed) {
		t.Errorf("event on closed store: %v, want ErrClosed", err)
	}
	mustHaveLines(t, mustOpen(t, Options{Dir: dir}), 1)
}

// waitFor waits until cond holds, looking again and again: for conditions that
// have no signal.
func waitFor(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !cond() {
		if time.Now().After(deadline) {
			t.Fatalf("waited 10 s for %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// waitSealed waits until all full blocks of console rows are in segments.
func waitSealed(t *testing.T, s *Store) {
	t.Helper()
	waitFor(t, "blocks to be sealed", func() bool {
		for _, table := range s.tables() {
			table.state.mu.Lock()
			sealing := len(table.state.sealing)
			table.state.mu.Unlock()
			if sealing > 0 {
				return false
			}
		}
		return true
	})
}

func TestClosedStoreSaysSo(t *testing.T) {
	s := mustOpen(t, Options{Dir: filled(t, 2*sealRows)})
	cat := s.Catalog()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := kql.Query(context.Background(), cat, "ContainerAppConsoleLogs_CL | count", kql.Options{}); !errors.Is(err, ErrClosed) {
		t.Errorf("query: %v, want ErrClosed", err)
	}
	for _, err := range s.TailConsole(context.Background(), Filter{}, 5, true) {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("tail: %v, want ErrClosed", err)
		}
	}
	if err := s.Ingest(context.Background(), web, entries(io.EOF, line(1, Stdout, "x\n"))); !errors.Is(err, ErrClosed) {
		t.Errorf("ingest: %v, want ErrClosed", err)
	}
	if p := s.Problems(); len(p) > 0 {
		t.Error("problems:", p)
	}
}

func TestReadOnlyDirectoryIsAClearError(t *testing.T) {
	dir := t.TempDir()
	_, err := open(Options{Dir: dir}, func(string) (diskFile, error) { return nil, syscall.EROFS })
	if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), dir) {
		t.Errorf("error %v, want one that names the directory and says read-only", err)
	}
	mustOpen(t, Options{Dir: dir}) // the lock is free again
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	_, err := Open(Options{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), "in use by another process") {
		t.Fatalf("error %v, want one that says the directory is in use", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, Options{Dir: dir})
}

func TestImpossibleOptionsAreRefused(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		opts Options
		want string
	}{
		{Options{}, "open log store: no directory given"},
		{Options{Dir: dir, MaxBytes: 5}, "open log store: a budget of 5 bytes is too small; give at least 16777216"},
		{Options{Dir: dir, MaxAge: -1}, "open log store: maximum age -1ns is negative"},
		{Options{Dir: dir, SplitAt: 40000}, "open log store: lines cannot be split at 40000 bytes; choose 1 to 32768"},
	}
	for _, tt := range tests {
		if _, err := Open(tt.opts); err == nil || err.Error() != tt.want {
			t.Errorf("%+v: %v, want %s", tt.opts, err, tt.want)
		}
	}
}

// filled returns the directory of a closed store with lines 1 to n, in blocks
// of sealRows. Its log holds only what is not in a segment.
func filled(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	next := numberedLines(n, nil)
	for done := 0; done < n; done += sealRows {
		left := sealRows
		if err := s.Ingest(context.Background(), web, func() (Entry, error) {
			if left == 0 {
				return Entry{}, io.EOF
			}
			left--
			return next()
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := mustOpen(t, Options{Dir: dir}).Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// onlyFile returns the one file that matches.
func onlyFile(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) != 1 {
		t.Fatalf("%s matches %v (%v), want one file", pattern, files, err)
	}
	return files[0]
}

// spoil changes a file's bytes.
func spoil(t *testing.T, path string, change func(b []byte) []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(b), 0o600); err != nil {
		t.Fatal(err)
	}
}

// flip returns a change that flips a bit of the byte at off.
func flip(off int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[off] ^= 4
		return b
	}
}

func TestTornEndOfLogIsForgotten(t *testing.T) {
	const n = 100
	for _, junk := range []string{"x", frameMagic, frameMagic + "\x10\x00\x00\x00abcd", strings.Repeat("\x00", 5000), strings.Repeat("junk", 300)} {
		dir := filled(t, n)
		spoil(t, onlyFile(t, dir+"/console/*.wal"), func(b []byte) []byte { return append(b, junk...) })
		s := mustOpen(t, Options{Dir: dir})
		mustHaveLines(t, s, n)
		if p := s.Problems(); len(p) > 0 {
			t.Errorf("end %.20q: problems %v", junk, p)
		}
	}
}

func TestEveryTornLogServesWhatIsWhole(t *testing.T) {
	dir := filled(t, 20)
	path := onlyFile(t, dir+"/console/*.wal")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for size := headerSize + 1; size < len(whole); size += 7 {
		clearDir(t, filepath.Dir(path))
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, Options{Dir: dir})
		for i, g := range printed(t, s, Filter{}) {
			if want := fmt.Sprintf("%d stdout F line %d", i+1, i+1); g != want {
				t.Fatalf("log of %d bytes: row %d is %q, want %q", size, i, g, want)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func clearDir(t *testing.T, dir string) {
	t.Helper()
	files, err := filepath.Glob(dir + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.Remove(f); err != nil {
			t.Fatal(err)
		}
	}
}

func TestDamagedLogIsPutAside(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir})
	for i := range 3 {
		mustIngest(t, s, web, line(i, Stdout, fmt.Sprintf("record %d\n", i)))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	path := onlyFile(t, dir+"/console/*.wal")
	spoil(t, path, func(b []byte) []byte {
		return bytes.Replace(b, []byte("record 1"), []byte("recorD 1"), 1)
	})
	s = mustOpen(t, Options{Dir: dir})
	if diff := cmp.Diff([]string{"0 stdout F record 0"}, printed(t, s, Filter{})); diff != "" {
		t.Error("(-want +got)\n", diff)
	}
	p := s.Problems()
	if len(p) != 1 || !strings.Contains(p[0].What, "is damaged") || !exists(p[0].File) {
		t.Errorf("problems %v, want one that says where the damaged log is", p)
	}
	mustIngest(t, s, web, line(9, Stdout, "goes on\n"))
	want := []string{"0 stdout F record 0", "9 stdout F goes on"}
	if diff := cmp.Diff(want, printed(t, s, Filter{})); diff != "" {
		t.Error("afterwards (-want +got)\n", diff)
	}
}

func TestDamagedBlockIsNotServed(t *testing.T) {
	const n = 3*sealRows + 100
	dir := filled(t, n)
	path := onlyFile(t, dir+"/console/*.seg")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	second := headerSize + bytes.Index(b[headerSize+4:], []byte(blockMagic)) + 4
	tests := map[string]int{"header": second + 5, "meta data": second + blockHeader + 3, "section": second + blockHeader + 400}
	for name, off := range tests {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			spoil(t, path, flip(off))
			s := mustOpen(t, Options{Dir: dir})
			defer s.Close()
			got := printed(t, s, Filter{})
			if len(got) >= n || len(got) < n-2*sealRows || got[0] != "1 stdout F line 1" || got[len(got)-1] != fmt.Sprintf("%d stdout F line %d", n, n) {
				t.Errorf("%d rows from %q to %q, want all but one block of %d", len(got), got[0], got[len(got)-1], n)
			}
			if p := s.Problems(); len(p) == 0 || !strings.Contains(p[0].What, "is damaged") {
				t.Errorf("problems %v, want one that says what is damaged", p)
			}
		})
	}
}

func TestDamagedSegmentHeaderPutsFileAside(t *testing.T) {
	const n = 2 * sealRows
	dir := filled(t, n)
	path := onlyFile(t, dir+"/console/*.seg")
	spoil(t, path, flip(9))
	s := mustOpen(t, Options{Dir: dir})
	if exists(path) {
		t.Error("the damaged segment is still in its place")
	}
	if p := s.Problems(); len(p) == 0 || !exists(p[0].File) || !strings.Contains(p[0].File, "quarantine") {
		t.Errorf("problems %v, want one that says where the segment is", p)
	}
	mustIngest(t, s, Container{ID: "new"}, line(0, Stdout, "goes on\n"))
}

func TestTornSegmentIsRebuiltFromTheLog(t *testing.T) {
	// A crash between writing a block and syncing it leaves any mixture of old
	// and new pages. The log still has the rows: it is written back here to
	// how it was before the block was sealed.
	dir := t.TempDir()
	var disk faultyDisk
	s := mustOpenOn(t, &disk, Options{Dir: dir})
	const n = sealRows + 10
	if err := s.Ingest(context.Background(), web, numberedLines(n, nil)); err != nil {
		t.Fatal(err)
	}
	waitSealed(t, s)
	log, err := os.ReadFile(onlyFile(t, dir+"/console/*.wal"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	seg := onlyFile(t, dir+"/console/*.seg")
	whole, err := os.ReadFile(seg)
	if err != nil {
		t.Fatal(err)
	}
	for _, keep := range []int{0, 10, headerSize, headerSize + 10, headerSize + 100, len(whole) / 2, len(whole) - 1} {
		torn := append(bytes.Clone(whole[:keep]), make([]byte, len(whole)-keep)...)
		if keep == len(whole)-1 {
			torn = torn[:keep]
		}
		clearDir(t, filepath.Dir(seg))
		if err := errors.Join(os.WriteFile(seg, torn, 0o600), os.WriteFile(walPath(dir+"/console", 1), log, 0o600)); err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, Options{Dir: dir})
		mustHaveLines(t, s, n)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = mustOpen(t, Options{Dir: dir})
		mustHaveLines(t, s, n)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		clearDir(t, filepath.Dir(seg))
	}
}

// noise returns line i of a text that does not compress.
func noise(rnd *rand.Rand, i int) string {
	b := fmt.Appendf(nil, "%d ", i)
	for range 16 {
		b = strconv.AppendUint(b, rnd.Uint64(), 36)
	}
	return string(append(b, '\n'))
}

func TestSegmentRemovedByHandIsReported(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir, MaxBytes: MinMaxBytes})
	rnd := rand.New(rand.NewPCG(1, 1))
	for chunk := range 4 { // each more than a segment of so small a store
		var list []Entry
		for i := range sealRows {
			list = append(list, line(chunk*sealRows+i, Stdout, noise(rnd, i)))
		}
		mustIngest(t, s, web, list...)
		waitSealed(t, s)
	}
	files, err := filepath.Glob(dir + "/console/*.seg")
	if err != nil || len(files) < 3 {
		t.Fatalf("segments %v (%v), want three or more", files, err)
	}
	before := len(printed(t, s, Filter{}))
	if err := os.Remove(files[1]); err != nil {
		t.Fatal(err)
	}
	if got := len(printed(t, s, Filter{})); got != before {
		t.Errorf("%d rows while the removed file is open, want %d", got, before)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, Options{Dir: dir, MaxBytes: MinMaxBytes})
	got := len(printed(t, s, Filter{}))
	p := s.Problems()
	if len(p) != 1 || p[0].Lost != int64(before-got) || p[0].Lost == 0 {
		t.Errorf("%d of %d rows left, problems %v, want one that counts the lost rows", got, before, p)
	}
}

func TestSegmentCutByHandIsAnErrorNotACrash(t *testing.T) {
	const n = 2*sealRows + 10
	dir := filled(t, n)
	s := mustOpen(t, Options{Dir: dir})
	if err := os.Truncate(onlyFile(t, dir+"/console/*.seg"), headerSize); err != nil {
		t.Fatal(err)
	}
	table := mustTable(t, s, "ContainerAppConsoleLogs_CL")
	rows := scanRows(t, table, kql.ScanRequest{Columns: ordinals(t, table.Schema(), "Log_s")})
	if len(rows) >= n {
		t.Errorf("%d rows from a file that was cut", len(rows))
	}
	if len(s.Problems()) == 0 {
		t.Error("nothing is reported")
	}
}

func TestRetentionBySizeKeepsTheNewest(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, Options{Dir: dir, MaxBytes: MinMaxBytes})
	reader := s.TailConsole(context.Background(), Filter{}, 1, false)
	const n = 70_000
	rnd := rand.New(rand.NewPCG(1, 1))
	i := 0
	err := s.Ingest(context.Background(), web, func() (Entry, error) {
		if i == n {
			return Entry{}, io.EOF
		}
		i++
		return line(i, Stdout, noise(rnd, i)), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for l := range reader {
		if !strings.HasPrefix(l.Text, fmt.Sprint(n)+" ") {
			t.Errorf("newest line is %q", l.Text)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	size := int64(0)
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
		t.Fatal(err)
	}
	if size > MinMaxBytes {
		t.Errorf("%d bytes on disk, want at most %d", size, MinMaxBytes)
	}
	s = mustOpen(t, Options{Dir: dir, MaxBytes: MinMaxBytes})
	got := printed(t, s, Filter{})
	if len(got) == 0 || len(got) == n || !strings.Contains(got[len(got)-1], fmt.Sprint(n)) {
		t.Errorf("%d of %d rows kept", len(got), n)
	}
	if p := s.Problems(); len(p) > 0 {
		t.Error("problems:", p)
	}
}

func TestRetentionByAge(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(Options{Dir: dir, MaxAge: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var list []Entry
		for range 2*sealRows + 10 {
			list = append(list, Entry{Time: time.Now(), Data: []byte("x\n")})
		}
		mustIngest(t, s, web, list...)
		time.Sleep(30 * time.Minute)
		if got := len(printed(t, s, Filter{})); got != len(list) {
			t.Errorf("%d rows after half an hour, want %d", got, len(list))
		}
		time.Sleep(31 * time.Minute)
		if got := len(printed(t, s, Filter{})); got >= sealRows {
			t.Errorf("%d rows after an hour, want only those not sealed", got)
		}
	})
	if files, _ := filepath.Glob(dir + "/console/*.seg"); len(files) > 0 {
		t.Errorf("segments %v are still there", files)
	}
}

func TestReadersFinishWhileRetentionRemovesTheirRows(t *testing.T) {
	const n = 4 * sealRows
	s := mustOpen(t, Options{Dir: filled(t, n)})
	table := mustTable(t, s, "ContainerAppConsoleLogs_CL")
	req := kql.ScanRequest{Columns: ordinals(t, table.Schema(), "Log_s")}
	ctx := context.Background()
	var scanners []kql.Scanner
	for range 2 {
		sc, err := table.Scan(ctx, req)
		if err != nil {
			t.Fatal(err)
		}
		scanners = append(scanners, sc)
	}
	seg := s.console.state.segments[0]
	if gone := s.console.state.retire(); gone != nil {
		t.Fatal("a segment is removed that readers use")
	}
	for _, sc := range scanners {
		rows := 0
		for {
			b, err := sc.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if b == nil {
				break
			}
			rows += b.Rows
		}
		if rows != n {
			t.Errorf("%d rows, want %d", rows, n)
		}
		if !exists(seg.path) {
			t.Error("the segment is removed before its last reader is done")
		}
		if err := sc.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if exists(seg.path) {
		t.Error("the segment is not removed")
	}
	if p := s.Problems(); len(p) > 0 {
		t.Error("problems:", p)
	}
}

func TestScanEndsWhenCancelled(t *testing.T) {
	s := mustOpen(t, Options{Dir: filled(t, 6*sealRows)})
	table := mustTable(t, s, "ContainerAppConsoleLogs_CL")
	ctx, cancel := context.WithCancel(context.Background())
	sc, err := table.Scan(ctx, kql.ScanRequest{Columns: ordinals(t, table.Schema())})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := sc.Next(ctx); b == nil || err != nil {
		t.Fatalf("first block %v, error %v", b, err)
	}
	cancel()
	for {
		b, err := sc.Next(context.Background())
		if err != nil {
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error %v, want context.Canceled", err)
			}
			break
		}
		if b == nil {
			t.Error("a cancelled scan ends as if it were complete")
			break
		}
	}
	if err := sc.Close(); err != nil {
		t.Fatal(err)
	}
}
