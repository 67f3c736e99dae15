package sinks

import (
	"context"
	"time"

	"github.com/penstock-go/penstock/stage"
)

// BreakerConfig configures a [Breaker]. Every zero value is a default.
type BreakerConfig struct {
	// Failures is the number of failed calls in a row that opens the breaker;
	// default 5. It is not used with Rate.
	Failures int

	// Rate is the share of failed calls that opens the breaker, above 0 and up
	// to 1, looked at whenever a call fails. 0: Failures decides.
	Rate float64
	// WindowCalls is, with Rate, the number of latest calls that are looked at;
	// default 100, unless Window is set.
	WindowCalls int
	// Window is, with Rate, the latest time whose calls are looked at, in steps
	// of a tenth. It excludes WindowCalls.
	Window time.Duration
	// MinCalls is, with Rate, the number of calls below which the breaker stays
	// closed; default 10, or WindowCalls if that is less.
	MinCalls int

	// CoolDown is how long the breaker stays open, from its opening on; default
	// 5s.
	CoolDown time.Duration
	// Probes is the number of calls that are let through after that, and must
	// all succeed for the breaker to close; default 1. They may run
	// concurrently.
	Probes int
	// Hold makes calls wait while they are not let through, which is
	// back-pressure, until Close of the pipeline begins or their context ends.
	// Otherwise they fail at once, so that a route can take the events.
	Hold bool

	// Trips says which errors count as a failure of the sink; all others count
	// as a success. nil: all, except permanent ones, which are the events'
	// fault, and those by which part of the batch was delivered. It is called
	// with errors only and must not block; a panic in it counts as a failure.
	Trips func(error) bool

	// OnStateChange is told of every change, in order, one at a time, without
	// any lock held, in the goroutine of a call that brought a change about. A
	// panic in it is contained.
	OnStateChange func(ctx context.Context, c BreakerChange)
}

// BreakerChange is what BreakerConfig.OnStateChange is told.
type BreakerChange struct {
	From, To stage.BreakerState
	At       time.Time // on the pipeline's clock
}

// circuit checks c and returns the breaker's state at the start.
func (c BreakerConfig) circuit() (circuit, error) {
	start := circuit{coolDown: c.CoolDown, probes: max(c.Probes, 1), state: stage.BreakerClosed}
	switch {
	case c.Failures < 0:
		return start, bad("BreakerConfig.Failures", c.Failures, "0 or more")
	case c.Failures > 0 && c.Rate != 0:
		return start, bad("BreakerConfig.Failures", c.Failures, "0 with Rate")
	case !(c.Rate >= 0 && c.Rate <= 1):
		return start, bad("BreakerConfig.Rate", c.Rate, "0 to 1")
	case c.WindowCalls < 0:
		return start, bad("BreakerConfig.WindowCalls", c.WindowCalls, "0 or more")
	case c.Window < 0 || c.Window > 0 && c.Window < windowSlots:
		return start, bad("BreakerConfig.Window", c.Window, "0, or 10ns or more")
	case c.WindowCalls > 0 && c.Window > 0:
		return start, bad("BreakerConfig.WindowCalls", c.WindowCalls, "0 with Window")
	case c.MinCalls < 0:
		return start, bad("BreakerConfig.MinCalls", c.MinCalls, "0 or more")
	case c.CoolDown < 0:
		return start, bad("BreakerConfig.CoolDown", c.CoolDown, "0 or more")
	case c.Probes < 0:
		return start, bad("BreakerConfig.Probes", c.Probes, "0 or more")
	}
	if c.CoolDown == 0 {
		start.coolDown = 5 * time.Second
	}
	var err error
	start.tally, err = c.tally()
	return start, err
}

func (c BreakerConfig) tally() (tally, error) {
	if c.Rate == 0 {
		switch {
		case c.WindowCalls > 0:
			return nil, bad("BreakerConfig.WindowCalls", c.WindowCalls, "0 without Rate")
		case c.Window > 0:
			return nil, bad("BreakerConfig.Window", c.Window, "0 without Rate")
		case c.MinCalls > 0:
			return nil, bad("BreakerConfig.MinCalls", c.MinCalls, "0 without Rate")
		case c.Failures == 0:
			return &inARow{limit: 5}, nil
		}
		return &inARow{limit: c.Failures}, nil
	}
	s := share{rate: c.Rate, least: c.MinCalls}
	if s.least == 0 {
		s.least = 10
	}
	if c.Window > 0 {
		return &latestTime{share: s, slot: c.Window / windowSlots}, nil
	}
	calls := c.WindowCalls
	if calls == 0 {
		calls = 100
	}
	if c.MinCalls > calls {
		return nil, bad("BreakerConfig.MinCalls", c.MinCalls, "no more than WindowCalls")
	}
	s.least = min(s.least, calls)
	return &latestCalls{share: s, ring: make([]bool, calls)}, nil
}
