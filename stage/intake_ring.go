package stage

import (
	"runtime"
	"time"
)

// What happens under the intake's lock. Nothing here can fail, allocates on
// the steady path, or calls user code.

// signals are the wake-ups owed once the lock is released.
type signals uint8

const (
	wakeActor signals = 1 << iota
	tellObserver
	wakeRouter
	giveWay // to the actors, which may want a processor
)

// enter takes the lock for anything but a producer's short way.
func (q *Intake[T]) enter() {
	q.mu.visit()
	q.trim()
}

// unlock releases the lock and pays what is owed: the signals, and their
// outcome to waiters. Waking a goroutine takes longer than all that happens
// under the lock.
func (q *Intake[T]) unlock(s signals) {
	known := q.waiters.known
	q.waiters.known = waitList[T]{}
	q.mu.leave()
	q.signal(s)
	known.tell()
	if s&giveWay != 0 {
		runtime.Gosched()
	}
}

// signal pays them. The channels have one slot each, and a full slot means that
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
	if s&wakeRouter != 0 {
		select {
		case q.spills.notice <- struct{}{}:
		default:
		}
	}
}

// depth is the number of waiting events.
func (q *Intake[T]) depth() int { return q.kept.events + q.ring.events + q.n - q.cur.head }

func (q *Intake[T]) accepted() uint64 { return q.base + uint64(q.n) }

// passed is the number of the latest event that is neither in ring nor in cur,
// among those before them.
func (q *Intake[T]) passed() uint64 {
	return q.accepted() - uint64(q.ring.events+q.n-q.cur.head)
}

// left is the number up to which all events have left the queue.
func (q *Intake[T]) left() uint64 {
	if q.kept.n > 0 {
		b := q.kept.front()
		return b.numbers[b.head] - 1
	}
	return q.passed()
}

// fits reports whether an event has room.
func (q *Intake[T]) fits(l load) bool {
	if q.depth() >= q.cfg.QueueSize || q.cfg.QueueBytes > 0 && l.size > q.cfg.QueueBytes-q.bytes {
		return false
	}
	return !q.ranked || l.important || q.lessers() < q.cfg.LesserSize && (q.cfg.QueueBytes == 0 || l.size <= q.lesserBytes())
}

// admit takes the slow way for one event of an Enqueue. now is what look has
// returned.
func (q *Intake[T]) admit(ev *T, l load, now time.Time) (signals, error) {
	if q.refusal != nil {
		q.rejected[q.why]++
		return 0, q.refusal
	}
	sig := q.grant(now) // room that take has left for later is theirs
	if !q.waiters.ahead(l.important) && q.fits(l) {
		return sig | q.push(ev, l, now), nil
	}
	var err error
	switch {
	case q.cfg.Overflow == DropOldest && q.makeRoom(l):
		sig |= q.push(ev, l, now)
	case q.spillNew(ev, l):
	default:
		if !planted(faultRejectUncounted) {
			q.rejected[RefusedFull]++
		}
		if l.important {
			q.grave.full++
		}
		err = ErrFull
	}
	if q.flood.overflowed() {
		sig |= giveWay
	}
	// What was evicted may have been larger than what came in its place.
	sig |= q.grant(now)
	q.rearm()
	q.limit()
	return sig | q.observe() | q.alert(), err
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
func (q *Intake[T]) push(ev *T, l load, now time.Time) signals {
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
		q.cur.sizes[q.n] = l.size
		q.cur.bytes += l.size
		q.held += l.size
		q.bytes += l.size
	}
	if q.ranked {
		q.rank(l)
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
	if q.asks || q.refusal != nil || q.state == idle || q.waiters.n > 0 || q.n == 0 {
		q.lim, q.free = 0, 0
		return
	}
	free := q.cfg.QueueSize - q.depth()
	room := free
	if q.lazy {
		room += lateSize
	}
	if q.armed && q.cfg.PressureAt > 0 {
		room = min(room, q.cfg.PressureAt-1-q.depth())
	}
	if q.state == paced {
		room = min(room, q.highDepth()-1-q.depth())
	}
	q.lim = min(len(q.buf), q.n+room)
	q.free = min(q.lim, q.n+free)
}

// half reports whether half of the queue, or of the bytes, is taken, which ends
// the actor's pause.
func (q *Intake[T]) half() bool {
	return q.depth() >= q.highDepth() || q.cfg.QueueBytes > 0 && q.bytes >= q.cfg.QueueBytes/2 || q.ranked && q.halfLesser()
}

// highDepth is the depth that ends the actor's pause.
func (q *Intake[T]) highDepth() int { return max(1, q.cfg.QueueSize/2) }

// open makes a clean buffer current.
func (q *Intake[T]) open() {
	k := len(q.spare) - 1
	q.cur, q.spare = q.spare[k], q.spare[:k]
	q.buf, q.n = q.cur.events[:q.stride()], 0
	q.limit()
}

// stride is the number of events that the next chunk is to have: as many as bring
// chunks back into step with batches, if there are buffers enough for one that
// is not full.
func (q *Intake[T]) stride() int {
	size := q.cfg.ChunkSize
	if q.cfg.Step == nil {
		return size
	}
	short := size - q.cfg.Step.ahead(q.hauled+uint64(q.ring.events), size)
	if rest := q.cfg.QueueSize - q.depth() - short; len(q.spare) <= (rest+size-1)/size {
		return size
	}
	return short
}

// seal closes cur and appends it to the ring. The caller opens another.
func (q *Intake[T]) seal() {
	q.close()
	q.ring.push(q.cur)
}

// close ends the filling of cur.
func (q *Intake[T]) close() {
	q.cur.n = q.n
	q.base += uint64(q.n)
	q.n = 0
}
