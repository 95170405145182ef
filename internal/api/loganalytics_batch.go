package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// maxBatch is how many queries a batch has at most, as the service allows.
const maxBatch = 100

// laBatchRequest is one query of a batch.
type laBatchRequest struct {
	ID        string            `json:"id"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
	Method    string            `json:"method"`
	Path      string            `json:"path"`
	Workspace string            `json:"workspace"`
}

// laBatchResponse is its answer.
type laBatchResponse struct {
	ID      string            `json:"id"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    json.RawMessage   `json:"body"`
}

// laBatch answers several queries, one after the other: each may use all the
// memory and processors that a query may.
func (s *server) laBatch(w http.ResponseWriter, r *http.Request) {
	var batch struct {
		Requests []laBatchRequest `json:"requests"`
	}
	body, err := readBody(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &batch)
	}
	switch {
	case r.Method != http.MethodPost:
		(&laError{http.StatusMethodNotAllowed, laDetail{Code: "MethodNotAllowed", Message: "A batch is sent by POST."}}).write(w)
		return
	case err != nil:
		badArgument(laDetail{Code: "InvalidJsonBody", Message: "The request body is not valid: " + err.Error()}).write(w)
		return
	case len(batch.Requests) > maxBatch:
		badArgument(laDetail{Code: "BatchTooLarge", Message: fmt.Sprintf("A batch has at most %d queries.", maxBatch)}).write(w)
		return
	}
	out := make([]laBatchResponse, 0, len(batch.Requests))
	for _, q := range batch.Requests {
		out = append(out, s.laBatched(r, q))
	}
	writeJSON(w, http.StatusOK, map[string][]laBatchResponse{"responses": out})
}

// laBatched answers one query of a batch.
func (s *server) laBatched(r *http.Request, q laBatchRequest) laBatchResponse {
	inner := r.Clone(r.Context())
	inner.Method = cmp.Or(q.Method, http.MethodPost)
	inner.URL = &url.URL{Path: laPrefix + "workspaces/" + q.Workspace + cmp.Or(q.Path, "/query")}
	inner.Header = http.Header{}
	for name, value := range q.Headers {
		inner.Header.Set(name, value)
	}
	inner.Body = http.NoBody
	if len(q.Body) > 0 {
		inner.Body = io.NopCloser(bytes.NewReader(q.Body))
	}
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	s.laQuery(rec, inner)
	return laBatchResponse{ID: q.ID, Status: rec.status, Headers: map[string]string{"Content-Type": rec.header.Get("Content-Type")}, Body: bytes.TrimSpace(rec.body.Bytes())}
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
