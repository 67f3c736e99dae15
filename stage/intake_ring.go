package stage

import "time"

// What happens under the intake's lock. Nothing here can fail, allocates on
// the steady path, or calls user code.

// signals are the wake-ups owed once the lock is released.
type signals uint8

const (
	wakeActor signals = 1 << iota
	tellObserver
)

// signal pays them. Both channels have one slot, and a full slot means that
// the reader is about to look anyway.
func (q *Intake[T]) signal(s signals) {
	if s&wakeActor != 0 {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
	if s&tellObserver != 0 {
		select {
		case q.notice <- struct{}{}:
		default:
		}
	}
}

func (q *Intake[T]) depth() int { return q.queued + q.n - q.cur.head }

func (q *Intake[T]) accepted() uint64 { return q.base + uint64(q.n) }

// fits reports whether an event of the given size has room.
func (q *Intake[T]) fits(size int64) bool {
	return q.depth() < q.cfg.QueueSize && (q.cfg.QueueBytes == 0 || size <= q.cfg.QueueBytes-q.bytes)
}

// admit takes the slow way for one event of an Enqueue. now is what look has
// returned.
func (q *Intake[T]) admit(ev *T, size int64, now time.Time) (signals, error) {
	if q.refusal != nil {
		q.rejected[q.why]++
		return 0, q.refusal
	}
	sig := q.grant(now) // room that take has left for later is theirs
	if q.waiters.n == 0 && q.fits(size) {
		return sig | q.push(ev, size, now), nil
	}
	room := q.cfg.Overflow == DropOldest && q.makeRoom(size)
	var err error
	if room {
		sig |= q.push(ev, size, now)
	} else {
		if !planted(faultRejectUncounted) {
			q.rejected[RefusedFull]++
		}
		err = ErrFull
	}
	// What was evicted may have been larger than what came in its place.
	sig |= q.grant(now)
	q.rearm()
	q.limit()
	return sig | q.observe(), err
}

// makeRoom evicts the oldest events until one of the given size fits. While
// callers wait, free room is theirs, so the event replaces as much as it takes.
// If all that waits is not enough, nothing is evicted.
func (q *Intake[T]) makeRoom(size int64) bool {
	var least int64 // bytes to be freed
	if q.cfg.QueueBytes > 0 {
		least = size - (q.cfg.QueueBytes - q.bytes)
		if q.waiters.n > 0 {
			least = max(least, size)
		}
	}
	if q.depth() == 0 || least > q.held {
		return false
	}
	for first := q.waiters.n > 0; first || least > 0 || q.depth() >= q.cfg.QueueSize; first = false {
		least -= q.evict()
	}
	return true
}

// rearm makes the next upward crossing count, if the depth is below the
// threshold.
func (q *Intake[T]) rearm() {
	if q.depth() < q.cfg.PressureAt {
		q.armed = true
	}
}

// fresh reports whether the next event is the first of its chunk.
func (q *Intake[T]) fresh() bool { return q.n == 0 || q.n == len(q.buf) }

// push appends an event for which there is room. now is the time, read a moment
// ago, if the chunk is fresh.
func (q *Intake[T]) push(ev *T, size int64, now time.Time) signals {
	switch {
	case q.n < len(q.buf):
	case q.n > q.cur.head:
		q.seal()
		q.open()
	default: // all of it was evicted
		q.close()
		q.cur.reset()
	}
	if q.n == 0 {
		q.cur.born = now
	}
	q.buf[q.n] = *ev
	if q.sized {
		q.cur.sizes[q.n] = size
		q.cur.bytes += size
		q.held += size
		q.bytes += size
	}
	q.n++
	var sig signals
	if q.armed && q.cfg.PressureAt > 0 && q.depth() >= q.cfg.PressureAt {
		q.armed = false
		q.crossings++
		if q.cfg.ReportPressure {
			q.alarms++
			q.alarmed = q.depth()
		}
	}
	if q.state == idle || q.state == paced && q.half() {
		q.state = running
		sig |= wakeActor
	}
	q.limit()
	return sig | q.observe()
}

// observe says whether the observer must be told that there is something to
// report. It is told once, until it has looked.
func (q *Intake[T]) observe() signals {
	if q.noticed || q.alarms == 0 && q.drops[EvictedCount].count == 0 && q.drops[EvictedBytes].count == 0 {
		return 0
	}
	q.noticed = true
	return tellObserver
}

// limit says how far cur may be filled without a closer look.
func (q *Intake[T]) limit() {
	if q.sized || q.refusal != nil || q.state == idle || q.waiters.n > 0 || q.n == 0 {
		q.lim = 0
		return
	}
	room := q.cfg.QueueSize - q.depth()
	if q.armed && q.cfg.PressureAt > 0 {
		room = min(room, q.cfg.PressureAt-1-q.depth())
	}
	if q.state == paced {
		room = min(room, q.highDepth()-1-q.depth())
	}
	q.lim = min(len(q.buf), q.n+room)
}

// half reports whether half of the queue, or of the bytes, is taken, which ends
// the actor's pause.
func (q *Intake[T]) half() bool {
	return q.depth() >= q.highDepth() || q.cfg.QueueBytes > 0 && q.bytes >= q.cfg.QueueBytes/2
}

// highDepth is the depth that ends the actor's pause.
func (q *Intake[T]) highDepth() int { return max(1, q.cfg.QueueSize/2) }

// open makes a clean buffer current.
func (q *Intake[T]) open() {
	k := len(q.spare) - 1
	q.cur, q.spare = q.spare[k], q.spare[:k]
	q.buf, q.n = q.cur.events, 0
	q.limit()
}

// seal closes cur and appends it to the ring. The caller opens another.
func (q *Intake[T]) seal() {
	q.close()
	q.ring[(q.first+q.sealed)%len(q.ring)] = q.cur
	q.sealed++
	q.queued += q.cur.n - q.cur.head
}

// close ends the filling of cur.
func (q *Intake[T]) close() {
	q.cur.n = q.n
	q.base += uint64(q.n)
	q.n = 0
}

// pop takes the oldest chunk out of the ring.
func (q *Intake[T]) pop() *Buffer[T] {
	b := q.ring[q.first]
	q.ring[q.first] = nil
	q.first = (q.first + 1) % len(q.ring)
	q.sealed--
	q.queued -= b.n - b.head
	return b
}

// evict drops the oldest waiting event, of which there is one, and returns
// its bytes. The slot is cleared, so a buffer that is evicted empty is clean.
func (q *Intake[T]) evict() (size int64) {
	why := EvictedCount
	if q.depth() < q.cfg.QueueSize {
		why = EvictedBytes
	}
	b := q.cur
	if q.sealed > 0 {
		b = q.ring[q.first]
	}
	var none T
	i := b.head
	if log := &q.drops[why]; log.events != nil {
		log.add(b.events[i])
	}
	b.events[i] = none
	if q.sized {
		size = b.sizes[i]
		b.bytes -= size
		q.held -= size
		q.bytes -= size
	}
	if !planted(faultMiscountEviction) || q.evicted[why]%8 != 7 {
		q.evicted[why]++
	}
	b.head++
	if q.sealed > 0 {
		q.queued--
		if b.head == b.n {
			q.pop()
			b.reset()
			q.spare = append(q.spare, b)
		}
	}
	return size
}
