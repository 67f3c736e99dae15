package stage

// IntakeBooks are the intake's figures at one instant, with the ledger's.
type IntakeBooks struct {
	Books
	Accepted uint64
	Rejected [numRefusal]uint64  // by Refusal
	Evicted  [numEviction]uint64 // by Eviction

	// Of the events refused with RefusedFull, and of the evicted ones, the
	// important ones.
	ImportantFull    uint64
	ImportantEvicted uint64

	Depth     int    // waiting events
	Bytes     int64  // of all unsettled events
	Waiting   int    // callers blocked in EnqueueWait
	Crossings uint64 // of the pressure threshold, upward
}

// Books returns one consistent copy of the intake's and the ledger's figures.
func (q *Intake[T]) Books() IntakeBooks {
	q.enter()
	defer q.mu.leave()
	q.ledger.mu.Lock()
	defer q.ledger.mu.Unlock()
	return IntakeBooks{
		Books:    q.ledger.books(),
		Accepted: q.accepted() + q.direct,
		Rejected: q.rejected,
		Evicted:  q.evicted,

		ImportantFull:    q.grave.full,
		ImportantEvicted: q.grave.evicted,

		Depth:     q.depth(),
		Bytes:     q.bytes,
		Waiting:   q.waiters.n + q.waiters.dozers,
		Crossings: q.crossings,
	}
}

// Depth returns the number of waiting events.
func (q *Intake[T]) Depth() int {
	q.enter()
	defer q.mu.leave()
	return q.depth()
}

// Drained reports whether the intake is sealed and empty.
func (q *Intake[T]) Drained() bool {
	q.enter()
	defer q.mu.leave()
	return q.refusal != nil && q.depth() == 0
}
