package home

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"testing"
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
