package cli_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
)

// Every command and the daemon pay for what packages prepare before main, in
// time and in memory, whether they need it or not. What takes more than this
// is made at its first use.
const (
	mostPrepared    = 64 << 10  // bytes, by one package of ours
	mostPreparedAll = 256 << 10 // bytes, by all of ours
)

func TestLittleIsPreparedBeforeMain(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "--help")
	cmd.Args[0] = "acalocal" // TestMain runs the program
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, trace.String())
	}
	total := 0
	for lines := bufio.NewScanner(&trace); lines.Scan(); {
		m := prepared.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		bytes, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		if bytes > mostPrepared {
			t.Errorf("%s prepares %d bytes, more than %d", m[1], bytes, mostPrepared)
		}
		total += bytes
	}
	if total == 0 {
		t.Fatal("no package of ours is in the trace: has its format changed?")
	}
	if total > mostPreparedAll {
		t.Errorf("our packages prepare %d bytes, more than %d", total, mostPreparedAll)
	}
	t.Logf("our packages prepare %d bytes", total)
}

// prepared reads a line of GODEBUG=inittrace=1 (package runtime), such as
// "init internal/bytealg @0.008 ms, 0 ms clock, 0 bytes, 0 allocs".
var prepared = regexp.MustCompile(`^init (github\.com/acalocal/acalocal/\S+) .* (\d+) bytes, \d+ allocs$`)
