package holder

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"testing"
)

// listenOn opens a listener of this process.
func listenOn(t testing.TB, network, addr string) netip.AddrPort {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Skipf("no %s here: %v", network, err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// TestAskListening compares the kernel's answer by netlink with its tables, of
// the sockets of this process.
func TestAskListening(t *testing.T) {
	mine := []netip.AddrPort{listenOn(t, "tcp4", "127.0.0.1:0"), listenOn(t, "tcp4", "0.0.0.0:0"), listenOn(t, "tcp6", "[::1]:0")}
	c, err := net.Dial("tcp4", mine[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	own, err := ownSockets("/proc")
	if err != nil {
		t.Fatal(err)
	}

	type ask func(skip map[string]bool) ([]netip.AddrPort, error)
	table := func(skip map[string]bool) ([]netip.AddrPort, error) { return readListening("/proc", skip) }
	for name, ask := range map[string]ask{"netlink": askListening, "table": table} {
		all, err := ask(nil)
		if name == "netlink" && withoutSockDiag(err) {
			t.Logf("no sock_diag here: %v", err)
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		others, err := ask(own)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, a := range mine {
			if !slices.Contains(all, a) || slices.Contains(others, a) {
				t.Errorf("by %s: %v is not in %v, or in %v without our own", name, a, all, others)
			}
		}
		if client := c.LocalAddr().(*net.TCPAddr).AddrPort(); slices.Contains(all, client) {
			t.Errorf("by %s: %v is a connection", name, client)
		}
	}
}

// withoutSockDiag reports whether the kernel, or what stands before it, has no
// sock_diag: the tables are read there.
func withoutSockDiag(err error) bool {
	for _, missing := range []syscall.Errno{syscall.EPROTONOSUPPORT, syscall.EAFNOSUPPORT, syscall.ENOENT, syscall.EOPNOTSUPP, syscall.EPERM, syscall.EACCES} {
		if errors.Is(err, missing) {
			return true
		}
	}
	return false
}

func BenchmarkListening(b *testing.B) {
	listenOn(b, "tcp4", "127.0.0.1:0")
	b.Run("netlink", func(b *testing.B) {
		if _, err := askListening(nil); withoutSockDiag(err) {
			b.Skipf("no sock_diag here: %v", err)
		}
		for b.Loop() {
			if _, err := askListening(nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			if _, err := readListening("/proc", nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
