package reload

import (
	"context"
	"maps"
	"slices"
)

// Change is what is not applied yet. The zero value is nothing.
type Change struct {
	// Paths are changed files, absolute, in order.
	Paths []string
	// Rescan says that files changed nobody can name.
	Rescan bool
	// Definition says that a definition file changed.
	Definition bool
}

// Empty says that there is nothing to do.
func (c Change) Empty() bool { return len(c.Paths) == 0 && !c.Rescan && !c.Definition }

// Add returns both changes in one.
func (c Change) Add(d Change) Change {
	paths := map[string]struct{}{}
	for _, p := range append(slices.Clone(c.Paths), d.Paths...) {
		paths[p] = struct{}{}
	}
	return Change{
		Paths:      slices.Sorted(maps.Keys(paths)),
		Rescan:     c.Rescan || d.Rescan,
		Definition: c.Definition || d.Definition,
	}
}

// Run applies changes as they come until the channel is closed or ctx is done.
// apply runs beside it, never twice at once: a newer change cancels its context
// and waits for its return. What apply did not finish, because it was cancelled
// or failed, is part of the next change; so a broken build is left behind by
// the save that mends it.
func Run(ctx context.Context, changes <-chan Change, apply func(context.Context, Change) error) {
	var undone Change
	var work *attempt
	defer func() { work.end() }()
	for {
		select {
		case <-ctx.Done():
			return
		case err := <-work.result():
			work = nil
			if err == nil {
				undone = Change{}
			}
		case c, ok := <-changes:
			if !ok {
				return
			}
			if work.end() {
				undone = Change{} // it got there before it was cancelled
			}
			undone = undone.Add(c)
			work = begin(ctx, undone, apply)
		}
	}
}

// attempt is one call of apply under way; nil is none.
type attempt struct {
	cancel context.CancelFunc
	done   chan error
}

func begin(ctx context.Context, c Change, apply func(context.Context, Change) error) *attempt {
	ctx, cancel := context.WithCancel(ctx)
	a := &attempt{cancel, make(chan error, 1)}
	go func() {
		defer cancel()
		a.done <- apply(ctx, c)
	}()
	return a
}

// result receives the answer of the attempt; without one it blocks for ever.
func (a *attempt) result() <-chan error {
	if a == nil {
		return nil
	}
	return a.done
}

// end cancels the attempt, waits for it and says whether it was done all the
// same.
func (a *attempt) end() (applied bool) {
	if a == nil {
		return false
	}
	a.cancel()
	return <-a.done == nil
}
