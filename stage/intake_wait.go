package stage

import (
	"context"
	"time"
)

// EnqueueWait accepts *ev as soon as there is room, first come first served,
// except that important events do not wait for lesser ones that the reserve
// keeps out.
// If ctx ends first it returns ctx's error and the queue is as it was; a ctx
// that has ended does not matter while there is room. A ctx of the owner's is
// refused with ErrReentrant. It does not retain ev.
func (q *Intake[T]) EnqueueWait(ctx context.Context, ev *T) error {
	if Within(ctx, q.cfg.Owner) {
		return ErrReentrant
	}
	if q.asks {
		return q.enqueueWaitAsked(ctx, ev)
	}
	_ = *ev              // nil panics without the lock
	if !q.mu.TryLock() { // mu.lock, by hand: it is not inlined
		q.mu.lockSlow()
	}
	if n := q.n; n < q.free {
		q.buf[n] = *ev
		q.n = n + 1
		q.mu.Unlock()
		return nil
	}
	return q.await(ctx, ev, load{})
}

func (q *Intake[T]) enqueueWaitAsked(ctx context.Context, ev *T) error {
	l, err := q.measure(ev)
	q.mu.lock()
	if err != nil {
		err = q.refuse(err)
		q.mu.leave()
		return err
	}
	return q.await(ctx, ev, l)
}

// await is entered with the lock held and leaves with it released.
func (q *Intake[T]) await(ctx context.Context, ev *T, l load) error {
	w, err := q.lineUp(ev, l)
	if w == nil {
		return err
	}
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

// lineUp accepts or refuses *ev if that can be said at once, or else returns
// its place in the queue of waiters. It is entered with the lock held and leaves
// with it released.
func (q *Intake[T]) lineUp(ev *T, l load) (*waiter[T], error) {
	now := q.look(l, time.Time{})
	sig := q.grant(now) // before *ev finds that it has room: admit does so, too, and would then overflow
	if q.refusal != nil || !q.waiters.ahead(l.important) && q.fits(l) {
		s, err := q.admit(ev, l, now)
		q.unlock(sig | s)
		return nil, err
	}
	w := q.waiters.add(ev, l)
	q.limit()
	q.unlock(sig | q.rouse())
	return w, nil
}

// giveUp takes w out of the queue of waiters, unless its outcome came first.
func (q *Intake[T]) giveUp(ctx context.Context, w *waiter[T]) error {
	q.enter()
	switch {
	case w.dozing:
		err := q.waiters.rise(w).outcome
		q.mu.leave()
		return err
	case w.granted:
		q.mu.leave()
		return <-w.ready
	}
	q.waiters.remove(w)
	q.rejected[RefusedCanceled]++
	q.letIn(false)
	return ctx.Err()
}

// letIn is entered with the lock held and leaves with it released, and with no
// waiter that there is room for. Of those it lets in, all but one may doze if
// doze is set; it reports whether any do.
func (q *Intake[T]) letIn(doze bool) (dozing bool) {
	var now time.Time
	if w := q.turn(); w != nil {
		now = q.look(w.load, now)
	}
	sig := q.grant(now)
	if doze {
		q.waiters.doze()
	}
	dozing = q.waiters.dozers > 0
	q.limit()
	q.unlock(sig)
	return dozing
}

// turn returns the waiter to be let in next, or nil: the one that came first,
// if there is room for it. One that the reserve keeps out does not hold up the
// important ones behind it.
func (q *Intake[T]) turn() *waiter[T] {
	w := q.waiters.first()
	if w == nil || q.fits(w.load) {
		return w
	}
	if w = q.waiters.important.front; w != nil && q.fits(w.load) {
		return w
	}
	return nil
}

// grant appends the events of waiters while there is room.
func (q *Intake[T]) grant(now time.Time) (sig signals) {
	for w := q.turn(); w != nil; w = q.turn() {
		q.waiters.conclude(w, nil)
		sig |= q.push(&w.ev, w.load, now)
	}
	return sig
}

// relieve lets waiters in before the actor blocks, so that no room stays
// unused. Otherwise take lets them in when half of the queue is free: every
// one of them that finds the queue full again costs a park and a wake-up. It
// reports whether some doze, as they may only if doze is set: unless the actor
// comes by soon, it has to call getUp.
func (q *Intake[T]) relieve(doze bool) (dozing bool) {
	q.enter()
	return q.letIn(doze)
}

// getUp lets the calls of all return whose events are in the queue.
func (q *Intake[T]) getUp() {
	q.enter()
	q.waiters.getUp()
	q.unlock(0)
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
	q.enter()
	if q.over {
		q.mu.leave()
		return
	}
	q.bytes -= bytes
	q.letIn(false)
}
