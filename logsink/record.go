package logsink

import "time"

// Stream is the standard stream a console line was written to.
type Stream uint8

// The two streams of a container.
const (
	Stdout Stream = iota
	Stderr
)

// String returns the name the tables use: "stdout" or "stderr".
func (s Stream) String() string {
	if s == Stderr {
		return "stderr"
	}
	return "stdout"
}

// Container identifies where console lines come from. All fields but ID may be
// empty; ID must be unique to one life of a container, because the position in
// its stream is remembered under it.
type Container struct {
	App       string // ContainerAppName_s
	Revision  string // RevisionName_s
	Replica   string // ContainerGroupName_s
	ReplicaID string // ContainerGroupId_g
	Name      string // ContainerName_s
	ID        string // ContainerId_s, the engine's id
	Image     string // ContainerImage_s
}

// Entry is one message of a container's log stream, as the engine gave it.
type Entry struct {
	// Time is when the engine read the message, in full precision.
	Time time.Time
	// Stream tells which of the container's streams it belongs to.
	Stream Stream
	// Data is the message with its line end, if it has one; without one it is
	// the beginning or middle of a longer line. Ingest does not keep it.
	Data []byte
}

// EventType is the severity of a system event.
type EventType uint8

// The severities seen on Azure. Documentation lists an "Error" too, which no
// capture ever showed.
const (
	Normal EventType = iota
	Warning
)

// String returns the name the tables use: "Normal" or "Warning".
func (t EventType) String() string {
	if t == Warning {
		return "Warning"
	}
	return "Normal"
}

// Event is one row of the system log: what the platform says about an app.
// Revision and Replica are empty when the event is about the whole app.
type Event struct {
	Time     time.Time // when it happened; the zero time means now
	Type     EventType
	App      string
	Revision string
	Replica  string
	Reason   string
	Source   string // EventSource: ContainerAppController, KEDA, Scaling
	Msg      string
	Count    int // how often this event has been seen, this time included
}

// Request is one request as the edge served it, a row of ContainerAppHTTPLogs.
// Strings may be empty and numbers zero where the edge does not know them.
type Request struct {
	StartTime time.Time     // when the request's first byte arrived
	Duration  time.Duration // from StartTime to the last byte sent

	App      string
	Revision string
	Replica  string

	Method        string
	Path          string
	Authority     string
	Protocol      string
	UserAgent     string
	XForwardedFor string
	RequestID     string

	StatusCode          int   // as sent to the client; 0 when none was sent
	BytesReceived       int64 // body bytes from the client
	BytesSent           int64 // body bytes to the client
	ResponseFlags       string
	ResponseCodeDetails string

	UpstreamHost                string
	UpstreamRequestAttemptCount int

	ConnectionID     string
	EnvoyContainerID string
	EnvoyPodName     string

	// The following columns are ours; Azure's table does not have them.

	Held        time.Duration // how long the request waited for a ready replica
	Connect     time.Duration // how long it waited for a new connection to it
	FirstByte   time.Duration // from StartTime to the first byte of the answer
	RevisionWhy string        // why this revision: "weight", "label", …
	ReplicaWhy  string        // why this replica: "sticky", "only one ready", …
	Reason      string        // why the edge answered itself, in words
	TraceID     string        // trace id of the traceparent header, 32 hex digits
}
