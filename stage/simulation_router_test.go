package stage

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
	case a.failed.due(), len(a.q.spills.notice) > 0, !a.sweeper && len(a.syncs.router) > 0:
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
	if noticed := len(a.q.spills.notice) > 0; noticed && (!a.failed.due() || a.one(2)) {
		<-a.q.spills.notice
		a.fetch()
		return
	}
	f, ok := a.failed.receive()
	switch {
	case ok:
		a.lane.start(func() { a.router.route(a.lane.own, f, 0) }, nil)
		return
	case a.fetch():
		return
	case !a.sweeper:
		a.swallowed()
		for _, k := range a.sinks {
			_ = k.Close()
		}
	}
	a.ended = true
	a.settled.senders--
}

// fetch takes up what overflow has pushed out of the queue.
func (a *simRouter) fetch() bool {
	f, ok := a.q.fetch()
	if !ok {
		return false
	}
	a.saw(simSpill)
	a.books.fetched += uint64(len(f.Events))
	for _, ev := range f.Events {
		a.books.become(ev, simPassing, simWaiting)
		e := a.books.event(ev)
		e.failed, e.pushed = true, true
	}
	a.lane.start(func() { a.router.route(a.lane.own, f, 0) }, nil)
	return true
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
	if a.q.grave.evicted > 0 {
		a.saw(simReserve)
	}
}
