package stage

import (
	"context"
	"fmt"
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

// simFlush plays the flusher: it hands batches to its workers, or to itself.
type simFlush struct {
	*sim
	f     *Flusher[int]
	lanes []*simLane
	in    *simLink[Batch[int]]
	batch *Batch[int]  // waits for a worker
	ask   *SyncRequest // waits for all of them
	ended bool
}

func (a *simFlush) name() string { return "flusher" }

func (a *simFlush) over() bool { return a.ended }

// idle returns a worker that has nothing to do, and whether all of them have.
func (a *simFlush) idle() (free *simLane, all bool) {
	all = true
	for _, l := range a.lanes {
		if l.idle() {
			free = l
		} else {
			all = false
		}
	}
	return free, all
}

func (a *simFlush) next() simTime {
	free, all := a.idle()
	switch {
	case a.ended,
		a.batch != nil && free == nil,
		(a.ask != nil || a.workers == 1) && !all:
		return simNever
	case a.batch != nil, a.ask != nil, len(a.syncs.flusher) > 0, len(a.in.queue) > 0,
		a.in.due() && all:
		return 0
	}
	return simNever
}

func (a *simFlush) step() {
	free, _ := a.idle()
	switch {
	case a.batch != nil:
		a.deliver(free, *a.batch)
		a.batch = nil
	case a.ask != nil:
		a.flush(*a.ask)
	case len(a.syncs.flusher) > 0 && (len(a.in.queue) == 0 || !a.one(4)):
		a.ask = &a.syncs.flusher[0]
		a.syncs.flusher = a.syncs.flusher[1:]
	case len(a.in.queue) > 0:
		b, _ := a.in.receive()
		a.batch = &b
	default:
		a.ended = true
		a.failed.senders--
	}
}

func (a *simFlush) deliver(l *simLane, b Batch[int]) {
	a.takeToken()
	l.start(func() { a.f.deliver(l.own, b, l.sends.c) }, a.giveToken)
}

// takeToken and giveToken do what the flusher and its workers do around a call.
func (a *simFlush) takeToken() {
	if a.f.idle != nil {
		<-a.f.idle
	}
}

func (a *simFlush) giveToken() {
	if a.f.idle != nil {
		a.f.idle <- struct{}{}
	}
}

func (a *simFlush) flush(r SyncRequest) {
	a.lanes[0].start(func() { a.f.flush(a.lanes[0].own, r) }, func() { a.ask = nil })
}

// simRouter plays the error router, and the one without routes that sweeps
// after a forced end.
type simRouter struct {
	*sim
	router  *ErrorRouter[int]
	lane    *simLane
	sweeper bool
	ended   bool
}

func (a *simRouter) name() string {
	if a.sweeper {
		return "sweeper"
	}
	return "router"
}

func (a *simRouter) over() bool { return a.ended || a.sweeper && !a.forced }

func (a *simRouter) next() simTime {
	switch {
	case a.ended || !a.lane.idle() || a.sweeper && !a.forced:
		return simNever
	case a.failed.due(), !a.sweeper && len(a.syncs.router) > 0:
		return 0
	}
	return simNever
}

func (a *simRouter) step() {
	if !a.sweeper && len(a.syncs.router) > 0 && (!a.failed.due() || !a.one(4)) {
		r := a.syncs.router[0]
		a.syncs.router = a.syncs.router[1:]
		a.lane.start(func() { a.router.flush(a.lane.own, r) }, nil)
		return
	}
	f, ok := a.failed.receive()
	switch {
	case ok:
		a.lane.start(func() { a.router.route(a.lane.own, f, 0) }, nil)
		return
	case !a.sweeper:
		a.swallowed()
	}
	a.ended = true
	a.settled.senders--
}

// swallowed settles, last, what a dead stage has taken with it.
func (a *simRouter) swallowed() {
	for i := range a.books.events {
		if e := &a.books.events[i]; !e.dark && (e.fate == simPassing || e.fate == simCalling) {
			a.wrong("event %d is %v when the router ends", i+1, e.fate)
		}
	}
	if is := a.q.Books(); !a.dead && is.Depth == 0 && is.InFlight == 0 && is.Bytes != 0 {
		a.wrong("%d bytes are left, and no event", is.Bytes)
	}
	back, inDoubt := a.q.Abandon(LossDead)
	a.books.abandoned(back, LossDead, inDoubt)
}

// simObserver plays the observer.
type simObserver struct {
	*sim
	log   [numEviction]dropLog[int]
	ended bool
}

func (a *simObserver) name() string { return "observer" }

func (a *simObserver) over() bool { return a.ended }

func (a *simObserver) next() simTime {
	if !a.ended && (len(a.q.notice) > 0 || a.settled.due()) {
		return 0
	}
	return simNever
}

func (a *simObserver) step() {
	if len(a.q.notice) > 0 && (!a.settled.due() || a.one(2)) {
		<-a.q.notice
		a.look()
		return
	}
	if _, ok := a.settled.receive(); !ok {
		a.look()
		a.ended = true
	}
}

func (a *simObserver) look() {
	a.q.report(&a.log)
	for why := range a.log {
		log := &a.log[why]
		if log.count > 0 {
			a.saw(simEviction + simFeature(why))
			a.books.dropped(log.dropped(Eviction(why)))
		}
		log.reset()
	}
	a.books.oldest()
}

// simCloser calls Close, and does what the supervisor does then.
type simCloser struct {
	*sim
	at       simTime // when Close is called, and then its deadline
	patience simTime
	last     *simLink[Batch[int]]
	sinks    []*simSink
	ends     []simActor // what has ended when nothing can be called any more
}

func (a *simCloser) name() string { return "closer" }

func (a *simCloser) over() bool { return a.judged }

func (a *simCloser) next() simTime {
	switch {
	case a.judged:
		return simNever
	case a.sealed && a.all():
		return 0
	}
	return a.at
}

// all reports whether all that may call a sink has ended.
func (a *simCloser) all() bool {
	return !slices.ContainsFunc(a.ends, func(e simActor) bool { return !e.over() })
}

func (a *simCloser) step() {
	switch {
	case !a.sealed:
		a.sealed, a.at = true, a.now+a.patience
		if a.books.is.Depth > 0 || a.books.is.InFlight > 0 {
			a.saw(simBuffered)
		}
		a.q.Seal(ErrClosed, RefusedClosed)
	case a.all():
		a.judged = true
	default:
		a.judged = true
		a.force()
	}
}

// force ends the pipeline at Close's deadline.
func (a *simCloser) force() {
	a.forced = true
	a.saw(simForced)
	a.settled.senders += simSweepers
	back, inDoubt := a.q.Abandon(LossDeadline)
	a.books.abandoned(back, LossDeadline, inDoubt)
	if inDoubt > 0 {
		a.saw(simAbandoned)
	}
	a.cancel(fmt.Errorf("%w: too late", ErrAbandoned))
	waiting := &simLink[Batch[int]]{queue: back}
	for _, l := range []*simLink[Batch[int]]{waiting, a.last} {
		a.actors = append(a.actors, &simSweeper{sim: a.sim, in: l, out: simPort[Failure[int]]{a.failures, nil, &a.settled}})
	}
}

const simSweepers = 3

// simSweeper takes in, after a forced end, what leads to a flusher that may not
// return.
type simSweeper struct {
	*sim
	in    *simLink[Batch[int]]
	out   simPort[Failure[int]]
	ended bool
}

func (a *simSweeper) name() string { return "sweeper" }

func (a *simSweeper) over() bool { return a.ended }

func (a *simSweeper) next() simTime {
	switch {
	case a.ended:
		return simNever
	case a.out.busy():
		return a.out.next()
	case a.in.due():
		return 0
	}
	return simNever
}

func (a *simSweeper) step() {
	if a.out.busy() {
		a.out.send()
		return
	}
	b, ok := a.in.receive()
	switch {
	case !ok:
		a.ended = true
		a.settled.senders--
	case len(b.Events) > 0:
		a.out.c <- Failure[int]{Events: b.Events, Err: ErrAbandoned, Outcome: Lost, Loss: LossDeadline}
		for _, f := range a.out.gather() {
			a.books.settledAs(f)
		}
	}
}
