package apitest

import (
	"errors"
	"net/http"
	"sync"
	"testing"

	"github.com/acalocal/acalocal/internal/api"
	"github.com/acalocal/acalocal/internal/home"
)

// Serve serves a handler on the control socket of an environment until the
// test ends, or until stop is called, which breaks open connections as the
// death of a daemon does. The handler may call stop in a goroutine of its own.
func Serve(t testing.TB, e home.Environment, handler func(stop func()) http.Handler) (stop func()) {
	t.Helper()
	if err := e.Create(); err != nil {
		t.Fatal(err)
	}
	l, err := api.Listen(e)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{}
	var serving sync.WaitGroup
	stop = sync.OnceFunc(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
		serving.Wait()
	})
	srv.Handler = handler(stop)
	serving.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve %s: %v", e.Socket(), err)
		}
	})
	t.Cleanup(stop)
	return stop
}
