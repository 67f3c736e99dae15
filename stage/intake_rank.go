package stage

// What an intake does that tells important events from lesser ones.
//
// All events stand in one queue, in the order of their arrival. To evict the
// oldest lesser one, the important ones before it are moved aside, to the end
// of kept: they are older than all that is left in ring and cur, and the order
// stays. Each event is moved once at most, so that an eviction takes constant
// time on average.

// lessers is the number of waiting events that are not important.
func (q *Intake[T]) lessers() int { return q.depth() - q.important.events }

// lesserBytes is what the reserve leaves of the bytes. Important events that
// have left the queue count as if they were lesser ones, so that the reserve
// is there for those that come.
func (q *Intake[T]) lesserBytes() int64 {
	return q.cfg.LesserBytes - (q.bytes - q.important.bytes)
}

// halfLesser is half, for what lesser events may have.
func (q *Intake[T]) halfLesser() bool {
	return q.lessers() >= max(1, q.cfg.LesserSize/2) || q.cfg.QueueBytes > 0 && q.lesserBytes() <= q.cfg.LesserBytes/2
}

// rank notes what the event is that push appends to cur.
func (q *Intake[T]) rank(l load) {
	q.cur.classes[q.n] = l.important
	if l.important {
		q.cur.important.add(l.size)
		q.important.add(l.size)
	}
}

// prey returns the buffer whose first event is to be evicted, and the queue it
// stands in: the oldest lesser event's, else the oldest one's.
func (q *Intake[T]) prey() (*chunks[T], *Buffer[T]) {
	switch {
	case !q.ranked:
	case q.lessers() > 0:
		for {
			line, b := q.oldest()
			if !b.classes[b.head] || planted(faultInvadeReserve) {
				return line, b
			}
			q.keep(line, b)
		}
	case q.kept.n > 0:
		return &q.kept, q.kept.front()
	}
	return q.oldest()
}

// keep moves the oldest event, which is b's and important, aside.
func (q *Intake[T]) keep(line *chunks[T], b *Buffer[T]) {
	if q.kept.n == 0 || q.kept.back().n == q.cfg.ChunkSize {
		last := len(q.spare) - 1
		to := q.spare[last]
		q.spare = q.spare[:last]
		to.sparse, to.born = true, b.born
		q.kept.push(to)
	}
	to, i, size := q.kept.back(), b.head, b.sizeAt(b.head)
	to.events[to.n] = b.events[i]
	to.classes[to.n], to.numbers[to.n] = true, q.passed()+1
	if q.sized {
		to.sizes[to.n] = size
	}
	to.n++
	q.kept.events++
	to.bytes += size
	b.bytes -= size
	to.important.add(size)
	b.important.sub(tally{1, size})
	q.behead(line, b)
}
