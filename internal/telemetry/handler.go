package telemetry

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/acalocal/acalocal/logsink"
)

// Bounds of what is taken. A request that waits for the disk holds its body, so
// the two together bound the memory.
const (
	maxBody    = 8 << 20         // bytes of a body, unpacked
	maxAtOnce  = 4               // requests under way
	maxWait    = 2 * time.Second // how long others wait before they are told to try again
	maxRecords = 100_000         // of one body
)

// Sink takes records and returns when they are durable.
type Sink interface {
	AppendTelemetry([]logsink.Telemetry) error
}

// Options are what a handler needs.
type Options struct {
	Sink Sink
	// App returns the name of the app with an instrumentation key, "" when no
	// app has it.
	App func(key string) string
	// Caller says who is connected to the agent, by the context of a request. An
	// error asks the caller to try again. Nil knows nobody.
	Caller func(context.Context) (Caller, error)
	// Now is the time that items are too old by; time.Now when it is nil.
	Now func() time.Time
	// Report is told of records that could not be stored. Nil tells nobody.
	Report func(error)
}

// Handler is the endpoint. It may be used by many requests at once.
type Handler struct {
	o    Options
	mux  *http.ServeMux
	room chan struct{}
}

// New makes an endpoint.
func New(o Options) *Handler {
	if o.App == nil {
		o.App = func(string) string { return "" }
	}
	if o.Caller == nil {
		o.Caller = func(context.Context) (Caller, error) { return Caller{Traces: true, Logs: true, Metrics: true}, nil }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	h := &Handler{o: o, mux: http.NewServeMux(), room: make(chan struct{}, maxAtOnce)}
	for _, path := range []string{"/v2.1/track", "/v2/track"} {
		h.mux.HandleFunc("POST "+path, h.bounded(h.track, refuseTrack))
	}
	for _, prefix := range []string{"", "/apps/{app}"} {
		h.mux.HandleFunc("POST "+prefix+"/v1/traces", h.bounded(h.traces, refuse))
		h.mux.HandleFunc("POST "+prefix+"/v1/logs", h.bounded(h.logs, refuse))
		h.mux.HandleFunc("POST "+prefix+"/v1/metrics", h.bounded(h.metrics, refuse))
	}
	h.mux.HandleFunc("POST /QuickPulseService.svc/{call}", h.liveMetrics)
	h.mux.HandleFunc("GET /api/profiles/{key}/appId", h.applicationID)
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.mux.ServeHTTP(w, r) }

// errBusy asks the sender to try again.
var errBusy = errors.New("too much at once")

// refusal answers a request that fails, in the words of its protocol.
type refusal func(w http.ResponseWriter, r *http.Request, status int, err error)

// bounded keeps the number of requests under way small.
func (h *Handler) bounded(serve http.HandlerFunc, refuse refusal) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		timer := time.NewTimer(maxWait)
		defer timer.Stop()
		select {
		case h.room <- struct{}{}:
			defer func() { <-h.room }()
			serve(w, r)
		case <-r.Context().Done():
		case <-timer.C:
			refuse(w, r, http.StatusTooManyRequests, errBusy)
		}
	}
}

// errTooLarge says that a body is longer than is taken.
var errTooLarge = fmt.Errorf("the body is longer than %d MiB", maxBody>>20)

// readBody reads and unpacks a body.
func readBody(r *http.Request) ([]byte, error) {
	var in io.Reader = http.MaxBytesReader(nil, r.Body, maxBody)
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity":
	case "gzip":
		unpacked, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("the body is not gzip: %w", err)
		}
		in = unpacked
	default:
		return nil, fmt.Errorf("the content encoding %q is not known", encoding)
	}
	body, err := io.ReadAll(io.LimitReader(in, maxBody+1))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) || len(body) > maxBody {
		return nil, errTooLarge
	}
	return body, err
}

// statusOf is the status for a body that could not be read.
func statusOf(err error) int {
	if errors.Is(err, errTooLarge) {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// store keeps records; the error is also reported.
func (h *Handler) store(records []logsink.Telemetry) error {
	err := h.o.Sink.AppendTelemetry(records)
	if err != nil {
		h.o.Report(err)
	}
	return err
}

// trackAnswer is what the ingestion endpoint answers.
type trackAnswer struct {
	Received int          `json:"itemsReceived"`
	Accepted int          `json:"itemsAccepted"`
	Errors   []trackError `json:"errors"`
	AppID    *string      `json:"appId"`
}

// trackError is what is wrong with one item.
type trackError struct {
	Index   int    `json:"index"`
	Status  int    `json:"statusCode"`
	Message string `json:"message"`
}

// track takes envelopes of Application Insights.
func (h *Handler) track(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r)
	if err != nil {
		refuseTrack(w, r, statusOf(err), err)
		return
	}
	answer := trackAnswer{Errors: []trackError{}}
	var records []logsink.Telemetry
	now := h.o.Now()
	eachEnvelope(body, func(e *envelope, err error) bool {
		record, kept := logsink.Telemetry{}, false
		if err == nil {
			record, kept, err = e.record(now)
		}
		if err != nil {
			answer.Errors = append(answer.Errors, trackError{Index: answer.Received, Status: http.StatusBadRequest, Message: err.Error()})
		}
		if kept {
			record.App = h.o.App(record.IKey)
			records = append(records, record)
		}
		answer.Received++
		return answer.Received < maxRecords
	})
	answer.Accepted = answer.Received - len(answer.Errors)
	if err := h.store(records); err != nil {
		writeJSON(w, http.StatusServiceUnavailable, trackAnswer{Received: answer.Received, Errors: []trackError{{Status: http.StatusServiceUnavailable, Message: err.Error()}}})
		return
	}
	writeJSON(w, trackStatus(answer), answer)
}

// refuseTrack answers for a request none of whose items was looked at.
func refuseTrack(w http.ResponseWriter, _ *http.Request, status int, err error) {
	if status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	writeJSON(w, status, trackAnswer{Errors: []trackError{{Status: status, Message: err.Error()}}})
}

// trackStatus is 200 when all is well, 206 when some of it is.
func trackStatus(a trackAnswer) int {
	switch {
	case len(a.Errors) == 0 && a.Received > 0:
		return http.StatusOK
	case a.Accepted > 0:
		return http.StatusPartialContent
	}
	return http.StatusBadRequest
}

// liveMetrics answers the live stream ("QuickPulse") that nobody watches, which
// makes SDKs ask again now and then and send nothing.
func (h *Handler) liveMetrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("x-ms-qps-subscribed", "false")
	writeJSON(w, http.StatusOK, struct {
		ETag            string
		Metrics         []any
		DocumentStreams []any
	}{Metrics: []any{}, DocumentStreams: []any{}})
}

// applicationID answers SDKs that look up the id of their resource.
func (h *Handler) applicationID(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	if h.o.App(key) == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, key) // who asked has gone
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // who asked has gone
}
