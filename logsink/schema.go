package logsink

// tableDef lists the stored columns of a table. Columns are of three kinds:
// numbers, names and texts. Names that always occur together, like the seven
// that identify a container, share one column of tuples.
type tableDef struct {
	name   string   // of the directory; at most 8 bytes
	ints   []string // numbers; the first is always the row's time in ticks
	tuples [][]string
	texts  []string
}

var consoleDef = &tableDef{
	name: "console",
	ints: []string{"time"},
	tuples: [][]string{
		{"app", "revision", "replica", "replicaID", "container", "containerID", "image"},
		{"stream", "tag"},
	},
	texts: []string{"log"},
}

// Columns of consoleDef.
const (
	consoleSource = 0 // tuples
	consoleStream = 1
)

// The container runtime's tags of whole lines (or their last part) and of
// earlier parts of a line that was too long.
const (
	tagFull    = "F"
	tagPartial = "P"
)

// Fields of the tuple consoleSource.
const (
	fieldApp = iota
	fieldRevision
	fieldReplica
	fieldReplicaID
	fieldContainer
	fieldContainerID
	fieldImage
)

var systemDef = &tableDef{
	name: "system",
	ints: []string{"time", "count"},
	tuples: [][]string{
		{"app", "revision", "replica"},
		{"type", "reason", "source"},
	},
	texts: []string{"msg"},
}

// Columns of systemDef.
const (
	systemCount  = 1 // ints
	systemSource = 0 // tuples
	systemKind   = 1
)

var requestDef = &tableDef{
	name: "requests",
	ints: []string{"time", "duration", "status", "received", "sent", "attempts", "held", "connect", "firstByte"},
	tuples: [][]string{
		{"app", "revision", "replica", "upstreamHost", "envoyContainerID", "envoyPodName"},
		{"method", "authority", "protocol"},
		{"responseFlags", "responseCodeDetails"},
		{"revisionWhy", "replicaWhy"},
	},
	texts: []string{"path", "userAgent", "xForwardedFor", "requestID", "connectionID", "traceID", "reason"},
}

// Numbers of requestDef; durations are in nanoseconds.
const (
	requestDuration = 1 + iota
	requestStatus
	requestReceived
	requestSent
	requestAttempts
	requestHeld
	requestConnect
	requestFirstByte
)

// ticksToUnix is the number of 100 ns ticks from 0001-01-01, where datetimes
// count from, to 1970-01-01.
const ticksToUnix = 621355968000000000

// toTicks converts nanoseconds since 1970 to ticks.
func toTicks(unixNano int64) int64 {
	t := unixNano / 100
	if unixNano%100 < 0 {
		t-- // round down before 1970 too
	}
	return t + ticksToUnix
}

// minTicks is before every datetime.
const minTicks = -1 << 63
