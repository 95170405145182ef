package emulatortest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/emulator/emulatortest"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/home"
)

func requireDocker(t *testing.T) {
	t.Helper()
	if os.Getenv("ACALOCAL_DOCKER") == "" {
		t.Skip("needs a Docker Engine; set ACALOCAL_DOCKER=1 to run it")
	}
}

// python serves files with the image every other Docker test has.
func python() emulatortest.Option {
	return emulatortest.App(aca.ContainerApp{Name: "web", Properties: aca.AppProperties{
		Configuration: aca.Configuration{Ingress: &aca.Ingress{External: true, TargetPort: 8000}},
		Template: aca.Template{
			Containers: []aca.Container{{Name: "web", Image: "python:3.11-slim", Command: []string{"python3", "-u", "-m", "http.server", "8000"}}},
			Scale:      &aca.Scale{MinReplicas: new(1)},
		},
	}})
}

// held are the environments the engine has something of.
func held(t *testing.T) map[string]bool {
	t.Helper()
	engine, err := docker.New(context.Background(), docker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	list, err := engine.Environments(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, e := range list {
		out[e.Name] = true
	}
	return out
}

func TestEnvironmentsOnDockerLeaveNothing(t *testing.T) {
	requireDocker(t)
	var names []string
	for i := range 3 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			env := emulatortest.Start(t, python())
			env.WaitReady()
			names = append(names, env.Name())
		})
	}
	left := held(t)
	for _, name := range names {
		if _, err := os.Stat(home.Tests().Environment(name).Dir()); left[name] || err == nil {
			t.Errorf("environment %s is still there", name)
		}
	}
}

func TestExhaustedMemoryIsSeen(t *testing.T) {
	requireDocker(t)
	env := emulatortest.Start(t, python(), emulatortest.TimeScale(10), emulatortest.Change("web", func(a *aca.ContainerApp) {
		a.Properties.Template.Containers[0].Resources = &aca.Resources{CPU: 0.25, Memory: "0.5Gi"}
	}))
	env.WaitReady()
	env.AddFault(emulatortest.Fault{Kind: emulatortest.ExhaustMemory, App: "web"})
	v := env.WaitVerdict("web")
	if !strings.Contains(v.Rule, "memory") && !strings.Contains(v.Rule, "oom") {
		t.Errorf("the verdict is\n%s", v)
	}
}

// counter is an asynchronous server as uvicorn runs one: each request adds one
// to the count of its path, and /counts answers all of them.
const counter = `
import asyncio, collections, json, time

time.sleep(2)  # what it takes to import a framework: the whole burst comes before it listens
counts = collections.Counter()

async def answer(reader, writer):
    try:
        while line := await reader.readline():
            while (await reader.readline()).strip():
                pass
            path = line.split()[1].decode()
            if path == "/counts":
                body = json.dumps(counts).encode()
            else:
                counts[path] += 1
                body = path.encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
    finally:
        writer.close()

async def main():
    async with await asyncio.start_server(answer, "0.0.0.0", 8000, backlog=2048) as server:
        await server.serve_forever()

asyncio.run(main())
`

// A thousand clients call an app at zero within a second. Each gets its answer
// from the replica that comes up for them, and the app has seen each once.
func TestBurstOnAnAppAtZeroIsAnsweredOnce(t *testing.T) {
	requireDocker(t)
	env := emulatortest.Start(t, python(), emulatortest.TimeScale(5), emulatortest.Change("web", func(a *aca.ContainerApp) {
		tmpl := &a.Properties.Template
		tmpl.Containers[0].Command = []string{"python3", "-u", "-c", counter}
		// One replica counts them all.
		tmpl.Scale = &aca.Scale{MinReplicas: new(0), MaxReplicas: new(1), CooldownPeriod: new(5)}
	}))
	env.WaitReady()
	env.WaitFor("the app is at zero", func(s *emulator.Snapshot) bool {
		r := s.App("web").Revisions[0]
		return r.Properties.RunningState == "ScaledToZero" && len(r.Replicas) == 0
	})
	const burst = 1000
	url := env.URL("web")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: burst}, Timeout: 48 * time.Second}
	defer client.CloseIdleConnections()
	get := func(path string) (string, error) {
		resp, err := client.Get(url + path)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err == nil && resp.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", resp.Status, body)
		}
		return string(body), err
	}
	began := time.Now()
	wrong := make(chan string, burst)
	var all sync.WaitGroup
	for i := range burst {
		all.Go(func() {
			path := fmt.Sprintf("/%d", i)
			if body, err := get(path); err != nil || body != path {
				wrong <- fmt.Sprintf("%s is answered %q: %v", path, body, err)
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	close(wrong)
	for what := range wrong {
		t.Error(what)
	}
	text, err := get("/counts")
	if err != nil {
		t.Fatal(err)
	}
	var counts map[string]int
	if err := json.Unmarshal([]byte(text), &counts); err != nil {
		t.Fatal(err)
	}
	for path, n := range counts {
		if n != 1 {
			t.Errorf("the app has seen %s %d times", path, n)
		}
	}
	if len(counts) != burst {
		t.Errorf("the app has seen %d requests of %d", len(counts), burst)
	}
	var rows []struct{ Held, Within, Last float64 }
	env.WaitLogs(fmt.Sprintf(`ContainerAppHTTPLogs | where Path != "/counts"
		| summarize All=count(), Held=countif(HeldDuration > 0), Within=(max(StartTime) - min(StartTime)) / 1ms, Last=max(HeldDuration)
		| where All == %d`, burst), &rows)
	t.Logf("%v requests waited, up to %v ms; the last came %v ms after the first; all were answered after %v", rows[0].Held, rows[0].Last, rows[0].Within, took)
	if rows[0].Held != burst {
		t.Errorf("%v of %d requests have waited for the replica", rows[0].Held, burst)
	}
}

// killedVariable makes the test binary one that will be killed.
const killedVariable = "EMULATORTEST_WILL_BE_KILLED"

// TestThatIsKilled is run by TestKilledTestIsSweptUp, in a process of its own.
func TestThatIsKilled(t *testing.T) {
	if os.Getenv(killedVariable) == "" {
		t.Skip("runs in the process that another test kills")
	}
	env := emulatortest.Start(t, python())
	env.WaitReady()
	fmt.Println("ready " + env.Name())
	<-t.Context().Done() // never: the process is killed
}

// killed runs an environment in a process, kills that, and returns the name.
func killed(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestThatIsKilled$", "-test.v")
	cmd.Env = append(os.Environ(), killedVariable+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	name := ""
	lines := bufio.NewScanner(out)
	for name == "" && lines.Scan() {
		_, name, _ = strings.Cut(lines.Text(), "ready ")
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it was killed
	if name == "" {
		t.Fatal("the test that is to be killed did not begin")
	}
	if !held(t)[name] {
		t.Fatalf("the killed test has left nothing of %s: nothing is proved", name)
	}
	return name
}

func TestKilledTestIsSweptUp(t *testing.T) {
	requireDocker(t)
	name := killed(t)
	// The next process is another one than this, which has swept already.
	cmd := exec.Command(os.Args[0], "-test.run", "^TestEnvironmentsOnDockerLeaveNothing$/^0$")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if _, err := os.Stat(home.Tests().Environment(name).Dir()); held(t)[name] || err == nil {
		t.Errorf("environment %s is still there", name)
	}
}

func TestKilledTestIsRemovedByTheDoctor(t *testing.T) {
	requireDocker(t)
	name := killed(t)
	cmd := exec.Command("go", "run", "../../cmd/acalocal", "doctor", "--fix")
	out, _ := cmd.CombinedOutput() // the doctor may find something else that is wrong with this machine
	if !strings.Contains(string(out), "a test that was killed has left environment "+name) {
		t.Errorf("the doctor does not name it:\n%s", out)
	}
	if held(t)[name] {
		t.Errorf("environment %s is still there", name)
	}
}
