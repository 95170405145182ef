package fault

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/acalocal/acalocal/ingress"
)

// Request stands between the edge and a replica: it is what ingress.Options
// calls Before. It waits, or returns why the connection is broken.
func (s *Set) Request(ctx context.Context, e ingress.Endpoint, r *http.Request) error {
	if s.idle() {
		return nil
	}
	where := placeOf(e.Replica, "")
	fits := func(f *Fault) bool { return f.Request.matches(r) }
	if f, ok := s.take(where, fits, "slowed "+describe(r), SlowLink); ok {
		wait(ctx, time.Duration(f.Delay))
	}
	if f, ok := s.take(where, fits, "cut the link under "+describe(r), CutLink); ok {
		return fmt.Errorf("the fault '%s' has cut the link", f.Name)
	}
	return ctx.Err()
}

func describe(r *http.Request) string {
	if r == nil {
		return "a TCP connection"
	}
	return r.Method + " " + r.URL.Path
}
