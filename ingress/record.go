package ingress

import (
	"context"
	"iter"
	"net/netip"
	"sync"
	"time"
)

// Why says how a revision or a replica was chosen for a request.
type Why string

// Reasons for a revision, then for a replica.
const (
	WhyWeight       Why = "weight"
	WhyOnlyRevision Why = "only revision"
	WhyLabel        Why = "label"
	WhyRevision     Why = "revision host"
	WhyRoute        Why = "route"

	WhySticky    Why = "sticky"
	WhyOnlyReady Why = "only one ready"
	WhyLeastBusy Why = "least busy"
	WhyHeld      Why = "first ready after waiting"
)

// Record says what became of one request or raw connection.
type Record struct {
	// ID counts up from 1 within an Ingress.
	ID uint64
	// Time is when the request was read.
	Time time.Time
	// Generation is the table that routed it.
	Generation uint64
	// Listener is the kind of the listener it came in by.
	Listener Kind
	// Client is the peer of the connection.
	Client netip.AddrPort
	// Protocol is the version the client spoke, such as "HTTP/1.1", or "TCP".
	Protocol string
	// Scheme is http or https, as the app was told.
	Scheme string
	// Method, Host, Path and UserAgent are the client's, Path with its query.
	Method, Host, Path, UserAgent string
	// RequestID is the x-request-id the app saw.
	RequestID string
	// ForwardedFor is the x-forwarded-for the app saw, or would have seen; empty
	// on calls by name, which have none.
	ForwardedFor string
	// TraceID is the trace of the client's traceparent header, or empty.
	TraceID string
	// ConnectionID counts client connections from 1; 0 for replayed requests.
	ConnectionID uint64
	// App, Revision and Replica are who answered, or should have; empty as far
	// as the request did not get.
	App, Revision, Replica string
	// RevisionWhy and ReplicaWhy say how they were chosen.
	RevisionWhy, ReplicaWhy Why
	// Upstream is address and port of the replica, such as "172.18.0.3:8000";
	// empty when it is reached through its agent or was not chosen.
	Upstream string
	// Status is the HTTP status the client got; 0 if it got none.
	Status int
	// Flag is Envoy's response flag, such as "UF" or "UF,URX"; empty when the
	// app answered (Envoy documentation, access log, RESPONSE_FLAGS).
	Flag string
	// Details are Envoy's response code details, such as "via_upstream" or
	// "stream_idle_timeout" (RESPONSE_CODE_DETAILS); empty for TCP.
	Details string
	// Reason explains an answer of the edge in words; else it is empty.
	Reason string
	// Tries is how often the request was sent to a replica.
	Tries int
	// Replays is how many of them came after an earlier one may have reached
	// the app already.
	Replays int
	// BytesReceived and BytesSent count body bytes, from and to the client.
	BytesReceived, BytesSent int64
	// Hold is how long the request waited for a ready replica, Connect for a
	// connection, FirstByte until the head of the answer, and Total in all.
	// FirstByte and Total count from Time.
	Hold, Connect, FirstByte, Total time.Duration
}

// ring keeps the newest records. A reader that falls behind loses the oldest,
// never delays a request.
type ring struct {
	mu      sync.Mutex
	size    int
	records []Record      // guarded by mu; record n is at (n-1) modulo size; grows up to size
	last    uint64        // guarded by mu; ID of the newest, 0 before the first
	changed chan struct{} // guarded by mu; closed and replaced when someone waits
	waiting bool          // guarded by mu
}

// alreadyClosed is what is waited for where there is nothing to wait for.
var alreadyClosed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

func newRing(size int) *ring {
	return &ring{size: size, changed: make(chan struct{})}
}

// add stores a copy of the record under the next ID and returns that ID.
func (r *ring) add(rec *Record) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last++
	rec.ID = r.last
	if len(r.records) < r.size {
		r.records = append(r.records, *rec)
	} else {
		r.records[r.place(r.last)] = *rec
	}
	if r.waiting {
		close(r.changed)
		r.changed, r.waiting = make(chan struct{}), false
	}
	return r.last
}

// place is where record n lies.
func (r *ring) place(n uint64) uint64 { return (n - 1) % uint64(r.size) }

// after appends to buf the records that follow id, as many as fit its
// capacity, and says how many were lost in between.
func (r *ring) after(id uint64, buf []Record) (out []Record, lost uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	size := uint64(r.size)
	if r.last > size && id < r.last-size {
		lost = r.last - size - id
		id = r.last - size
	}
	for id < r.last && len(buf) < cap(buf) {
		id++
		buf = append(buf, r.records[r.place(id)])
	}
	return buf, lost
}

// wait returns a channel that is closed when there is a record after id.
func (r *ring) wait(id uint64) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	if id < r.last {
		return alreadyClosed
	}
	r.waiting = true
	return r.changed
}

// recordBatch is how many records are copied at a time.
const recordBatch = 64

// Records returns the records kept now that follow the given ID, oldest first.
func (g *Ingress) Records(after uint64) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		buf := make([]Record, 0, recordBatch)
		for {
			batch, _ := g.records.after(after, buf)
			if len(batch) == 0 {
				return
			}
			for _, rec := range batch {
				if !yield(rec) {
					return
				}
				after = rec.ID
			}
		}
	}
}

// Follow returns the records after the given ID as they come, until ctx is
// done. The count that goes with a record says how many were lost just before
// it because the reader was slow.
func (g *Ingress) Follow(ctx context.Context, after uint64) iter.Seq2[uint64, Record] {
	return func(yield func(uint64, Record) bool) {
		for lost, batch := range g.FollowBatches(ctx, after) {
			for _, rec := range batch {
				if !yield(lost, rec) {
					return
				}
				lost = 0
			}
		}
	}
}

// FollowBatches is Follow for readers that are cheaper by the batch: those that
// are there, 64 at most, oldest first. A batch is valid until the next one.
func (g *Ingress) FollowBatches(ctx context.Context, after uint64) iter.Seq2[uint64, []Record] {
	return func(yield func(uint64, []Record) bool) {
		buf := make([]Record, 0, recordBatch)
		for {
			select {
			case <-ctx.Done():
				return
			case <-g.records.wait(after):
			}
			batch, lost := g.records.after(after, buf)
			if !yield(lost, batch) {
				return
			}
			after = batch[len(batch)-1].ID
		}
	}
}
