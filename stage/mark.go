package stage

import "slices"

// Mark waits for the ledger to have settled every event up to a number in the
// order of acceptance.
type Mark struct {
	seq  uint64
	lost uint64 // of the events before the mark, since it was set; guarded by Ledger.mu
	done chan struct{}
}

// Await sets a mark at seq. The caller ends it with Forget.
func (l *Ledger) Await(seq uint64) *Mark {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := &Mark{seq: seq, done: make(chan struct{})}
	if seq <= l.mark {
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

// markLost tells the marks that n events of span were lost. A batch lies
// wholly before a mark or wholly behind it: the intake cuts there. mu is held.
func (l *Ledger) markLost(span Span, n uint64) {
	for _, m := range l.marks {
		if span.From < m.seq {
			m.lost += n
		}
	}
}

// retire drops settled cohorts from the front of the order and moves the
// watermark past them. mu is held.
func (l *Ledger) retire() {
	for l.head < len(l.open) {
		c := l.open[l.head]
		if c.live > 0 {
			l.advance(c.span.From)
			if planted(faultEarlyMark) {
				l.advance(c.span.Through)
			}
			return
		}
		l.advance(c.span.Through)
		l.open[l.head] = nil
		l.head++
		c.parts = c.parts[:0]
		l.free = append(l.free, c)
	}
}

// advance moves the watermark and wakes whoever waited for it. mu is held.
func (l *Ledger) advance(mark uint64) {
	if mark <= l.mark {
		return
	}
	l.mark = mark
	l.marks = slices.DeleteFunc(l.marks, func(m *Mark) bool {
		if m.seq > mark {
			return false
		}
		close(m.done)
		return true
	})
}
