package stage

import (
	"context"
	"slices"
)

// simMap plays a stage made by Map, whose function takes its time.
type simMap struct {
	*sim
	m     *mapStage[int]
	lane  *simLane
	in    *simLink[Batch[int]]
	out   simPort[Batch[int]]
	ended bool
}

func (a *simMap) name() string { return "map" }

func (a *simMap) over() bool { return a.ended }

func (a *simMap) next() simTime {
	switch {
	case a.ended || !a.lane.idle():
		return simNever
	case a.out.busy():
		return a.out.next()
	case a.in.due():
		return 0
	}
	return simNever
}

func (a *simMap) step() {
	if a.out.busy() {
		a.out.send()
		return
	}
	b, ok := a.in.receive()
	if !ok {
		a.ended = true
		a.out.to.senders--
		a.lane.sends.to.senders--
		return
	}
	a.lane.start(func() {
		a.m.apply(a.lane.own, b, Ports[int]{Out: a.out.c, Failed: a.lane.sends.c})
	}, func() { a.out.gather() })
}

// f is the stage's function.
func (a *simMap) f(_ context.Context, events []int) ([]int, error) {
	given := slices.Clone(events)
	note := func(paniced bool) {
		for _, ev := range given {
			e := a.books.event(ev)
			e.failed, e.paniced = true, e.paniced || paniced
		}
	}
	if err := a.lane.dwell(); err != nil {
		note(false)
		return nil, err
	}
	if !slices.Equal(given, events) {
		a.wrong("the events of a stage were %v, and became %v", given, events)
	}
	switch a.r.IntN(8) {
	case 0:
		note(false)
		return nil, errSimDown
	case 1:
		if a.one(4) {
			note(true)
			a.saw(simStagePanic)
			panic("map")
		}
		note(false)
		return append(events, events[0]), nil
	case 2, 3:
		kept := given[a.r.IntN(len(given)):]
		for _, ev := range given[:len(given)-len(kept)] {
			if a.l.over() {
				a.books.event(ev).dark = true // kept from the router
				continue
			}
			a.books.become(ev, simFiltered, simPassing)
			a.saw(simFilter)
		}
		return kept, nil
	}
	return events, nil
}
