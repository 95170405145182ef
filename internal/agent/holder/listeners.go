package holder

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"github.com/acalocal/acalocal/internal/agent/mux"
)

// listeners writes one line "ADDRESS:PORT" for each listening TCP socket of
// the namespace that is not our own, and ends the stream.
func listeners(_ *mux.Session, st *mux.Stream, _ []string) {
	found, err := listening()
	if err != nil {
		_ = st.Refuse(reason(err)) // fails only with the session
		return
	}
	var b strings.Builder
	for _, a := range found {
		fmt.Fprintln(&b, a)
	}
	if st.Accept(nil) == nil {
		_, _ = io.WriteString(st, b.String()) // the reader sees a cut-off stream as such
		_ = st.Close()
	}
}

// listening returns what is listened on, our own sockets left out. The kernel
// is asked by netlink, as ss does. Its tables below /proc, which are read where
// it has no such interface, cost a walk over every bucket of its connections:
// on a machine with 24 GB that is 262,144 of them, some milliseconds a look,
// and a starting replica is looked at 50 times a second.
func listening() ([]netip.AddrPort, error) {
	own, err := ownSockets("/proc")
	if err != nil {
		return nil, err
	}
	found, err := askListening(own)
	if err != nil {
		return readListening("/proc", own)
	}
	return found, nil
}

// readListening reads the tables of sockets below proc, without those whose
// inode is in skip.
func readListening(proc string, skip map[string]bool) ([]netip.AddrPort, error) {
	var all []netip.AddrPort
	for _, table := range []string{"/net/tcp", "/net/tcp6"} {
		f, err := os.Open(proc + table)
		if errors.Is(err, fs.ErrNotExist) { // no IPv6
			continue
		}
		if err != nil {
			return nil, err
		}
		found, err := parseSockets(f, skip)
		_ = f.Close() // only read
		if err != nil {
			return nil, fmt.Errorf("%s: %w", table, err)
		}
		all = append(all, found...)
	}
	return all, nil
}

// ownSockets returns the inodes of the sockets this process holds.
func ownSockets(proc string) (map[string]bool, error) {
	dir := proc + "/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for _, e := range entries {
		target, err := os.Readlink(dir + "/" + e.Name())
		if err != nil { // closed since
			continue
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			own[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return own, nil
}

// stateListen is TCP_LISTEN as /proc/net/tcp writes it.
const stateListen = "0A"

// The columns of /proc/net/tcp that matter.
const (
	columnLocal = 1
	columnState = 3
	columnInode = 9
)

// parseSockets reads a table in the format of /proc/net/tcp and returns the
// addresses listened on, save those whose inode is in skip.
func parseSockets(r io.Reader, skip map[string]bool) ([]netip.AddrPort, error) {
	var found []netip.AddrPort
	lines := bufio.NewScanner(r)
	lines.Scan() // headings
	for lines.Scan() {
		f := strings.Fields(lines.Text())
		if len(f) <= columnInode || f[columnState] != stateListen || skip[f[columnInode]] {
			continue
		}
		a, err := parseAddr(f[columnLocal])
		if err != nil {
			return nil, err
		}
		found = append(found, a)
	}
	return found, lines.Err()
}

// parseAddr reads "0100007F:1F90": an address as 32-bit words in the byte
// order of the machine (little-endian on every platform we build for), and a
// port.
func parseAddr(s string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(s, ":")
	raw, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: %w", s, err)
	}
	if len(raw) != 4 && len(raw) != 16 {
		return netip.AddrPort{}, fmt.Errorf("address %q has %d bytes", s, len(raw))
	}
	for i := 0; i < len(raw); i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.LittleEndian.Uint32(raw[i:]))
	}
	ip, _ := netip.AddrFromSlice(raw)
	p, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("address %q: %w", s, err)
	}
	return netip.AddrPortFrom(ip, uint16(p)), nil
}
