package stage

import (
	"context"
	"time"
)

// waiter is one blocked EnqueueWait. Whoever frees room appends the event for
// it, in the order of arrival, so that no later caller overtakes it.
type waiter[T any] struct {
	ev         T
	size       int64
	granted    bool       // guarded by the intake's lock
	ready      chan error // one slot: the outcome
	prev, next *waiter[T]
}

// waitList is the queue of waiters, and those that are free.
type waitList[T any] struct {
	n           int
	front, back *waiter[T]
	free        chan *waiter[T] // a channel, so that giving one back needs no lock
}

// keptWaiters is the number of free waiters that are kept.
const keptWaiters = 256

func (l *waitList[T]) add(ev *T, size int64) *waiter[T] {
	var w *waiter[T]
	select {
	case w = <-l.free:
	default:
		w = &waiter[T]{ready: make(chan error, 1)}
	}
	w.ev, w.size, w.granted, w.prev = *ev, size, false, l.back
	if l.back == nil {
		l.front = w
	} else {
		l.back.next = w
	}
	l.back = w
	l.n++
	return w
}

func (l *waitList[T]) remove(w *waiter[T]) {
	if w.prev == nil {
		l.front = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.back = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
	l.n--
}

// recycle keeps w for a later caller. Its goroutine has read its outcome.
func (l *waitList[T]) recycle(w *waiter[T]) {
	var none T
	w.ev = none
	select {
	case l.free <- w:
	default:
	}
}

// EnqueueWait accepts *ev as soon as there is room, first come first served.
// If ctx ends first it returns ctx's error and the queue is as it was; a ctx
// that has ended does not matter while there is room. It does not retain ev.
func (q *Intake[T]) EnqueueWait(ctx context.Context, ev *T) error {
	var size int64
	if q.sized {
		var err error
		if size, err = q.measure(ev); err != nil {
			q.mu.lock()
			defer q.mu.Unlock()
			return q.refuse(err)
		}
	}
	if !q.mu.TryLock() { // mu.lock, by hand: it is not inlined
		q.mu.lockSlow()
	}
	if n := q.n; n < q.lim {
		q.buf[n] = *ev
		q.n = n + 1
		q.mu.Unlock()
		return nil
	}
	now := q.look(size, time.Time{})
	if q.refusal != nil || q.waiters.n == 0 && q.fits(size) {
		return q.accept(ev, size, now)
	}
	w := q.waiters.add(ev, size)
	q.limit()
	sig := q.rouse()
	q.mu.Unlock()
	q.signal(sig)

	var err error
	if ended := ctx.Done(); ended == nil {
		err = <-w.ready // costs half of what a select does
	} else {
		select {
		case err = <-w.ready:
		case <-ended:
			err = q.giveUp(ctx, w)
		}
	}
	q.waiters.recycle(w)
	return err
}

// giveUp takes w out of the queue of waiters, unless its outcome came first.
func (q *Intake[T]) giveUp(ctx context.Context, w *waiter[T]) error {
	q.mu.lock()
	if w.granted {
		q.mu.Unlock()
		return <-w.ready
	}
	q.waiters.remove(w)
	q.rejected[RefusedCanceled]++
	q.letIn()
	return ctx.Err()
}

// letIn is entered with the lock held and leaves with it released, and with no
// waiter that there is room for.
func (q *Intake[T]) letIn() {
	var now time.Time
	if w := q.waiters.front; w != nil && q.fits(w.size) {
		now = q.look(w.size, now)
	}
	sig := q.grant(now)
	q.limit()
	q.mu.Unlock()
	q.signal(sig)
}

// grant appends the events of waiters while there is room. A send on ready
// never blocks: the slot is empty until the one outcome is known.
func (q *Intake[T]) grant(now time.Time) (sig signals) {
	for w := q.waiters.front; w != nil && q.fits(w.size); w = q.waiters.front {
		q.waiters.remove(w)
		w.granted = true
		sig |= q.push(&w.ev, w.size, now)
		w.ready <- nil
	}
	return sig
}

// relieve lets waiters in before the actor blocks, so that no room stays
// unused. Otherwise take lets them in when half of the queue is free: every
// one of them that finds the queue full again costs a park and a wake-up.
func (q *Intake[T]) relieve() {
	q.mu.lock()
	q.letIn()
}

// rouse wakes the actor if it rests.
func (q *Intake[T]) rouse() signals {
	if q.state == running {
		return 0
	}
	q.state = running
	q.limit()
	return wakeActor
}

// release gives back the bytes of a settled batch.
func (q *Intake[T]) release(bytes int64) {
	q.mu.lock()
	if q.over {
		q.mu.Unlock()
		return
	}
	q.bytes -= bytes
	q.letIn()
}
