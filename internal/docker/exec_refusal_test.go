package docker

import (
	"bytes"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/internal/container"
)

func TestRefusalOfACommand(t *testing.T) {
	f := func(text, want string, code container.Code) {
		t.Helper()
		err := refusalOf(text)
		if err == nil {
			if want != "" {
				t.Errorf("%q is no refusal", text)
			}
			return
		}
		if err.Error() != want || container.CodeOf(err) != code {
			t.Errorf("%q: got %q, %q", text, err, container.CodeOf(err))
		}
	}
	f(`OCI runtime exec failed: exec failed: unable to start container process: exec: "no": executable file not found in $PATH: unknown`,
		`exec: "no": executable file not found in $PATH`, container.CodeNoProgram)
	f(`OCI runtime exec failed: exec failed: container_linux.go:380: starting container process caused: exec: "/no": stat /no: no such file or directory: unknown`,
		`exec: "/no": stat /no: no such file or directory`, container.CodeNoProgram)
	f(`OCI runtime exec failed: exec failed: unable to start container process: exec: "/etc/passwd": permission denied: unknown`,
		`exec: "/etc/passwd": permission denied`, container.CodeCreate)
	f("No such container: x", "", "")
}

func TestFirstWordsOfOutputAreNotLost(t *testing.T) {
	f := func(code int, wantOut, wantErr string, writes ...string) {
		t.Helper()
		var out, errOut bytes.Buffer
		first := &firstWords{}
		o, e := first.before(&out), first.before(&errOut)
		for _, w := range writes {
			to := o
			if strings.HasPrefix(w, "!") {
				to, w = e, w[1:]
			}
			if n, err := to.Write([]byte(w)); n != len(w) || err != nil {
				t.Errorf("%q: %d, %v", w, n, err)
			}
		}
		if first.refusal(code) == nil {
			if err := first.release(); err != nil {
				t.Error(err)
			}
		}
		if out.String() != wantOut || errOut.String() != wantErr {
			t.Errorf("%q with code %d: out %q, err %q", writes, code, out.String(), errOut.String())
		}
	}
	f(0, "hello", "", "hel", "lo")
	f(0, "OCI", "", "OCI")
	f(0, "OCI", "bad", "OCI", "!bad")
	f(0, "OCI runs", "", "OCI", " runs")
	f(1, "", "OCI runtime exec failed: so it says", "!OCI runtime exec failed: so it says")
	f(126, "", "", "OCI runtime exec", " failed: exec failed")
	f(0, "OCI runtime exec failed: "+strings.Repeat("x", 5000), "", "OCI runtime exec failed: ", strings.Repeat("x", 5000))
	f(126, "sh: no", "", "sh: no")
}
