package stage

// simEnqueue plays the enqueue actor.
type simEnqueue struct {
	*sim
	e        Enqueue[int]
	out      simPort[Batch[int]]
	then     next
	busy     bool
	rested   simTime // end of the rest
	relieved bool    // while it is blocked
	dozing   bool    // callers are, and are not to beyond
	nap      simTime // this
	pace     int
	ended    bool
}

func (a *simEnqueue) name() string { return "enqueue" }

func (a *simEnqueue) over() bool { return a.ended }

func (a *simEnqueue) next() simTime {
	switch {
	case a.ended:
		return simNever
	case a.out.busy():
		if a.out.to.full() && !a.relieved {
			return 0
		}
		if a.dozing {
			return min(a.out.next(), a.nap)
		}
		return a.out.next()
	case a.then == deliver, len(a.q.wake) > 0:
		return 0
	case a.then == rest:
		return a.rested
	}
	return simNever
}

func (a *simEnqueue) step() {
	switch {
	case a.out.busy() && a.out.to.full() && !a.relieved:
		a.dozing, a.nap = a.q.relieve(a.e.haul.doze), a.soon(a.pace+1)
		a.relieved = true
	case a.dozing && a.nap <= a.now && (a.out.to.full() || a.one(2)):
		a.q.getUp()
		a.dozing = false
	case a.out.busy():
		a.out.send()
		a.relieved, a.dozing = false, false
	case a.then == deliver:
		a.take()
	default:
		if len(a.q.wake) > 0 {
			<-a.q.wake
		}
		a.busy, a.then = a.busy && a.then != rest, deliver
	}
}

func (a *simEnqueue) take() {
	for len(a.e.haul.clean) < a.e.Haul {
		a.e.haul.clean = append(a.e.haul.clean, a.e.Buffers.get())
	}
	switch a.then = a.q.take(&a.e.haul, a.busy && a.pace > 0); a.then {
	case deliver:
		a.busy = true
		a.e.send(a.out.c)
		a.books.hear() // it may have let callers in
		for _, chunk := range a.out.gather() {
			a.books.hauled(chunk.Events)
		}
	case rest:
		a.rested = a.soon(a.pace)
	case finish:
		a.ended = true
		a.out.to.senders--
	}
}

// simBatcher plays the batcher.
type simBatcher struct {
	*sim
	b     Batcher[int]
	alarm ageAlarm
	every simTime
	due   simTime // if the alarm is armed
	in    *simLink[Batch[int]]
	out   simPort[Batch[int]]
	last  bool // has been cut
	ended bool
}

func (a *simBatcher) name() string { return "batcher" }

func (a *simBatcher) over() bool { return a.ended }

func (a *simBatcher) next() simTime {
	switch {
	case a.ended:
		return simNever
	case a.out.busy():
		return a.out.next()
	case a.last, a.in.due():
		return 0
	case a.alarm.armed:
		return a.due
	}
	return simNever
}

func (a *simBatcher) step() {
	aged := a.alarm.armed && a.due <= a.now && (!a.in.due() || a.one(2))
	switch {
	case a.out.busy():
		a.out.send()
	case a.last:
		a.ended = true
		a.out.to.senders--
	case aged:
		a.alarm.stop()
		a.out.c <- a.b.aged()
	default:
		a.receive()
	}
	for _, batch := range a.out.gather() {
		a.look(batch)
	}
}

func (a *simBatcher) receive() {
	chunk, ok := a.in.receive()
	if !ok {
		a.out.c <- a.b.issue(a.b.cut.close(ByClose))
		a.alarm.stop()
		a.last = true
		return
	}
	armed := a.alarm.armed
	a.b.add(chunk, a.out.c, &a.alarm)
	if a.alarm.armed != a.b.cut.open() {
		a.wrong("a batch is open: %v, and the alarm is armed: %v", a.b.cut.open(), a.alarm.armed)
	}
	if a.alarm.armed && (!armed || len(a.out.c) > 0) {
		a.due = a.now + a.every
	}
}

// look holds a batch against what cut it.
func (a *simBatcher) look(batch Batch[int]) {
	var bytes int64
	for _, ev := range batch.Events {
		bytes += a.books.event(ev).size
	}
	n := len(batch.Events)
	switch {
	case n > a.b.Size, batch.Trigger == BySize && n != a.b.Size, n == 0 && batch.Trigger < ByFlush,
		a.b.Bytes > 0 && bytes > a.b.Bytes && n > 1:
		a.wrong("%d events of %d bytes cut by %v", n, bytes, batch.Trigger)
	case batch.Trigger == ByAge:
		a.saw(simAged)
	case batch.Trigger == ByBytes:
		a.saw(simBytesCut)
	case batch.Trigger == ByFlush && n > 0:
		a.saw(simMarkCut)
	}
}
