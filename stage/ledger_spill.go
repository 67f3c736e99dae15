package stage

// What the ledger knows of events that overflow has pushed out of the intake
// and that are on their way to the routes. They have a lane of their own, in
// which they are numbered, from 1, in the order in which they were pushed out:
// the router takes them and settles them in that order.

// direct is the number, in the order of acceptance, of an event that never
// waited: it was accepted after everything that waits.
const direct = ^uint64(0)

// spill takes over an event that leaves the intake for the routes. number is
// its own in the order of acceptance.
func (l *Ledger) spill(number uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight++
	l.unissued++
	l.spilled++
	for _, m := range l.marks {
		if number <= m.seq {
			m.spilled = l.spilled
		}
	}
}

// issueSpill opens a receipt for the next spilled events, of which numbers are
// those in the order of acceptance, and sizes, if bytes are counted, the bytes.
// It takes as many as lie on the same side of every mark, and returns how many
// that are.
func (l *Ledger) issueSpill(numbers []uint64, sizes []int64) (n int, r Receipt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	from := l.poured
	for n = 1; n < len(numbers) && l.alike(numbers[0], from+1, numbers[n], from+uint64(n)+1); n++ {
	}
	var bytes int64
	for _, size := range sizes[:min(n, len(sizes))] {
		bytes += size
	}
	l.poured += uint64(n)
	c := l.issue(&l.spills, n, bytes, Span{From: from, Through: l.poured})
	c.number, c.spill = numbers[0], from+1
	return n, c.add(l, n)
}

// alike reports whether two spilled events, each with its number in the order
// of acceptance and that in the order of spilling, lie on the same side of
// every mark. mu is held.
func (l *Ledger) alike(number, spill, number2, spill2 uint64) bool {
	for _, m := range l.marks {
		if m.covers(number, spill) != m.covers(number2, spill2) {
			return false
		}
	}
	return true
}
