package cli

import (
	"errors"
	"os/exec"
	"testing"
	"time"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/client"
	"github.com/google/go-cmp/cmp"
)

func TestExitCodeIsTheCommands(t *testing.T) {
	f := func(script string, want int) {
		t.Helper()
		if got := exitCodeOfNil(exitOf(exec.Command("sh", "-c", script).Run(), "sh")); got != want {
			t.Errorf("%s: got %d, want %d", script, got, want)
		}
	}
	f("exit 0", 0)
	f("exit 7", 7)
	f("kill -TERM $$", 143)
	f("kill -KILL $$", 137)
	if got := exitCodeOf(exitOf(errors.New("broken pipe"), "sh")); got != exitNoExec {
		t.Errorf("got %d", got)
	}
}

func exitCodeOfNil(err error) int {
	if err == nil {
		return 0
	}
	return exitCodeOf(err)
}

func TestReadWait(t *testing.T) {
	f := func(what string, want client.Wait) {
		t.Helper()
		got := client.Wait{Timeout: time.Minute}
		want.Timeout = time.Minute
		if err := readWait(what, &got); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	f("ready", client.Wait{For: "ready"})
	f("revision", client.Wait{For: "revision"})
	f("revision=v2", client.Wait{For: "revision", Revision: "v2"})
	f("log=a=b", client.Wait{For: "log", Text: "a=b"})
	f("query=T | where a == 1", client.Wait{For: "log", Query: "T | where a == 1"})
	for _, what := range []string{"", "ready=1", "log", "log=", "query=", "rain"} {
		if err := readWait(what, &client.Wait{Timeout: time.Minute}); exitCodeOf(err) != exitMisuse {
			t.Errorf("%q: got %v, want a misuse", what, err)
		}
	}
}

func TestWaitInVainHasAnExitCodeOfItsOwn(t *testing.T) {
	f := func(code string, want int) {
		t.Helper()
		err := waitError(&client.Error{Detail: api.ErrorDetail{Code: code, Message: "m"}})
		if exitCodeOf(err) != want || err.Error() != "m" && want != exitFailed {
			t.Errorf("%s: got %d, %v", code, exitCodeOf(err), err)
		}
	}
	f("RequestTimeout", exitTimeout)
	f("RevisionNotReady", exitFailed)
	f("BadArgumentError", exitFailed)
}

func TestVariableName(t *testing.T) {
	if got := variableName("my-api2"); got != "MY_API2" {
		t.Errorf("got %s", got)
	}
}
