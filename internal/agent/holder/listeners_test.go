package holder

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// procWith returns a copy of testdata/proc whose process holds sockets.
func procWith(t *testing.T, inodes ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/proc")); err != nil {
		t.Fatal(err)
	}
	fds := filepath.Join(dir, "self", "fd")
	if err := os.MkdirAll(fds, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, i := range inodes {
		if err := os.Symlink("socket:["+i+"]", filepath.Join(fds, i)); err != nil {
			t.Skip("this system makes no symbolic links:", err)
		}
	}
	return dir
}

func addrs(list ...string) (all []netip.AddrPort) {
	for _, a := range list {
		all = append(all, netip.MustParseAddrPort(a))
	}
	return all
}

var compareAddrs = cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })

func TestListeningLeavesOutOurOwnSockets(t *testing.T) {
	proc := procWith(t, "7777", "1")
	own, err := ownSockets(proc)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readListening(proc, own)
	if err != nil {
		t.Fatal(err)
	}
	want := addrs("0.0.0.0:8080", "127.0.0.11:40279", "[::1]:3000", "[::]:80", "[::ffff:127.0.0.1]:81")
	if diff := cmp.Diff(want, got, compareAddrs); diff != "" {
		t.Errorf("listening (-want +got):\n%s", diff)
	}
}

func TestListeningWithoutIPv6(t *testing.T) {
	dir := procWith(t)
	if err := os.Remove(filepath.Join(dir, "net", "tcp6")); err != nil {
		t.Fatal(err)
	}
	got, err := readListening(dir, nil)
	if err != nil || len(got) != 3 {
		t.Errorf("listening: %v %v", got, err)
	}
}

func TestParseAddr(t *testing.T) {
	for in, want := range map[string]string{
		"0100007F:0050": "127.0.0.1:80 <nil>",
		"000011AC:FFFF": "172.17.0.0:65535 <nil>",
		"0100:0050":     `invalid AddrPort address "0100:0050" has 2 bytes`,
		"zz:0050":       `invalid AddrPort address "zz:0050": encoding/hex: invalid byte: U+007A 'z'`,
		"0100007F:":     `invalid AddrPort address "0100007F:": strconv.ParseUint: parsing "": invalid syntax`,
	} {
		a, err := parseAddr(in)
		got := a.String() + " <nil>"
		if err != nil {
			got = a.String() + " " + err.Error()
		}
		if got != want {
			t.Errorf("parseAddr(%q) = %s, want %s", in, got, want)
		}
	}
}

func FuzzParseSockets(f *testing.F) {
	for _, name := range []string{"tcp", "tcp6"} {
		b, err := os.ReadFile("testdata/proc/net/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Fuzz(func(t *testing.T, table string) {
		found, err := parseSockets(strings.NewReader(table), nil)
		if err == nil && len(found) > strings.Count(table, "\n")+1 {
			t.Errorf("%d sockets in %d lines", len(found), strings.Count(table, "\n"))
		}
	})
}
