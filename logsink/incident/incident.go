// Package incident reads log rows that came from elsewhere, such as a workspace
// in Azure, and stores them with their own times, to be studied here.
//
// It reads what "az monitor log-analytics query -o json" prints (an array of
// objects, all values text), objects one a line, and the answer of the query
// API ({"tables": …}). Columns may have the names of either form of the tables,
// with and without suffix.
package incident

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/acalocal/acalocal/logsink"
)

// Counts are how many rows were found of each kind.
type Counts struct {
	Console  int `json:"console"`
	Events   int `json:"events"`
	Requests int `json:"requests"`
	// Unknown are rows that belong to none of these tables, or say no time.
	Unknown int `json:"unknown"`
	// Oldest is the earliest time of a row; zero when there is none.
	Oldest time.Time `json:"oldest"`
}

// Rows are log rows in memory.
type Rows struct {
	Counts
	console  map[logsink.Container][]line
	events   []logsink.Event
	requests []logsink.Request
}

type line struct {
	time   time.Time
	stream logsink.Stream
	text   string
}

// Read reads all rows of r. Its errors say at which row.
func Read(r io.Reader) (*Rows, error) {
	rows := &Rows{console: map[logsink.Container][]line{}}
	in := bufio.NewReaderSize(r, 64<<10)
	first, err := firstByte(in)
	if errors.Is(err, io.EOF) {
		return rows, nil
	}
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(in)
	d.UseNumber()
	if first == '[' {
		if _, err := d.Token(); err != nil {
			return nil, err
		}
	}
	for n := 1; d.More(); n++ {
		var o map[string]any
		if err := d.Decode(&o); err != nil {
			return nil, fmt.Errorf("row %d: %w", n, err)
		}
		if err := rows.add(o); err != nil {
			return nil, fmt.Errorf("row %d: %w", n, err)
		}
	}
	if first == '[' {
		if _, err := d.Token(); err != nil {
			return nil, fmt.Errorf("the list does not end: %w", err)
		}
	}
	return rows, nil
}

// firstByte looks at what comes after white space and a byte order mark.
func firstByte(in *bufio.Reader) (byte, error) {
	if mark, err := in.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3) // they are there
	}
	for {
		b, err := in.Peek(1)
		if err != nil {
			return 0, err
		}
		if b[0] != ' ' && b[0] != '\n' && b[0] != '\r' && b[0] != '\t' {
			return b[0], nil
		}
		_, _ = in.Discard(1) // it is there
	}
}

// add takes a row, or an answer of the query API.
func (r *Rows) add(o map[string]any) error {
	tables, ok := o["tables"].([]any)
	if !ok {
		r.addRow(o)
		return nil
	}
	for _, t := range tables {
		b, err := json.Marshal(t)
		if err != nil {
			return err
		}
		var table struct {
			Columns []struct{ Name string }
			Rows    [][]any
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&table); err != nil {
			return fmt.Errorf("this is no table of an answer: %w", err)
		}
		for _, cells := range table.Rows {
			row := map[string]any{}
			for i, c := range table.Columns {
				if i < len(cells) {
					row[c.Name] = cells[i]
				}
			}
			r.addRow(row)
		}
	}
	return nil
}

// addRow takes a row of a table that is told by its columns: only system rows
// have a reason, only requests a status, only console rows a container.
func (r *Rows) addRow(o map[string]any) {
	row := row(o)
	at, ok := row.time("time_t", "TimeGenerated", "StartTime")
	text, isLine := row.line()
	switch {
	case !ok:
		r.Unknown++
		return
	case row.has("Reason_s", "Reason"):
		r.Events++
		r.events = append(r.events, row.event(at))
	case row.has("StatusCode") && row.has("Method", "Path"):
		r.Requests++
		r.requests = append(r.requests, row.request(at))
	case isLine:
		r.Console++
		c := row.container()
		r.console[c] = append(r.console[c], line{at, row.stream(), text})
	default:
		r.Unknown++
		return
	}
	if r.Oldest.IsZero() || at.Before(r.Oldest) {
		r.Oldest = at
	}
}

// Store adds the rows to a store, in the order of their times. Console rows
// that the store has from an earlier import of the same file are recognised.
func (r *Rows) Store(ctx context.Context, s *logsink.Store) error {
	for c, lines := range r.console {
		slices.SortStableFunc(lines, func(a, b line) int { return a.time.Compare(b.time) })
		next := 0
		err := s.Ingest(ctx, c, func() (logsink.Entry, error) {
			if next == len(lines) {
				return logsink.Entry{}, io.EOF
			}
			l := lines[next]
			next++
			return logsink.Entry{Time: l.time, Stream: l.stream, Data: []byte(l.text + "\n")}, nil
		})
		if err != nil {
			return err
		}
	}
	slices.SortStableFunc(r.events, func(a, b logsink.Event) int { return a.Time.Compare(b.Time) })
	if err := s.AppendEvents(r.events); err != nil {
		return err
	}
	slices.SortStableFunc(r.requests, func(a, b logsink.Request) int { return a.StartTime.Compare(b.StartTime) })
	return s.AppendRequests(r.requests)
}

// row is an object with the columns of one of the tables.
type row map[string]any

// has reports whether one of the columns is there and says something.
func (o row) has(names ...string) bool { return o.text(names...) != "" }

// text is the first of the columns that says something.
func (o row) text(names ...string) string {
	for _, n := range names {
		switch v := o[n].(type) {
		case string:
			if v != "" && v != "None" { // az prints a null so
				return v
			}
		case json.Number:
			return v.String()
		case bool:
			return strconv.FormatBool(v)
		}
	}
	return ""
}

// line is what a container printed, if the row says that it did: an empty line
// is one, too, and "None" is what Python prints.
func (o row) line() (text string, ok bool) {
	for _, n := range []string{"Log_s", "Log"} {
		if s, isText := o[n].(string); isText {
			text, ok = cmp.Or(text, s), true
		}
	}
	return text, ok
}

func (o row) number(names ...string) float64 {
	v, err := strconv.ParseFloat(o.text(names...), 64)
	if err != nil {
		return 0 // it says no number
	}
	return v
}

// time is the first of the columns that says one.
func (o row) time(names ...string) (time.Time, bool) {
	for _, n := range names {
		text := strings.Replace(o.text(n), " ", "T", 1)
		for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
			if t, err := time.Parse(layout, text); err == nil {
				return t.UTC(), true
			}
		}
	}
	return time.Time{}, false
}

func (o row) stream() logsink.Stream {
	if strings.EqualFold(o.text("Stream_s", "Stream"), "stderr") {
		return logsink.Stderr
	}
	return logsink.Stdout
}

func (o row) container() logsink.Container {
	c := logsink.Container{
		App:       o.text("ContainerAppName_s", "ContainerAppName", "ContainerJobName_s", "JobName"),
		Revision:  o.text("RevisionName_s", "RevisionName"),
		Replica:   o.text("ContainerGroupName_s", "ContainerGroupName_g", "ContainerGroupName"),
		ReplicaID: o.text("ContainerGroupId_g", "ContainerGroupId"),
		Name:      o.text("ContainerName_s", "ContainerName"),
		ID:        o.text("ContainerId_s", "ContainerId_g", "ContainerId"),
		Image:     o.text("ContainerImage_s", "ContainerImage"),
	}
	if c.ID == "" { // it tells containers apart; one made of the names does so, too
		h := fnv.New64a()
		_, _ = io.WriteString(h, strings.Join([]string{c.App, c.Revision, c.Replica, c.Name, c.Image}, "\x00")) // never fails
		c.ID = fmt.Sprintf("import-%016x", h.Sum64())
	}
	return c
}

func (o row) event(at time.Time) logsink.Event {
	e := logsink.Event{
		Time: at, App: o.text("ContainerAppName_s", "ContainerAppName", "JobName_s", "JobName"),
		Revision: o.text("RevisionName_s", "RevisionName"), Replica: o.text("ReplicaName_s", "ReplicaName"),
		Reason: o.text("Reason_s", "Reason"), Source: o.text("EventSource_s", "EventSource"),
		Msg: o.text("Log_s", "Log"), Count: int(o.number("Count_d", "Count")),
	}
	// In the resource-specific table "Type" is the severity.
	if kind := o.text("Type_s", "Type"); kind == "Warning" || kind == "Error" {
		e.Type = logsink.Warning
	}
	return e
}

func (o row) request(at time.Time) logsink.Request {
	if start, ok := o.time("StartTime"); ok {
		at = start
	}
	ms := func(name string) time.Duration { return time.Duration(o.number(name) * float64(time.Millisecond)) }
	return logsink.Request{
		StartTime: at, Duration: ms("RequestDuration"),
		App: o.text("ContainerAppName"), Revision: o.text("RevisionName"), Replica: o.text("ReplicaName"),
		Method: o.text("Method"), Path: o.text("Path"), Authority: o.text("Authority"), Protocol: o.text("Protocol"),
		UserAgent: o.text("UserAgent"), XForwardedFor: o.text("XForwardedFor"), RequestID: o.text("RequestId"),
		StatusCode: int(o.number("StatusCode")), BytesReceived: int64(o.number("BytesReceived")), BytesSent: int64(o.number("BytesSent")),
		ResponseFlags: o.text("ResponseFlags"), ResponseCodeDetails: o.text("ResponseCodeDetails"),
		UpstreamHost: o.text("UpstreamHost"), UpstreamRequestAttemptCount: int(o.number("UpstreamRequestAttemptCount")),
		ConnectionID: o.text("ConnectionId"), EnvoyContainerID: o.text("EnvoyContainerId"), EnvoyPodName: o.text("EnvoyPodName"),
		Held: ms("HeldDuration"), FirstByte: ms("FirstByteDuration"), TraceID: o.text("TraceId"),
	}
}
