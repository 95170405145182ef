// Package check makes one attempt of one probe: a TCP connect, or an HTTP GET
// as curl sends it.
//
// It is the part of the prober that runs inside a replica, in the smallest
// program we can make, so it imports net and no more: net/http would treble
// that program and crypto/tls double it. TLS is lent by the caller (Client.TLS).
//
// Rules, all from [learn.microsoft.com/azure/container-apps/health-probes] and
// captures of running apps: every attempt opens a new connection; the timeout
// covers connect, request and answer together; 200 to 399 is success; a
// redirect is not followed, its own status decides; certificates are not
// verified; a TCP check sends nothing.
package check

import "time"

// Check says what one attempt does. Exactly one of HTTP and TCP is set.
// A Check is not changed once it has been handed over.
type Check struct {
	HTTP *HTTP
	TCP  *TCP
}

// HTTP is a GET over HTTP/1.1.
type HTTP struct {
	Scheme  string   // "HTTP" or "HTTPS" in any case; "" means HTTP
	Host    string   // name or address to connect to; "" means localhost, inside the replica
	Port    int      // 1 to 65535
	Path    string   // with its query; "" means "/"
	Headers []Header // in the order sent; names may repeat
}

// Header is one request header. A header named Host, User-Agent or Accept
// takes the place of the one sent by default; an empty User-Agent or Accept
// removes it.
type Header struct {
	Name, Value string
}

// TCP is a connect. It succeeds when the connection is accepted.
type TCP struct {
	Host string // name or address to connect to; "" means localhost, inside the replica
	Port int    // 1 to 65535
}

// Outcome is the verdict of one attempt.
type Outcome string

// The outcomes. Error says that the attempt could not be made at all, so it is
// no verdict about the container.
const (
	Success Outcome = "Success"
	Failure Outcome = "Failure"
	Error   Outcome = "Error"
)

// Result is what came of one attempt.
type Result struct {
	Outcome Outcome
	// Status is what Azure prints after "status code: ": the HTTP status, ""
	// when no HTTP answer came, "1" when a TCP connect failed.
	Status string
	// Timeout is true when the attempt failed because its time was over.
	Timeout bool
	// Detail is the exact error, in the words kubelet uses; "" on success.
	Detail string
	// Duration is how long the attempt took.
	Duration time.Duration
}
