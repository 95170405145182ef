package otlp

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// Pauses between two attempts to send a batch, without the jitter. A collector
// that names a longer one with Retry-After is given it, up to maxPause.
const (
	firstPause = time.Second
	longPause  = 30 * time.Second
	maxPause   = 5 * time.Minute
)

// sender sends the batches of one table, one after the other. Trouble is told
// when it begins and when it is over: what is told becomes a row to send.
type sender struct {
	exporter *Exporter
	failing  bool  // the collector does not answer
	refused  int64 // rows it has refused since it last took a whole batch
}

// send sends a batch until it is taken or refused for good. It reports whether
// it got that far: not when ctx is done.
func (s *sender) send(ctx context.Context, b *batch) bool {
	if b.lost > 0 {
		s.tell(true, "%d rows were not sent to the collector at %s: retention removed them before it took them.", b.lost, s.exporter.shown)
	}
	body, err := s.exporter.body(b.rows)
	if err != nil {
		s.refuse(b, len(b.rows), err.Error())
		return true
	}
	for pause := s.exporter.pause; ; pause = min(2*pause, longPause) {
		wait, err := s.attempt(ctx, body, b)
		if err == nil {
			s.recovered(b)
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		s.trouble(err)
		if wait == 0 {
			wait = pause/2 + rand.N(pause) // half to one and a half
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return false
		}
	}
}

// attempt sends a batch once. An error says that it should be tried again, after
// wait if that is not zero.
func (s *sender) attempt(ctx context.Context, body []byte, b *batch) (wait time.Duration, err error) {
	resp, answer, err := s.exporter.post(ctx, body)
	if err != nil {
		return 0, err
	}
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return retryAfter(resp.Header.Get("Retry-After")), errors.New(resp.Status)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		s.refuse(b, len(b.rows), strings.TrimSpace(resp.Status+" "+firstLine(answer)))
		return 0, nil
	}
	if n, message := partialSuccess(answer); n > 0 {
		s.refuse(b, int(min(n, int64(len(b.rows)))), message)
	}
	return 0, nil
}

// refuse notes that the collector does not want n rows of a batch.
func (s *sender) refuse(b *batch, n int, why string) {
	if s.refused == 0 {
		s.tell(true, "The collector at %s refuses rows for good: %s", s.exporter.shown, why)
	}
	b.refused = n
	s.refused += int64(n)
}

// trouble tells that rows wait, once.
func (s *sender) trouble(err error) {
	if !s.failing {
		s.failing = true
		s.tell(true, "The collector at %s does not take rows (%v); they wait in the log store.", s.exporter.shown, err)
	}
}

// recovered tells that trouble is over.
func (s *sender) recovered(b *batch) {
	if s.failing {
		s.failing = false
		s.tell(false, "The collector at %s answers again.", s.exporter.shown)
	}
	if s.refused > 0 && b.refused == 0 {
		s.tell(false, "The collector at %s takes rows again; it has refused %d.", s.exporter.shown, s.refused)
		s.refused = 0
	}
}

func (s *sender) tell(warning bool, format string, args ...any) {
	s.exporter.tell(warning, fmt.Sprintf(format, args...))
}

// retryAfter reads the header: seconds, or a date.
func retryAfter(value string) time.Duration {
	wait := time.Duration(0)
	if n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = time.Until(at)
	}
	return min(max(wait, 0), maxPause)
}

// partialSuccess reads the answer to an export: how many records were rejected,
// and why. The fields are those of ExportLogsServiceResponse.
func partialSuccess(answer []byte) (rejected int64, message string) {
	eachField(answer, func(n protowire.Number, _ uint64, inner []byte) {
		if n != 1 {
			return
		}
		eachField(inner, func(n protowire.Number, v uint64, text []byte) {
			switch n {
			case 1:
				rejected = max(int64(v), 0)
			case 2:
				message = strings.ToValidUTF8(string(text), "\ufffd")
			}
		})
	})
	return rejected, message
}

// eachField calls f for the fields of a message, as far as it can be read.
func eachField(b []byte, f func(n protowire.Number, v uint64, bytes []byte)) {
	for len(b) > 0 {
		n, kind, size := protowire.ConsumeTag(b)
		if size < 0 {
			return
		}
		b = b[size:]
		var v uint64
		var inner []byte
		switch kind {
		case protowire.VarintType:
			v, size = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			inner, size = protowire.ConsumeBytes(b)
		default:
			size = protowire.ConsumeFieldValue(n, kind, b)
		}
		if size < 0 {
			return
		}
		f(n, v, inner)
		b = b[size:]
	}
}

// firstLine is the beginning of a text that a collector answered.
func firstLine(b []byte) string {
	line, _, _ := strings.Cut(strings.ToValidUTF8(string(b), "\ufffd"), "\n")
	if len(line) > 200 {
		line = strings.ToValidUTF8(line[:200], "") + "…"
	}
	return line
}
