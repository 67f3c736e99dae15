package sim

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"
	"sync"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/stage"
)

type event = oracle.Event

var (
	errDown  = errors.New("down")
	errSaid  = errors.New("said no, having said yes") // after everything was written
	errFinal = stage.Permanent(errors.New("no such thing"))
)

// sink does what its plan says, and checks how it is called.
type sink struct {
	*world
	name    string
	plan    sinkPlan
	workers int

	mu      sync.Mutex
	calls   int
	flushed int
	closed  int
	inside  int
	tried   map[event]bool // it was written once, whatever came of it
	took    map[event]bool // it has the event, and has said so
	last    map[int]int    // latest first attempt of each producer
}

func newSink(w *world, name string, p sinkPlan, workers int) *sink {
	return &sink{world: w, name: name, plan: p, workers: workers,
		tried: map[event]bool{}, took: map[event]bool{}, last: map[int]int{}}
}

func (s *sink) Name() string { return s.name }

// enter notes that Write begins, and says what it is to do.
func (s *sink) enter(events []event) call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inside++; s.inside > s.workers || s.closed > 0 {
		s.wrong("%s: %d calls at once, %d allowed, closed %d times", s.name, s.inside, s.workers, s.closed)
	}
	for _, ev := range events {
		ev = identity(ev)
		if s.took[ev] {
			s.wrong("%s: %d/%d is written again, and was not in doubt", s.name, ev.Producer, ev.Seq)
		}
		if s.workers == 1 && s.name == mainSink && !s.tried[ev] {
			if ev.Seq <= s.last[ev.Producer] {
				s.wrong("%s: %d/%d is written after %d", s.name, ev.Producer, ev.Seq, s.last[ev.Producer])
			}
			s.last[ev.Producer] = ev.Seq
		}
		s.tried[ev] = true
	}
	s.calls++
	return s.plan.Calls[(s.calls-1)%len(s.plan.Calls)]
}

// leave notes that Write returns, having taken all events but those that failed.
// If its context has ended it may be that nobody listens: that leaves them in
// doubt.
func (s *sink) leave(ctx context.Context, events []event, failed []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.inside--; ctx.Err() != nil {
		return
	}
	for i, ev := range events {
		if !slices.Contains(failed, i) {
			s.took[identity(ev)] = true
		}
	}
}

// identity is the event without what a stage may change.
func identity(ev event) event { return event{Producer: ev.Producer, Seq: ev.Seq} }

func (s *sink) Write(ctx context.Context, events []event) error {
	given := slices.Clone(events)
	c := s.enter(given)
	s.log.add(s.name, "is given", given, nil)
	all := make([]int, len(events))
	for i := range all {
		all[i] = i
	}
	failed := all // unless it returns otherwise
	defer func() { s.leave(ctx, given, failed) }()
	s.act(ctx, c.Acts)
	if err := s.dwell(ctx, c); err != nil {
		return err
	}
	if !slices.Equal(given, events) {
		s.wrong("%s: a call's events were %v and became %v", s.name, given, events)
	}
	switch c.Ends {
	case ok, ambiguous:
		if c.Ends == ambiguous {
			s.saw(hadAmbiguous)
			return errSaid
		}
		failed = nil
		if s.late(ctx) {
			s.saw(hadLate)
		}
		return nil
	case partial:
		if some := marked(c.Events, len(events)); len(some) > 0 {
			if len(some) < len(events) {
				s.saw(hadPartial)
				failed = some
			}
			return &stage.PartialError{Failed: some, Err: errDown}
		}
	}
	return s.end(c.Ends, len(events))
}

// end ends a call that takes nothing.
func (s *world) end(how ending, n int) error {
	switch how {
	case badPartial:
		return &stage.PartialError{Failed: []int{n}, Err: io.ErrShortWrite}
	case permanent:
		s.saw(hadPermanent)
		return errFinal
	case panics:
		s.saw(hadPanic)
		panic("at the sink")
	case exits:
		s.saw(hadGoexit)
		runtime.Goexit()
	}
	s.saw(hadTransient)
	return errDown
}

// dwell takes its time, and returns an error if the call's context ended.
func (s *world) dwell(ctx context.Context, c call) error {
	switch {
	case c.Takes == 0:
		return nil
	case c.Heeds:
		return clockutil.Sleep(ctx, stage.Clock(ctx), c.Takes)
	}
	stage.Clock(ctx).Sleep(c.Takes)
	if s.late(ctx) {
		s.saw(hadStall)
	}
	return nil
}

// late reports whether Close's deadline came before the call's end.
func (s *world) late(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), stage.ErrAbandoned)
}

// marked returns the indexes below n of the bits that are set.
func marked(bits uint64, n int) (indexes []int) {
	for i := range n {
		if bits>>(i%64)&1 != 0 {
			indexes = append(indexes, i)
		}
	}
	return indexes
}

func (s *sink) Flush(ctx context.Context) error {
	s.mu.Lock()
	if s.flushed++; s.inside > 0 || s.closed > 0 {
		s.wrong("%s: Flush with %d calls of Write, closed %d times", s.name, s.inside, s.closed)
	}
	var c call
	if n := len(s.plan.Flush); n > 0 {
		c = s.plan.Flush[(s.flushed-1)%n]
	}
	s.mu.Unlock()
	if err := s.dwell(ctx, c); err != nil || c.Ends == ok {
		return err
	}
	return s.end(c.Ends, 0)
}

func (s *sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	unflushed := s.flushed == 0 && !s.plan.wrappedIn(timeout) // which flushes no sink that is stuck
	if s.closed++; s.inside > 0 || unflushed {
		s.wrong("%s: Close with %d calls of Write, after %d of Flush", s.name, s.inside, s.flushed)
	}
	return nil
}

// causeSink is a route's that wants the cause.
type causeSink struct{ *sink }

func (s causeSink) WriteFailure(ctx context.Context, f stage.Failure[event]) error {
	if f.Err == nil || (f.Attempts == 0) != f.Last.IsZero() || f.Last.Before(f.First) && f.Attempts > 0 {
		s.wrong("%s: a failure after %d calls, from %v to %v, for: %v", s.name, f.Attempts, f.First, f.Last, f.Err)
	}
	return s.Write(ctx, f.Events)
}
