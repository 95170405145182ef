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
	// engine, without the connections it had. A name may be in several gates
	// at a time: who calls it comes to any of them.
	OpenGate(ctx context.Context, s GateSpec) (GateListener, error)

	// Caller says which replica has an address in the environment's network
	// now, by the key of its holder; ok is false when none has it.
	Caller(ctx context.Context, env string, addr netip.Addr) (key Key, ok bool, err error)
}

// GateListener is an open gate.
//
// Close takes the names away and cuts the connections. Without it, as when the
// daemon dies, calls are refused until the same gate is opened again.
type GateListener interface {
	net.Listener

	// Answer changes the ports of the gate, GateSpec's Ports and Silent.
	// Connections that are open stay open.
	Answer(ctx context.Context, ports, silent []int) error
}
