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
}

// Failed says that the request was lost: no answer, or one of the 5xx.
func (s Sample) Failed() bool { return s.Err != "" || s.Status >= 500 }

// Run sends requests until ctx is done, waits for those under way, and returns
// all of them in the order they were due. The caller has called Check.
func (l Load) Run(ctx context.Context) []Sample {
	if l.Timeout == 0 {
		l.Timeout = 10 * time.Second
	}
	kept, fresh := l.transports()
	defer kept.CloseIdleConnections()
	defer fresh.CloseIdleConnections()
	var (
		mu      sync.Mutex
		samples []Sample
		asking  sync.WaitGroup
	)
	slots := make(chan struct{}, MaxInFlight)
	interval := time.Second / time.Duration(l.Rate)
	next := time.Now()
	for n := 0; sleepUntil(ctx, next); n++ {
		due, transport := next, http.RoundTripper(kept)
		if n%2 == 1 {
			transport = fresh
		}
		next = next.Add(interval)
		mu.Lock()
		i := len(samples)
		samples = append(samples, Sample{Begin: due, Fresh: n%2 == 1})
		mu.Unlock()
		asking.Go(func() {
			slots <- struct{}{} // the wait for a slot is part of the request's time
			defer func() { <-slots }()
			status, err := l.ask(transport)
			mu.Lock()
			defer mu.Unlock()
			samples[i].Took, samples[i].Status = time.Since(due), status
			if err != nil {
				samples[i].Err = plain(err)
			}
		})
	}
	asking.Wait()
	return samples
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
