package api

import (
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"time"

	"github.com/acalocal/acalocal/emulator/aca"
	"github.com/acalocal/acalocal/ingress"
)

// Requests is what the API asks of the edge about requests. All methods may be
// called concurrently.
type Requests interface {
	// Records returns the records kept now that follow an ID, oldest first.
	Records(after uint64) iter.Seq[ingress.Record]
	// Follow returns the records after an ID as they come, until ctx is done,
	// each with how many were lost just before it.
	Follow(ctx context.Context, after uint64) iter.Seq2[uint64, ingress.Record]
	// Captured returns a request that was kept whole.
	Captured(id uint64) (ingress.Captured, bool)
	// Replay sends a captured request again, to a revision.
	Replay(ctx context.Context, id uint64, revision string) (ingress.Answer, error)
}

// Request is one request as the edge served it, and why it went where it went.
type Request struct {
	ID          uint64    `json:"id"`
	Time        time.Time `json:"time"`
	Listener    string    `json:"listener"`
	Client      string    `json:"client"`
	Protocol    string    `json:"protocol"`
	Method      string    `json:"method"`
	Host        string    `json:"host"`
	Path        string    `json:"path"`
	RequestID   string    `json:"requestId,omitempty"`
	App         string    `json:"app,omitempty"`
	Revision    string    `json:"revision,omitempty"`
	RevisionWhy string    `json:"revisionWhy,omitempty"`
	Replica     string    `json:"replica,omitempty"`
	ReplicaWhy  string    `json:"replicaWhy,omitempty"`
	Status      int       `json:"status"`
	Flag        string    `json:"responseFlags,omitempty"`
	Details     string    `json:"responseCodeDetails,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	Upstream    string    `json:"upstreamHost,omitempty"`
	Tries       int       `json:"tries"`
	Replays     int       `json:"replays,omitempty"`
	Received    int64     `json:"bytesReceived"`
	Sent        int64     `json:"bytesSent"`
	// The parts of the time it took, in milliseconds: waiting for a replica,
	// connecting, until the head of the answer, in all.
	Hold      float64 `json:"holdMs"`
	Connect   float64 `json:"connectMs"`
	FirstByte float64 `json:"firstByteMs"`
	Total     float64 `json:"totalMs"`
	// ColdStart is the start of the replica when the request waited for a
	// revision at zero.
	ColdStart *ColdStart `json:"coldStart,omitempty"`
	// Lost is how many requests are missing just before this one, because the
	// reader was too slow.
	Lost uint64 `json:"lost,omitempty"`
}

func requestOf(r ingress.Record, lost uint64) Request {
	return Request{
		ID: r.ID, Time: r.Time, Listener: string(r.Listener), Client: r.Client.String(), Protocol: r.Protocol,
		Method: r.Method, Host: r.Host, Path: r.Path, RequestID: r.RequestID,
		App: r.App, Revision: r.Revision, RevisionWhy: string(r.RevisionWhy), Replica: r.Replica, ReplicaWhy: string(r.ReplicaWhy),
		Status: r.Status, Flag: r.Flag, Details: r.Details, Reason: r.Reason, Upstream: r.Upstream, Tries: r.Tries, Replays: r.Replays,
		Received: r.BytesReceived, Sent: r.BytesSent,
		Hold: milliseconds(r.Hold), Connect: milliseconds(r.Connect), FirstByte: milliseconds(r.FirstByte), Total: milliseconds(r.Total),
		Lost: lost,
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// requests writes the last ?tail= requests, of ?app= if given, one a line, and
// with ?follow=true those to come.
func (s *server) listRequests(w http.ResponseWriter, r *http.Request) error {
	tail, err := intParam(r, "tail", defaultTail, 0, 4096)
	if err != nil {
		return err
	}
	follow, err := boolParam(r, "follow")
	if err != nil {
		return err
	}
	app := r.URL.Query().Get("app")
	wanted := func(rec ingress.Record) bool { return app == "" || rec.App == app }
	var last uint64
	var kept []ingress.Record
	for rec := range s.Requests.Records(0) {
		last = rec.ID
		if wanted(rec) {
			kept = append(kept, rec)
		}
	}
	cold := coldStarts{s, map[string]*ColdStart{}}
	request := func(rec ingress.Record, lost uint64) Request {
		out := requestOf(rec, lost)
		out.ColdStart = cold.of(r.Context(), rec)
		return out
	}
	out := newLines(w)
	if err := out.begin(); err != nil {
		return nil // the client has gone
	}
	for _, rec := range kept[max(len(kept)-tail, 0):] {
		if err := out.write(request(rec, 0)); err != nil {
			return nil // the client has gone
		}
	}
	if !follow {
		return nil
	}
	for lost, rec := range s.Requests.Follow(r.Context(), last) {
		if !wanted(rec) {
			continue
		}
		if err := out.write(request(rec, lost)); err != nil {
			return nil // the client has gone
		}
	}
	return nil
}

// ReplayBody asks for a captured request to be sent again.
type ReplayBody struct {
	ID uint64 `json:"id"`
	// Revisions are where to send it, whatever their weights.
	Revisions []string `json:"revisions"`
}

// ReplayAnswer is what came back, and how it differs from the first answer.
type ReplayAnswer struct {
	Request  Request      `json:"request"`
	Original AnswerView   `json:"original"`
	Answers  []AnswerView `json:"answers"`
}

// AnswerView is one answer of an app.
type AnswerView struct {
	Revision string      `json:"revision"`
	Replica  string      `json:"replica,omitempty"`
	Status   int         `json:"status"`
	Flag     string      `json:"responseFlags,omitempty"`
	Header   http.Header `json:"header,omitempty"`
	Body     string      `json:"body,omitempty"`
	// BodyCut says that the body was longer than what is shown.
	BodyCut bool `json:"bodyCut,omitempty"`
	// Differences are those to the original answer, one a line.
	Differences []string `json:"differences,omitempty"`
}

func answerView(a ingress.Answer) AnswerView {
	return AnswerView{Revision: a.Revision, Replica: a.Replica, Status: a.Status, Flag: a.Flag, Header: a.Header, Body: string(a.Body), BodyCut: a.BodyCut}
}

// maxReplays bounds what one call may send.
const maxReplays = 16

func (s *server) replay(w http.ResponseWriter, r *http.Request) error {
	var body ReplayBody
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&body); err != nil {
		return badContent("body", "the request is not readable: %v", err)
	}
	if n := len(body.Revisions); n == 0 || n > maxReplays {
		return badContent("revisions", "name 1 to %d revisions to send the request to.", maxReplays)
	}
	captured, ok := s.Requests.Captured(body.ID)
	if !ok {
		return &aca.Error{Code: "ResourceNotFound", Message: "That request is not kept any more, or never was.", Target: "id"}
	}
	out := ReplayAnswer{Request: requestOf(captured.Record, 0), Original: answerView(captured.Answer)}
	for _, revision := range body.Revisions {
		answer, err := s.Requests.Replay(r.Context(), body.ID, revision)
		if err != nil {
			return &aca.Error{Code: "Conflict", Message: err.Error(), Target: revision}
		}
		view := answerView(answer)
		view.Differences = captured.Answer.Diff(answer)
		out.Answers = append(out.Answers, view)
	}
	return reply(w, out)
}
