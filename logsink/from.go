package logsink

import (
	"context"
	"iter"
	"time"
)

// Position is a place in a store: for each table, the sequence number of the row
// to come next. It is kept by those who copy rows elsewhere, to go on where they
// stopped. The zero Position is the beginning.
type Position struct {
	Console uint64 `json:"console"`
	Events  uint64 `json:"events"`
	Request uint64 `json:"requests"`
}

// End returns the place behind all rows that are durable now.
func (s *Store) End() Position {
	return Position{Console: s.console.state.end(), Events: s.system.state.end(), Request: s.request.state.end()}
}

// RequestLine is a request and its place in the table.
type RequestLine struct {
	Request
	Seq  uint64 // place in the table
	Lost int64  // rows skipped before this one: removed before the reader came to them
}

// ConsoleFrom yields all console rows from sequence number seq on, those to come
// included, until ctx is done. It is otherwise as TailConsole. A seq that the
// table has not come to is of another store, and means the beginning.
func (s *Store) ConsoleFrom(ctx context.Context, seq uint64) iter.Seq2[ConsoleLine, error] {
	return from(ctx, s.console, seq, readConsole)
}

// EventsFrom does for system events what ConsoleFrom does for console rows.
func (s *Store) EventsFrom(ctx context.Context, seq uint64) iter.Seq2[EventLine, error] {
	return from(ctx, s.system, seq, readEvents)
}

// RequestsFrom does for requests what ConsoleFrom does for console rows.
func (s *Store) RequestsFrom(ctx context.Context, seq uint64) iter.Seq2[RequestLine, error] {
	return from(ctx, s.request, seq, readRequests)
}

func from[T any](ctx context.Context, t *table, seq uint64, read rowsReader[T]) iter.Seq2[T, error] {
	if seq > t.state.end() {
		seq = 0
	}
	return walk(ctx, t, seq, make([]string, len(t.def.tuples[0])), 0, true, read)
}

func readRequests(p part, source tuples, rows []int, lost int64) ([]RequestLine, error) {
	ints := make([][]int64, len(requestDef.ints))
	names := make([]tuples, len(requestDef.tuples))
	texts := make([]texts, len(requestDef.texts))
	var err error
	for i := range ints {
		if ints[i], err = p.ints(i, nil); err != nil {
			return nil, err
		}
	}
	names[0] = source
	for i := 1; i < len(names); i++ {
		if names[i], err = p.tuples(i, nil); err != nil {
			return nil, err
		}
	}
	for i := range texts {
		if texts[i], err = p.texts(i, nil); err != nil {
			return nil, err
		}
	}
	out := make([]RequestLine, len(rows))
	for k, i := range rows {
		from, call, answer, why := names[0].of(i), names[1].of(i), names[2].of(i), names[3].of(i)
		out[k] = RequestLine{Seq: p.first + uint64(i), Request: Request{
			StartTime: fromTicks(ints[0][i]), Duration: time.Duration(ints[requestDuration][i]),
			App: from[0], Revision: from[1], Replica: from[2], UpstreamHost: from[3], EnvoyContainerID: from[4], EnvoyPodName: from[5],
			Method: call[0], Authority: call[1], Protocol: call[2],
			ResponseFlags: answer[0], ResponseCodeDetails: answer[1], RevisionWhy: why[0], ReplicaWhy: why[1],
			StatusCode: int(ints[requestStatus][i]), BytesReceived: ints[requestReceived][i], BytesSent: ints[requestSent][i],
			UpstreamRequestAttemptCount: int(ints[requestAttempts][i]), Held: time.Duration(ints[requestHeld][i]),
			Connect: time.Duration(ints[requestConnect][i]), FirstByte: time.Duration(ints[requestFirstByte][i]),
			Path: texts[0].at(i), UserAgent: texts[1].at(i), XForwardedFor: texts[2].at(i), RequestID: texts[3].at(i),
			ConnectionID: texts[4].at(i), TraceID: texts[5].at(i), Reason: texts[6].at(i),
		}}
	}
	out[0].Lost = lost
	return out, nil
}
