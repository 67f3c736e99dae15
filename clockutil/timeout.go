package clockutil

import (
	"context"
	"time"

	"github.com/benbjohnson/clock"
)

// WithTimeout returns a context that ends with [context.DeadlineExceeded] once d
// has passed on clk, or earlier with its parent or by a call of cancel. If d is
// zero or less, it has ended on return. A nil clk is the system's clock, for
// which this is [context.WithTimeout].
//
// Its Deadline is an instant of clk. That makes it unfit for the functions of
// package context that compare deadlines if clk is a mock: derive further
// timeouts with this function, and read the time left with [Remaining]. A
// deadline of the parent's shortens the context's own if both are on one clock;
// if not they are not compared, and whichever passes first ends the context.
//
// When the parent ends, the context's own methods and [context.Cause] report
// it at once. On a mock, what is derived from the context hears of it from
// another goroutine, a moment later. Everybody hears of the timeout at once.
//
// Call cancel as soon as the context is no longer needed: it disarms the timer.
// The context and cancel are safe for concurrent use.
func WithTimeout(parent context.Context, clk clock.Clock, d time.Duration) (ctx context.Context, cancel context.CancelFunc) {
	return WithTimeoutCause(parent, clk, d, nil)
}

// WithTimeoutCause is [WithTimeout] for which [context.Cause] reports cause
// after a timeout; Err stays [context.DeadlineExceeded]. A nil cause stands for
// that same error. Calling cancel does not set the cause.
func WithTimeoutCause(parent context.Context, clk clock.Clock, d time.Duration, cause error) (ctx context.Context, cancel context.CancelFunc) {
	if isSystem(clk) {
		if owner(parent) != nil {
			parent = withoutDeadline{parent}
		}
		return context.WithTimeoutCause(parent, d, cause)
	}
	if cause == nil {
		cause = context.DeadlineExceeded
	}
	c := newTimeoutCtx(parent, clk, d, cause)
	return c, c.stop
}

// withoutDeadline hides a deadline that is on a mock from package context,
// which would compare it with one on the system's clock, find it decades past,
// and leave the new one out.
type withoutDeadline struct{ context.Context }

func (withoutDeadline) Deadline() (time.Time, bool) { return time.Time{}, false }

func (c withoutDeadline) Value(key any) any {
	if key == (ownerKey{}) {
		return nil
	}
	return c.Context.Value(key)
}
