package stage

import "slices"

// simBooks are the books of single events, kept from what the actors see, and
// never from the ledger's figures, which they are held against.
type simBooks struct {
	*sim
	events   []simEvent
	n        [numSimFate]uint64
	rejected [numRefusal]uint64
	lost     [numLoss]uint64
	evicted  [numEviction]uint64
	misuse   uint64
	clock    int            // of what became known
	last     []int          // latest first call of each producer's events
	left     []int          // latest event of each producer that left the intake
	hidden   uint64         // events evicted that the drop hook was not shown
	fetched  uint64         // events that the router has got from the intake
	callers  []*simProducer // that wait for room
	is       IntakeBooks    // the books of the code under test, after the latest step
}

func (b *simBooks) offer(producer int, size int64, matters bool) (number int) {
	b.events = append(b.events, simEvent{producer: producer, size: size, matters: matters})
	b.n[simOffered]++
	return len(b.events)
}

func (b *simBooks) event(number int) *simEvent { return &b.events[number-1] }

// become moves an event on, from where it has to be.
func (b *simBooks) become(number int, to simFate, from ...simFate) {
	if number < 1 || number > len(b.events) {
		b.wrong("event %d does not exist", number)
		return
	}
	e := b.event(number)
	if !slices.Contains(from, e.fate) {
		b.wrong("event %d becomes %v and was %v", number, to, e.fate)
		return
	}
	if b.log != nil {
		b.say("event %d of producer %d: %v, now %v", number, e.producer, e.fate, to)
	}
	b.n[e.fate]--
	b.n[to]++
	e.fate = to
	b.clock++
	if to == simWaiting {
		e.at = b.clock
	}
}

func (b *simBooks) refused(number int, why Refusal) {
	b.become(number, simRefused, simOffered)
	b.rejected[why]++
}

// hauled notes that events left the intake: each producer's in order.
func (b *simBooks) hauled(numbers []int) {
	for _, ev := range numbers {
		b.become(ev, simPassing, simWaiting)
		b.leaves(ev)
	}
}

// leaves notes that an event is the next of its producer's to leave the intake.
func (b *simBooks) leaves(number int) {
	p := b.event(number).producer
	if number <= b.left[p] {
		b.wrong("event %d leaves the intake after event %d", number, b.left[p])
	}
	b.left[p] = number
}

// lose settles an event as lost.
func (b *simBooks) lose(number int, why Loss, from ...simFate) {
	b.become(number, simLost, from...)
	b.lost[why]++
	e := b.event(number)
	e.loss, e.lostAt = why, b.clock
}

// enter notes that a call begins.
func (b *simBooks) enter(numbers []int, main bool) {
	for _, ev := range numbers {
		b.become(ev, simCalling, simPassing)
		e := b.event(ev)
		if main && b.workers == 1 && !e.tried {
			if ev <= b.last[e.producer] {
				b.wrong("event %d is written after event %d", ev, b.last[e.producer])
			}
			b.last[e.producer] = ev
		}
		e.tried = true
	}
}

// leave notes that a call returns: what it took is settled as to, unless Close
// came before it, and what it did not take goes on.
func (b *simBooks) leave(numbers, failed []int, to simFate, paniced bool) {
	for i, ev := range numbers {
		e := b.event(ev)
		switch {
		case e.fate == simLost:
			if e.loss != LossInDoubt {
				b.wrong("event %d was lost for the reason %v while it was written", ev, e.loss)
			}
			if !slices.Contains(failed, i) {
				b.saw(simLate)
			}
		case slices.Contains(failed, i):
			b.become(ev, simPassing, simCalling)
			e.failed, e.paniced = true, e.paniced || paniced
		default:
			b.become(ev, to, simCalling)
		}
	}
}

// settledAs takes in a failure whose outcome is final.
func (b *simBooks) settledAs(f Failure[int]) {
	for _, ev := range f.Events {
		e := b.event(ev)
		e.reported++
		if b.log != nil {
			b.say("event %d reported as %v: %v", ev, f.Outcome, f.Err)
		}
		switch {
		case f.Outcome == Rerouted:
			if e.fate != simRerouted {
				b.wrong("event %d is reported as rerouted, and is %v", ev, e.fate)
			}
			continue
		case f.Outcome != Lost:
			b.wrong("event %d is reported as %v", ev, f.Outcome)
		case e.fate != simLost:
			why := LossFailed
			switch {
			case e.buried:
				why = LossDead
			case e.pushed:
				why = LossOverflow
			case e.paniced:
				why = LossPanic
			case !e.failed:
				b.wrong("event %d is lost and has not failed", ev)
			}
			b.lose(ev, why, simPassing)
		}
		if f.Loss != e.loss {
			b.wrong("event %d is lost for the reason %v, and the failure hook hears %v", ev, e.loss, f.Loss)
		}
	}
}

// abandoned notes that all that was open is settled.
func (b *simBooks) abandoned(back []Batch[int], why Loss, inDoubt uint64) {
	for _, batch := range back {
		for _, ev := range batch.Events {
			b.lose(ev, why, simWaiting)
		}
	}
	b.fetched = b.l.Books().Spilled // the rest came back with those that wait
	var doubt uint64
	for i := range b.events {
		switch b.events[i].fate {
		case simPassing:
			b.lose(i+1, why, simPassing)
		case simCalling:
			b.lose(i+1, LossInDoubt, simCalling)
			doubt++
		}
	}
	if doubt != inDoubt {
		b.wrong("%d events are in doubt, and Abandon says %d", doubt, inDoubt)
	}
}

// dropped notes what the drop hook hears.
func (b *simBooks) dropped(d Dropped[int]) {
	b.evicted[d.Reason] += d.Count
	shown := min(d.Count, uint64(b.q.cfg.QueueSize))
	if uint64(len(d.Events)) != shown {
		b.wrong("the drop hook hears of %d events, and is shown %d of them", d.Count, len(d.Events))
	}
	b.hidden += d.Count - shown
	for _, ev := range d.Events {
		b.become(ev, simEvicted, simWaiting)
	}
}

// oldest checks that of each producer's events the oldest were evicted, of the
// lesser ones and of the important ones. It is called when the drop hook has
// heard of all evictions.
func (b *simBooks) oldest() {
	if b.hidden > 0 || b.is.Spilled > b.fetched { // some that seem to wait do not
		return
	}
	evicted := make([]int, 2*len(b.left)) // latest of each producer, lesser and important
	line := func(e *simEvent) int {
		if e.matters && b.q.ranked {
			return 2*e.producer + 1
		}
		return 2 * e.producer
	}
	for i := range b.events {
		if e := &b.events[i]; e.fate == simEvicted {
			evicted[line(e)] = i + 1
		}
	}
	for i := range b.events {
		if e := &b.events[i]; e.fate == simWaiting && i+1 < evicted[line(e)] {
			b.wrong("event %d was evicted, and event %d still waits", evicted[line(e)], i+1)
		}
	}
}

// barrier holds a mark that was passed against the events accepted before it,
// and returns how many of them were lost since.
func (b *simBooks) barrier(at int) (lost uint64) {
	hidden := b.is.Evicted[EvictedCount] + b.is.Evicted[EvictedBytes] - b.n[simEvicted]
	for i := range b.events {
		switch e := &b.events[i]; {
		case e.at == 0 || e.at > at:
		case e.fate == simWaiting && hidden > 0:
			hidden-- // evicted, and the hook has not been told
		case !e.fate.settled():
			b.wrong("the mark has passed event %d, which is %v", i+1, e.fate)
		case e.fate == simLost && e.lostAt > at:
			lost++
		}
	}
	return lost
}
