package sim

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"

	"github.com/penstock-go/penstock/stage"
)

// stages builds the custom stages of the plan.
func (w *world) stages() (all []stage.Stage[event]) {
	for _, p := range w.plan.Stages {
		if p.Kind == mapped {
			m := &sieve{world: w, plan: p}
			all = append(all, stage.Map("sieve", m.apply))
			continue
		}
		all = append(all, &puppet{world: w, plan: p})
	}
	return all
}

// sieve is the function of a Map.
type sieve struct {
	*world
	plan  stagePlan
	calls atomic.Int32
}

func (s *sieve) apply(ctx context.Context, events []event) ([]event, error) {
	c := s.plan.Calls[int(s.calls.Add(1)-1)%len(s.plan.Calls)]
	s.log.add("sieve", "is given", append([]event{}, events...), nil)
	s.act(ctx, c.Acts)
	if err := s.dwell(ctx, c); err != nil {
		return nil, err
	}
	switch c.Ends {
	case ok:
		return events, nil
	case grows:
		return append(events, events[0]), nil
	case filters:
		return s.filter(ctx, events, c.Events), nil
	}
	return nil, s.end(c.Ends, len(events))
}

// filter removes events in place. What is removed in the instant of Close's
// deadline may be lost, and be reported or not: nothing is removed then.
func (s *sieve) filter(ctx context.Context, events []event, bits uint64) []event {
	if s.world.plan.Ties || ctx.Err() != nil {
		return events
	}
	gone := marked(bits, len(events))
	kept := events[:0]
	for i, ev := range events {
		if len(gone) > 0 && gone[0] == i {
			gone = gone[1:]
			s.oracle.Filter(ev)
			s.saw(hadFilter)
			continue
		}
		kept = append(kept, ev)
	}
	return kept
}

// puppet is a raw stage that holds batches back, and may die.
type puppet struct {
	*world
	plan stagePlan
}

func (s *puppet) Name() string { return "puppet" }

func (s *puppet) Run(_ context.Context, p stage.Ports[event]) error {
	var held []stage.Batch[event]
	release := func() {
		for _, b := range held {
			p.Out <- b
		}
		held = nil
	}
	n := 0
	for b := range p.In {
		held = append(held, b)
		if n++; n == s.plan.Dies {
			s.log.add("puppet", "dies with", b.Events, nil)
			for _, h := range held {
				s.oracle.Swallow(h.Events...)
			}
			if s.plan.How == diesReturn && b.Trigger == stage.ByClose {
				return nil // no death, for its input is at its end; but what it holds is lost
			}
			return s.die()
		}
		if b.Trigger == stage.ByFlush || b.Trigger == stage.ByClose || len(held) > s.plan.Holds {
			release()
		} else {
			s.saw(hadHeld)
		}
	}
	release()
	return nil
}

var errQuit = errors.New("quit")

func (s *puppet) die() error {
	s.saw(hadDeath)
	s.dying.Store(true)
	switch s.plan.How {
	case diesPanic:
		panic("in the stage")
	case diesGoexit:
		runtime.Goexit()
	case diesFailing:
		return errQuit
	}
	return nil
}
