package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
	logspb "go.opentelemetry.io/proto/otlp/logs/v1"

	"github.com/acalocal/acalocal/logsink"
)

// Bounds of a batch: whichever is reached first.
const (
	batchRows  = 512
	batchBytes = 1 << 20
	batchWait  = time.Second
)

// Source is a log store.
type Source interface {
	ConsoleFrom(ctx context.Context, seq uint64) iter.Seq2[logsink.ConsoleLine, error]
	EventsFrom(ctx context.Context, seq uint64) iter.Seq2[logsink.EventLine, error]
	RequestsFrom(ctx context.Context, seq uint64) iter.Seq2[logsink.RequestLine, error]
	End() logsink.Position
}

// Options are what an Exporter needs.
type Options struct {
	// Endpoint is the collector's base URL, as OTEL_EXPORTER_OTLP_ENDPOINT has
	// it: /v1/logs is appended, unless it ends so.
	Endpoint string
	// Headers are sent with every request.
	Headers map[string]string
	// Environment becomes service.namespace.
	Environment string
	// File keeps the place up to which rows have been sent.
	File   string
	Source Source
	// Tell is told in one sentence of trouble and its end. It may be called from
	// several goroutines. Nil tells nobody but Log.
	Tell func(warning bool, text string)
	Log  zerolog.Logger
}

// Exporter sends rows while it runs.
type Exporter struct {
	o      Options
	url    string
	shown  string // url as messages have it: without a password
	client *http.Client
	// wait is how long a batch is gathered, pause the first one between two
	// attempts; shorter in tests.
	wait, pause time.Duration

	mu    sync.Mutex
	place logsink.Position // up to which rows were sent or given up; guarded by mu
	news  chan struct{}    // closed and replaced when place moves; guarded by mu
	sent  int64            // guarded by mu
	lost  int64            // guarded by mu
}

// New makes an exporter. An endpoint that is no URL is an error.
func New(o Options) (*Exporter, error) {
	target, err := logsURL(o.Endpoint)
	if err != nil {
		return nil, err
	}
	shown, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	if o.Tell == nil {
		o.Tell = func(bool, string) {}
	}
	e := &Exporter{o: o, url: target, shown: shown.Redacted(), client: &http.Client{Timeout: 30 * time.Second}, wait: batchWait, pause: firstPause, news: make(chan struct{})}
	text, err := os.ReadFile(o.File)
	if err == nil {
		err = json.Unmarshal(text, &e.place)
	}
	if err != nil && !os.IsNotExist(err) {
		o.Log.Warn().Err(err).Msg("the place of the OTLP export is unknown; all rows are sent again")
		e.place = logsink.Position{}
	}
	return e, nil
}

// logsURL is where a collector takes logs.
func logsURL(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is not the URL of a collector, such as http://localhost:4318", endpoint)
	}
	if !strings.HasSuffix(u.Path, "/v1/logs") {
		u.Path = strings.TrimSuffix(u.Path, "/") + "/v1/logs"
	}
	return u.String(), nil
}

// Check reports whether an endpoint can be used.
func Check(endpoint string) error {
	_, err := logsURL(endpoint)
	return err
}

// Shown is an endpoint as people may read it: without a password. "" stays so.
func Shown(endpoint string) string {
	u, err := url.Parse(endpoint)
	if err != nil {
		return "" // Check refuses it
	}
	return u.Redacted()
}

// Run sends rows until ctx is done or the store is closed.
func (e *Exporter) Run(ctx context.Context) {
	from := e.place
	var tables sync.WaitGroup
	tables.Go(func() {
		ship(ctx, e, e.o.Source.ConsoleFrom(ctx, from.Console), consoleRow, func(p *logsink.Position) *uint64 { return &p.Console })
	})
	tables.Go(func() {
		ship(ctx, e, e.o.Source.EventsFrom(ctx, from.Events), eventRow, func(p *logsink.Position) *uint64 { return &p.Events })
	})
	tables.Go(func() {
		ship(ctx, e, e.o.Source.RequestsFrom(ctx, from.Request), requestRow, func(p *logsink.Position) *uint64 { return &p.Request })
	})
	tables.Wait()
}

// Flush waits until the rows that are durable now have been sent, or ctx is
// done, while Run runs.
func (e *Exporter) Flush(ctx context.Context) error {
	end := e.o.Source.End()
	for {
		e.mu.Lock()
		p, news := e.place, e.news
		e.mu.Unlock()
		if p.Console >= end.Console && p.Events >= end.Events && p.Request >= end.Request {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("rows wait for the collector at %s: %w", e.shown, ctx.Err())
		}
	}
}

// Stats says how many rows were sent, and how many never will be.
func (e *Exporter) Stats() (sent, lost int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sent, e.lost
}

// ship sends the rows of one table, in batches. Reading goes on while a batch is
// gathered and stops while it is sent: rows wait in the store.
func ship[T any](ctx context.Context, e *Exporter, rows iter.Seq2[T, error], convert func(T) row, place func(*logsink.Position) *uint64) {
	ctx, cancel := context.WithCancel(ctx)
	next := make(chan row)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(next)
		for r, err := range rows {
			if err != nil {
				return // the store is closed
			}
			select {
			case next <- convert(r):
			case <-ctx.Done():
				return
			}
		}
	})
	defer reading.Wait()
	defer cancel()
	s := &sender{exporter: e}
	for {
		b, more := gather(ctx, next, e.wait)
		if len(b.rows) > 0 {
			if !s.send(ctx, &b) {
				return
			}
			e.moved(place, b.end, int64(len(b.rows)-b.refused), b.lost+int64(b.refused))
		}
		if !more {
			return
		}
	}
}

// batch is rows to send at once.
type batch struct {
	rows    []row
	end     uint64 // sequence number behind the last row
	lost    int64  // rows that were removed before they could be read
	refused int    // rows the collector did not want
}

// gather collects a batch, for a while from its first row on; more says that there
// may be another.
func gather(ctx context.Context, next <-chan row, wait time.Duration) (b batch, more bool) {
	var due <-chan time.Time
	size := 0
	for len(b.rows) < batchRows && size < batchBytes {
		select {
		case r, ok := <-next:
			if !ok {
				return b, false
			}
			if due == nil {
				timer := time.NewTimer(wait)
				defer timer.Stop()
				due = timer.C
			}
			b.rows, b.end, b.lost = append(b.rows, r), r.seq+1, b.lost+r.lost
			size += r.size
		case <-due:
			return b, true
		case <-ctx.Done():
			return b, false
		}
	}
	return b, true
}

// moved notes that a table's rows before end are done with.
func (e *Exporter) moved(place func(*logsink.Position) *uint64, end uint64, sent, lost int64) {
	e.mu.Lock()
	*place(&e.place) = end
	e.sent += sent
	e.lost += lost
	text, err := json.Marshal(e.place)
	if err == nil {
		err = replaceFile(e.o.File, text)
	}
	close(e.news)
	e.news = make(chan struct{})
	e.mu.Unlock()
	if err != nil {
		e.o.Log.Warn().Err(err).Msg("the place of the OTLP export is not kept; a restart sends rows again")
	}
}

func (e *Exporter) tell(warning bool, text string) {
	level := zerolog.InfoLevel
	if warning {
		level = zerolog.WarnLevel
	}
	e.o.Log.WithLevel(level).Msg(text)
	e.o.Tell(warning, text)
}

// replaceFile writes a file as a whole. It need not survive a loss of power: rows
// sent twice are no harm.
func replaceFile(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// body makes the request body of some rows.
func (e *Exporter) body(rows []row) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(marshal(&logspb.LogsData{ResourceLogs: byResource(e.o.Environment, rows)})); err != nil {
		return nil, err
	}
	err := w.Close()
	return out.Bytes(), err
}

// post sends a body and returns the answer, whose body has been read.
func (e *Exporter) post(ctx context.Context, body []byte) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	for name, value := range e.o.Headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Content-Encoding", "gzip")
	resp, err := e.client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	return resp, answer, err
}
