package docker

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/moby/moby/client"

	"github.com/acalocal/acalocal/internal/agent"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/container/runtimetest"
)

// replicaOf is a replica for one test.
type replicaOf struct {
	*testing.T
	e      *Engine
	env    string
	holder container.ID
}

// newReplica makes an environment with one running holder, which goes with the
// test.
func newReplica(t *testing.T, e *Engine) *replicaOf {
	t.Helper()
	r := &replicaOf{T: t, e: e, env: testEnv(t)}
	if err := e.EnsureEnvironment(t.Context(), r.env); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.RemoveEnvironment(context.Background(), r.env); err != nil {
			t.Error("remove environment:", err)
		}
	})
	r.holder = r.start(container.Spec{Key: r.key("", container.RoleHolder), Hostname: "web--r1-abc"})
	return r
}

func (r *replicaOf) key(name string, role container.Role) container.Key {
	return container.Key{App: "web", Revision: "web--r1", Replica: "web--r1-abc", Container: name, Role: role, Attempt: 1}
}

// start creates and starts a container.
func (r *replicaOf) start(s container.Spec) container.ID {
	r.Helper()
	s.Env = r.env
	id, err := r.e.Create(r.Context(), s)
	if err != nil {
		r.Fatal(err)
	}
	if err := r.e.Start(r.Context(), id); err != nil {
		r.Fatal(err)
	}
	return id
}

// app starts the test program with a command.
func (r *replicaOf) app(name string, change func(*container.Spec), words ...string) container.ID {
	r.Helper()
	s := container.Spec{
		Key:        r.key(name, container.RoleApp),
		Image:      programImage(r.T, r.e, runtimetest.Serves),
		Entrypoint: append([]string{"/app"}, words...),
	}
	if change != nil {
		change(&s)
	}
	return r.start(s)
}

// waitExit waits until a container has ended and returns its status.
func (r *replicaOf) waitExit(id container.ID) container.Status {
	r.Helper()
	if err := <-r.e.waitEnd(r.Context(), id); err != nil {
		r.Fatal(err)
	}
	all, err := r.e.List(r.Context(), r.env)
	if err != nil {
		r.Fatal(err)
	}
	for _, s := range all {
		if s.ID == id {
			return s
		}
	}
	r.Fatal("the container is not listed")
	return container.Status{}
}

// ended runs the test program to its end and returns its output and code.
func (r *replicaOf) ended(name string, words ...string) (string, container.Status) {
	r.Helper()
	id := r.app(name, nil, append([]string{"do"}, words...)...)
	st := r.waitExit(id)
	return text(r.T, r.e, id), st
}

func TestContainersOfAReplicaShareTheHolder(t *testing.T) {
	r := newReplica(t, newEngine(t))
	if out, _ := r.ended("name", "hostname"); out != "web--r1-abc\n" {
		t.Errorf("hostname %q", out)
	}
}

func TestPortsBelow1024NeedRoot(t *testing.T) {
	r := newReplica(t, newEngine(t))
	if out, st := r.ended("user", "bind", "80", "1000"); st.ExitCode != 1 || !strings.Contains(out, "permission denied") {
		t.Errorf("uid 1000 binds port 80: code %d, %s", st.ExitCode, out)
	}
	if out, st := r.ended("root", "bind", "80", "0"); st.ExitCode != 0 {
		t.Errorf("root binds port 80: code %d, %s", st.ExitCode, out)
	}
	if out, st := r.ended("high", "bind", "1024", "1000"); st.ExitCode != 0 {
		t.Errorf("uid 1000 binds port 1024: code %d, %s", st.ExitCode, out)
	}
}

func TestMemoryLimitKillsAndIsSeen(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	hints, err := e.Events(t.Context(), r.env)
	if err != nil {
		t.Fatal(err)
	}
	id := r.app("app", func(s *container.Spec) { s.Memory = 32 << 20; s.CPU = 64 }, "do", "eat")
	if st := r.waitExit(id); !st.OOMKilled || st.ExitCode != 137 {
		t.Errorf("out of memory %v, code %d; want true, 137", st.OOMKilled, st.ExitCode)
	}
	for h := range hints {
		if h.OOM && h.Key == r.key("app", container.RoleApp) {
			return
		}
	}
	t.Error("no hint of the kill")
}

func TestSignalIsTheImages(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	dir := buildDir(t, map[string]string{"Dockerfile": "FROM " + programImage(t, e, runtimetest.Serves) + "\nSTOPSIGNAL SIGQUIT\n"})
	// The label lets the image go with the environment.
	image, err := e.Build(t.Context(), container.BuildSpec{
		Context: dir, Tag: "acalocal-test/quits:1", Labels: container.ImageLabels(r.env),
	})
	if err != nil {
		t.Fatal(err)
	}
	id := r.app("app", func(s *container.Spec) { s.Image = image.ID }, "do", "fork", "child")
	waitOutput(t, e, id, "child ready")
	if err := e.Stop(t.Context(), id, 20*time.Second); err != nil {
		t.Fatal(err)
	}
	if out := text(t, e, id); out != "child ready\nchild got quit\n" {
		t.Errorf("output %q", out)
	}
}

func TestSignalReachesEveryProcess(t *testing.T) {
	for name, c := range map[string]struct {
		firstOnly bool
		want      string
	}{
		"all":        {false, "child ready\nchild got terminated\nchild ended 0\n"},
		"first only": {true, "child ready\n"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, func(o *Options) { o.StopFirstOnly = c.firstOnly })
			r := newReplica(t, e)
			// The first process takes the signal and passes nothing on.
			id := r.app("app", nil, "do", "fork")
			waitOutput(t, e, id, "child ready")
			grace := 20 * time.Second
			if c.firstOnly {
				grace = 500 * time.Millisecond
			}
			if err := e.Stop(t.Context(), id, grace); err != nil {
				t.Fatal(err)
			}
			if out := text(t, e, id); out != c.want {
				t.Errorf("output %q, want %q", out, c.want)
			}
		})
	}
}

// waitOutput waits until a container has written a line.
func waitOutput(t *testing.T, e *Engine, id container.ID, line string) {
	t.Helper()
	l, err := e.Logs(t.Context(), id, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for {
		entry, err := l.Next()
		if err != nil {
			t.Fatalf("waited in vain for %q: %v", line, err)
		}
		if string(bytes.TrimSpace(entry.Data)) == line {
			return
		}
	}
}

func TestOutputIsCompleteAndInOrder(t *testing.T) {
	r := newReplica(t, newEngine(t))
	const count = 20000
	out, _ := r.ended("app", "lines", fmt.Sprint(count), "100")
	i := 0
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, fmt.Sprintf("%08d ", i)) {
			t.Fatalf("line %d is %q", i, line)
		}
		i++
	}
	if i != count {
		t.Errorf("%d lines of %d", i, count)
	}
}

func TestLongLinesComeInParts(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	id := r.app("app", nil, "do", "lines", "1", "40000")
	r.waitExit(id)
	l, err := e.Logs(t.Context(), id, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var sizes []int
	for {
		entry, err := l.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(entry.Data))
		if end := bytes.HasSuffix(entry.Data, []byte("\n")); end != (len(sizes) == 3) {
			t.Errorf("part %d: line end %v", len(sizes), end)
		}
	}
	if diff := cmp.Diff([]int{16384, 16384, 40010 - 2*16384}, sizes); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

func TestExecHasInputAndATerminal(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	id := r.app("app", nil, "{}")
	var out bytes.Buffer
	code, err := e.Exec(t.Context(), id, container.ExecSpec{
		Command: []string{"/app", "do", "cat"}, Stdin: strings.NewReader("hello"), Stdout: &out,
	})
	if err != nil || code != 0 || out.String() != "HELLO" {
		t.Errorf("cat: code %d, %q, %v", code, out.String(), err)
	}
	out.Reset()
	code, err = e.Exec(t.Context(), id, container.ExecSpec{
		Command: []string{"/app", "do", "exit", "3", "a", "b"}, TTY: true, Width: 80, Height: 24, Stdout: &out,
	})
	if err != nil || code != 3 || out.String() != "a\r\nb\r\n" {
		t.Errorf("with a terminal: code %d, %q, %v", code, out.String(), err)
	}
	out.Reset()
	for command, want := range map[string]container.Code{
		"/nothing": container.CodeNoProgram, "nothing": container.CodeNoProgram, "/proc/version": container.CodeCreate, "/proc": container.CodeCreate,
	} {
		for _, tty := range []bool{false, true} {
			_, err := e.Exec(t.Context(), id, container.ExecSpec{Command: []string{command}, Stdout: &out, Stderr: &out, TTY: tty, Width: 80, Height: 24})
			if container.CodeOf(err) != want || out.Len() > 0 {
				t.Errorf("%s, terminal %t: %q, %v; want the code %q and no output", command, tty, out.String(), err, want)
			}
		}
	}
}

func TestExecEndsWithItsContext(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	id := r.app("app", nil, "{}")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := e.Exec(ctx, id, container.ExecSpec{Command: []string{"/app", "{}"}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestAgentIsAttachedAgain(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	r.app("app", nil, `{"Listens":[8080]}`)
	a, err := e.Agent(t.Context(), r.holder)
	if err != nil {
		t.Fatal(err)
	}
	waitPort(t, a, 8080)
	conn, err := a.Dial(t.Context(), "127.0.0.1", 8080)
	if err != nil {
		t.Fatal(err)
	}
	// Another daemon takes the stream: half a frame of ours may be left in it.
	other := newEngine(t)
	taken, err := other.Agent(t.Context(), r.holder)
	if err != nil {
		t.Fatal(err)
	}
	waitPort(t, taken, 8080)
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlived its session")
	}
	check(t, a)
	check(t, taken)
}

// waitPort waits until a port is listened on.
func waitPort(t testing.TB, a container.Agent, port int) {
	t.Helper()
	for {
		all, err := a.Listeners(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range all {
			if l.Port == port {
				return
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func check(t *testing.T, a container.Agent) {
	t.Helper()
	r, err := a.Check(t.Context(), container.Check{Scheme: "HTTP", Port: 8080, Path: "/", Timeout: 10 * time.Second})
	if err != nil || !r.OK {
		t.Errorf("check: %+v, %v", r, err)
	}
}

func TestDirectAddressIsProved(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	r.app("app", nil, `{"Listens":[8080]}`)
	all, err := e.List(t.Context(), r.env)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range all {
		if st.Key.Role != container.RoleHolder {
			if st.Address != "" {
				t.Errorf("%+v has an address", st.Key)
			}
			continue
		}
		if st.Address == "" {
			t.Log("this engine's networks are not reachable from here")
			continue
		}
		a, err := e.Agent(t.Context(), r.holder)
		if err != nil {
			t.Fatal(err)
		}
		waitPort(t, a, 8080)
		conn, err := net.Dial("tcp", net.JoinHostPort(st.Address, "8080"))
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
	}
}

func TestCallsByNameComeThroughTheGate(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	l, err := e.OpenGate(t.Context(), container.GateSpec{Env: r.env, Names: []string{"backend", "backend.internal.test"}, Ports: []int{80, 443}})
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			_, port, _ := net.SplitHostPort(conn.LocalAddr().String())
			if key, ok, err := e.Caller(t.Context(), r.env, conn.RemoteAddr().(*net.TCPAddr).AddrPort().Addr()); err != nil || !ok || key != r.key("", container.RoleHolder) {
				t.Errorf("called by %+v, %v, %v", key, ok, err)
			}
			fmt.Fprintf(conn, "%s on %s\n", strings.TrimSpace(line), port) // the caller's output shows it
			conn.Close()
		}
	}()
	for _, target := range []string{"backend:80", "backend.internal.test:443"} {
		_, port, _ := net.SplitHostPort(target)
		if out, st := r.ended("call"+port, "get", target, "hello"); st.ExitCode != 0 || out != "hello on "+port+"\n" {
			t.Errorf("call of %s: code %d, %q", target, st.ExitCode, out)
		}
	}
	// A gate makes no replica.
	all, err := e.List(t.Context(), r.env)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range all {
		if st.Key.Role != container.RoleHolder && st.Key.Role != container.RoleApp {
			t.Errorf("listed: %+v", st)
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	<-served
	if out, st := r.ended("late", "lookup", "backend"); st.ExitCode == 0 {
		t.Errorf("the name is still there: %s", out)
	}
}

func TestGateOpensAgain(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	spec := container.GateSpec{Env: r.env, Names: []string{"backend"}, Ports: []int{80}}
	first, err := e.OpenGate(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	// Its daemon does nothing any more, and its session is there still.
	g := first.(*gate)
	g.once.Do(func() { close(g.closed) })
	<-g.ended
	// Whoever opens it again has it: the daemon before may be dead.
	second := newEngine(t)
	l, err := second.OpenGate(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// The first takes it back once; the second gets it again.
	if _, err := g.listen(t.Context()); err != nil && !errors.Is(err, agent.ErrLost) {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(conn).ReadString('\n')
			fmt.Fprintln(conn, "second")
			conn.Close()
		}
	}()
	for {
		out, st := r.ended(fmt.Sprint("call", envs.next()), "get", "backend:80", "x")
		if st.ExitCode == 0 && out == "second\n" {
			return
		}
		if t.Context().Err() != nil {
			t.Fatal("nobody serves the gate")
		}
	}
}

func TestGateTakesItsNamesFromADeadOne(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	spec := func(names ...string) container.GateSpec {
		return container.GateSpec{Env: r.env, Names: names, Ports: []int{80}}
	}
	open := func(e *Engine, names ...string) *gate {
		t.Helper()
		l, err := e.OpenGate(t.Context(), spec(names...))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		return l.(*gate)
	}
	other := open(e, "other")
	dead := newEngine(t)
	for _, names := range [][]string{{"backend", "gone"}, {"elsewhere"}} {
		open(dead, names...).stop() // as when the daemon is killed
	}
	first := open(e, "backend", "next")
	second := open(e, "backend")

	list, err := e.summaries(t.Context(), r.env)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range list {
		if isGate(c, r.env) {
			got = append(got, strings.TrimPrefix(c.Names[0], "/"))
		}
	}
	want := []string{gateName(spec("other")), gateName(spec("elsewhere")), gateName(spec("backend", "next")), gateName(spec("backend"))}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the gates are %v, want %v", got, want)
	}
	for _, g := range []*gate{other, first, second} {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestVolumesLiveAsLongAsWhatTheyAreFor(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	volumes := func() (names []string) {
		v, err := e.client.VolumeList(t.Context(), client.VolumeListOptions{Filters: envFilter(r.env)})
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range v.Items {
			names = append(names, strings.TrimPrefix(v.Name, "acalocal-"+r.env+"-"))
		}
		slices.Sort(names)
		return names
	}
	id := r.app("app", func(s *container.Spec) {
		s.Mounts = []container.Mount{
			{Type: container.MountVolume, Source: "web--r1-abc.scratch", Target: "/scratch"},
			{Type: container.MountVolume, Source: "storage.share", Target: "/share", SubPath: "sub/dir"},
			{Type: container.MountTmpfs, Target: "/secrets", ReadOnly: true, Files: map[string][]byte{"key": []byte("sesame"), "b": nil}},
			{Type: container.MountTmpfs, Target: "/memory"},
		}
	}, "{}")
	if code, out := do(t, e, id, "read", "/secrets/key"); code != 0 || out != "sesame" {
		t.Errorf("a secret reads %q, code %d", out, code)
	}
	if code, out := do(t, e, id, "write", "/secrets/key", "0"); code == 0 || !strings.Contains(out, "read-only") {
		t.Errorf("a secret was written: code %d, %s", code, out)
	}
	for _, file := range []string{"/scratch/f", "/memory/f", "/share/f"} {
		if code, out := do(t, e, id, "write", file, "1000"); code != 0 {
			t.Errorf("uid 1000 writes %s: code %d, %s", file, code, out)
		}
	}
	other := r.app("other", func(s *container.Spec) {
		s.Mounts = []container.Mount{
			{Type: container.MountVolume, Source: "storage.share", Target: "/share", SubPath: "/sub"},
			{Type: container.MountVolume, Source: "web--r1-abc.scratch", Target: "/part", SubPath: "part"},
		}
	}, "{}")
	if code, out := do(t, e, other, "read", "/share/dir/f"); code != 0 {
		t.Errorf("what is in a part of a volume is gone once another container mounts it: code %d, %s", code, out)
	}
	if code, out := do(t, e, other, "write", "/part/f", "1000"); code != 0 {
		t.Errorf("uid 1000 writes a part of an EmptyDir: code %d, %s", code, out)
	}
	if code, out := do(t, e, id, "read", "/scratch/part/f"); code != 0 {
		t.Errorf("the whole EmptyDir lacks the part: code %d, %s", code, out)
	}
	if err := e.Remove(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	want := []string{"storage.share", "web--r1-abc.app.app.1.files2", "web--r1-abc.scratch"}
	if diff := cmp.Diff(want, volumes()); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
	if err := e.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"storage.share", "web--r1-abc.scratch"}, volumes()); diff != "" {
		t.Errorf("volumes after the container (-want +got):\n%s", diff)
	}
	if err := e.Remove(t.Context(), r.holder); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"storage.share"}, volumes()); diff != "" {
		t.Errorf("volumes after the replica (-want +got):\n%s", diff)
	}
}

func TestEnvironmentsFindLeftovers(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	r.app("app", func(s *container.Spec) {
		s.Mounts = []container.Mount{{Type: container.MountVolume, Source: "storage.data", Target: "/data"}}
	}, "{}")
	all, err := e.Environments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, env := range all {
		if env.Name == r.env {
			want := Environment{Name: r.env, Schema: "1", Containers: 2, Running: 2,
				Networks: []string{"acalocal-" + r.env}, Volumes: []string{"acalocal-" + r.env + "-storage.data"}}
			if diff := cmp.Diff(want, env); diff != "" {
				t.Errorf("environment (-want +got):\n%s", diff)
			}
			if err := e.RemoveEnvironment(t.Context(), r.env); err != nil {
				t.Fatal(err)
			}
			v, err := e.client.VolumeList(t.Context(), client.VolumeListOptions{Filters: envFilter(r.env)})
			if err != nil || len(v.Items) > 0 {
				t.Errorf("volumes left: %v %v", v.Items, err)
			}
			return
		}
	}
	t.Errorf("%s is not among %v", r.env, all)
}

// A container inherits the labels of its image. One that somebody has started by
// hand from an image built for an environment is theirs all the same.
func TestRemoveEnvironmentLeavesWhatOthersStarted(t *testing.T) {
	e := newEngine(t)
	env := testEnv(t)
	dir := buildDir(t, map[string]string{"Dockerfile": "FROM " + programImage(t, e, runtimetest.Serves) + "\nENV BUILT=1\n"})
	image, err := e.Build(t.Context(), container.BuildSpec{Context: dir, Tag: "acalocal-test/theirs:" + env, Labels: container.ImageLabels(env)})
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := e.client.ContainerCreate(t.Context(), client.ContainerCreateOptions{Image: image.ID})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Remove(context.WithoutCancel(t.Context()), container.ID(theirs.ID)); err != nil {
			t.Error(err)
		}
		removeTestImage(t, e, image.ID)
	})
	for _, state := range []string{"created", "running"} {
		if state == "running" {
			if err := e.Start(t.Context(), container.ID(theirs.ID)); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.RemoveEnvironment(t.Context(), env); err != nil {
			t.Fatal(state, err)
		}
		r, err := e.client.ContainerInspect(t.Context(), theirs.ID, client.ContainerInspectOptions{})
		if err != nil {
			t.Fatal(state, err)
		}
		if string(r.Container.State.Status) != state {
			t.Errorf("it was %s and is %s", state, r.Container.State.Status)
		}
		if _, err := e.image(t.Context(), image.ID); err != nil {
			t.Error("its image:", err)
		}
	}
	all, err := e.Environments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(all, func(x Environment) bool { return x.Name == env }) {
		t.Errorf("%s counts as an environment: %v", env, all)
	}
}

func TestInfoKnowsTheEngine(t *testing.T) {
	e := newEngine(t)
	i, err := e.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", i)
	if i.Version == "" || i.APIVersion == "" || i.CPUs == 0 || i.Memory == 0 || i.StorageDriver == "" || i.Clock.IsZero() {
		t.Errorf("incomplete: %+v", i)
	}
}

// What a container writes is counted, and what it deletes is not.
func TestWrittenIsWhatIsInTheFileSystem(t *testing.T) {
	e := newEngine(t)
	const image = "python:3.11-slim"
	if _, err := e.Pull(t.Context(), container.PullSpec{Image: image}, nil); err != nil {
		t.Fatal(err)
	}
	r := newReplica(t, e)
	id := r.start(container.Spec{Key: r.key("app", container.RoleApp), Image: image, Entrypoint: []string{"sleep", "600"}})
	run := func(command string) int64 {
		t.Helper()
		if code, err := e.Exec(t.Context(), id, container.ExecSpec{Command: []string{"sh", "-c", command}, Stdout: io.Discard, Stderr: io.Discard}); err != nil || code != 0 {
			t.Fatalf("%s: code %d, %v", command, code, err)
		}
		n, err := e.Written(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := run("true"); n > 1<<20 {
		t.Errorf("%d bytes in a new container", n)
	}
	if n := run("dd if=/dev/zero of=/tmp/file bs=1M count=20"); n < 20<<20 || n > 21<<20 {
		t.Errorf("%d bytes with a file of 20 MiB", n)
	}
	if n := run("rm /tmp/file"); n > 1<<20 {
		t.Errorf("%d bytes without the file", n)
	}
}

// TestGateChangesItsPortsInPlace: a connection that is open stays, a port that
// was silent answers, and one that answered is refused.
func TestGateChangesItsPortsInPlace(t *testing.T) {
	e := newEngine(t)
	r := newReplica(t, e)
	l, err := e.OpenGate(t.Context(), container.GateSpec{Env: r.env, Names: []string{"backend"}, Ports: []int{80, 81}, Silent: []int{5432}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	first := make(chan net.Conn, 1)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if line == "hold\n" && err == nil {
				first <- conn
				continue
			}
			fmt.Fprintln(conn, "hello") // the caller's output shows it
			conn.Close()
		}
	}()
	held := r.app("held", nil, "do", "get", "backend:80", "hold")
	conn := <-first
	if err := l.Answer(t.Context(), []int{80, 5432}, []int{81}); err != nil {
		t.Fatal(err)
	}
	if out, st := r.ended("raw", "get", "backend:5432", "x"); st.ExitCode != 0 || out != "hello\n" {
		t.Errorf("the port that was silent: code %d, %q", st.ExitCode, out)
	}
	if err := l.Answer(t.Context(), []int{80, 5432}, nil); err != nil {
		t.Fatal(err)
	}
	if out, st := r.ended("former", "get", "backend:81", "x"); st.ExitCode == 0 {
		t.Errorf("the port that is free again: %q", out)
	}
	fmt.Fprintln(conn, "still here")
	conn.Close()
	st := r.waitExit(held)
	if out := text(t, e, held); st.ExitCode != 0 || out != "still here\n" {
		t.Errorf("the connection from before: code %d, %q", st.ExitCode, out)
	}
}
