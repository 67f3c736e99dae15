package stage

import "slices"

// Mark waits for the ledger to have settled every event up to a number in the
// order of acceptance.
type Mark struct {
	seq     uint64
	before  uint64 // events spilled before it was set
	spilled uint64 // the latest spilled event before it; guarded by Ledger.mu
	lost    uint64 // of the events before the mark, since it was set; guarded by Ledger.mu
	done    chan struct{}
}

// Await sets a mark at seq. The caller ends it with Forget.
func (l *Ledger) Await(seq uint64) *Mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := &Mark{seq: seq, before: l.spilled, spilled: l.spilled, done: make(chan struct{})}
	if l.reached(m) {
		close(m.done)
		return m
	}
	l.marks = append(l.marks, m)
	return m
}

// Done is closed when every event up to the mark is settled.
func (m *Mark) Done() <-chan struct{} { return m.done }

// Forget removes the mark and returns how many events before it were lost
// while it stood.
func (l *Ledger) Forget(m *Mark) (lost uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.marks, m); i >= 0 {
		l.marks = slices.Delete(l.marks, i, i+1)
	}
	return m.lost
}

// markLost tells the marks that n events of a cohort were lost, whose first has
// these numbers in the order of acceptance and of spilling. A cohort lies
// wholly before a mark or wholly behind it: it was cut there. mu is held.
func (l *Ledger) markLost(number, spill, n uint64) {
	for _, m := range l.marks {
		if m.covers(number, spill) {
			m.lost += n
		}
	}
}

// covers reports whether an event was accepted before the mark was set: it was
// among the first seq of those that waited, or had been spilled by then.
func (m *Mark) covers(number, spill uint64) bool { return number <= m.seq || spill <= m.before }

// wake ends the marks that everything before is settled. mu is held.
func (l *Ledger) wake() {
	l.marks = slices.DeleteFunc(l.marks, func(m *Mark) bool {
		if !l.reached(m) {
			return false
		}
		close(m.done)
		return true
	})
}

func (l *Ledger) reached(m *Mark) bool {
	return m.seq <= l.main.mark && (m.spilled <= l.spills.mark || planted(faultEarlySpill))
}
