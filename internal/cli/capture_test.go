package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/acalocal/acalocal/internal/capture"
)

func TestCaptureHoldsWhatExplainSays(t *testing.T) {
	runMismatched(t)
	file := filepath.Join(t.TempDir(), "web.capture")
	stdout, stderr, code := run(t, "capture", "web", "-o", file)
	if code != 0 || !strings.HasPrefix(stdout, file+": ") || !strings.Contains(stderr, "targetPort is 8000, but the app listens on 3000") {
		t.Fatalf("capture: %d %q %q", code, stdout, stderr)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := capture.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if f.Verdict.Rule != "port-mismatch" || len(f.Rows) == 0 || len(f.Console) == 0 || len(f.App.Revisions) != 1 {
		t.Errorf("captured %+v", f)
	}
	script := f.Parts()["web"].Script.String()
	if !strings.Contains(script, " 3000 any\n") || !strings.Contains(script, "stdout Listening at: http://0.0.0.0:3000 (1)\n") {
		t.Errorf("the stand-in would play\n%s", script)
	}
	if stdout, _, _ := run(t, "capture", "-o", "-"); !bytes.HasPrefix([]byte(stdout), []byte{0x1f, 0x8b}) {
		t.Error("-o - wrote no gzip to stdout")
	}
}

func TestReplayRefusesWhatIsNoCapture(t *testing.T) {
	f := func(want string, code int, args ...string) {
		t.Helper()
		_, stderr, got := run(t, append([]string{"replay"}, args...)...)
		if got != code || !strings.Contains(stderr, want) {
			t.Errorf("replay %q: %d %q, want %d %q", args, got, stderr, code, want)
		}
	}
	t.Setenv("ACALOCAL_STATE_DIR", t.TempDir())
	other := filepath.Join(t.TempDir(), "app.yaml")
	if err := os.WriteFile(other, []byte("name: web\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f(`"acalocal capture -o FILE" makes one`, 2)
	f("open the capture: open "+other+"x: no such file", 1, other+"x")
	f(other+": read capture: the file is no capture", 1, other)
	f("unexpected argument", 2, other, other)
}
