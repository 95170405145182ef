package home

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"sync"
	"testing"

	"github.com/gofrs/flock"
)

// TestLookingAtALockKeepsNobodyFromGoing looks at the lock of an environment
// again and again while others make and remove it: a file that the look left
// behind would keep the directory there.
func TestLookingAtALockKeepsNobodyFromGoing(t *testing.T) {
	e := At(t.TempDir()).Environment("dev")
	gone := make(chan struct{})
	var looking sync.WaitGroup
	for range 2 {
		looking.Go(func() {
			for !closed(gone) {
				if err := look(e); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 200 {
		if err := errors.Join(e.Create(), os.WriteFile(e.Lock(), nil, 0o600), e.Remove()); err != nil {
			t.Error(err)
			break
		}
	}
	close(gone)
	looking.Wait()
}

// look takes the lock if there is one, and lets go of it.
func look(e Environment) error {
	lock := e.ExistingLock()
	if ok, err := lock.TryLock(); !ok {
		return err
	}
	return lock.Unlock()
}

func closed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

func TestReleasedWaitsForTheLockOrItsEnd(t *testing.T) {
	e := At(t.TempDir()).Environment("local")
	if err := e.Create(); err != nil {
		t.Fatal(err)
	}
	held := flock.New(e.Lock())
	if ok, err := held.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Released(impatient); !errors.Is(err, context.Canceled) {
		t.Errorf("while the lock is held: %v", err)
	}
	released := make(chan error, 1)
	go func() { released <- e.Released(t.Context()) }()
	if err := e.Remove(); err != nil {
		t.Fatal(err)
	}
	if err := <-released; err != nil {
		t.Errorf("after Remove: %v", err)
	}
	if err := held.Unlock(); err != nil {
		t.Error(err)
	}
}
