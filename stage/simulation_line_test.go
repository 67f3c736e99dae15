package stage

import (
	"errors"
	"slices"
)

// simEnqueue plays the enqueue actor.
type simEnqueue struct {
	*sim
	e        Enqueue[int]
	out      simPort[Batch[int]]
	then     next
	busy     bool
	rested   simTime // end of the rest
	relieved bool    // while it is blocked
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
	case a.out.busy() && a.out.to.full():
		a.q.relieve()
		a.relieved = true
	case a.out.busy():
		a.out.send()
		a.relieved = false
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
		a.out.c <- a.b.issue(a.b.cut.close(ByAge))
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

// simStage plays a custom stage that runs on channels of its own.
type simStage struct {
	*sim
	holds  int // batches it holds back at most
	dies   int // batches it receives before it dies; 0: it does not
	held   []Batch[int]
	in     *simLink[Batch[int]]
	out    simPort[Batch[int]]
	failed simPort[Failure[int]]
	buries error // it is dead, and this is why
	ended  bool
}

func (a *simStage) name() string { return "stage" }

func (a *simStage) over() bool { return a.ended }

func (a *simStage) next() simTime {
	switch {
	case a.ended:
		return simNever
	case a.failed.busy():
		return a.failed.next()
	case a.out.busy():
		return a.out.next()
	case a.in.due():
		return 0
	}
	return simNever
}

func (a *simStage) step() {
	switch {
	case a.failed.busy():
		a.failed.send()
		return
	case a.out.busy():
		a.out.send()
		return
	}
	b, ok := a.in.receive()
	switch {
	case !ok && len(a.held) > 0 && a.buries == nil:
		a.release() // the stage before has died, and no batch says that this is the end
		return
	case !ok:
		a.ended = true
		a.out.to.senders--
		a.failed.to.senders--
		return
	case a.buries != nil:
		a.failed.c <- Bury(a.l, b, "stage", a.buries)
		a.failed.gather()
		a.bury(b)
		return
	case a.dies == 1:
		a.die(b)
		return
	}
	a.dies--
	a.held = append(a.held, a.change(b))
	if b.Trigger < ByFlush && len(a.held) <= a.holds {
		a.saw(simHeld)
		return
	}
	a.release()
}

func (a *simStage) release() {
	a.out.wait = append(a.out.wait, a.held...)
	a.held = a.held[:0]
}

// bury notes that the events of a batch are on their way to the router.
func (a *simStage) bury(b Batch[int]) {
	for _, ev := range b.Events {
		a.books.event(ev).buried = true
	}
}

// die is what the supervisor does when the stage has died with b.
func (a *simStage) die(b Batch[int]) {
	a.held = append(a.held, b)
	for _, h := range a.held {
		for _, ev := range h.Events {
			a.books.event(ev).dark = true
			a.saw(simSwallowed)
		}
	}
	a.buries = errors.Join(ErrDead, errSimDown)
	a.dead = true
	a.q.Seal(a.buries, RefusedDead)
	a.saw(simDeath)
}

// change fails some events, filters some, and sometimes uses a batch twice.
func (a *simStage) change(b Batch[int]) Batch[int] {
	used := b
	switch n := len(b.Events); {
	case n == 0 || a.one(2):
		return b
	case a.one(3):
		b = a.fail(b)
	default:
		b = a.filter(b)
	}
	if a.one(8) {
		used.Keep(nil)
		if !a.l.over() {
			a.books.misuse++
			a.saw(simMisuse)
		}
	}
	return b
}

func (a *simStage) fail(b Batch[int]) Batch[int] {
	indexes := a.r.Perm(len(b.Events))[:a.among(len(b.Events))]
	given, over := slices.Clone(b.Events), a.l.over()
	if a.one(4) {
		indexes = []int{-1} // the whole batch
	}
	b, f := b.Fail(indexes, errSimDown)
	f.Stage = "stage"
	for _, ev := range f.Events {
		a.books.event(ev).failed = true
	}
	if n := len(b.Events) + len(f.Events); n != len(given) || over && len(f.Events) > 0 {
		a.wrong("of %d events %d failed and %d are left", len(given), len(f.Events), len(b.Events))
	}
	a.failed.wait = append(a.failed.wait, f)
	return b
}

func (a *simStage) filter(b Batch[int]) Batch[int] {
	var gone []int
	kept := b.Events[:0]
	for _, ev := range b.Events {
		if a.one(2) {
			gone = append(gone, ev)
		} else {
			kept = append(kept, ev)
		}
	}
	over := a.l.over()
	b = b.Keep(kept)
	for _, ev := range gone {
		if over {
			a.books.event(ev).dark = true // the stage has kept it from the router
			continue
		}
		a.books.become(ev, simFiltered, simPassing)
		a.saw(simFilter)
	}
	return b
}
