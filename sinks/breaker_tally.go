package sinks

import "time"

// tally counts the calls of a closed breaker and says when it trips. It has no
// clock: instants are passed in.
type tally interface {
	// add counts one call and reports whether it trips the breaker. Only a
	// failed call does.
	add(failed bool, now time.Time) bool
	// reset forgets all calls.
	reset()
}

// inARow trips at so many failures without a success in between.
type inARow struct{ limit, failed int }

func (r *inARow) add(failed bool, _ time.Time) bool {
	if !failed {
		r.failed = 0
		return false
	}
	r.failed++
	return r.failed >= r.limit
}

func (r *inARow) reset() { r.failed = 0 }

// share trips at a share of failures among no fewer calls than least.
type share struct {
	rate  float64
	least int
}

func (s share) reached(failed, calls int) bool {
	return calls >= s.least && float64(failed) >= s.rate*float64(calls)
}

// latestCalls looks at the latest calls, as many as the ring has room for.
type latestCalls struct {
	share
	ring   []bool // whether the call failed
	next   int    // where the next call goes
	calls  int
	failed int
}

func (l *latestCalls) add(failed bool, _ time.Time) bool {
	if l.calls == len(l.ring) {
		if l.ring[l.next] {
			l.failed--
		}
	} else {
		l.calls++
	}
	l.ring[l.next] = failed
	l.next = (l.next + 1) % len(l.ring)
	if !failed {
		return false
	}
	l.failed++
	return l.reached(l.failed, l.calls)
}

func (l *latestCalls) reset() { l.next, l.calls, l.failed = 0, 0, 0 }

// latestTime looks at the calls of the latest stretch of time. It is divided
// into slots, of which the oldest is forgotten as a whole.
type latestTime struct {
	share
	slot  time.Duration // length of one
	slots [windowSlots]struct{ calls, failed int }
	start time.Time // of slot 0; zero: no call yet
	last  int64     // number of the slot of the latest call, counted from start
	calls int
	fails int
}

const windowSlots = 10

func (l *latestTime) add(failed bool, now time.Time) bool {
	if l.start.IsZero() {
		l.start = now
	}
	// A clock that was set back leaves the call in the latest slot.
	for number := int64(now.Sub(l.start) / l.slot); l.last < number; {
		l.last = max(l.last+1, number-windowSlots+1)
		s := &l.slots[l.last%windowSlots]
		l.calls -= s.calls
		l.fails -= s.failed
		s.calls, s.failed = 0, 0
	}
	s := &l.slots[l.last%windowSlots]
	s.calls++
	l.calls++
	if !failed {
		return false
	}
	s.failed++
	l.fails++
	return l.reached(l.fails, l.calls)
}

func (l *latestTime) reset() { *l = latestTime{share: l.share, slot: l.slot} }
