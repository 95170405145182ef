package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// Bounds of a load.
const (
	MaxRate     = 2000 // requests per second
	MaxInFlight = 512  // requests at a time
	MaxWaiting  = 2048 // requests that are due and wait for one of those to end
)

// Load is a constant rate of GET requests to a loopback address, half of them
// on connections that are kept alive and half on fresh ones.
type Load struct {
	// URL is asked. Its host must be a loopback address or end in .localhost,
	// which always is one.
	URL string
	// Rate is requests per second, 1 to MaxRate.
	Rate int
	// Timeout bounds one request; 0 is 10 s.
	Timeout time.Duration
	// Transport makes the connections; nil is the usual one. DisableKeepAlives
	// is set on a copy of it.
	Transport *http.Transport
}

// Check says why a load is refused, or nil.
func (l Load) Check() error {
	u, err := url.Parse(l.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%q is no http address", l.URL)
	}
	host := u.Hostname()
	local := host == "localhost" || len(host) > 10 && host[len(host)-10:] == ".localhost"
	if ip := net.ParseIP(host); !local && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("%s is not on this machine: a load is for loopback addresses only", host)
	}
	if l.Rate < 1 || l.Rate > MaxRate {
		return fmt.Errorf("%d requests per second are not between 1 and %d", l.Rate, MaxRate)
	}
	return nil
}

// Sample is one request.
type Sample struct {
	Begin  time.Time     // when it was due
	Took   time.Duration // from then until the answer was read
	Fresh  bool          // on a connection of its own
	Status int           // 0 when there was no answer
	Err    string        // why there was none, "" otherwise
	// NotSent says that the request was due while as many as may be were under
	// way and waiting, so that Took says nothing about the app.
	NotSent bool
}

// notSent is the Err of requests that were not sent.
var notSent = fmt.Sprintf("not sent: %d requests were under way and %d more waited", MaxInFlight, MaxWaiting)

// Failed says that the request was lost: no answer, or one of the 5xx. One that
// was not sent is: who comes for an app that answers nobody has no answer either.
func (s Sample) Failed() bool { return s.Err != "" || s.Status >= 500 }

// Run sends requests until ctx is done, waits for those under way, and returns
// all that were due, in order. The caller has called Check.
func (l Load) Run(ctx context.Context) []Sample {
	if l.Timeout == 0 {
		l.Timeout = 10 * time.Second
	}
	kept, fresh := l.transports()
	defer kept.CloseIdleConnections()
	defer fresh.CloseIdleConnections()
	r := run{load: l, kept: kept, fresh: fresh}
	interval := time.Second / time.Duration(l.Rate)
	next := time.Now()
	for n := 0; sleepUntil(ctx, next); n++ {
		r.due(Sample{Begin: next, Fresh: n%2 == 1})
		next = next.Add(interval)
	}
	r.asking.Wait()
	return r.samples
}

// run is a load under way.
type run struct {
	load        Load
	kept, fresh http.RoundTripper
	asking      sync.WaitGroup

	mu       sync.Mutex
	samples  []Sample // guarded by mu
	inFlight int      // guarded by mu
	waiting  []int    // guarded by mu; indices of samples
}

// due begins a request, or lets it wait, which is part of its time.
func (r *run) due(s Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := len(r.samples)
	switch {
	case r.inFlight < MaxInFlight:
		r.inFlight++
		r.asking.Go(func() { r.ask(i) })
	case len(r.waiting) < MaxWaiting:
		r.waiting = append(r.waiting, i)
	default:
		s.NotSent, s.Err = true, notSent
	}
	r.samples = append(r.samples, s)
}

// ask sends the i-th request, and then those that wait.
func (r *run) ask(i int) {
	for more := true; more; {
		r.mu.Lock()
		s := r.samples[i]
		r.mu.Unlock()
		transport := r.kept
		if s.Fresh {
			transport = r.fresh
		}
		status, err := r.load.ask(transport)
		s.Took, s.Status = time.Since(s.Begin), status
		if err != nil {
			s.Err = plain(err)
		}
		r.mu.Lock()
		r.samples[i] = s
		if more = len(r.waiting) > 0; more {
			i, r.waiting = r.waiting[0], r.waiting[1:]
		} else {
			r.inFlight--
		}
		r.mu.Unlock()
	}
}

func (l Load) transports() (kept, fresh *http.Transport) {
	base := l.Transport
	if base == nil {
		base = &http.Transport{Proxy: nil}
	}
	kept, fresh = base.Clone(), base.Clone()
	kept.MaxIdleConnsPerHost = 64
	fresh.DisableKeepAlives = true
	return kept, fresh
}

// sleepUntil waits and reports false when ctx is done first.
func sleepUntil(ctx context.Context, at time.Time) bool {
	t := time.NewTimer(time.Until(at))
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// ask sends one request. It outlives the load's context, so that the end of the
// load loses none.
func (l Load) ask(transport http.RoundTripper) (int, error) {
	ctx, cancel := context.WithTimeout(context.Background(), l.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.URL, nil)
	if err != nil {
		return 0, err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// plain says what happened to a request in few words.
func plain(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed before the answer"
	}
	return err.Error()
}
