package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/acalocal/acalocal/emulator"
)

func (s *server) info(w http.ResponseWriter, _ *http.Request) error {
	return reply(w, s.Info)
}

func (s *server) status(w http.ResponseWriter, r *http.Request) error {
	snap, err := s.Emulator.Current(r.Context())
	if err != nil {
		return err
	}
	return reply(w, snap)
}

// watch writes the present Snapshot and every later one until the client goes.
// A slow client skips generations, never delays anyone.
func (s *server) watch(w http.ResponseWriter, r *http.Request) error {
	out := newLines(w)
	for snap := s.Emulator.Snapshot(); ; {
		if err := out.write(snap); err != nil {
			return nil // the client has gone
		}
		next, err := s.Emulator.Watch(r.Context(), snap.Generation)
		if err != nil {
			return nil // the client or the environment has gone: the stream ends
		}
		snap = next
	}
}

// apply takes an emulator.ApplyRequest. Its definition carries the values of
// its secrets: it crosses a socket only its owner can open.
func (s *server) apply(w http.ResponseWriter, r *http.Request) error {
	var req emulator.ApplyRequest
	if err := decodeJSON(r.Body, &req); err != nil {
		return err
	}
	applied, err := s.Emulator.Apply(r.Context(), req)
	if err != nil {
		return err
	}
	return reply(w, applied)
}

func (s *server) probeAttempts(w http.ResponseWriter, r *http.Request) error {
	revision := r.URL.Query().Get("revision")
	if revision == "" {
		return badContent("revision", "name the revision whose probes are meant.")
	}
	out := s.Emulator.ProbeAttempts(revision)
	if out == nil {
		out = []emulator.ProbeAttempt{}
	}
	return reply(w, out)
}

func (s *server) restart(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	app, err := onlyApp(s.Emulator.Snapshot(), q.Get("app"))
	if err != nil {
		return err
	}
	revision := q.Get("revision")
	if revision != "" {
		rev, err := findRevision(app, revision, "")
		if err != nil {
			return err
		}
		revision = rev.Name
	}
	if err := s.Emulator.RestartRevision(r.Context(), app.Name, revision); err != nil {
		return err
	}
	return reply(w, "Restart succeeded")
}

func (s *server) shutdown(w http.ResponseWriter, r *http.Request) error {
	remove, err := boolParam(r, "remove")
	if err != nil {
		return err
	}
	// The answer goes first: afterwards there may be nobody left to send it.
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusAccepted)
	_ = http.NewResponseController(w).Flush() // a client that has gone has asked all the same
	s.Shutdown(remove)
	return nil
}

// boolParam reads a parameter that is true, false or absent.
func boolParam(r *http.Request, name string) (bool, error) {
	v := r.URL.Query().Get(name)
	if v == "" {
		return false, nil
	}
	b, err := strconv.ParseBool(v)
	if err != nil {
		return false, badContent(name, "'%s' is neither true nor false.", v)
	}
	return b, nil
}

// intParam reads a number between low and high, or absent when not given.
func intParam(r *http.Request, name string, absent, low, high int) (int, error) {
	v := r.URL.Query().Get(name)
	if v == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < low || n > high {
		return 0, badContent(name, "'%s' is not a number between %d and %d.", v, low, high)
	}
	return n, nil
}

// lines writes one JSON value a line, each on its way at once.
type lines struct {
	enc *json.Encoder
	rc  *http.ResponseController
}

func newLines(w http.ResponseWriter) *lines {
	w.Header().Set("Content-Type", "application/x-ndjson")
	return &lines{json.NewEncoder(w), http.NewResponseController(w)}
}

// begin sends the head of the answer, so that the client knows the stream is
// open before its first line.
func (l *lines) begin() error { return l.rc.Flush() }

func (l *lines) write(v any) error {
	if err := l.enc.Encode(v); err != nil {
		return err
	}
	return l.rc.Flush()
}
