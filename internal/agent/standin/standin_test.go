package standin

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const example = `attempt
listen 1.2s 8000 any
listen 0s 9000 loopback
answer 0s /health 503 0s
answer 30s /health 200 2ms
answer 0s * 200 never
print 35ms stderr Listening at: http://0.0.0.0:8000 (7)
print 40ms stdout  two  spaces
hog 3s child
exit 3.5s 1
stop never 0
attempt
stop 2s 143
`

func TestScriptsAreReadAsWritten(t *testing.T) {
	s, err := Parse(example)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example, s.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := s.attempt(9); got.Stop == nil || got.Stop.Code != 143 {
		t.Errorf("the ninth start is %+v, not the last attempt", got)
	}
}

func TestErrorsNameTheLine(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := Parse(text)
		if err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	f("exit 1s 1\n", "script line 1: exit comes before the first attempt")
	f("attempt\ndance 1s\n", `script line 2: unknown instruction "dance"`)
	f("attempt\nexit 1s\n", "script line 2: exit wants 2 words")
	f("attempt\nexit soon 1\n", `script line 2: "soon" is no time since the start`)
	f("attempt\nexit -1s 1\n", `script line 2: "-1s" is no time since the start`)
	f("attempt\nexit 1s 256\n", `script line 2: "256" is not a number from 0 to 255`)
	f("attempt\nlisten 1s 80 public\n", `script line 2: "public" is neither loopback nor any`)
}

func FuzzScript(f *testing.F) {
	f.Add(example)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(s.String())
		if err != nil {
			t.Fatalf("%q does not parse: %v", s.String(), err)
		}
		if again.String() != s.String() {
			t.Errorf("%q became %q", s.String(), again.String())
		}
	})
}

// freePort is a port of loopback that nobody has.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// played is an attempt under way.
type played struct {
	stdout  *bufio.Reader
	stderr  bytes.Buffer // read after code
	signals chan os.Signal
	code    chan int
}

func start(a Attempt) *played {
	r, w := io.Pipe()
	p := &played{stdout: bufio.NewReader(r), signals: make(chan os.Signal, 1), code: make(chan int, 1)}
	go func() { p.code <- Play(a, w, &p.stderr, p.signals) }()
	return p
}

func TestPlayDoesWhatTheScriptSays(t *testing.T) {
	port := freePort(t)
	s, err := Parse(fmt.Sprintf(`attempt
print 0s stdout begins
print 0s stderr complains
listen 0s %d loopback
answer 0s /health 503 0s
answer 0s /slow 200 never
exit 2s 3
`, port))
	if err != nil {
		t.Fatal(err)
	}
	p := start(s.attempt(1))
	base := fmt.Sprintf("http://127.0.0.1:%d", port)
	if line, err := p.stdout.ReadString('\n'); line != "begins\n" { // it listens by then
		t.Errorf("printed %q, %v", line, err)
	}
	status := func(path string) int {
		t.Helper()
		resp, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	if got := status("/health?x=1"); got != 503 {
		t.Errorf("/health answered %d", got)
	}
	if got := status("/"); got != 200 {
		t.Errorf("/ answered %d", got)
	}
	impatient := http.Client{Timeout: 50 * time.Millisecond}
	if resp, err := impatient.Get(base + "/slow"); err == nil {
		resp.Body.Close()
		t.Error("/slow was answered")
	}
	if code := <-p.code; code != 3 {
		t.Errorf("ended with %d", code)
	}
	if p.stderr.String() != "complains\n" {
		t.Errorf("complained %q", p.stderr.String())
	}
}

func TestStops(t *testing.T) {
	f := func(script string, want int) {
		t.Helper()
		s, err := Parse(script)
		if err != nil {
			t.Fatal(err)
		}
		p := start(s.attempt(1))
		p.signals <- syscall.SIGTERM
		if got := <-p.code; got != want {
			t.Errorf("%q ended with %d, want %d", script, got, want)
		}
	}
	f("", codeTerminated)
	f("attempt\nstop 1ms 0\n", 0)
	f("attempt\nstop never 0\nexit 50ms 9\n", 9) // the signal is ignored
}

func TestStartsAreCounted(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(root+name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(root+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	starts := func(want ...int) {
		t.Helper()
		for i, code := range want {
			if got, err := Run(root, nil); err != nil || got != code {
				t.Errorf("start %d ended with %d, %v", i+1, got, err)
			}
		}
	}
	if _, err := Run(root, nil); err == nil {
		t.Error("a script that is not there was played")
	}
	write(ScriptPath, "attempt\nexit 0s 1\nattempt\nexit 0s 2\n")
	starts(1, 1)
	write(CounterName, "app")
	write(CounterDir+"/other", "7")
	starts(1, 2, 2)
}

func TestMemoryLimitIsFound(t *testing.T) {
	f := func(name, text string, want int64) {
		t.Helper()
		root := t.TempDir()
		file := root + name
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := memoryLimit(root); got != want {
			t.Errorf("%s with %s is %d, want %d", name, strings.TrimSpace(text), got, want)
		}
	}
	f("/memory.max", "536870912\n", 512<<20)
	f("/memory.max", "max\n", 0)
	f("/memory/memory.limit_in_bytes", "536870912\n", 512<<20)
	f("/memory/memory.limit_in_bytes", "9223372036854771712\n", 0)
	f("/other", "", 0)
}
