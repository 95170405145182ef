package logsink

import "time"

// Filter chooses rows for a tail. An empty field matches everything; others
// match whole names exactly. Container and ContainerID are ignored for events,
// which are not about one container.
type Filter struct {
	App         string
	Revision    string
	Replica     string
	Container   string
	ContainerID string // one life of a container; a restart has another
}

// ConsoleLine is one row of the console table.
type ConsoleLine struct {
	// Time is when the container wrote the line, in steps of 100 ns and
	// strictly increasing within a container (time_t).
	Time      time.Time
	Container Container
	Stream    Stream
	// Text is the line without its end, byte for byte as written; it need not
	// be valid UTF-8.
	Text string
	// Partial says that the line was too long and goes on in the next row of
	// the same stream.
	Partial bool
	// Seq numbers the rows of the table in storage order (_seq_d).
	Seq uint64
	// Lost is how many rows the tail has skipped just before this one, because
	// retention removed them before its reader came to ask.
	Lost int64
}

// EventLine is one row of the system table.
type EventLine struct {
	Event
	Seq  uint64 // as in ConsoleLine
	Lost int64  // as in ConsoleLine
}
