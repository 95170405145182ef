package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/acalocal/acalocal/emulator"
	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/api/apitest"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/acalocal/acalocal/internal/container"
	"github.com/acalocal/acalocal/internal/home"
	"github.com/acalocal/acalocal/logsink"
	"github.com/google/go-cmp/cmp"
)

// environment is a client and the fakes behind its socket.
type environment struct {
	*client.Client
	emulator *apitest.Emulator
	logs     *apitest.Logs
	stop     func()
}

func start(t *testing.T) environment {
	t.Helper()
	e := home.At(t.TempDir()).Environment("test")
	env := environment{client.New(e), apitest.New(apitest.OneApp()), apitest.NewLogs(), nil}
	env.stop = apitest.Serve(t, e, func(stop func()) http.Handler {
		return api.New(api.Options{
			Emulator: env.emulator, Logs: env.logs,
			Info:     api.Info{Environment: "test", Version: "1", PID: 1},
			Shutdown: func(bool) { go stop() },
		})
	})
	return env
}

// within bounds a test that would otherwise wait for ever.
func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestNoDaemonIsErrNotRunning(t *testing.T) {
	dir := t.TempDir()
	e := home.At(dir).Environment("test")
	if _, err := client.New(e).Info(within(t)); !errors.Is(err, client.ErrNotRunning) {
		t.Errorf("no socket: got %v, want ErrNotRunning", err)
	}
	env := start(t)
	env.stop()
	if _, err := env.Info(within(t)); !errors.Is(err, client.ErrNotRunning) {
		t.Errorf("dead socket: got %v, want ErrNotRunning", err)
	}
}

func TestApplyAndDelete(t *testing.T) {
	env, ctx := start(t), within(t)
	req := emulator.ApplyRequest{HostPort: 9000, LocalImages: []string{"api:1"}}
	req.App.Name = "api"
	applied, err := env.Apply(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	want := emulator.Applied{Revision: "api--0000001", NewRevision: true, Plan: "create replica of api--0000001: new revision\n"}
	if diff := cmp.Diff(want, applied); diff != "" {
		t.Errorf("applied (-want +got):\n%s", diff)
	}
	if err := env.Delete(ctx, "api"); err != nil {
		t.Fatal(err)
	}
	snap, err := env.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(snap.Apps) != 1 || snap.Apps[0].Name != "web" {
		t.Errorf("apps left: %+v, want web alone", snap.Apps)
	}
}

func TestErrorsKeepTheirCode(t *testing.T) {
	err := start(t).Restart(within(t), "none", "")
	var e *client.Error
	if !errors.As(err, &e) || e.Detail.Code != "ResourceNotFound" || e.Status != 404 {
		t.Errorf("got %v, want ResourceNotFound", err)
	}
}

func TestWatchFollowsChangesAndEndsWithTheDaemon(t *testing.T) {
	env := start(t)
	var got []uint64
	for snap, err := range env.Watch(within(t)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, snap.Generation)
		if len(got) == 3 {
			env.stop()
			continue
		}
		env.emulator.Change(func(*emulator.Snapshot) {})
	}
	if diff := cmp.Diff([]uint64{1, 2, 3}, got); diff != "" {
		t.Errorf("generations (-want +got):\n%s", diff)
	}
}

func TestGoneReturnsWhenTheDaemonHasEnded(t *testing.T) {
	env, ctx := start(t), within(t)
	if err := env.Shutdown(ctx, true); err != nil {
		t.Fatal(err)
	}
	if err := env.Gone(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := env.Info(ctx); !errors.Is(err, client.ErrNotRunning) {
		t.Errorf("after Gone: got %v, want ErrNotRunning", err)
	}
}

func TestStreamMergesConsoleAndEvents(t *testing.T) {
	env := start(t)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	var got []string
	opened := func() {
		env.logs.Say(logsink.Event{App: "web", Reason: "ContainerStarted", Msg: "Started container 'web'"})
	}
	for e, err := range env.Stream(ctx, opened) {
		if err != nil {
			break
		}
		got = append(got, string(e.Kind)+" "+e.App+" "+e.Text)
		if len(got) == 1 {
			env.logs.Print(logsink.ConsoleLine{Container: logsink.Container{App: "web", Name: "web"}, Text: "hello"})
			continue
		}
		cancel()
	}
	want := []string{"event web Started container 'web'", "console web hello"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("entries (-want +got):\n%s", diff)
	}
}

func TestExec(t *testing.T) {
	f := func(stdin string, command []string, wantCode int, wantOut, wantErr string) {
		t.Helper()
		env := start(t)
		var out, errOut bytes.Buffer
		s := container.ExecSpec{Command: command, Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errOut}
		var info []string
		code, err := env.Exec(within(t), emulator.ExecTarget{App: "web"}, s, func(m string) { info = append(info, m) })
		if err != nil {
			t.Errorf("%q: %v", command, err)
			return
		}
		if code != wantCode || out.String() != wantOut || errOut.String() != wantErr {
			t.Errorf("%q: got %d, %q, %q; want %d, %q, %q", command, code, out.String(), errOut.String(), wantCode, wantOut, wantErr)
		}
		if diff := cmp.Diff([]string{"Connecting to the container 'web'..."}, info); diff != "" {
			t.Errorf("%q: info (-want +got):\n%s", command, diff)
		}
	}
	f("", []string{"echo", "a b"}, 0, "[echo a b]\n", "")
	f("", []string{"exit", "3"}, 3, "", "")
	f("", []string{"warn", "careful"}, 0, "", "careful\n")
	f("some input", []string{"cat"}, 0, "some input", "")
	long := strings.Repeat("0123456789abcdef", 1<<14)
	f(long, []string{"cat"}, 0, long, "")
}

func TestExecSendsTheSizeOfTheTerminal(t *testing.T) {
	var out bytes.Buffer
	stdin, typing := io.Pipe()
	defer typing.Close()
	sizes := make(chan container.Size, 1)
	sizes <- container.Size{Width: 1, Height: 30}
	s := container.ExecSpec{Command: []string{"size"}, TTY: true, Width: 80, Height: 24, Stdin: stdin, Stdout: &out, Resize: sizes}
	if _, err := start(t).Exec(within(t), emulator.ExecTarget{}, s, func(string) {}); err != nil {
		t.Fatal(err)
	}
	if want := "80x24\n1x30\n"; out.String() != want {
		t.Errorf("sizes: got %q, want %q", out.String(), want)
	}
}

func TestExecFailureKeepsItsHint(t *testing.T) {
	s := container.ExecSpec{Command: []string{"fail"}, Stdout: io.Discard, Stderr: io.Discard}
	_, err := start(t).Exec(within(t), emulator.ExecTarget{}, s, func(string) {})
	var e *client.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a client.Error", err)
	}
	got := e.Error() + "; " + e.Hint()
	want := `exec: "fail": executable file not found in $PATH; name a program that is in the image`
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestExecEndsWithItsContext(t *testing.T) {
	env := start(t)
	ctx, cancel := context.WithCancel(within(t))
	stdin, typing := io.Pipe()
	defer typing.Close()
	s := container.ExecSpec{Command: []string{"cat"}, Stdin: stdin, Stdout: io.Discard, Stderr: io.Discard}
	_, err := env.Exec(ctx, emulator.ExecTarget{}, s, func(string) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestFollowersSeeTheDeathOfTheDaemon(t *testing.T) {
	env := start(t)
	env.logs.Print(logsink.ConsoleLine{Container: logsink.Container{App: "web", Name: "web"}, Text: "hello"})
	body, err := env.Logs(within(t), client.LogsOptions{Target: emulator.ExecTarget{App: "web"}, Follow: true, Text: true, Tail: 20})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if _, err := io.ReadFull(body, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	env.stop()
	if _, err := io.Copy(io.Discard, body); !errors.Is(err, client.ErrDied) {
		t.Errorf("got %v, want ErrDied", err)
	}
}
