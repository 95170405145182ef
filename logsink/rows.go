package logsink

import (
	"strings"
	"time"
	"unicode/utf8"
)

// events is system events waiting to be stored.
type events struct{ rows []Event }

func (f *events) appendTo(m *memBlock) (more bool) {
	for len(f.rows) > 0 && !m.full() {
		e := &f.rows[0]
		m.addTime(toTicks(e.Time.UnixNano()))
		m.addInt(systemCount, int64(e.Count))
		m.addTuple(systemSource, e.App, e.Revision, e.Replica)
		m.addTuple(systemKind, e.Type.String(), field(e.Reason), field(e.Source))
		m.addText(0, []byte(field(e.Msg)))
		f.rows = f.rows[1:]
	}
	return len(f.rows) > 0
}

// requests is requests waiting to be stored.
type requests struct{ rows []Request }

func (f *requests) appendTo(m *memBlock) (more bool) {
	for len(f.rows) > 0 && !m.full() {
		r := &f.rows[0]
		m.addTime(toTicks(r.StartTime.UnixNano()))
		for i, v := range []int64{
			int64(r.Duration), int64(r.StatusCode), r.BytesReceived, r.BytesSent,
			int64(r.UpstreamRequestAttemptCount), int64(r.Held), int64(r.Connect), int64(r.FirstByte),
		} {
			m.addInt(1+i, v)
		}
		m.addTuple(0, r.App, r.Revision, r.Replica, r.UpstreamHost, r.EnvoyContainerID, r.EnvoyPodName)
		m.addTuple(1, field(r.Method), field(r.Authority), field(r.Protocol))
		m.addTuple(2, field(r.ResponseFlags), field(r.ResponseCodeDetails))
		m.addTuple(3, r.RevisionWhy, r.ReplicaWhy)
		for i, s := range []string{r.Path, r.UserAgent, r.XForwardedFor, r.RequestID, r.ConnectionID, r.TraceID, r.Reason} {
			m.addText(i, []byte(field(s)))
		}
		f.rows = f.rows[1:]
	}
	return len(f.rows) > 0
}

// field cuts a text where the Log Analytics collector would.
func field(s string) string {
	if len(s) <= MaxField {
		return s
	}
	n := MaxField
	for n > MaxField-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return strings.Clone(s[:n])
}

// fromTicks converts ticks to a time.
func fromTicks(t int64) time.Time {
	t -= ticksToUnix
	return time.Unix(t/1e7, t%1e7*100).UTC()
}
