package stage

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/benbjohnson/clock"
)

// simTime is an instant of a scenario, in steps of virtual time.
type simTime int64

const simNever simTime = math.MaxInt64

// simActor is one goroutine of the house, cut into steps.
type simActor interface {
	// next is when the actor can take its next step: now or before, later, or
	// not until another has done something.
	next() simTime
	step()
	// over reports whether the actor has come to its end.
	over() bool
	name() string
}

// sim is one scenario.
type sim struct {
	seed uint64
	r    *rand.Rand
	now  simTime
	hash uint64
	log  *strings.Builder // nil: nobody reads
	has  uint64
	err  error

	q      *Intake[int]
	l      *Ledger
	ctx    context.Context
	cancel context.CancelCauseFunc
	books  simBooks

	actors   []simActor
	enqueue  *simEnqueue
	acting   simActor   // whose step this is
	alone    bool       // nobody acts while the clock is read
	between  int        // steps taken while it was
	ready    []simActor // kept between steps for its memory
	barriers []*simBarrier
	inside   *simLane // which is running
	loans    []simLoan
	lanes    []*simLane
	sinks    []*simSink
	workers  int
	sealed   bool // Close has begun
	forced   bool // and its deadline has passed
	dead     bool // an actor has died
	judged   bool // all have ended, or Close's deadline has passed

	failed   simLink[Failure[int]]
	settled  simLink[Failure[int]]
	batches  chan Batch[int]
	failures chan Failure[int]
	syncs    struct{ flusher, router []SyncRequest } // asked for, and not taken up
}

// simClock is a clock that nobody waits on. It is read with no lock held, so that
// others act meanwhile.
type simClock struct {
	clock.Clock
	*sim
}

func (c simClock) Now() time.Time {
	c.meanwhile()
	return time.Time{}.Add(1)
}

// meanwhile lets the enqueue actor and producers take some steps, but not who is
// acting already.
func (s *sim) meanwhile() {
	if s.alone || !s.one(4) {
		return
	}
	s.alone = true
	defer func() { s.alone = false }()
	s.books.refresh()
	for range s.among(3) {
		a := s.actors[s.r.IntN(len(s.actors))]
		switch a.(type) {
		case *simEnqueue, *simProducer:
		default:
			a = s.enqueue
		}
		if a != s.acting && a.next() <= s.now {
			s.say("meanwhile: %s", a.name())
			s.saw(simMeanwhile)
			s.between++
			a.step()
			s.books.refresh()
		}
	}
}

// simHaste is how long actors that can go on may be kept from it in one go.
const simHaste = 20

const maxSimSteps = 20_000 // a hundred times what a scenario takes

// run plays the scenario to its end.
func (s *sim) run() {
	defer s.end()
	for range maxSimSteps {
		if s.err != nil {
			return
		}
		ready, wake := s.ready[:0], simNever
		for _, a := range s.actors {
			switch at := a.next(); {
			case at <= s.now:
				ready = append(ready, a)
			default:
				wake = min(wake, at)
			}
		}
		s.ready = ready
		switch {
		case len(ready) == 0 && wake == simNever:
			s.finish()
			return
		case len(ready) == 0, wake-s.now < simHaste && s.one(16):
			s.now = wake
			s.note(0xff, "time passes")
		default:
			i := s.r.IntN(len(ready))
			s.note(uint64(i), ready[i].name())
			s.acting = ready[i]
			s.acting.step()
			s.books.check()
		}
	}
	s.wrong("no end after %d steps", maxSimSteps)
}

// finish looks at what is left when nobody can go on.
func (s *sim) finish() {
	for _, a := range s.actors {
		if !a.over() {
			s.wrong("%s waits for ever", a.name())
		}
	}
	for _, loan := range s.loans {
		if !slices.Equal(loan.events, loan.given) {
			s.wrong("the events of a call that was given up were %v, and became %v", loan.given, loan.events)
		}
	}
	s.books.final()
}

// end lets go of what the runtime keeps.
func (s *sim) end() {
	s.cancel(nil)
	for _, l := range s.lanes {
		l.stop()
	}
}

// note puts a step into the trace.
func (s *sim) note(code uint64, what string) {
	s.hash = (s.hash ^ code ^ uint64(s.now)<<8) * 0x100000001b3
	if s.log != nil {
		fmt.Fprintf(s.log, "%5d  %s\n", s.now, what)
	}
}

// say puts what a step did into the trace.
func (s *sim) say(format string, args ...any) {
	if s.log != nil {
		fmt.Fprintf(s.log, "           "+format+"\n", args...)
	}
}

func (s *sim) saw(f simFeature) { s.has |= 1 << f }

// wrong notes a violation. The first ends the scenario.
func (s *sim) wrong(format string, args ...any) {
	if s.err == nil {
		s.err = fmt.Errorf("at %d: "+format, append([]any{s.now}, args...)...)
	}
}

// one in n.
func (s *sim) one(n int) bool { return s.r.IntN(n) == 0 }

// among draws from 1 to n.
func (s *sim) among(n int) int { return 1 + s.r.IntN(n) }

// soon is an instant up to n from now.
func (s *sim) soon(n int) simTime { return s.now + simTime(s.among(n)) }
