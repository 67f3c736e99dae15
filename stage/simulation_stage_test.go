package stage

import (
	"errors"
	"slices"
)

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
