package stage

// waiter is one blocked EnqueueWait. Whoever frees room appends the event for
// it, in the order of arrival, so that no later caller overtakes it.
type waiter[T any] struct {
	ev         T
	load       load
	turn       uint64     // numbers the waiters in the order of their arrival
	granted    bool       // the outcome is known; guarded by the intake's lock
	dozing     bool       // it is let in, and not told yet; likewise
	outcome    error      // what ready will bring
	ready      chan error // one slot: the outcome
	prev, next *waiter[T]
}

// waitRoom is the waiters, lesser and important events in a queue of their own
// each, and those waiters that are free.
type waitRoom[T any] struct {
	n         int
	lesser    waitList[T] // all, if all events are alike
	important waitList[T]
	turn      uint64          // of the latest
	known     waitList[T]     // those who are told their outcome when the lock is released
	dozing    waitList[T]     // those who are let in and told later
	dozers    int             // how many
	called    bool            // since the actor last came by one of them was told
	free      chan *waiter[T] // a channel, so that giving one back needs no lock
}

// waitList is a queue of waiters.
type waitList[T any] struct{ front, back *waiter[T] }

// keptWaiters is the number of free waiters that are kept.
const keptWaiters = 256

func (r *waitRoom[T]) list(important bool) *waitList[T] {
	if important {
		return &r.important
	}
	return &r.lesser
}

func (r *waitRoom[T]) add(ev *T, load load) *waiter[T] {
	var w *waiter[T]
	select {
	case w = <-r.free:
	default:
		w = &waiter[T]{ready: make(chan error, 1)}
	}
	r.turn++
	w.ev, w.load, w.turn, w.granted = *ev, load, r.turn, false
	r.list(load.important).push(w)
	r.n++
	return w
}

func (l *waitList[T]) push(w *waiter[T]) {
	w.prev = l.back
	if l.back == nil {
		l.front = w
	} else {
		l.back.next = w
	}
	l.back = w
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
}

func (r *waitRoom[T]) remove(w *waiter[T]) {
	r.list(w.load.important).remove(w)
	r.n--
}

// conclude takes w out of its queue: its outcome is err, of which it will be
// told when the lock is released.
func (r *waitRoom[T]) conclude(w *waiter[T], err error) {
	r.remove(w)
	w.granted, w.outcome = true, err
	r.known.push(w)
}

// doze leaves all whose outcome is known asleep but one, if none was told since
// the actor last took something.
//
// Callers that are told all at once share what room there is, and each parks
// again when its share is used up: with many of them that is a park and a wake-up
// for every few events. One alone fills the queue as fast, nobody contends with
// it, and the turn of the next comes when the actor comes by. Their events are in
// the queue, so nobody is overtaken; only their calls return later. It is for the
// actor to see that they do: it has all told when the queue runs empty, and when
// it is held up itself.
func (r *waitRoom[T]) doze() {
	for w := r.known.front; w != nil; w = r.known.front {
		r.known.remove(w)
		w.dozing = true
		r.dozing.push(w)
		r.dozers++
	}
	if w := r.dozing.front; w != nil && !r.called {
		r.called = true
		r.known.push(r.rise(w))
	}
}

// getUp has all told who doze.
func (r *waitRoom[T]) getUp() {
	for w := r.dozing.front; w != nil; w = r.dozing.front {
		r.known.push(r.rise(w))
	}
}

// rise takes w out of those who doze.
func (r *waitRoom[T]) rise(w *waiter[T]) *waiter[T] {
	r.dozing.remove(w)
	r.dozers--
	w.dozing = false
	return w
}

// tell wakes the waiters of a list that unlock has detached. It never blocks:
// the slot of each is empty until its one outcome is known. A waiter that was
// told may be used again at once.
func (l waitList[T]) tell() {
	for w := l.front; w != nil; {
		next := w.next
		w.prev, w.next = nil, nil
		w.ready <- w.outcome
		w = next
	}
}

// first returns the waiter that has waited longest, or nil.
func (r *waitRoom[T]) first() *waiter[T] {
	a, b := r.lesser.front, r.important.front
	if a == nil || b != nil && b.turn < a.turn {
		return b
	}
	return a
}

// ahead reports whether somebody waits for room whom an event must not
// overtake: for a lesser one that is everybody, for an important one those
// with important ones.
func (r *waitRoom[T]) ahead(important bool) bool {
	return r.n > 0 && (!important || r.important.front != nil)
}

// recycle keeps w for a later caller. Its goroutine has read its outcome.
func (r *waitRoom[T]) recycle(w *waiter[T]) {
	var none T
	w.ev = none
	select {
	case r.free <- w:
	default:
	}
}
