package stage

// simFlusher plays the flusher: it hands batches to its workers, or to itself.
type simFlusher struct {
	*sim
	f     *Flusher[int]
	lanes []*simLane
	in    *simLink[Batch[int]]
	batch *Batch[int]  // waits for a worker
	ask   *SyncRequest // waits for all of them
	ended bool
}

func (a *simFlusher) name() string { return "flusher" }

func (a *simFlusher) over() bool { return a.ended }

// idle returns a worker that has nothing to do, and whether all of them have.
func (a *simFlusher) idle() (free *simLane, all bool) {
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

func (a *simFlusher) next() simTime {
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

func (a *simFlusher) step() {
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

func (a *simFlusher) deliver(l *simLane, b Batch[int]) {
	a.takeToken()
	l.start(func() { a.f.deliver(l.own, b, l.sends.c) }, a.giveToken)
}

// takeToken and giveToken do what the flusher and its workers do around a call.
func (a *simFlusher) takeToken() {
	if a.f.idle != nil {
		<-a.f.idle
	}
}

func (a *simFlusher) giveToken() {
	if a.f.idle != nil {
		a.f.idle <- struct{}{}
	}
}

func (a *simFlusher) flush(r SyncRequest) {
	a.lanes[0].start(func() { a.f.flush(a.lanes[0].own, r) }, func() { a.ask = nil })
}
