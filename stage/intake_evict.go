package stage

// makeRoom evicts the oldest events until one of the given load fits. While
// callers wait whom it must not overtake, free room is theirs, so the event
// replaces as much as it takes. If all that may be evicted for it is not
// enough, nothing is.
func (q *Intake[T]) makeRoom(l load) bool {
	var least int64 // bytes to be freed
	if q.cfg.QueueBytes > 0 {
		least = l.size - (q.cfg.QueueBytes - q.bytes)
		if q.waiters.ahead(l.important) {
			least = max(least, l.size)
		}
	}
	lesser := q.ranked && !l.important
	events, bytes := q.depth(), q.held // that may be evicted
	if lesser {
		if q.cfg.QueueBytes > 0 {
			least = max(least, l.size-q.lesserBytes())
		}
		events, bytes = q.lessers(), q.held-q.important.bytes
	}
	if events == 0 || least > bytes || q.depth()-events >= q.cfg.QueueSize {
		return false
	}
	for first := q.waiters.ahead(l.important); ; first = false {
		full := q.depth() >= q.cfg.QueueSize || lesser && q.lessers() >= q.cfg.LesserSize
		switch {
		case full:
			least -= q.evict(EvictedCount)
		case first || least > 0:
			least -= q.evict(EvictedBytes)
		default:
			return true
		}
	}
}

// evict drops the oldest waiting event, of which there is one, or the oldest
// lesser one if there is any, and returns its bytes.
func (q *Intake[T]) evict(why Eviction) (size int64) {
	line, b := q.prey()
	i := b.head
	size = b.sizeAt(i)
	important := q.ranked && b.classes[i]
	if log := &q.drops[why]; log.events != nil {
		log.add(b.events[i], important)
	}
	b.bytes -= size
	q.held -= size
	q.bytes -= size
	if important {
		b.important.sub(tally{1, size})
		q.important.sub(tally{1, size})
		q.grave.evicted++
	}
	if !planted(faultMiscountEviction) || q.evicted[why]%8 != 7 {
		q.evicted[why]++
	}
	q.behead(line, b)
	return size
}

// oldest returns the buffer with the oldest event of ring and cur, and the
// queue that it stands in, if it does.
func (q *Intake[T]) oldest() (*chunks[T], *Buffer[T]) {
	if q.ring.n > 0 {
		return &q.ring, q.ring.front()
	}
	return nil, q.cur
}

// behead takes the oldest event out of b, which stands in line, or is cur if
// line is nil. The slot is cleared, so a buffer that is emptied is clean.
func (q *Intake[T]) behead(line *chunks[T], b *Buffer[T]) {
	var none T
	b.events[b.head] = none
	b.head++
	if line == nil {
		return
	}
	line.events--
	if b.head == b.n {
		line.pop()
		b.reset()
		q.spare = append(q.spare, b)
	}
}
