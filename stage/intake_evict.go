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
		case full && least <= 0 && !q.spills.full():
			q.spillOldest() // frees no bytes
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
	important := q.ranked && b.classes[i]
	if log := &q.drops[why]; log.events != nil {
		log.add(b.events[i], important)
	}
	if important {
		q.grave.evicted++
	}
	if !planted(faultMiscountEviction) || q.evicted[why]%8 != 7 {
		q.evicted[why]++
	}
	size = q.remove(line, b)
	q.bytes -= size
	return size
}

// lateSize is how many events a lazy intake takes in excess: enough to spread the
// cost of a closer look, and so few that evicting them holds up nobody.
const lateSize = 16

// trim evicts what a full queue has taken in excess. A lazy intake lets
// producers fill the current chunk even so, and whoever looks closer, or
// replaces the chunk, evicts for all of them at once: until then nobody can
// tell. It is the first thing that happens under the lock, but for a producer
// that finds its place below the limit.
func (q *Intake[T]) trim() {
	for over := q.depth() - q.cfg.QueueSize; over > 0; {
		line, b := q.oldest()
		n := min(over, q.filled(b)-b.head)
		clear(b.events[b.head : b.head+n])
		b.head += n
		over -= n
		q.flood.events += n
		q.evicted[EvictedCount] += uint64(n)
		if planted(faultMiscountEviction) {
			q.evicted[EvictedCount] -= uint64(n+7) / 8
		}
		q.beheaded(line, b, n)
	}
}

// filled is the end of b's filled part; b may be cur.
func (q *Intake[T]) filled(b *Buffer[T]) int {
	if b == q.cur {
		return q.n
	}
	return b.n
}

// spillOldest hands over to the routes what evict would drop.
func (q *Intake[T]) spillOldest() {
	line, b := q.prey()
	i, number := b.head, q.passed()+1
	if b.sparse {
		number = b.numbers[i]
	}
	q.spill(&b.events[i], number, b.sizeAt(i))
	q.remove(line, b)
}

// remove takes the oldest event of b out of the waiting ones, and returns its
// bytes, which are still those of an unsettled event.
func (q *Intake[T]) remove(line *chunks[T], b *Buffer[T]) (size int64) {
	i := b.head
	size = b.sizeAt(i)
	b.bytes -= size
	q.held -= size
	if q.ranked && b.classes[i] {
		b.important.sub(tally{1, size})
		q.important.sub(tally{1, size})
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
	q.beheaded(line, b, 1)
}

// beheaded notes that n events were taken out of b, which stands in line, or is
// cur.
func (q *Intake[T]) beheaded(line *chunks[T], b *Buffer[T], n int) {
	if line == nil {
		return
	}
	line.events -= n
	if b.head == b.n {
		line.pop()
		b.reset()
		q.spare = append(q.spare, b)
	}
}
