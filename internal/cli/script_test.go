package cli_test

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/api/apitest"
	"github.com/acalocal/acalocal/internal/cli"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/gofrs/flock"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"acalocal": func() {
		os.Exit(cli.Main(context.Background(), os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}})
}

// TestScripts drives the real program with testdata/script/*.txtar. Beside the
// usual commands, a script has
//
//	serve ENVIRONMENT [apps]   a fake environment with that many copies of
//	                           the app web answers on its socket
//	end ENVIRONMENT            it ends in order
//	crash ENVIRONMENT          it dies and leaves its socket behind
//	hold ENVIRONMENT           something has its lock and answers nothing
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("ACALOCAL_STATE_DIR", filepath.Join(env.WorkDir, ".state"))
			env.Setenv("STATE", filepath.Join(env.WorkDir, ".state"))
			env.Setenv("NO_COLOR", "1")
			env.Setenv("GORACE", "atexit_sleep_ms=0") // else each program waits a second for late races
			env.Values["served"] = map[string]func(){}
			env.Values["t"] = t
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serve,
			"hold":  hold,
			"end":   end,
			"crash": crash,
		},
	})
}

func serve(ts *testscript.TestScript, _ bool, args []string) {
	snap := apitest.OneApp()
	snap.Environment = args[0]
	switch args = args[1:]; {
	case len(args) > 0 && args[0] == "0":
		snap.Apps = nil
	case len(args) > 0:
		other := snap.Apps[0]
		other.Name = "api"
		snap.Apps = append([]emulator.App{other}, snap.Apps...)
	}
	e := home.At(ts.Getenv("ACALOCAL_STATE_DIR")).Environment(snap.Environment)
	stop := apitest.Serve(ts.Value("t").(*testing.T), e, func(stop func()) http.Handler {
		return api.New(api.Options{
			Emulator: apitest.New(snap), Logs: apitest.NewLogs(),
			Info:     api.Info{Environment: snap.Environment, Version: "test", PID: os.Getpid()},
			Shutdown: func(bool) { go stop() },
			Managed:  apitest.Managed(snap),
			Access:   api.NewAccess("token-of-" + snap.Environment), Address: "http://127.0.0.1:8079", Workspace: "ws",
		})
	})
	ts.Value("served").(map[string]func())[snap.Environment] = stop
	ts.Defer(stop)
}

func end(ts *testscript.TestScript, _ bool, args []string) {
	ts.Value("served").(map[string]func())[args[0]]()
}

func crash(ts *testscript.TestScript, neg bool, args []string) {
	end(ts, neg, args)
	e := home.At(ts.Getenv("ACALOCAL_STATE_DIR")).Environment(args[0])
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: e.Socket(), Net: "unix"})
	ts.Check(err)
	l.SetUnlinkOnClose(false)
	ts.Check(l.Close())
}

func hold(ts *testscript.TestScript, _ bool, args []string) {
	e := home.At(ts.Getenv("ACALOCAL_STATE_DIR")).Environment(args[0])
	ts.Check(e.Create())
	lock := flock.New(e.Lock())
	ts.Check(lock.Lock())
	ts.Defer(func() { _ = lock.Unlock() }) // the directory goes away next
}
