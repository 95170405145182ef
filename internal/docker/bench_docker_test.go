package docker

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/runtimetest"
)

// benchReplica is a replica whose app listens on 8080 and reads everything on
// 9000; it goes with the benchmark.
func benchReplica(b *testing.B) (*Engine, string, container.ID) {
	b.Helper()
	e := newEngine(b)
	env := testEnv(b)
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	must(e.EnsureEnvironment(b.Context(), env))
	b.Cleanup(func() {
		if err := e.RemoveEnvironment(context.Background(), env); err != nil {
			b.Error(err)
		}
	})
	key := container.Key{App: "web", Revision: "web--r1", Replica: "web--r1-abc", Role: container.RoleHolder, Attempt: 1}
	holder, err := e.Create(b.Context(), container.Spec{Env: env, Key: key})
	must(err)
	must(e.Start(b.Context(), holder))
	key.Role, key.Container = container.RoleApp, "app"
	app, err := e.Create(b.Context(), container.Spec{Env: env, Key: key, Image: programImage(b, e, runtimetest.Serves)})
	must(err)
	must(e.Start(b.Context(), app))
	return e, env, holder
}

// BenchmarkCheck is one HTTP probe from inside a replica.
func BenchmarkCheck(b *testing.B) {
	e, _, holder := benchReplica(b)
	a, err := e.Agent(b.Context(), holder)
	if err != nil {
		b.Fatal(err)
	}
	waitPort(b, a, 8080)
	for b.Loop() {
		r, err := a.Check(b.Context(), container.Check{Scheme: "HTTP", Port: 8080, Path: "/", Timeout: time.Second})
		if err != nil || !r.OK {
			b.Fatal(r, err)
		}
	}
}

// BenchmarkStream carries bytes from a replica to us.
func BenchmarkStream(b *testing.B) {
	e, _, holder := benchReplica(b)
	a, err := e.Agent(b.Context(), holder)
	if err != nil {
		b.Fatal(err)
	}
	waitPort(b, a, 8080)
	const size = 64 << 20
	b.SetBytes(size)
	for b.Loop() {
		conn, err := a.Dial(b.Context(), "127.0.0.1", 8080)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := fmt.Fprintf(conn, "GET /bytes/%d HTTP/1.0\r\n\r\n", size); err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, conn)
		if err != nil || n < size {
			b.Fatalf("%d bytes, %v", n, err)
		}
		conn.Close()
	}
}

// BenchmarkStartReplica is a replica from nothing to the first probe that
// passes, and its removal.
func BenchmarkStartReplica(b *testing.B) {
	e, env, _ := benchReplica(b)
	image := programImage(b, e, runtimetest.Serves)
	i := 0
	var ready time.Duration
	for b.Loop() {
		i++
		start := time.Now()
		key := container.Key{App: "web", Revision: "web--r1", Replica: fmt.Sprint("web--r1-", i), Role: container.RoleHolder, Attempt: 1}
		holder, err := e.Create(b.Context(), container.Spec{Env: env, Key: key})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Start(b.Context(), holder); err != nil {
			b.Fatal(err)
		}
		key.Role, key.Container = container.RoleApp, "app"
		app, err := e.Create(b.Context(), container.Spec{Env: env, Key: key, Image: image})
		if err != nil {
			b.Fatal(err)
		}
		if err := e.Start(b.Context(), app); err != nil {
			b.Fatal(err)
		}
		a, err := e.Agent(b.Context(), holder)
		if err != nil {
			b.Fatal(err)
		}
		waitPort(b, a, 8080)
		ready += time.Since(start)
		if err := e.Remove(b.Context(), app); err != nil {
			b.Fatal(err)
		}
		if err := e.Remove(b.Context(), holder); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(ready.Milliseconds())/float64(i), "ms-to-ready")
}

// BenchmarkDockerRun is what the docker CLI takes to run and remove the same
// program, for comparison.
func BenchmarkDockerRun(b *testing.B) {
	e := newEngine(b)
	image := programImage(b, e, runtimetest.Serves)
	if _, err := exec.LookPath("docker"); err != nil {
		b.Skip("no docker CLI here")
	}
	for b.Loop() {
		cmd := exec.CommandContext(b.Context(), "docker", "run", "--rm", "--entrypoint", "/app", image, "do", "exit", "0", "", "")
		cmd.Stderr = os.Stderr
		if err := cmd.Run(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkList lists an environment of two containers.
func BenchmarkList(b *testing.B) {
	e, env, _ := benchReplica(b)
	for b.Loop() {
		if all, err := e.List(b.Context(), env); err != nil || len(all) != 2 {
			b.Fatal(all, err)
		}
	}
}
