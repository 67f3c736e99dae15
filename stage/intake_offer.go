package stage

import (
	"errors"
	"time"
)

// Enqueue accepts *ev or says why not. It never blocks and does not retain ev.
func (q *Intake[T]) Enqueue(ev *T) error {
	if q.asks {
		return q.enqueueAsked(ev)
	}
	_ = *ev              // nil panics without the lock
	if !q.mu.TryLock() { // mu.lock, by hand: it is not inlined
		q.mu.lockSlow()
	}
	n := q.n
	if n >= q.lim {
		return q.enqueueSlow(ev, load{})
	}
	q.buf[n] = *ev
	q.n = n + 1
	q.mu.Unlock()
	return nil
}

func (q *Intake[T]) enqueueAsked(ev *T) error {
	l, err := q.measure(ev)
	q.mu.lock()
	if err != nil {
		err = q.refuse(err)
		q.mu.Unlock()
		return err
	}
	return q.enqueueSlow(ev, l)
}

// enqueueSlow is entered with the lock held and leaves with it released.
func (q *Intake[T]) enqueueSlow(ev *T, l load) error {
	sig, err := q.admit(ev, l, q.look(l, time.Time{}))
	q.unlock(sig)
	return err
}

// look returns the time if an event that may now be accepted, one of the given
// load or a waiter's, is the first of its chunk; else, or if it is known, it
// returns known. The clock may be the user's, so it is read with the lock
// released: the caller has not acted yet on what it saw under the lock.
func (q *Intake[T]) look(l load, known time.Time) time.Time {
	q.trim()
	due := q.fits(l) || q.cfg.Overflow == DropOldest || q.turn() != nil
	if !known.IsZero() || !due || q.refusal != nil || q.waiters.n == 0 && !q.fresh() {
		return known
	}
	q.mu.leave()
	now := q.clock.Now()
	q.enter()
	return now
}

// refuse counts an event that measure refused with err, and returns why it is
// refused: a closed queue refuses everything alike.
func (q *Intake[T]) refuse(err error) error {
	why := RefusedInvalid
	switch {
	case q.refusal != nil:
		why, err = q.why, q.refusal
	case err == ErrTooLarge:
		why = RefusedTooLarge
	}
	q.rejected[why]++
	return err
}

// load is what an event takes of the queue.
type load struct {
	size      int64
	important bool
}

// measure asks the size function and whether the event is important. It runs
// before the lock is taken, and its result is stored beside the event and never
// asked for again.
func (q *Intake[T]) measure(ev *T) (l load, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.Join(ErrInvalid, NewPanicError(r))
		}
	}()
	if q.ranked {
		l.important = q.cfg.Important(*ev)
	}
	if !q.sized {
		return l, nil
	}
	l.size = int64(q.cfg.SizeOf(*ev))
	bound := q.cfg.QueueBytes
	if q.ranked && !l.important {
		bound = q.cfg.LesserBytes
	}
	switch limit := q.cfg.MaxEventBytes; {
	case l.size < 0:
		return l, ErrInvalid
	case limit > 0 && l.size > limit, q.cfg.QueueBytes > 0 && l.size > bound:
		return l, ErrTooLarge
	}
	return l, nil
}

// EnqueueAll offers every event and returns the number accepted. refused is
// called, without a lock, for each of the others.
func (q *Intake[T]) EnqueueAll(evs []T, refused func(i int, err error)) (accepted int) {
	const run = 64 // events a lock is held for
	var (
		loads [run]load
		errs  [run]error
		sig   signals
		whole bool
	)
	defer func() {
		if !whole { // the clock has paniced, or refused: what is owed is paid all the same
			q.enter()
			q.unlock(sig)
		}
	}()
	for at := 0; at < len(evs); at += run {
		part := evs[at:min(at+run, len(evs))]
		if q.asks {
			for i := range part {
				loads[i], errs[i] = q.measure(&part[i])
			}
		}
		var now time.Time
		q.mu.lock()
		for i := range part {
			switch {
			case errs[i] != nil:
				errs[i] = q.refuse(errs[i])
			case q.n < q.lim:
				q.buf[q.n] = part[i]
				q.n++
			default:
				var s signals
				now = q.look(loads[i], now)
				s, errs[i] = q.admit(&part[i], loads[i], now)
				sig |= s
			}
		}
		q.unlock(sig)
		sig = 0
		for i := range part {
			if errs[i] == nil {
				accepted++
				continue
			}
			refused(at+i, errs[i])
			errs[i] = nil
		}
	}
	whole = true
	return accepted
}
