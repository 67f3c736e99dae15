package pipeline

import (
	"context"
	"errors"
	"time"

	"github.com/sourcegraph/conc"

	"github.com/penstock-go/penstock/clockutil"
)

// CloseAll closes ps in the reverse of the order given, so that what was
// opened last is closed first, under the one deadline of ctx.
//
// Each Close has an equal share of the time that is left to itself; if it
// takes longer the next begins beside it, so that a laggard costs the others
// nothing and still has until the deadline. Every Close must return when ctx
// ends, as a Pipeline's does; CloseAll waits for all of them. The errors are
// joined, last opened first, each as an [*OutputError] that names whose it is.
// The deadline is taken on the clock of clockutil.WithTimeout if ctx comes
// from there.
func CloseAll(ctx context.Context, ps ...interface{ Close(context.Context) error }) error {
	var wg conc.WaitGroup
	errs := make([]error, len(ps))
	for left := len(ps); left > 0; left-- {
		p, err, closed := ps[left-1], &errs[len(ps)-left], make(chan struct{})
		*err = named(p, errGoexit)
		wg.Go(func() {
			defer close(closed)
			*err = named(p, p.Close(ctx))
		})
		head(ctx, left, closed)
	}
	return errors.Join(append(errs, recovered(&wg))...)
}

// head waits for closed, but no longer than one of left equal shares of the
// time to ctx's deadline.
func head(ctx context.Context, left int, closed <-chan struct{}) {
	remaining, ok := clockutil.Remaining(ctx)
	if !ok {
		select {
		case <-closed:
		case <-ctx.Done():
		}
		return
	}
	share := clockutil.NewTimer(clockutil.ContextClock(ctx), remaining/time.Duration(left))
	defer share.Stop()
	select {
	case <-closed:
	case <-share.C():
	}
}

// recovered waits for wg and returns a panic of one of its goroutines.
func recovered(wg *conc.WaitGroup) error {
	if r := wg.WaitAndRecover(); r != nil {
		return r.AsError()
	}
	return nil
}
