package daemon

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestAnEnvironmentBeginsOnce: later daemons read when it was.
func TestAnEnvironmentBeginsOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "begun")
	first := time.Date(2026, 3, 1, 8, 0, 0, 123456789, time.UTC)
	f := func(now, want time.Time) {
		t.Helper()
		if got, err := begun(path, now); err != nil || !got.Equal(want) {
			t.Errorf("at %s: %s, %v; want %s", now, got, err, want)
		}
	}
	f(first, first)
	f(first.Add(time.Hour), first)
	if err := os.WriteFile(path, nil, 0o600); err != nil { // by a daemon that died
		t.Fatal(err)
	}
	f(first.Add(2*time.Hour), first.Add(2*time.Hour))
	f(first.Add(3*time.Hour), first.Add(2*time.Hour))
	if got, err := begun(filepath.Join(path, "nowhere"), first); err == nil || got != first {
		t.Errorf("where nothing can be kept: %s, %v", got, err)
	}
}

func TestCallableAddresses(t *testing.T) {
	f := func(listener, want string) {
		t.Helper()
		if got := callable(listener); got != want {
			t.Errorf("%s is called at %s, want %s", listener, got, want)
		}
	}
	f("127.0.0.1:8080", "127.0.0.1")
	f("10.0.0.7:80", "10.0.0.7")
	f("[::1]:80", "::1")
	f("[::]:80", "127.0.0.1")
	f("0.0.0.0:80", "127.0.0.1")
}
