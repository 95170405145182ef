package cli_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/docker"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestDockerScripts drives the real program and a real Docker Engine with
// testdata/docker/*.txtar. Each script has an environment of its own and
//
//	get APP PATH   prints what the app answers at its loopback address
//	gethost NAME PATH  prints what the host NAME.DOMAIN answers over https
//	edge           puts the environment's $DOMAIN and the ports of its edge, $HTTP
//	               and $HTTPS, into the script's environment
//	logged TEXT [SECONDS [APP]]  waits until the console log of the app, or the only one, has TEXT
//	engine …, answers …, peak …  see badday_docker_test.go
//	queried QUERY TEXT  waits until the answer to a query has TEXT
//	program NAME   compiles testdata/NAME into the directory NAME
//	killdaemon     kills the daemon and waits until it is dead
//	taken          takes a port and puts it into $TAKEN
//	gone           fails unless nothing of the environment is left
func TestDockerScripts(t *testing.T) {
	if os.Getenv("ACALOCAL_DOCKER") == "" {
		t.Skip("needs a Docker Engine; set ACALOCAL_DOCKER=1 to run it")
	}
	app := buildApp(t)
	module, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Abs(filepath.Join("..", "..", "examples"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closeProxies)
	var number atomic.Int64 // scripts run in parallel
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "docker"),
		Setup: func(env *testscript.Env) error {
			name := fmt.Sprintf("clitest%d-%d", os.Getpid(), number.Add(1))
			env.Setenv("ACALOCAL_ENVIRONMENT", name)
			env.Setenv("ACALOCAL_STATE_DIR", filepath.Join(env.WorkDir, ".state"))
			env.Setenv("EXAMPLES", examples)
			env.Setenv("DOCKER_HOST", os.Getenv("DOCKER_HOST"))
			env.Setenv("HOME", os.Getenv("HOME")) // docker contexts and credentials
			env.Setenv("XDG_CACHE_HOME", os.Getenv("XDG_CACHE_HOME"))
			env.Setenv("PATH", env.Getenv("PATH")+string(os.PathListSeparator)+os.Getenv("PATH")) // go, for the agent
			e := home.At(filepath.Join(env.WorkDir, ".state")).Environment(name)
			env.Defer(func() { removeEnvironment(t, e) })
			if err := os.MkdirAll(filepath.Join(env.WorkDir, "app"), 0o755); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "app", "app"), app, 0o755)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"get":        getApp,
			"gethost":    getHost,
			"edge":       edgePorts,
			"logged":     awaitLine,
			"queried":    awaitAnswer,
			"program":    func(ts *testscript.TestScript, _ bool, args []string) { buildProgram(ts, module, args[0]) },
			"killdaemon": killDaemon,
			"taken":      takePort,
			"engine":     engineCommand,
			"answers":    serveThrough,
			"peak":       peakMemory,
			"gone":       checkGone,
		},
	})
}

// buildApp compiles testdata/app as a static program for the engine.
func buildApp(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "app")
	cmd := exec.Command("go", "build", "-o", path, "./testdata/app")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build testdata/app: %v\n%s", err, out)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// buildProgram is buildApp for a program that one script needs. It is run where
// the module is: the script's directory is outside.
func buildProgram(ts *testscript.TestScript, module, name string) {
	cmd := exec.Command("go", "build", "-o", ts.MkAbs(filepath.Join(name, name)), "./testdata/"+name)
	cmd.Dir, cmd.Env = module, append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("build testdata/%s: %v\n%s", name, err, out)
	}
}

// removeEnvironment cleans up after a script, whatever it has left.
func removeEnvironment(t *testing.T, e home.Environment) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := client.New(e)
	if err := c.Shutdown(ctx, true); err == nil {
		if err := c.Gone(ctx); err != nil {
			t.Errorf("clean up: %v", err)
		}
	} else if !errors.Is(err, client.ErrNotRunning) {
		t.Errorf("clean up: %v", err)
	}
	engine, err := docker.New(ctx, docker.Options{})
	if err != nil {
		t.Errorf("clean up: %v", err)
		return
	}
	defer engine.Close()
	if err := engine.RemoveEnvironment(ctx, e.Name); err != nil {
		t.Errorf("clean up: %v", err)
	}
}

func scriptEnvironment(ts *testscript.TestScript) home.Environment {
	return home.At(ts.Getenv("ACALOCAL_STATE_DIR")).Environment(ts.Getenv("ACALOCAL_ENVIRONMENT"))
}

func getApp(ts *testscript.TestScript, _ bool, args []string) {
	snap, err := client.New(scriptEnvironment(ts)).Snapshot(context.Background())
	ts.Check(err)
	app := snap.App(args[0])
	if app == nil {
		ts.Fatalf("there is no app %s", args[0])
	}
	c := http.Client{Timeout: patience}
	resp, err := c.Get(app.Local.URL + args[1])
	ts.Check(err)
	defer resp.Body.Close()
	_, err = io.Copy(ts.Stdout(), resp.Body)
	ts.Check(err)
}

func getHost(ts *testscript.TestScript, _ bool, args []string) {
	snap, err := client.New(scriptEnvironment(ts)).Snapshot(context.Background())
	ts.Check(err)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // the authority is this environment's own
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, snap.SecureEdge)
		},
	}
	defer transport.CloseIdleConnections()
	c := http.Client{Timeout: patience, Transport: transport}
	resp, err := c.Get("https://" + args[0] + "." + snap.Domain + args[1])
	ts.Check(err)
	defer resp.Body.Close()
	_, err = io.Copy(ts.Stdout(), resp.Body)
	ts.Check(err)
}

func edgePorts(ts *testscript.TestScript, _ bool, _ []string) {
	snap, err := client.New(scriptEnvironment(ts)).Snapshot(context.Background())
	ts.Check(err)
	ts.Setenv("DOMAIN", snap.Domain)
	for name, addr := range map[string]string{"HTTP": snap.Edge, "HTTPS": snap.SecureEdge} {
		_, port, err := net.SplitHostPort(addr)
		ts.Check(err)
		ts.Setenv(name, port)
	}
}

func awaitLine(ts *testscript.TestScript, _ bool, args []string) {
	patience := patience
	if len(args) > 1 {
		d, err := time.ParseDuration(args[1] + "s")
		ts.Check(err)
		patience = d
	}
	app := ""
	if len(args) > 2 {
		app = args[2]
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	target := client.LogsOptions{Text: true, Follow: true, Tail: 100}
	target.Target.App = app
	log, err := client.New(scriptEnvironment(ts)).Logs(ctx, target)
	ts.Check(err)
	defer log.Close()
	in := bufio.NewScanner(log)
	for in.Scan() {
		if strings.Contains(in.Text(), args[0]) {
			return
		}
	}
	ts.Fatalf("the log has no %q: %v", args[0], in.Err())
}

// patience bounds what a script waits for, with a slow machine in mind.
const patience = time.Minute

// awaitAnswer asks again and again: nothing tells when an app sends telemetry.
func awaitAnswer(ts *testscript.TestScript, _ bool, args []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	c := client.New(scriptEnvironment(ts))
	for {
		answer, err := c.Query(ctx, api.QueryBody{Query: args[0]})
		if !errors.Is(err, client.ErrNotRunning) { // which it may be soon
			ts.Check(err)
		}
		if text, err := json.Marshal(answer); err == nil && strings.Contains(string(text), args[1]) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			ts.Fatalf("the answer has no %q", args[1])
		}
	}
}

func killDaemon(ts *testscript.TestScript, _ bool, _ []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c := client.New(scriptEnvironment(ts))
	info, err := c.Info(ctx)
	ts.Check(err)
	p, err := os.FindProcess(info.PID)
	ts.Check(err)
	ts.Check(p.Kill())
	ts.Check(c.Gone(ctx))
}

func takePort(ts *testscript.TestScript, _ bool, _ []string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv("TAKEN", fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	ts.Defer(func() { _ = l.Close() }) // nothing was ever accepted
}

func checkGone(ts *testscript.TestScript, _ bool, _ []string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	engine, err := docker.New(ctx, docker.Options{})
	ts.Check(err)
	defer engine.Close()
	held, err := engine.Environments(ctx)
	ts.Check(err)
	name := ts.Getenv("ACALOCAL_ENVIRONMENT")
	for _, e := range held {
		if e.Name == name {
			text, _ := json.Marshal(e) // plain data always encodes
			ts.Fatalf("the engine still holds %s", text)
		}
	}
	out, err := exec.Command("docker", "image", "ls", "-q", "--filter", "label="+container.LabelBuiltFor+"="+name).CombinedOutput()
	ts.Check(err)
	if ids := strings.TrimSpace(string(out)); ids != "" {
		ts.Fatalf("images are left: %s", ids)
	}
	if _, err := os.Stat(ts.Getenv("ACALOCAL_STATE_DIR")); !os.IsNotExist(err) {
		ts.Fatalf("files are left in %s", ts.Getenv("ACALOCAL_STATE_DIR"))
	}
}
