package clockutil

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
)

// timeoutCtx is the context of WithTimeout on a clock other than the system's.
//
// Its state is that of a standard context, inner, so that contexts derived from
// it hang on that one as on any other: no goroutine each, and ended in the same
// call. inner hangs on origin, for that is the only way to end a standard
// context with an error and a cause of one's own choice.
type timeoutCtx struct {
	inner    context.Context
	cancel   context.CancelCauseFunc // of inner
	origin   *origin
	parent   context.Context
	clk      clock.Clock
	deadline time.Time // on clk

	mu     sync.Mutex
	timer  *clock.Timer // nil if the deadline is the parent's, or disarmed
	unhook func() bool  // takes the context off its parent; nil once done
}

// newTimeoutCtx returns a context that is armed, or ended if it had to be.
func newTimeoutCtx(parent context.Context, clk clock.Clock, d time.Duration, cause error) *timeoutCtx {
	deadline, own := clk.Now().Add(d), true
	if p := owner(parent); p != nil && sameClock(p.clk, clk) && p.deadline.Before(deadline) {
		deadline, own = p.deadline, false
	}
	c := &timeoutCtx{origin: newOrigin(parent), parent: parent, clk: clk, deadline: deadline}
	c.inner, c.cancel = context.WithCancelCause(c.origin)

	c.poll()
	if d <= 0 {
		c.end(context.DeadlineExceeded, cause)
	}
	if c.inner.Err() == nil {
		c.arm(d, own, cause)
	}
	return c
}

// arm hooks the context on its parent and, if it has a deadline of its own,
// starts the timer. Both may fire before arm returns.
func (c *timeoutCtx) arm(d time.Duration, own bool, cause error) {
	var timer *clock.Timer
	if own {
		timer = c.clk.AfterFunc(d, func() { c.end(context.DeadlineExceeded, cause) })
	}
	unhook := context.AfterFunc(c.parent, c.poll)

	c.mu.Lock()
	c.timer, c.unhook = timer, unhook
	c.mu.Unlock()
	if c.inner.Err() != nil {
		c.disarm() // whoever ended it found nothing to disarm yet
	}
}

// poll ends the context if its parent has ended. The parent reports its end
// from a goroutine of its own; every method that a caller could see it by polls
// first, so that nobody sees the parent ended and the child not.
func (c *timeoutCtx) poll() {
	if c.inner.Err() != nil {
		return
	}
	if err := c.parent.Err(); err != nil {
		c.end(err, context.Cause(c.parent))
	}
}

// end ends the context with err and cause, unless it has ended.
func (c *timeoutCtx) end(err, cause error) {
	c.origin.end(err, cause)
	c.disarm()
}

// stop is the context's CancelFunc.
func (c *timeoutCtx) stop() {
	c.cancel(nil)
	c.disarm()
}

func (c *timeoutCtx) disarm() {
	c.mu.Lock()
	timer, unhook := c.timer, c.unhook
	c.timer, c.unhook = nil, nil
	c.mu.Unlock()
	if timer != nil {
		timer.Stop()
	}
	if unhook != nil {
		unhook()
	}
}

func (c *timeoutCtx) Deadline() (time.Time, bool) { return c.deadline, true }

func (c *timeoutCtx) Done() <-chan struct{} {
	c.poll()
	return c.inner.Done()
}

func (c *timeoutCtx) Err() error {
	c.poll()
	return c.inner.Err()
}

// Value polls for context.Cause, which asks for the cause by a key of its own.
func (c *timeoutCtx) Value(key any) any {
	if key == (ownerKey{}) {
		return c
	}
	c.poll()
	return c.inner.Value(key)
}

// String keeps package fmt from reading fields that other goroutines write.
func (c *timeoutCtx) String() string {
	return fmt.Sprintf("clockutil.WithTimeout(%v)", c.deadline)
}
