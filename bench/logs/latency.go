package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/acalocal/acalocal/logsink"
)

// How fast lines are printed while it is measured when they can be read.
const (
	latencyRate = 20_000 // lines a second, of all apps together
	latencyTick = 10 * time.Millisecond
	latencyTime = 10 * time.Second
)

// latencyStore measures how long after an app has printed a line it can be
// queried, and for how long at most an app has to wait to print the next one.
// What a tail sees a query sees: both read the rows that are durable.
func latencyStore(dir string) (report, error) {
	s, err := openStore(dir + "/latency")
	if err != nil {
		return report{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*latencyTime)
	defer cancel()
	perTick := int(latencyRate * latencyTick / time.Second / apps)
	lines := perTick * int(latencyTime/latencyTick)
	seen := s.TailConsole(ctx, logsink.Filter{}, 0, true)
	stalls, errs := make([]time.Duration, apps), make([]error, apps)
	var printing sync.WaitGroup
	for app := range apps {
		printing.Go(func() { stalls[app], errs[app] = printPaced(ctx, s, app, lines, perTick) })
	}
	delays, err := readDelays(seen, apps*lines)
	printing.Wait()
	if err := errors.Join(append(errs, err, s.Close())...); err != nil {
		return report{}, err
	}
	slices.Sort(delays)
	return report{Seconds: map[string]float64{
		"p50": delays[len(delays)/2].Seconds(), "p99": delays[len(delays)*99/100].Seconds(), "max": delays[len(delays)-1].Seconds(),
		"stall": slices.Max(stalls).Seconds(),
	}}, nil
}

// printPaced prints the lines of an app at its rate, each with the time it is
// printed at, and returns the longest time it was kept from printing.
func printPaced(ctx context.Context, s *logsink.Store, app, lines, perTick int) (stall time.Duration, err error) {
	tick := time.NewTicker(latencyTick)
	defer tick.Stop()
	i := 0
	var given time.Time
	c := logsink.Container{App: appName(app), Revision: revision(app), Replica: replica(app), Name: "main", ID: engineID(app), Image: image}
	err = s.Ingest(ctx, c, func() (logsink.Entry, error) {
		if i > 0 {
			stall = max(stall, time.Since(given))
		}
		if i == lines {
			return logsink.Entry{}, io.EOF
		}
		if i%perTick == 0 {
			<-tick.C
		}
		i++
		given = time.Now()
		return logsink.Entry{Time: given, Data: fmt.Appendf(nil, "%d GET /api/v1/orders/%d?expand=items HTTP/1.1 200 a line of about one hundred and thirty bytes, such as web services print\n", given.UnixNano(), i)}, nil
	})
	return stall, err
}

// readDelays returns how old n lines are when they can be read.
func readDelays(seen func(func(logsink.ConsoleLine, error) bool), n int) (delays []time.Duration, err error) {
	for l, err := range seen {
		if err != nil {
			return nil, err
		}
		stamp, _, _ := strings.Cut(l.Text, " ")
		printed, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			return nil, err
		}
		if delays = append(delays, time.Since(time.Unix(0, printed))); len(delays) == n {
			return delays, nil
		}
	}
	return nil, fmt.Errorf("%d of %d lines were seen", len(delays), n)
}
