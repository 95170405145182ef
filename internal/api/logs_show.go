package api

import (
	"context"
	"iter"
	"net/http"
	"time"

	"github.com/acalocal/acalocal/logsink"
)

// consoleLogs answers as ACA's logstream endpoint does, for one container of
// one replica: two lines about the connection, the last lines, and with follow
// the new ones.
//
//	GET /acalocal/v1/logs/console?app=&revision=&replica=&container=
//	    &tailLines=20&follow=false&output=json|text
//
// Unlike ACA's, the stream goes on over restarts of the container and holds
// what it printed before them, and an app without a replica shows what its
// last ones printed: the lines before a crash are the ones that are wanted
// (https://github.com/microsoft/azure-container-apps/issues/699).
func (s *server) consoleLogs(w http.ResponseWriter, r *http.Request) error {
	p, err := readTailParams(r)
	if err != nil {
		return err
	}
	t, err := resolve(s.Emulator.Snapshot(), targetOf(r))
	if err != nil {
		return err
	}
	c := logsink.Container{App: t.App, Revision: t.Revision, Replica: t.Replica, Name: t.Container}
	f := logsink.Filter{App: t.App, Revision: t.Revision, Replica: t.Replica, Container: t.Container}
	connecting := time.Now()
	rows := s.Logs.TailConsole(r.Context(), f, p.tail, p.follow)
	head := logsink.AppendConsoleHeader(nil, p.format, connecting, time.Now(), c)
	return writeLog(r.Context(), w, p.format, head, rows, func(b []byte, l logsink.ConsoleLine) []byte {
		return s.Dialect.AppendConsoleLine(b, p.format, l)
	})
}

// systemLogs answers as ACA's eventstream endpoint does, for one app, or for
// one of its revisions.
//
//	GET /acalocal/v1/logs/system?app=&revision=&tailLines=20&follow=false&output=json
func (s *server) systemLogs(w http.ResponseWriter, r *http.Request) error {
	p, err := readTailParams(r)
	if err != nil {
		return err
	}
	app, err := onlyApp(s.Emulator.Snapshot(), r.URL.Query().Get("app"))
	if err != nil {
		return err
	}
	connecting := time.Now()
	f := logsink.Filter{App: app.Name, Revision: r.URL.Query().Get("revision")}
	rows := s.Logs.TailEvents(r.Context(), f, p.tail, p.follow)
	head := logsink.AppendEventHeader(nil, p.format, connecting, time.Now())
	return writeLog(r.Context(), w, p.format, head, rows, func(b []byte, l logsink.EventLine) []byte {
		return logsink.AppendEventLine(b, p.format, l.Event)
	})
}

// writeLog writes the head and then each row as it comes, at once: az reads a
// line at a time. Once the head is out, a failure can only end the answer.
func writeLog[T any](ctx context.Context, w http.ResponseWriter, format logsink.Format, head []byte, rows iter.Seq2[T, error], appendLine func([]byte, T) []byte) error {
	w.Header().Set("Content-Type", contentType(format))
	rc := http.NewResponseController(w)
	send := func(b []byte) bool {
		if _, err := w.Write(b); err != nil {
			return false
		}
		return rc.Flush() == nil
	}
	if !send(head) {
		return nil // the client has gone
	}
	line := head[:0]
	for row, err := range rows {
		if err != nil || ctx.Err() != nil {
			return nil
		}
		line = appendLine(line[:0], row)
		if !send(line) {
			return nil
		}
	}
	return nil
}

func contentType(f logsink.Format) string {
	if f == logsink.FormatText {
		return "text/plain; charset=utf-8"
	}
	return "application/x-ndjson"
}
