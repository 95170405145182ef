package ingress

import (
	"io"
	"log"
	"net"
	"net/netip"
)

// clientAddr is the peer of a client connection, in the forms requests need.
type clientAddr struct {
	addr netip.AddrPort
	ip   string
}

// parseClient reads the remote address of a connection. Connections that have
// none, such as pipes, give the zero value.
func parseClient(a net.Addr) clientAddr {
	if t, ok := a.(*net.TCPAddr); ok {
		ap := t.AddrPort()
		ap = netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
		return clientAddr{addr: ap, ip: ap.Addr().WithZone("").String()}
	}
	if ap, err := netip.ParseAddrPort(a.String()); err == nil {
		return clientAddr{addr: ap, ip: ap.Addr().Unmap().String()}
	}
	return clientAddr{}
}

// discardLog takes the server's complaints about clients, which records tell
// better.
var discardLog = log.New(io.Discard, "", 0)
