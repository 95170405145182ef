package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/rs/zerolog"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/runtimetest"
)

// TestMain removes what the tests have put into the engine.
func TestMain(m *testing.M) {
	if to := os.Getenv(playSSH); to != "" {
		os.Exit(dialStdio(to))
	}
	code := m.Run()
	if err := shared.remove(); err != nil {
		fmt.Fprintln(os.Stderr, "remove test images:", err)
		code = 1
	}
	os.Exit(code)
}

func TestEngineKeepsTheContract(t *testing.T) {
	e := newEngine(t)
	runtimetest.Run(t, func(t *testing.T) runtimetest.Subject {
		return runtimetest.Subject{
			Runtime: e,
			Env:     testEnv(t),
			Image:   func(program string) string { return programImage(t, e, program) },
			Exec:    []string{"/app", "do", "exit", "5", "out", "err"},
		}
	})
}

// newEngine connects to the engine of this machine, when tests may use it.
func newEngine(t testing.TB, change ...func(*Options)) *Engine {
	t.Helper()
	if os.Getenv("ACALOCAL_DOCKER") != "1" {
		t.Skip("needs a Docker Engine: set ACALOCAL_DOCKER=1 to use the one of this machine")
	}
	o := Options{Log: zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.InfoLevel)}
	for _, c := range change {
		c(&o)
	}
	e, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error("close engine:", err)
		}
	})
	return e
}

// testEnv names an environment after the test's process, so that two runs on
// one engine do not meet.
func testEnv(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("test%d-%d", os.Getpid(), envs.next())
}

type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}

var envs counter

// images are the test images in the engine.
type images struct {
	mu   sync.Mutex
	app  []byte
	made map[string]bool
}

var shared = images{made: map[string]bool{}}

// programImage returns an image that runs one of the suite's programs.
func programImage(t testing.TB, e *Engine, program string) string {
	t.Helper()
	p, err := json.Marshal(runtimetest.Programs()[program])
	if err != nil {
		t.Fatal(err)
	}
	command := []string{"/app", string(p)}
	if program == runtimetest.Broken {
		command = []string{"/missing"}
	}
	return appImage(t, e, program, command)
}

// appImage returns an image that runs the test program with a command, and
// further instructions of a Dockerfile.
func appImage(t testing.TB, e *Engine, name string, command []string, changes ...string) string {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	tag := fmt.Sprintf("acalocal-test%d/%s:1", os.Getpid(), name)
	if shared.made[tag] {
		return tag
	}
	entrypoint, err := json.Marshal(command)
	if err != nil {
		t.Fatal(err)
	}
	root, err := tarOf("/app", appBinaryLocked(t))
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.client.ImageImport(t.Context(), client.ImageImportSource{Source: root, SourceName: "-"}, tag,
		client.ImageImportOptions{Changes: append(changes, "ENTRYPOINT "+string(entrypoint))})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := importError(r); err != nil {
		t.Fatal(err)
	}
	shared.made[tag] = true
	return tag
}

// appBinaryLocked builds the test program.
func appBinaryLocked(t testing.TB) []byte {
	t.Helper()
	if shared.app == nil {
		file := filepath.Join(t.TempDir(), "app")
		cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-o", file, "../container/runtimetest/app")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("build test program: %v\n%s", err, out)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		shared.app = b
	}
	return shared.app
}

func (i *images) remove() error {
	if len(i.made) == 0 {
		return nil
	}
	ctx := context.Background()
	e, err := New(ctx, Options{})
	if err != nil {
		return err
	}
	defer e.Close()
	for tag := range i.made {
		if err := e.removeImage(ctx, tag); err != nil {
			return err
		}
	}
	return nil
}

// do runs the test program in a container and returns its exit code and output.
func do(t *testing.T, e *Engine, id container.ID, words ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	code, err := e.Exec(t.Context(), id, container.ExecSpec{
		Command: append([]string{"/app", "do"}, words...), Stdout: &out, Stderr: &out,
	})
	if err != nil {
		t.Fatal(err)
	}
	return code, out.String()
}

// text reads all output of a container that ends.
func text(t *testing.T, e *Engine, id container.ID) string {
	t.Helper()
	r, err := e.Logs(t.Context(), id, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b strings.Builder
	for {
		entry, err := r.Next()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		b.Write(entry.Data)
	}
}
