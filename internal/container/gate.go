package container

import (
	"context"
	"net"
	"net/netip"
)

// GateSpec says which calls inside an environment come to us.
type GateSpec struct {
	Env   string
	Names []string // DNS names in the environment's network, such as those of its apps
	Ports []int    // TCP ports
	// Silent are ports that are not ours, and on which a call is left without
	// an answer instead of refused.
	Silent []int
}

// Gate lets calls by name out of the replicas. ACA routes such a call through
// its edge, whichever replica it comes from; so the names lead to a place in
// the environment's network whose connections the daemon accepts.
type Gate interface {
	// OpenGate makes the names lead here and returns the listener. LocalAddr
	// of an accepted connection has the port that was called, RemoteAddr the
	// caller's address in the network. The gate stays open over a lost
	// engine, without the connections it had. Opening a second gate with
	// other names before closing the first changes names without a gap.
	//
	// Close of the listener takes the names away. Without it, as when the
	// daemon dies, calls are refused until the same gate is opened again.
	OpenGate(ctx context.Context, s GateSpec) (net.Listener, error)

	// Caller says which replica has an address in the environment's network
	// now, by the key of its holder; ok is false when none has it.
	Caller(ctx context.Context, env string, addr netip.Addr) (key Key, ok bool, err error)
}
