package clockutil

import (
	"sync"
	"time"

	"github.com/benbjohnson/clock"
)

// A shot is one arming of a Timer on a clock other than the system's. It is
// never armed again, which is what makes it safe on the mock: a tick that comes
// late, after Stop or beside a Reset, lands in a channel nobody reads any more.
//
// It arms the clock with AfterFunc rather than with a timer. The mock delivers
// a timer's tick by a blocking send under its own lock, and when one goroutine
// arms a timer while another moves the clock, both can deliver the same tick:
// the second send then holds the lock, and everything that asks for the time,
// until somebody reads. A function may well be called twice.
type shot struct {
	c     chan time.Time // fire sends at most once, into the buffer; never closed
	timer *clock.Timer   // nil if the shot fired at once

	mu    sync.Mutex
	spent bool // fired or stopped
}

// arm returns a shot that fires once d has passed on clk, at once if d <= 0:
// the mock would hold an AfterFunc that is due back until it next moves, and
// for a timer due in the past it would turn back its own time.
func arm(clk clock.Clock, d time.Duration) *shot {
	s := &shot{c: make(chan time.Time, 1)}
	if d <= 0 {
		s.fire(clk.Now())
		return s
	}
	s.timer = clk.AfterFunc(d, func() { s.fire(clk.Now()) })
	return s
}

// fire delivers now, unless the shot has been fired or stopped.
func (s *shot) fire(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spent {
		return
	}
	s.spent = true
	s.c <- now // never blocks: the first and only value in a buffer of one
}

// stop ends the shot and reports whether its value had not been received.
func (s *shot) stop() bool {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.spent {
		s.spent = true
		return true
	}
	select {
	case <-s.c:
		return true
	default:
		return false
	}
}
