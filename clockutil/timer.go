package clockutil

import (
	"math"
	"time"

	"github.com/benbjohnson/clock"
)

// A Timer delivers one instant on its channel when its duration has passed. It
// follows the rules of [time.Timer] on every clock: Stop and Reset may be called
// at any time and without draining the channel, and after either of them no
// value of an earlier arming is received.
//
// A Timer belongs to one goroutine, which calls its methods and receives from
// its channel; the clock may be moved by any other. It need not be stopped to
// be collected on the system's clock; on a mock an armed timer that nobody stops
// stays in the mock's list until it fires.
//
// The zero value is a stopped timer on the system's clock.
type Timer struct {
	clk  clock.Clock // set unless the clock is the system's
	real *time.Timer // the system's clock: the one underlying timer
	shot *shot       // any other clock: the latest arming, nil before the first
}

// NewTimer returns a timer that fires once d has passed on clk. If d is zero or
// less, it has fired on return. A nil clk is the system's clock.
func NewTimer(clk clock.Clock, d time.Duration) *Timer {
	if isSystem(clk) {
		return &Timer{real: time.NewTimer(d)}
	}
	return &Timer{clk: clk, shot: arm(clk, d)}
}

// NewStoppedTimer returns a timer on clk that fires only after a [Timer.Reset].
// A nil clk is the system's clock.
func NewStoppedTimer(clk clock.Clock) *Timer {
	if isSystem(clk) {
		// Pay for the timer now: Reset then never allocates. The runtime does
		// not schedule a timer whose channel nobody waits on.
		t := &Timer{real: time.NewTimer(math.MaxInt64)}
		t.real.Stop()
		return t
	}
	return &Timer{clk: clk}
}

// C returns the channel on which the timer delivers the instant of its firing,
// on its clock. Call it at every select: on a mock each Reset makes a new
// channel, and a channel kept from before never delivers again. It may be nil
// while the timer is stopped; nothing is ever received from a nil channel.
func (t *Timer) C() <-chan time.Time {
	switch {
	case t.real != nil:
		return t.real.C
	case t.shot != nil:
		return t.shot.c
	default:
		return nil
	}
}

// Stop disarms the timer: nothing is received from C until the next Reset. It
// reports whether it kept a value from being received, that is, whether the
// timer was armed, or had fired and its value lay unread.
func (t *Timer) Stop() bool {
	if t.real != nil {
		return t.real.Stop()
	}
	return t.shot != nil && t.shot.stop()
}

// Reset arms the timer to fire once d has passed from now; if d is zero or
// less, it has fired on return. It is legal in every state and needs no Stop
// and no drain before it. It reports what Stop would have.
func (t *Timer) Reset(d time.Duration) bool {
	if t.real != nil {
		return t.real.Reset(d)
	}
	if t.clk == nil {
		t.real = time.NewTimer(d)
		return false
	}
	pending := t.Stop()
	t.shot = arm(t.clk, d)
	return pending
}
