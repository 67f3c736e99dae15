package stage

import "sync"

// Ledger keeps the books of the events that have left the intake: each is in
// flight until its receipt is settled, once. The zero value is an empty ledger.
// Its methods may be called concurrently. None waits for anything but a lock
// that is held for a moment, and under its own no user code runs; what gives
// bytes back may read the intake's clock, without a lock.
type Ledger struct {
	// release gives bytes back to the intake when all of a batch is settled.
	// Set before the first use; called without the lock.
	release func(bytes int64)

	mu        sync.Mutex
	inFlight  uint64 // admitted and not settled
	unissued  uint64 // those of them that have no receipt yet
	delivered uint64
	rerouted  uint64
	filtered  uint64
	lost      [numLoss]uint64
	misuse    uint64
	batches   [numTrigger]uint64
	batched   [numTrigger]uint64 // events in them

	abandoned bool // everything was settled by Abandon; what comes later is ignored

	main    lane // by order of acceptance
	spills  lane // what overflow has sent to the routes; by order of spilling
	spilled uint64
	poured  uint64 // those of them that have a receipt
	free    []*cohort
	marks   []*Mark
}

// Books are the ledger's figures at one instant.
type Books struct {
	InFlight  uint64
	Delivered uint64
	Rerouted  uint64
	Filtered  uint64
	Lost      [numLoss]uint64    // by Loss
	Spilled   uint64             // events that overflow has sent to the routes, whatever became of them
	Misuse    uint64             // settlements, splits and batches that were refused
	Batches   [numTrigger]uint64 // issued, by Trigger
	Batched   [numTrigger]uint64 // events in them
}

// LostTotal is the sum of Lost.
func (b *Books) LostTotal() uint64 {
	var sum uint64
	for _, n := range b.Lost {
		sum += n
	}
	return sum
}

// Books returns a consistent copy of the figures.
func (l *Ledger) Books() Books {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.books()
}

func (l *Ledger) books() Books {
	return Books{
		InFlight: l.inFlight, Delivered: l.delivered, Rerouted: l.rerouted, Filtered: l.filtered,
		Lost: l.lost, Spilled: l.spilled, Misuse: l.misuse, Batches: l.batches, Batched: l.batched,
	}
}

// admit takes over n events that leave the intake. All events up to and
// including from have left it before.
func (l *Ledger) admit(n int, from uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.abandoned {
		return
	}
	if l.inFlight == 0 && l.main.empty() {
		l.advance(&l.main, from)
	}
	l.inFlight += uint64(n)
	l.unissued += uint64(n)
}

// Issue opens a receipt for the next n admitted events, cut by trigger. n may
// be 0: the receipt then only marks a place in the order.
func (l *Ledger) Issue(n int, bytes int64, span Span, trigger Trigger) Receipt {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.abandoned {
		return Receipt{ledger: l}
	}
	l.batches[trigger]++
	l.batched[trigger] += uint64(n)
	c := l.issue(&l.main, n, bytes, span)
	c.number, c.spill = span.From+1, direct
	return c.add(l, n)
}

// entry is the answer to a sink call's question whether it may begin.
type entry uint8

const (
	mayCall entry = iota
	notOurs       // a stale or foreign receipt; counted as misuse
	tooLate       // the ledger was abandoned
	tooMany       // more events than the receipt stands for
)

// enter notes that a sink call with n events, at least one, begins, and calls
// begin if it may.
// Events that the receipt stands for and the call does not have were filtered.
func (l *Ledger) enter(r Receipt, n int, begin func()) entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.find(r)
	switch {
	case l.abandoned:
		return tooLate
	case p == nil || p.calling:
		l.misused()
		return notOurs
	case n > p.n:
		return tooMany
	}
	l.trim(r.cohort, p, n) // frees nothing: n is not 0
	p.calling = true
	begin()
	return mayCall
}

// size returns the number of events that r stands for.
func (l *Ledger) size(r Receipt) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p := l.find(r); p != nil {
		return p.n
	}
	return 0
}

// leave notes that the sink call has returned without settling the events of
// r. It reports whether they were settled meanwhile, as in doubt, by Abandon;
// otherwise it calls note, under the lock.
func (l *Ledger) leave(r Receipt, note func()) (inDoubt bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.abandoned {
		note()
	}
	if p := l.find(r); p != nil {
		p.calling = false
	}
	return l.abandoned
}

// settlePart notes that a sink call has taken all but failed of r's events,
// which it settles with outcome o. The receipt it returns stands for the
// others, which the call still holds. It reports false, and changes nothing,
// if r is stale.
func (l *Ledger) settlePart(r Receipt, failed int, o Outcome) (Receipt, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.find(r)
	if p == nil {
		l.misused()
		return r, false
	}
	if !planted(faultPartialAsWhole) {
		l.count(o, p.n-failed)
	}
	r.cohort.due -= p.n - failed
	p.n = failed
	return r.renew(p), true
}

// count moves n events from in flight to an outcome that is no loss.
func (l *Ledger) count(o Outcome, n int) {
	switch o {
	case Delivered:
		l.delivered += uint64(n)
	case Rerouted:
		l.rerouted += uint64(n)
	case Filtered:
		l.filtered += uint64(n)
	}
	l.inFlight -= uint64(n)
}

// Settle closes r with an outcome, which is not Pending; why counts if it is
// Lost. It reports false, and changes nothing, if r is stale, foreign, or was
// settled by Abandon.
func (l *Ledger) Settle(r Receipt, o Outcome, why Loss) bool { return l.finish(r, o, why, nil) }

// finish is Settle for a sink call that has returned. It calls note, if it does
// not refuse, under the lock, before anybody can see that r is settled, and not
// after Abandon.
func (l *Ledger) finish(r Receipt, o Outcome, why Loss, note func()) bool {
	l.mu.Lock()
	p := l.find(r)
	if p == nil || o == Pending || o > Lost {
		l.misused()
		l.mu.Unlock()
		return false
	}
	freed := l.settle(r.cohort, p, o, why)
	if note != nil {
		note()
	}
	l.mu.Unlock()
	l.giveBack(freed)
	return true
}

// settle closes p and returns the bytes this freed.
func (l *Ledger) settle(c *cohort, p *part, o Outcome, why Loss) (freed int64) {
	switch {
	case planted(faultSkipSettle) && o == Delivered && p.n > 1:
		return 0
	case planted(faultSettleTwice) && o == Delivered:
		l.delivered += uint64(p.n)
	case planted(faultRerouteAsLost) && o == Rerouted:
		o = Lost
	}
	if o == Lost {
		l.lose(c, p, why)
	} else {
		l.count(o, p.n)
	}
	p.open = planted(faultStaleReceipt)
	freed = c.settled(p.n)
	if c.live--; c.live == 0 {
		l.retire(c.lane)
	}
	return freed
}

// lose counts the events of p, which is c's, as lost.
func (l *Ledger) lose(c *cohort, p *part, why Loss) {
	n := uint64(p.n)
	l.lost[why] += n
	l.inFlight -= n
	l.markLost(c.number, c.spill, n)
}

func (l *Ledger) giveBack(bytes int64) {
	if bytes > 0 && l.release != nil {
		l.release(bytes)
	}
}

// misused counts a refused operation, unless it is only late.
func (l *Ledger) misused() {
	if !l.abandoned {
		l.misuse++
	}
}

// Abandon settles everything that is in flight as lost: as in doubt if a sink
// call holds it, else for the reason why. Nothing that comes later changes a
// counter. It returns the number of events in doubt.
func (l *Ledger) Abandon(why Loss) (inDoubt uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.abandon(why)
}

func (l *Ledger) abandon(why Loss) (inDoubt uint64) {
	if l.abandoned {
		return 0
	}
	for _, on := range []*lane{&l.main, &l.spills} {
		for _, c := range on.open[on.head:] {
			inDoubt += l.abandonCohort(c, why)
		}
	}
	l.lost[why] += l.unissued
	l.inFlight -= l.unissued
	l.markLost(0, 0, l.unissued)
	l.unissued = 0
	l.main, l.spills, l.free = lane{mark: ^uint64(0)}, lane{mark: ^uint64(0)}, nil
	l.abandoned = true
	l.wake()
	return inDoubt
}

// abandonCohort settles the open parts of c, and returns how many of its events
// are in doubt.
func (l *Ledger) abandonCohort(c *cohort, why Loss) (inDoubt uint64) {
	for i := range c.parts {
		p := &c.parts[i]
		if !p.open || planted(faultForgetAbandoned) {
			continue
		}
		reason := why
		if p.calling {
			reason = LossInDoubt
			inDoubt += uint64(p.n)
		}
		p.open = false
		l.lose(c, p, reason)
	}
	return inDoubt
}

// over reports whether the ledger was abandoned.
func (l *Ledger) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.abandoned
}
