package stage

// haul is what the Enqueue actor takes in one exchange. It brings clean
// buffers and leaves with filled ones.
type haul[T any] struct {
	clean []*Buffer[T]
	full  []Batch[T]
	marks []uint64 // flush marks passed by what is in full
	doze  bool     // callers that are let in may be told later
}

// next says what the actor does when a haul came back empty.
type next uint8

const (
	deliver next = iota // it is not empty
	rest                // pause, then look again
	sleep               // until woken
	finish              // closed and empty
)

// take moves up to len(h.clean) chunks into h. A chunk that is not full stays
// while wait is set. Under h's marks lie only events it has taken.
func (q *Intake[T]) take(h *haul[T], wait bool) next {
	now := q.clock.Now() // for waiters' events
	q.enter()
	q.state = running
	q.flood.moved()
	q.waiters.called = false
	var sig signals
	if q.depth() == 0 {
		// Callers for whom bytes have come back, if whoever brought those has
		// released the lock to read the clock. Let in later, they would be behind
		// the last look before the actor sleeps.
		sig = q.grant(now)
	}
	from, events := q.left(), 0
	for q.kept.n > 0 && len(h.clean) > 0 {
		b := q.kept.pop()
		events += q.haul(h, b, Span{From: b.numbers[b.head] - 1, Through: b.numbers[b.n-1]})
	}
	for q.ring.n > 0 && len(h.clean) > 0 {
		left := q.passed()
		b := q.ring.pop()
		events += q.haul(h, b, Span{From: left, Through: q.passed()})
	}
	partial := len(q.marks) > 0 || q.refusal != nil || q.n == len(q.buf) || q.waiters.n > 0 || !wait
	if q.ring.n == 0 && q.n > q.cur.head && partial && len(h.clean) > 0 {
		left := q.passed()
		q.close()
		events += q.haul(h, q.cur, Span{From: left, Through: q.base})
		q.open()
	}
	if events > 0 {
		q.ledger.admit(events, from)
	}
	for left := q.left(); len(q.marks) > 0 && q.marks[0] <= left; {
		h.marks = append(h.marks, q.marks[0])
		q.marks = q.marks[1:]
	}
	if q.depth() <= q.cfg.QueueSize/2 {
		sig |= q.grant(now)
	}
	q.rearm()
	then := deliver
	switch {
	case events > 0 || len(h.marks) > 0:
	case q.refusal != nil:
		then = finish
	case wait:
		then, q.state = rest, paced
	default:
		then, q.state = sleep, idle
	}
	if then == deliver && h.doze && q.depth() > 0 {
		q.waiters.doze()
	} else {
		q.waiters.getUp()
	}
	q.limit()
	q.unlock(sig)
	return then
}

// haul adds b, whose events are those of span, to h in exchange for a clean
// buffer.
func (q *Intake[T]) haul(h *haul[T], b *Buffer[T], span Span) (events int) {
	k := len(h.clean) - 1
	q.spare = append(q.spare, h.clean[k])
	h.clean = h.clean[:k]
	q.held -= b.bytes
	q.important.sub(b.important)
	b.bytes, b.important = 0, tally{}
	events = b.n - b.head
	q.hauled += uint64(events)
	h.full = append(h.full, Batch[T]{
		Events: b.events[b.head:b.n],
		chunk:  true,
		span:   span,
		buf:    b,
		born:   b.born,
	})
	return events
}

// Mark sets a mark in the ledger behind everything accepted so far, and asks
// the actor to send a batch with trigger ByFlush there.
func (q *Intake[T]) Mark() *Mark {
	q.enter()
	seq := q.accepted()
	if k := len(q.marks); k == 0 || q.marks[k-1] < seq {
		q.marks = append(q.marks, seq)
	}
	mark := q.ledger.Await(seq)
	sig := q.rouse()
	q.unlock(sig)
	return mark
}

// Seal refuses all further events with err, for the reason why, and the
// waiting callers with it. Only the first call has an effect.
func (q *Intake[T]) Seal(err error, why Refusal) {
	q.enter()
	if q.refusal != nil {
		q.mu.leave()
		return
	}
	q.refusal, q.why = err, why
	for w := q.waiters.first(); w != nil; w = q.waiters.first() {
		q.waiters.conclude(w, err)
		q.rejected[why]++
	}
	q.waiters.getUp()
	sig := q.rouse()
	q.limit()
	q.unlock(sig)
}

// Abandon settles everything accepted and not settled as lost for the reason
// why, here and in the ledger in one step. It returns the waiting and the
// spilled events, so that they can be reported, and the number of events in
// doubt. The intake must be sealed.
func (q *Intake[T]) Abandon(why Loss) (waiting []Batch[T], inDoubt uint64) {
	q.enter()
	defer q.mu.leave()
	from, events := q.left(), q.depth()
	if q.n > q.cur.head {
		q.seal()
		q.cur, q.buf = newBuffer[T](0, false), nil
	}
	for _, line := range []*chunks[T]{&q.kept, &q.ring} {
		for line.n > 0 {
			b := line.pop()
			waiting = append(waiting, Batch[T]{Events: b.events[b.head:b.n]})
		}
	}
	if q.spills.n > 0 {
		waiting = append(waiting, Batch[T]{Events: q.spills.empty()})
	}
	q.marks, q.bytes, q.held, q.important, q.over = nil, 0, 0, tally{}, true
	if !planted(faultForgetWaiting) {
		q.ledger.admit(events, from)
	}
	return waiting, q.ledger.Abandon(why)
}

// report moves what the observer has to tell into log and returns the
// crossings since the last call and the depth at the latest. log's buffers
// are exchanged for the intake's.
func (q *Intake[T]) report(log *[numEviction]dropLog[T]) (alarms, depth int) {
	q.enter()
	defer q.mu.leave()
	q.noticed = false
	*log, q.drops = q.drops, *log
	alarms, depth, q.alarms = q.alarms, q.alarmed, 0
	return alarms, depth
}
