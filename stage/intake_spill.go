package stage

// spills holds the events that overflow has pushed out of the queue until the
// router fetches them. It is part of an intake, and guarded by its lock.
type spills[T any] struct {
	ring    []spilled[T]
	first   int
	n       int
	told    bool          // the router has been woken and has not fetched yet
	notice  chan struct{} // to the router, one slot: many send, nobody closes
	numbers []uint64      // of what is being fetched
	sizes   []int64       // likewise, if bytes are counted
}

type spilled[T any] struct {
	ev     T
	number uint64 // in the order of acceptance
	size   int64
}

// at returns the k-th oldest.
func (s *spills[T]) at(k int) *spilled[T] { return &s.ring[(s.first+k)%len(s.ring)] }

// full reports whether overflow has to do without the routes.
func (s *spills[T]) full() bool { return s.n == len(s.ring) }

// drop takes out the oldest k.
func (s *spills[T]) drop(k int) {
	for range k {
		s.ring[s.first] = spilled[T]{}
		s.first = (s.first + 1) % len(s.ring)
	}
	s.n -= k
}

// empty takes out all, and returns the events.
func (s *spills[T]) empty() []T {
	events := make([]T, 0, s.n)
	for k := range s.n {
		events = append(events, s.at(k).ev)
	}
	s.drop(s.n)
	return events
}

// spill takes an event up whose bytes, if they are counted, stay counted.
func (q *Intake[T]) spill(ev *T, number uint64, size int64) {
	*q.spills.at(q.spills.n) = spilled[T]{*ev, number, size}
	q.spills.n++
	q.ledger.spill(number)
}

// spillNew takes up the event of an Enqueue that has found no room, if there
// is room among the spilled ones, and in the bytes, which it goes on to hold.
func (q *Intake[T]) spillNew(ev *T, l load) bool {
	switch {
	case q.spills.full():
		return false
	case q.cfg.QueueBytes == 0:
	case q.waiters.ahead(l.important), l.size > q.cfg.QueueBytes-q.bytes, q.ranked && !l.important && l.size > q.lesserBytes():
		return false
	}
	q.bytes += l.size
	q.direct++
	q.spill(ev, direct, l.size)
	return true
}

// alert says whether the router must be told that there is something to fetch.
func (q *Intake[T]) alert() signals {
	if q.spills.told || q.spills.n == 0 {
		return 0
	}
	q.spills.told = true
	return wakeRouter
}

// fetch returns the oldest spilled events as a failure of at most a chunk, or
// false if there are none. It is the router's.
func (q *Intake[T]) fetch() (Failure[T], bool) {
	q.enter()
	n := min(q.spills.n, q.cfg.ChunkSize)
	q.mu.leave()
	f := Failure[T]{Events: make([]T, 0, n), Stage: "intake", Err: ErrOverflow}

	q.enter()
	s := &q.spills
	s.told = false
	n = min(s.n, n) // less if all was abandoned meanwhile
	s.numbers, s.sizes = s.numbers[:0], s.sizes[:0]
	for k := range n {
		e := s.at(k)
		s.numbers, s.sizes = append(s.numbers, e.number), append(s.sizes, e.size)
	}
	if n > 0 {
		n, f.receipt = q.ledger.issueSpill(s.numbers, s.sizes)
		for k := range n {
			f.Events = append(f.Events, s.at(k).ev)
		}
		s.drop(n)
	}
	sig := q.alert()
	q.unlock(sig)
	return f, n > 0
}
