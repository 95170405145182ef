package cli

import (
	"os"
	"testing"
	"testing/synctest"
)

func TestInterruptsAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		received := make(chan os.Signal, 2)
		i := countInterrupts(t.Context(), received)
		check := func(when string, first, second bool) {
			t.Helper()
			synctest.Wait()
			if (i.first.Err() != nil) != first || (i.second.Err() != nil) != second {
				t.Errorf("%s: first %v, second %v", when, i.first.Err(), i.second.Err())
			}
		}
		check("at first", false, false)
		received <- os.Interrupt
		check("after one", true, false)
		received <- os.Interrupt
		check("after two", true, true)
		i.stop()
	})
}

func TestInterruptsStopWithoutOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		countInterrupts(t.Context(), make(chan os.Signal)).stop() // the bubble fails if a goroutine is left
	})
}
