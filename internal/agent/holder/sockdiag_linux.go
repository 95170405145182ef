package holder

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"syscall"
	"unsafe"
)

// Of linux/sock_diag.h and linux/inet_diag.h, see sock_diag(7).
const (
	netlinkSockDiag  = 4
	sockDiagByFamily = 20

	// States asked for: a bit for each, TCP_LISTEN is 10.
	onlyListening = 1 << 10
)

// diagRequest is struct inet_diag_req_v2 behind its netlink header.
type diagRequest struct {
	header   syscall.NlMsghdr
	family   uint8
	protocol uint8
	ext      uint8
	_        uint8
	states   uint32
	_        [48]byte // the socket, unknown
}

// Where struct inet_diag_msg has what matters, and its size.
const (
	diagFamily = 0
	diagPort   = 4 // big endian
	diagSource = 8
	diagInode  = 68
	diagSize   = 72
)

// askListening asks the kernel by netlink for the addresses listened on in this
// network namespace, without those of sockets whose inode is in skip.
func askListening(skip map[string]bool) ([]netip.AddrPort, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return nil, fmt.Errorf("open sock_diag: %w", err)
	}
	defer func() { _ = syscall.Close(fd) }() // only read
	var all []netip.AddrPort
	for _, family := range []uint8{syscall.AF_INET, syscall.AF_INET6} {
		if all, err = appendListening(all, fd, family, skip); err != nil {
			return nil, fmt.Errorf("ask sock_diag: %w", err)
		}
	}
	return all, nil
}

func appendListening(all []netip.AddrPort, fd int, family uint8, skip map[string]bool) ([]netip.AddrPort, error) {
	ask := diagRequest{
		header: syscall.NlMsghdr{
			Len: uint32(unsafe.Sizeof(diagRequest{})), Type: sockDiagByFamily, Flags: syscall.NLM_F_REQUEST | syscall.NLM_F_DUMP,
		},
		family: family, protocol: syscall.IPPROTO_TCP, states: onlyListening,
	}
	b := unsafe.Slice((*byte)(unsafe.Pointer(&ask)), unsafe.Sizeof(ask))
	if err := syscall.Sendto(fd, b, 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return nil, err
	}
	buf := make([]byte, 32<<10) // the kernel fills no more at once
	for {
		n, _, err := syscall.Recvfrom(fd, buf, 0)
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return nil, err
		}
		for _, m := range messages {
			switch {
			case m.Header.Type == syscall.NLMSG_DONE:
				return all, nil
			case m.Header.Type == syscall.NLMSG_ERROR && len(m.Data) >= 4:
				return nil, syscall.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
			case len(m.Data) < diagSize:
				return nil, syscall.EBADMSG
			}
			if a := diagAddr(m.Data); !skip[diagInodeOf(m.Data)] {
				all = append(all, a)
			}
		}
	}
}

// diagAddr returns the local address of a struct inet_diag_msg.
func diagAddr(msg []byte) netip.AddrPort {
	ip := netip.AddrFrom16([16]byte(msg[diagSource:]))
	if msg[diagFamily] == syscall.AF_INET {
		ip = netip.AddrFrom4([4]byte(msg[diagSource:]))
	}
	return netip.AddrPortFrom(ip, binary.BigEndian.Uint16(msg[diagPort:]))
}

func diagInodeOf(msg []byte) string {
	return strconv.FormatUint(uint64(binary.NativeEndian.Uint32(msg[diagInode:])), 10)
}
