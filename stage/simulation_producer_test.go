package stage

import (
	"context"
	"errors"
)

// simProducer offers events, one call after the other.
type simProducer struct {
	*sim
	number int
	calls  int     // still to make
	at     simTime // of the next
	waiter *waiter[int]
	dozes  bool    // its event is in the queue
	ev     int     // which the waiter is for
	until  simTime // its caller's patience
}

func (p *simProducer) name() string { return "producer" }

func (p *simProducer) over() bool { return p.calls == 0 && p.waiter == nil }

func (p *simProducer) next() simTime {
	switch {
	case p.waiter != nil:
		return p.until
	case p.calls == 0:
		return simNever
	}
	return p.at
}

func (p *simProducer) step() {
	if p.waiter != nil {
		p.giveUp()
		return
	}
	p.calls--
	p.at = p.soon(6)
	switch p.r.IntN(6) {
	case 0:
		p.wait()
	case 1:
		p.all()
	default:
		p.one()
	}
}

// draw makes an event: one in thirty is too large, or cannot be measured.
func (p *simProducer) draw() (number int) {
	size := int64(p.r.IntN(12))
	switch p.r.IntN(60) {
	case 0:
		size = -1
	case 1:
		size = 1000
	}
	return p.books.offer(p.number, size, p.r.IntN(3) == 0)
}

func (p *simProducer) one() {
	ev := p.draw()
	had, evicted, before, between := p.hasRoom(ev), p.evictions(), p.ranks(), p.between
	err := p.q.Enqueue(&ev)
	p.outcome(ev, err)
	after := p.ranks()
	gone := before.lessers - (after.out - before.out) // of those that waited before, the lesser ones left
	if important := after.important - before.important; important > 0 && between == p.between && (!p.books.event(ev).matters || gone+important > 0) {
		p.wrong("event %d evicts %d important ones, and %d lesser ones wait", ev, important, gone+important)
	}
	if had && between == p.between && (errors.Is(err, ErrFull) || p.evictions() != evicted) {
		p.wrong("there was room for event %d: %v, and %d were evicted", ev, err, p.evictions()-evicted)
	}
}

func (p *simProducer) all() {
	var evs []int
	for range p.among(8) {
		evs = append(evs, p.draw())
	}
	errs := make([]error, len(evs))
	defer func(was bool) { p.alone = was }(p.alone)
	p.alone = true // else some would leave before it is known that they came
	n := p.q.EnqueueAll(evs, func(i int, err error) { errs[i] = err })
	for i, ev := range evs {
		if p.outcome(ev, errs[i]); errs[i] == nil {
			n--
		}
	}
	if n != 0 {
		p.wrong("EnqueueAll counts %d events more than it accepts", n)
	}
}

// wait is EnqueueWait as far as it goes without waiting.
func (p *simProducer) wait() {
	q, ev := p.q, p.draw()
	var l load
	var err error
	if q.asks {
		l, err = q.measure(&ev)
	}
	q.mu.lock()
	if err != nil {
		err = q.refuse(err)
		q.mu.Unlock()
		p.outcome(ev, err)
		return
	}
	evicted, between := p.evictions(), p.between
	if p.waiter, err = q.lineUp(&ev, l); errors.Is(err, ErrFull) || between == p.between && p.evictions() != evicted {
		p.wrong("event %d was to wait for room: %v, and %d were evicted", ev, err, p.evictions()-evicted)
	}
	if p.waiter == nil {
		p.outcome(ev, err)
		return
	}
	p.ev, p.until = ev, p.soon(40)
	p.books.callers = append(p.books.callers, p)
}

// giveUp is what EnqueueWait does when its context ends.
func (p *simProducer) giveUp() {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := p.q.giveUp(ctx, p.waiter)
	p.saw(simGaveUp)
	p.heard(err)
}

// hear looks who of the callers that wait has been let in, or turned away.
func (b *simBooks) hear() {
	for i := 0; i < len(b.callers); {
		p := b.callers[i]
		if p.waiter.dozing && !p.dozes {
			b.saw(simDozed)
			p.dozes = true
			p.outcome(p.ev, nil)
		}
		if len(p.waiter.ready) == 0 {
			i++
		} else if err := <-p.waiter.ready; err == nil {
			b.saw(simLetIn)
			p.heard(nil)
		} else {
			b.saw(simTurnedAway)
			p.heard(err)
		}
	}
}

// heard ends the wait.
func (p *simProducer) heard(err error) {
	p.q.waiters.recycle(p.waiter)
	p.waiter = nil
	switch {
	case !p.dozes:
		p.outcome(p.ev, err)
	case err != nil:
		p.wrong("event %d is in the queue, and its caller is told %v", p.ev, err)
	}
	p.dozes = false
	callers := p.books.callers
	for i := range callers {
		if callers[i] == p {
			p.books.callers = append(callers[:i], callers[i+1:]...)
			return
		}
	}
}

// simRanks is what an intake that tells important events from others has done.
type simRanks struct {
	lessers   int // waiting
	important int // evicted
	out       int // events evicted or spilled
}

func (p *simProducer) ranks() simRanks {
	q := p.q
	return simRanks{q.lessers(), int(q.grave.evicted), int(q.evicted[EvictedCount] + q.evicted[EvictedBytes] + q.ledger.Books().Spilled)}
}

// hasRoom reports whether there is room that nobody waits for.
func (p *simProducer) hasRoom(ev int) bool {
	is, cfg := &p.books.is, &p.q.cfg
	size := p.books.event(ev).size
	if p.q.ranked && !p.books.event(ev).matters {
		return false // that depends on how many of the others wait
	}
	return is.Waiting == 0 && is.Depth < cfg.QueueSize && (cfg.QueueBytes == 0 || is.Bytes+size <= cfg.QueueBytes)
}

func (p *simProducer) evictions() uint64 {
	return p.q.evicted[EvictedCount] + p.q.evicted[EvictedBytes]
}

// outcome notes what a call said.
func (p *simProducer) outcome(ev int, err error) {
	b := &p.books
	size, limit := b.event(ev).size, p.q.cfg.QueueBytes
	lesser := p.q.ranked && !b.event(ev).matters
	if lesser {
		limit = p.q.cfg.LesserBytes
	}
	unfit := p.q.sized && (size < 0 || p.q.cfg.QueueBytes > 0 && size > limit)
	switch {
	case err == nil && p.q.refusal == nil && !unfit:
		b.become(ev, simWaiting, simOffered)
	case errors.Is(err, ErrClosed) && p.sealed:
		b.refused(ev, RefusedClosed)
	case errors.Is(err, ErrDead) && p.dead:
		b.refused(ev, RefusedDead)
	case errors.Is(err, ErrFull) && !unfit && (p.q.cfg.Overflow == DropNewest || limit > 0 || lesser || b.is.Waiting > 0):
		b.refused(ev, RefusedFull)
		p.saw(simRefusal)
	case errors.Is(err, ErrTooLarge) && size > limit && unfit:
		b.refused(ev, RefusedTooLarge)
		p.saw(simOversized)
	case errors.Is(err, ErrInvalid) && size < 0 && unfit:
		b.refused(ev, RefusedInvalid)
	case errors.Is(err, context.Canceled):
		b.refused(ev, RefusedCanceled)
	default:
		p.wrong("event %d of %d bytes: %v", ev, size, err)
	}
}
