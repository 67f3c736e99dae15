package stage

// lane is the cohorts of one way through the pipeline, in the order in which
// they were issued, and how far it is settled. Guarded by the ledger's lock.
type lane struct {
	open []*cohort // not all settled, from head on
	head int
	mark uint64 // everything up to this number of the lane is settled
}

// empty reports whether nothing is open.
func (n *lane) empty() bool { return n.head == len(n.open) }

// push appends c.
func (n *lane) push(c *cohort) {
	if n.empty() {
		n.open, n.head = n.open[:0], 0
	} else if len(n.open) == cap(n.open) && n.head > 0 {
		k := copy(n.open, n.open[n.head:])
		clear(n.open[k:])
		n.open, n.head = n.open[:k], 0
	}
	n.open = append(n.open, c)
}

// issue opens a cohort of n events in a lane. mu is held.
func (l *Ledger) issue(on *lane, n int, bytes int64, span Span) *cohort {
	l.unissued -= uint64(n)
	var c *cohort
	if k := len(l.free) - 1; k >= 0 {
		c, l.free = l.free[k], l.free[:k]
	} else {
		c = &cohort{}
	}
	c.lane, c.span, c.bytes, c.due = on, span, bytes, 0
	if on.empty() {
		l.advance(on, span.From)
	}
	on.push(c)
	return c
}

// retire drops settled cohorts from the front of a lane and moves its mark past
// them. mu is held.
func (l *Ledger) retire(on *lane) {
	for !on.empty() {
		c := on.open[on.head]
		if c.live > 0 {
			l.advance(on, c.span.From)
			if planted(faultEarlyMark) {
				l.advance(on, c.span.Through)
			}
			return
		}
		l.advance(on, c.span.Through)
		on.open[on.head] = nil
		on.head++
		c.parts = c.parts[:0]
		l.free = append(l.free, c)
	}
}

// advance moves a lane's mark and wakes whoever waited for it. mu is held.
func (l *Ledger) advance(on *lane, mark uint64) {
	if mark <= on.mark {
		return
	}
	on.mark = mark
	l.wake()
}
