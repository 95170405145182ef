package main

import (
	"fmt"
	"math/rand/v2"
	"time"
)

const apps = 20

var begin = time.Date(2026, 6, 26, 8, 0, 0, 0, time.UTC)

// span is the time all rows are spread over.
const span = 6 * time.Hour

// message appends row i of an app: about 130 bytes, like those of web services.
// Six rows of all have the word "needle".
func message(b []byte, rnd *rand.Rand, app, i, n int) []byte {
	if app < 6 && i == n/2 {
		return fmt.Appendf(b, "WARN  a needle in the haystack of app %d", app)
	}
	switch rnd.IntN(10) {
	case 0:
		return fmt.Appendf(b, "ERROR [worker-%d] order %d failed: upstream connect error or disconnect/reset before headers, trace=%016x%016x", rnd.IntN(4), i, rnd.Uint64(), rnd.Uint64())
	case 1, 2:
		return fmt.Appendf(b, "INFO  [worker-%d] cache miss for key user:%d:profile, loading from postgres replica-%d in %d ms, trace=%016x", rnd.IntN(4), rnd.IntN(100000), rnd.IntN(3), rnd.IntN(400), rnd.Uint64())
	}
	return fmt.Appendf(b, "10.0.%d.%d - - \"GET /api/v1/orders/%d?expand=items HTTP/1.1\" %d %d \"-\" \"python-requests/2.31\" duration=%dms id=%08x",
		rnd.IntN(4), rnd.IntN(250), rnd.IntN(1000000), []int{200, 200, 200, 404, 500}[rnd.IntN(5)], rnd.IntN(20000), rnd.IntN(900), rnd.Uint32())
}

// source is the rows of one app, always the same.
type source struct {
	app, n, i int
	rnd       *rand.Rand
	buf       []byte
}

func newSource(app, n int) *source {
	return &source{app: app, n: n, rnd: rand.New(rand.NewPCG(uint64(app), 1))}
}

// next returns the next row; the message is valid until the next call.
func (s *source) next() (t time.Time, msg []byte, ok bool) {
	if s.i == s.n {
		return t, nil, false
	}
	s.i++
	s.buf = message(s.buf[:0], s.rnd, s.app, s.i, s.n)
	step := span / time.Duration(s.n)
	return begin.Add(time.Duration(s.i) * step).Add(time.Duration(s.app) * time.Microsecond), s.buf, true
}

func appName(app int) string  { return fmt.Sprintf("app-%02d", app) }
func revision(app int) string { return fmt.Sprintf("app-%02d--000000%d", app, app%3+1) }
func replica(app int) string  { return revision(app) + "-6bffcf46d6-j79zb" }
func engineID(app int) string { return fmt.Sprintf("%064x", app+1) }

const image = "registry.example/shop/app:v1"
