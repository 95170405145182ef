package ingress

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"time"
)

// Defaults of Options, as Azure Container Apps behaves
// (https://learn.microsoft.com/azure/container-apps/ingress-overview; the idle
// nature of the 240 seconds: microsoft/azure-container-apps issue 597).
const (
	DefaultIdleTimeout    = 240 * time.Second
	DefaultTotalTimeout   = 30 * time.Minute
	DefaultConnectTimeout = 10 * time.Second
	DefaultRetries        = 5
	DefaultHeldRequests   = 10_000
	DefaultRecords        = 4096
)

// Options configure an Ingress. The zero value is what Azure does.
type Options struct {
	// Dial opens a connection to a replica. It may be called concurrently and
	// must honour ctx. An error that wraps ErrRefused, or the system's
	// "connection refused", means that nothing listens on the port. Nil dials
	// TCP to Endpoint.Addr.
	Dial func(ctx context.Context, e Endpoint) (net.Conn, error)
	// Before is called before each try to send a request to a replica, and with
	// a nil request before a raw TCP connection to one is opened. It may wait;
	// an error means that the connection cannot be made. It may be called
	// concurrently and must honour ctx. It may be nil.
	Before func(ctx context.Context, e Endpoint, r *http.Request) error
	// Activate is told that a request waits for a revision without a ready
	// replica: at most once per revision and 100 ms. It must not block.
	Activate func(app, revision string)
	// Timeouts are the time limits of a request, before TimeScale.
	Timeouts Timeouts
	// TimeScale divides Timeouts: 60 turns four minutes into four seconds.
	// Zero means 1.
	TimeScale float64
	// Retries is how often a request is sent again after its connection was
	// refused or broke before an answer. Zero means 5; negative, never.
	Retries int
	// HeldRequests is how many requests may wait per revision. Zero means
	// 10,000.
	HeldRequests int
	// HideReason leaves out the x-acalocal-reason header on answers the edge
	// makes itself.
	HideReason bool
	// Records is how many access records are kept. Zero means 4,096.
	Records int
	// Capture is how many requests are kept whole for Captured and Replay, up
	// to 128 KiB each. Zero keeps none.
	Capture int
	// OnRecord is called with every access record when its request has ended;
	// it must not block. It may be nil.
	OnRecord func(Record)
	// OnError is told of broken invariants of the ingress itself; the request
	// in question is cut off. It may be nil.
	OnError func(error)
	// Rand draws identifiers, retry pauses and starting points of splits. Nil
	// means a random one. It is used under a lock.
	Rand *rand.Rand
	// Certificates gives the certificates of HTTPS listeners; without it there
	// can be none.
	Certificates CertificateSource
}

// Timeouts are the time limits of a request; zero fields mean the default.
type Timeouts struct {
	// Idle is how long nothing may move on a request, in either direction.
	Idle time.Duration
	// Total is counted from the end of the request to the end of the answer.
	Total time.Duration
	// Connect is how long a connection to a replica may take.
	Connect time.Duration
}

// ErrRefused says that a replica is there and does not listen on the port.
// Options.Dial returns it when it cannot return the system's own error.
var ErrRefused = errors.New("connection refused")

// withDefaults fills what was left out and applies the time scale.
func (o Options) withDefaults() Options {
	if o.Dial == nil {
		o.Dial = dialDirect
	}
	if o.Activate == nil {
		o.Activate = func(string, string) {}
	}
	if o.OnRecord == nil {
		o.OnRecord = func(Record) {}
	}
	if o.OnError == nil {
		o.OnError = func(error) {}
	}
	o.TimeScale = cmp.Or(o.TimeScale, 1)
	o.Timeouts.Idle = o.scale(cmp.Or(o.Timeouts.Idle, DefaultIdleTimeout))
	o.Timeouts.Total = o.scale(cmp.Or(o.Timeouts.Total, DefaultTotalTimeout))
	o.Timeouts.Connect = cmp.Or(o.Timeouts.Connect, DefaultConnectTimeout)
	o.Retries = cmp.Or(o.Retries, DefaultRetries)
	o.HeldRequests = cmp.Or(o.HeldRequests, DefaultHeldRequests)
	o.Records = cmp.Or(o.Records, DefaultRecords)
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return o
}

func (o Options) scale(d time.Duration) time.Duration {
	return time.Duration(float64(d) / o.TimeScale)
}

// dialDirect connects to the endpoint's own address.
func dialDirect(ctx context.Context, e Endpoint) (net.Conn, error) {
	if e.Addr == "" {
		return nil, errors.New("replica " + e.Replica + " has no address of its own")
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", net.JoinHostPort(e.Addr, strconv.Itoa(e.Port)))
}
