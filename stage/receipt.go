package stage

// Receipt stands for events whose outcome is still open. It travels with a
// [Batch] or a [Failure] and is used up by settling, splitting or shrinking:
// each of them hands out a new one, and the old value is stale from then on.
// The zero Receipt stands for events that no pipeline accepted.
type Receipt struct {
	ledger *Ledger
	cohort *cohort
	part   int
	gen    uint64
}

// cohort is what was issued for one batch: its place in the order of arrival,
// and the parts it has been split into. Guarded by the ledger's lock.
type cohort struct {
	lane  *lane
	span  Span  // in its lane
	bytes int64 // held while any of its events is not settled

	// number and spill are the first event's in the order of acceptance and of
	// spilling.
	number, spill uint64

	parts []part
	live  int    // parts not settled yet
	due   int    // events in them
	gen   uint64 // never goes back, so that a stale receipt never fits a recycled cohort
}

type part struct {
	n       int
	gen     uint64
	open    bool
	calling bool // a sink call holds these events
}

// Span is a run of events in the order of their acceptance, which numbers them
// from 1. Every event up to and including From left the intake before the run,
// every event up to and including Through has left it with the run's end.
type Span struct{ From, Through uint64 }

// add opens a part of n events and returns its receipt.
func (c *cohort) add(l *Ledger, n int) Receipt {
	c.gen++
	c.live++
	c.due += n
	c.parts = append(c.parts, part{n: n, gen: c.gen, open: true})
	return Receipt{ledger: l, cohort: c, part: len(c.parts) - 1, gen: c.gen}
}

// find returns the open part that r stands for, or nil. Ledger.mu is held.
func (l *Ledger) find(r Receipt) *part {
	if r.ledger != l || r.cohort == nil || r.part >= len(r.cohort.parts) {
		return nil
	}
	p := &r.cohort.parts[r.part]
	if !p.open || p.gen != r.gen {
		return nil
	}
	return p
}

// shrink gives up all but n events as filtered. It reports false, and changes
// nothing, if the receipt is stale or stands for fewer than n events. A zero
// receipt has nothing to account for.
func (r Receipt) shrink(n int) (Receipt, bool) {
	l := r.ledger
	if l == nil {
		return r, true
	}
	l.mu.Lock()
	p := l.find(r)
	if p == nil || n > p.n {
		l.misused()
		l.mu.Unlock()
		return r, false
	}
	freed := l.trim(r.cohort, p, n)
	renewed := r.renew(p)
	l.mu.Unlock()
	l.giveBack(freed)
	return renewed, true
}

// renew makes r, which stands for p, stale, and returns the receipt that takes
// its place. Ledger.mu is held.
func (r Receipt) renew(p *part) Receipt {
	r.cohort.gen++
	p.gen = r.cohort.gen
	r.gen = p.gen
	return r
}

// split takes k of the total events the caller still has into a receipt of
// their own. Events the caller no longer has were filtered. It reports false,
// and changes nothing, if the receipt is stale or stands for fewer than total
// events.
func (r Receipt) split(total, k int) (rest, taken Receipt, ok bool) {
	l := r.ledger
	if l == nil {
		return r, r, true
	}
	l.mu.Lock()
	p := l.find(r)
	if p == nil || total > p.n {
		l.misused()
		l.mu.Unlock()
		return r, r, false
	}
	freed := l.trim(r.cohort, p, total)
	p.n -= k
	r.cohort.due -= k
	rest = r.renew(p)
	taken = r.cohort.add(l, k)
	l.mu.Unlock()
	l.giveBack(freed)
	return rest, taken, true
}

// trim counts all but n of the events of p, which is c's, as filtered, and
// returns the bytes this freed. Ledger.mu is held.
func (l *Ledger) trim(c *cohort, p *part, n int) (freed int64) {
	before := l.filtered
	if l.count(Filtered, p.n-n); planted(faultFilterUncounted) {
		l.filtered = before
	}
	freed = c.settled(p.n - n)
	p.n = n
	return freed
}

// settled notes that n of the cohort's events are settled, and returns its bytes
// with the last of them: an emptied batch may have far to go still. Ledger.mu is
// held.
func (c *cohort) settled(n int) (freed int64) {
	if c.due -= n; c.due > 0 {
		return 0
	}
	if freed, c.bytes = c.bytes, 0; planted(faultKeepBytes) {
		return 0
	}
	return freed
}
