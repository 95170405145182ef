package logsink

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// crashDir, when set in the environment, makes this test binary a process that
// writes to the store there until it is killed or done.
const crashDir = "LOGSINK_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := crashChild(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// fakeLog is what an engine remembers of a container: always the same, however
// often it is read.
type fakeLog struct {
	container Container
	entries   []Entry
	lines     []string // what should be stored of it
}

// newFakeLog makes a log with entries at equal times, lines in several pieces,
// streams that interleave, a clock that is set back, and lines too long.
func newFakeLog(id string, n int) *fakeLog {
	rnd := rand.New(rand.NewPCG(1, uint64(len(id))))
	l := &fakeLog{container: Container{App: "app-" + id, Revision: "app-" + id + "--1", Name: "main", ID: id}}
	now := epoch
	var open [2]string
	for i := range n {
		if rnd.IntN(3) > 0 {
			now = now.Add(time.Duration(rnd.IntN(5000)) * 1000)
		}
		if i == n/3 || i == n/2 {
			now = now.Add(-40 * time.Millisecond)
		}
		stream := Stream(rnd.IntN(4) / 3)
		data := fmt.Sprintf("%s entry %d %s", id, i, strings.Repeat("x", rnd.IntN(60)))
		if rnd.IntN(500) == 0 {
			data += strings.Repeat("long", rnd.IntN(3*DefaultSplitAt/4))
		}
		if rnd.IntN(5) > 0 || i >= n-10 {
			data += "\n"
		}
		l.entries = append(l.entries, Entry{Time: now, Stream: stream, Data: []byte(data)})
		text := open[stream] + data
		for len(strings.TrimSuffix(text, "\n")) > DefaultSplitAt {
			l.lines = append(l.lines, fmt.Sprintf("%s P %s", stream, text[:DefaultSplitAt]))
			text = text[DefaultSplitAt:]
		}
		if strings.HasSuffix(text, "\n") {
			l.lines = append(l.lines, fmt.Sprintf("%s F %s", stream, strings.TrimSuffix(text, "\n")))
			text = ""
		}
		open[stream] = text
	}
	for i, text := range open {
		if text != "" {
			l.lines = append(l.lines, fmt.Sprintf("%s F %s", Stream(i), text))
		}
	}
	return l
}

// since returns a next function for the entries an engine gives: all from the
// first that is not before t on.
func (l *fakeLog) since(t time.Time) func() (Entry, error) {
	i := 0
	for i < len(l.entries) && l.entries[i].Time.Before(t) {
		i++
	}
	return func() (Entry, error) {
		if i == len(l.entries) {
			return Entry{}, io.EOF
		}
		i++
		return l.entries[i-1], nil
	}
}

const crashEntries = 20_000

// crashRounds is how often the process is killed; set LOGSINK_CRASH_ROUNDS for
// more.
func crashRounds() int {
	if n, err := strconv.Atoi(os.Getenv("LOGSINK_CRASH_ROUNDS")); err == nil {
		return n
	}
	return 15
}

func crashLogs() []*fakeLog {
	return []*fakeLog{newFakeLog("a", crashEntries), newFakeLog("bb", crashEntries), newFakeLog("ccc", crashEntries)}
}

// crashChild reads the logs and writes events, telling of each event that was
// acknowledged, until all logs are stored.
func crashChild(dir string) error {
	s, err := Open(Options{Dir: dir, MaxAge: 1e6 * time.Hour})
	if err != nil {
		return err
	}
	if p := s.Problems(); len(p) > 0 {
		return fmt.Errorf("problems after a crash: %v", p)
	}
	logs := crashLogs()
	fmt.Println("ready")
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i, l := range logs {
		wg.Go(func() {
			errs[i] = s.Ingest(context.Background(), l.container, paced(l.since(s.Cursor(l.container.ID).Since)))
		})
	}
	stop := make(chan struct{})
	var events sync.WaitGroup
	events.Go(func() { errs[3] = tellEvents(s, stop) })
	wg.Wait()
	close(stop)
	events.Wait()
	return errors.Join(append(errs, s.Close())...)
}

// paced makes a log last for all the rounds of about 20 ms.
func paced(next func() (Entry, error)) func() (Entry, error) {
	tick := time.NewTicker(time.Millisecond)
	step := max(1, crashEntries/(20*crashRounds()))
	n := 0
	return func() (Entry, error) {
		if n++; n%step == 0 {
			<-tick.C
		}
		return next()
	}
}

func tellEvents(s *Store, stop <-chan struct{}) error {
	run := fmt.Sprint(os.Getpid())
	for i := 0; !isClosed(stop); i++ {
		if err := s.AppendEvent(Event{App: "app", Reason: run, Msg: fmt.Sprint(i)}); err != nil {
			return err
		}
		fmt.Printf("%s %d\n", run, i)
	}
	return nil
}

func TestKilledProcessLosesNothingAndDoublesNothing(t *testing.T) {
	rounds := crashRounds()
	dir := filepath.Join(t.TempDir(), "store")
	acked := map[string]bool{}
	rnd := rand.New(rand.NewPCG(7, uint64(time.Now().UnixNano())))
	for range rounds {
		runChild(t, dir, acked, time.Duration(1+rnd.IntN(40))*time.Millisecond)
	}
	runChild(t, dir, acked, 0)

	s := mustOpen(t, Options{Dir: dir})
	if p := s.Problems(); len(p) > 0 {
		t.Fatal("problems:", p)
	}
	for _, l := range crashLogs() {
		checkLog(t, s, l)
	}
	checkEvents(t, s, acked)
}

// runChild starts a process that writes, and kills it after a while, unless
// that is zero.
func runChild(t *testing.T, dir string, acked map[string]bool, life time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewScanner(out)
	if in.Scan() && life > 0 {
		kill := time.AfterFunc(life, func() { _ = cmd.Process.Kill() })
		defer kill.Stop()
	}
	for in.Scan() {
		if strings.Contains(in.Text(), " ") {
			acked[in.Text()] = true
		}
	}
	if err := cmd.Wait(); err != nil && (life == 0 || stderr.Len() > 0) {
		t.Fatalf("writer: %v: %s", err, stderr.Bytes())
	}
}

func checkLog(t *testing.T, s *Store, l *fakeLog) {
	t.Helper()
	var got []string
	var last time.Time
	for row, err := range s.TailConsole(context.Background(), Filter{ContainerID: l.container.ID}, 1<<30, false) {
		if err != nil {
			t.Fatal(err)
		}
		if !row.Time.After(last) {
			t.Fatalf("container %s: time %v after %v does not increase", l.container.ID, row.Time, last)
		}
		last = row.Time
		tag := tagFull
		if row.Partial {
			tag = tagPartial
		}
		got = append(got, fmt.Sprintf("%s %s %s", row.Stream, tag, row.Text))
	}
	for i := 0; i < len(got) && i < len(l.lines); i++ {
		if got[i] != l.lines[i] {
			t.Fatalf("container %s row %d (-want +got)\n%s", l.container.ID, i, cmp.Diff(l.lines[i], got[i]))
		}
	}
	if len(got) != len(l.lines) {
		t.Fatalf("container %s has %d rows, want %d", l.container.ID, len(got), len(l.lines))
	}
}

func checkEvents(t *testing.T, s *Store, acked map[string]bool) {
	t.Helper()
	stored := map[string]int{}
	for e, err := range s.TailEvents(context.Background(), Filter{}, 1<<30, false) {
		if err != nil {
			t.Fatal(err)
		}
		stored[e.Reason+" "+e.Msg]++
	}
	for key := range acked {
		if stored[key] == 0 {
			t.Errorf("acknowledged event %q is not stored", key)
		}
	}
	for key, n := range stored {
		if n > 1 {
			t.Errorf("event %q is stored %d times", key, n)
		}
	}
	if len(acked) == 0 {
		t.Error("no event was ever acknowledged")
	}
}
