package sinks

import (
	"fmt"
	"time"

	"github.com/penstock-go/penstock/stage"
)

// failed waits for the next attempt, or gives the batch up.
func (s *sim) failed(c *simCaller, atLeast time.Duration) {
	made := c.tries.made
	wait, again := s.b.failed(&c.tries, s.now, atLeast, s.Float64())
	full := c.tries.wait
	switch {
	case c.tries.made != made+1, full < c.last || full > s.b.max, full < s.b.max && made == 0 && full != s.b.initial:
		s.wrong("the wait after %d attempts is %v, after %v", c.tries.made, full, c.last)
	case wait < atLeast, wait < full-time.Duration(s.b.chance*float64(full))-1, wait > max(full, atLeast):
		s.wrong("the wait is %v of %v, at least %v, chance %v", wait, full, atLeast, s.b.chance)
	case s.b.attempts > 0 && c.tries.made >= s.b.attempts && again:
		s.wrong("%d attempts of %d, and another", c.tries.made, s.b.attempts)
	}
	c.last, c.at = full, s.now.Add(wait)
	switch {
	case !again:
		s.saw(simExhausted)
		s.done(c)
	case !s.now.Before(s.ends):
		s.saw(simDrained)
		s.done(c)
	}
}

// settle tells the breaker, and holds what it makes of it against what has been
// seen since its state last changed.
func (s *sim) settle(c *simCaller, o outcome) {
	stale := c.epoch != s.epoch.number
	if stale {
		s.saw(simStale)
	} else {
		s.epoch.out--
		if o != unknown {
			s.epoch.results = append(s.epoch.results, o == failure)
		}
	}
	s.c.settle(c.gen, o, s.now)
	s.look(false, !stale)
}

// look notes a change of state, and whether there was reason for it: somebody
// has asked to be let through, or told what became of a call.
func (s *sim) look(asked, told bool) {
	before, after := s.epoch, s.c.state
	if s.log != nil {
		fmt.Fprintf(s.log, "%v after %v for %v, %d out, back %v\n", after, before.state, s.now.Sub(before.since), before.out, before.results)
	}
	failedLast := len(before.results) > 0 && before.results[len(before.results)-1]
	row := 0
	for i := len(before.results) - 1; i >= 0 && before.results[i]; i-- {
		row++
	}
	due := before.state
	switch {
	case before.state == stage.BreakerClosed && told && row >= s.limit,
		before.state == stage.BreakerHalfOpen && told && failedLast:
		due = stage.BreakerOpen
	case before.state == stage.BreakerHalfOpen && told && len(before.results) == s.c.probes:
		due = stage.BreakerClosed
	case before.state == stage.BreakerOpen && asked && s.now.Sub(before.since) >= s.c.coolDown:
		due = stage.BreakerHalfOpen
	}
	if after != due {
		s.wrong("%v becomes %v, and not %v: %v", before.state, after, due, before.results)
	}
	if after == before.state {
		return
	}
	s.epoch = simEpoch{number: before.number + 1, state: after, since: s.now}
	switch after {
	case stage.BreakerOpen:
		s.opened++
		s.saw(simOpened)
	case stage.BreakerClosed:
		s.saw(simClosed)
	}
	if s.c.opened != s.opened {
		s.wrong("opened %d times, and it counts %d", s.opened, s.c.opened)
	}
}
