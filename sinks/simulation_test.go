package sinks

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/penstock-go/penstock/internal/seeds"
	"github.com/penstock-go/penstock/stage"
)

// The simulation of what the decorators decide: callers on one goroutine, who
// retry through a breaker and a leash to a sink that fails as the seed says,
// one step at a time. The interleaving, too, is the seed's.

const (
	simOpened = iota
	simClosed
	simStale
	simHeldUp
	simGaveUp
	simExhausted
	simStuck
	simDrained
)

var simFeatures = []string{
	simOpened:    "a breaker that opens",
	simClosed:    "one that closes again",
	simStale:     "a result of an earlier state",
	simHeldUp:    "a call not let through",
	simGaveUp:    "a call given up",
	simExhausted: "retries exhausted",
	simStuck:     "a call refused because one was stuck",
	simDrained:   "waiting ended by Close",
}

// TestSimulation plays the decorators' decisions through many seeds.
func TestSimulation(t *testing.T) {
	seeds.Simulation{
		Package: "sinks", Seeds: 5000, Features: simFeatures,
		Play: func(_ *testing.T, seed uint64) seeds.Scenario {
			s := newSim(seed, nil)
			s.run()
			return seeds.Scenario{Has: s.has, Err: s.err, Trace: func() string {
				var log strings.Builder
				newSim(seed, &log).run()
				return log.String()
			}}
		},
	}.Run(t)
}

// sim is one scenario.
type sim struct {
	*rand.Rand
	now     time.Time
	ends    time.Time // when Close begins
	c       circuit
	b       backoff
	l       leash
	limit   int // failures in a row that open the breaker
	callers []*simCaller
	epoch   simEpoch
	opened  uint64
	has     uint64
	err     error
	log     *strings.Builder // nil: nobody reads
}

// simEpoch is what has been seen since the breaker's state last changed.
type simEpoch struct {
	number  int
	state   stage.BreakerState
	since   time.Time
	out     int    // calls let through in it that have not come back
	results []bool // of those that have: whether they failed
}

// simCaller makes calls, each until it succeeds or is given up.
type simCaller struct {
	batches int       // still to write
	at      time.Time // of its next step
	tries   tries
	last    time.Duration // wait, before chance came in
	call    *call         // it is in one; nil: not
	gen     uint64
	epoch   int  // that the call belongs to
	over    bool // the caller has given it up, and it goes on
}

func newSim(seed uint64, log *strings.Builder) *sim {
	s := &sim{log: log, Rand: rand.New(rand.NewPCG(seed, 0x73696e6b73)), now: time.Unix(1e9, 0)}
	s.ends = s.soon(4000)
	s.limit = 1 + s.IntN(4)
	s.c = circuit{tally: &inARow{limit: s.limit}, coolDown: s.span(60), probes: 1 + s.IntN(3), state: stage.BreakerClosed}
	s.b = backoff{initial: s.span(10), max: 10*time.Millisecond + s.span(60), multiplier: 1 + 2*s.Float64(),
		chance: s.Float64(), attempts: s.IntN(6), elapsed: s.span(500)}
	s.epoch = simEpoch{state: stage.BreakerClosed, since: s.now}
	for range 1 + s.IntN(5) {
		s.callers = append(s.callers, &simCaller{batches: 1 + s.IntN(8), at: s.soon(20)})
	}
	return s
}

func (s *sim) span(ms int) time.Duration { return time.Duration(1+s.IntN(ms)) * time.Millisecond }

func (s *sim) soon(ms int) time.Time { return s.now.Add(s.span(ms)) }

func (s *sim) saw(feature int) { s.has |= 1 << feature }

func (s *sim) wrong(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf(format, args...)
	}
}

// run lets one of those due take a step, or time pass until one is.
func (s *sim) run() {
	for range 10_000 {
		var due []*simCaller
		var next time.Time
		for _, c := range s.callers {
			switch {
			case c.batches == 0 && c.call == nil:
			case !c.at.After(s.now):
				due = append(due, c)
			case next.IsZero() || c.at.Before(next):
				next = c.at
			}
		}
		switch {
		case s.err != nil, len(due) == 0 && next.IsZero():
			return
		case len(due) == 0:
			s.now = next
		default:
			s.step(due[s.IntN(len(due))])
		}
	}
	s.wrong("no end")
}

func (s *sim) step(c *simCaller) {
	switch {
	case c.over:
		s.l.returned(c.call)
		c.call = nil
	case c.call != nil:
		s.end(c)
	default:
		s.begin(c)
	}
}

// begin makes an attempt, if it is let through.
func (s *sim) begin(c *simCaller) {
	if c.tries.made == 0 {
		c.tries, c.last = tries{began: s.now}, 0
	}
	if s.now.Sub(c.tries.began) > s.b.elapsed {
		s.wrong("an attempt after %v of %v", s.now.Sub(c.tries.began), s.b.elapsed)
	}
	gen, wait, ok := s.c.admit(s.now)
	s.look(true, false)
	if !ok {
		s.saw(simHeldUp)
		if s.epoch.state == stage.BreakerClosed || s.epoch.state == stage.BreakerOpen && s.now.Add(wait) != s.epoch.since.Add(s.c.coolDown) {
			s.wrong("not let through for %v, %v since %v", wait, s.epoch.state, s.now.Sub(s.epoch.since))
		}
		s.failed(c, max(wait, 0))
		return
	}
	if s.epoch.state == stage.BreakerOpen || s.epoch.state == stage.BreakerHalfOpen && s.epoch.out+len(s.epoch.results) >= s.c.probes {
		s.wrong("let through %v, with %d probes out and %v back", s.epoch.state, s.epoch.out, s.epoch.results)
	}
	s.epoch.out++
	c.gen, c.epoch = gen, s.epoch.number
	if err := s.l.mayCall(); err != nil {
		s.saw(simStuck)
		s.settle(c, failure)
		s.failed(c, 0)
		return
	}
	for _, other := range s.callers {
		if other.over && other.call != nil {
			s.wrong("a call beside one that was given up")
		}
	}
	c.call, c.at = &call{end: make(chan error, 1)}, s.soon(30)
}

// end ends a call: it returns, or is given up and goes on.
func (s *sim) end(c *simCaller) {
	if s.IntN(10) == 0 {
		s.saw(simGaveUp)
		if !s.l.abandon(c.call) {
			s.wrong("a call that has not returned cannot be given up")
		}
		s.callers = append(s.callers, &simCaller{call: c.call, over: true, at: s.soon(80)})
		c.call = nil
		s.settle(c, failure)
		s.failed(c, 0)
		return
	}
	s.l.returned(c.call)
	c.call = nil
	switch s.IntN(5) {
	case 0, 1:
		s.settle(c, failure)
		s.failed(c, 0)
	case 2:
		s.settle(c, unknown)
		s.done(c)
	default:
		s.settle(c, success)
		s.done(c)
	}
}

func (s *sim) done(c *simCaller) {
	c.batches--
	c.tries, c.at = tries{}, s.soon(20)
}
