package containertest

import (
	"context"
	"time"

	"github.com/acalocal/acalocal/internal/container"
)

// Follow hands every entry of a container's output to f, to its end. It returns
// ctx's error when that ended it. The data of an entry is f's only during the
// call.
func Follow(ctx context.Context, rt container.Runtime, id container.ID, f func(container.LogEntry)) error {
	r, err := rt.Logs(ctx, id, time.Time{})
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		e, err := r.Next()
		if err != nil {
			return ctx.Err()
		}
		f(e)
	}
}
