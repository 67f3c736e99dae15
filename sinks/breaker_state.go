package sinks

import (
	"time"

	"github.com/penstock-go/penstock/stage"
)

// circuit is a breaker's state. It has neither a clock nor a lock: instants are
// passed in, one call at a time.
type circuit struct {
	tally    tally
	coolDown time.Duration
	probes   int // needed to close

	state      stage.BreakerState
	generation uint64 // counts changes of state; a call belongs to the one it began in
	opened     uint64
	until      time.Time // open: the end of the cool-down
	out        int       // half-open: probes that have not come back
	passed     int       // half-open: probes that succeeded
}

// outcome is what a call says about the sink.
type outcome uint8

const (
	failure outcome = iota // also of a call that panicked
	success
	unknown // the caller gave up
)

// let is admit for the state in which no question of time arises.
func (c *circuit) let() (generation uint64, ok bool) {
	return c.generation, c.state == stage.BreakerClosed
}

// admit lets a call through, or returns how long to wait before asking again;
// a negative wait is until something changes.
func (c *circuit) admit(now time.Time) (generation uint64, wait time.Duration, ok bool) {
	if c.state == stage.BreakerOpen {
		if left := c.until.Sub(now); left > 0 {
			return 0, left, false
		}
		c.change(stage.BreakerHalfOpen)
	}
	if c.state == stage.BreakerHalfOpen {
		if c.free() == 0 {
			return 0, -1, false
		}
		c.out++
	}
	return c.generation, 0, true
}

// settle takes in how a call ended that was let through. One of an earlier
// generation says nothing about this one.
func (c *circuit) settle(generation uint64, o outcome, now time.Time) {
	if generation != c.generation {
		return
	}
	switch c.state {
	case stage.BreakerClosed:
		if o != unknown && c.tally.add(o == failure, now) {
			c.open(now)
		}
	case stage.BreakerHalfOpen:
		c.out--
		switch o {
		case failure:
			c.open(now)
		case success:
			if c.passed++; c.passed == c.probes {
				c.change(stage.BreakerClosed)
			}
		}
	}
}

// free is the number of calls that would be let through as probes.
func (c *circuit) free() int {
	if c.state != stage.BreakerHalfOpen {
		return 0
	}
	return c.probes - c.out - c.passed
}

func (c *circuit) open(now time.Time) {
	c.opened++
	c.until = now.Add(c.coolDown)
	c.change(stage.BreakerOpen)
}

func (c *circuit) change(to stage.BreakerState) {
	c.state = to
	c.generation++
	c.out, c.passed = 0, 0
	c.tally.reset()
}
