package clockutil

import (
	"context"
	"time"

	"github.com/benbjohnson/clock"
)

// ownerKey is the key under which a timeoutCtx finds itself through any
// contexts derived from it.
type ownerKey struct{}

// owner returns the context that set the deadline which ctx reports, if that is
// one of this package on a clock other than the system's, else nil.
func owner(ctx context.Context) *timeoutCtx {
	c, ok := ctx.Value(ownerKey{}).(*timeoutCtx)
	if !ok {
		return nil
	}
	// Somebody may have set another deadline below it, or none.
	if deadline, ok := ctx.Deadline(); !ok || deadline != c.deadline {
		return nil
	}
	return c
}

// ContextClock returns the clock that ctx's deadline is an instant of: the one
// given to [WithTimeout], or the system's if the deadline comes from elsewhere
// or there is none.
func ContextClock(ctx context.Context) clock.Clock {
	if c := owner(ctx); c != nil {
		return c.clk
	}
	return clock.New()
}

// Remaining returns the time left until ctx's deadline, measured on the clock
// the deadline is an instant of; it is zero or less once the deadline has
// passed. ok is false if ctx has no deadline.
func Remaining(ctx context.Context) (d time.Duration, ok bool) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return 0, false
	}
	return ContextClock(ctx).Until(deadline), true
}
