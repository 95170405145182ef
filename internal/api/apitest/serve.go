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
// test ends, or until the function it returns is called, which breaks open
// connections as the death of a daemon does.
func Serve(t testing.TB, e home.Environment, h http.Handler) (stop func()) {
	t.Helper()
	if err := e.Create(); err != nil {
		t.Fatal(err)
	}
	l, err := api.Listen(e)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve %s: %v", e.Socket(), err)
		}
	})
	stop = sync.OnceFunc(func() {
		if err := srv.Close(); err != nil {
			t.Errorf("close the server: %v", err)
		}
		serving.Wait()
	})
	t.Cleanup(stop)
	return stop
}
