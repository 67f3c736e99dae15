package stage

import (
	"context"
	"errors"
	"io"
	"iter"
	"slices"
)

// simLane is a goroutine that calls user code: a coroutine, which the scheduler
// resumes when the call is to return.
type simLane struct {
	*sim
	label string
	own   context.Context       // the actor's, watched
	work  func()                // what it does now; nil: nothing
	until simTime               // when the call it is in returns
	heeds bool                  // or before, if its context ends
	sends simPort[Failure[int]] // what it leaves behind
	after func()                // when that is sent

	resume func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
}

func (s *sim) newLane(label string, to *simLink[Failure[int]]) *simLane {
	l := &simLane{sim: s, label: label, sends: simPort[Failure[int]]{s.failures, nil, to}}
	l.own, _ = Watched(s.ctx)
	l.resume, l.stop = iter.Pull(func(yield func(struct{}) bool) {
		for l.yield = yield; ; {
			l.work()
			l.work = nil
			if !yield(struct{}{}) {
				return
			}
		}
	})
	s.lanes = append(s.lanes, l)
	return l
}

func (l *simLane) name() string { return l.label }

func (l *simLane) idle() bool { return l.work == nil && !l.sends.busy() && l.after == nil }

func (l *simLane) over() bool { return l.idle() }

func (l *simLane) next() simTime {
	switch {
	case l.idle():
		return simNever
	case l.work == nil:
		if l.sends.busy() {
			return l.sends.next()
		}
		return 0
	case l.heeds && l.ctx.Err() != nil:
		return 0
	}
	return l.until
}

func (l *simLane) step() {
	switch {
	case l.work != nil:
		l.run()
	case l.sends.busy():
		l.sends.send()
	}
	if l.work == nil && !l.sends.busy() && l.after != nil {
		l.after()
		l.after = nil
	}
}

// start begins work, and goes on until it is inside a call, or done.
func (l *simLane) start(work, after func()) {
	l.work, l.after = work, after
	l.run()
}

func (l *simLane) run() {
	l.inside = l
	l.resume()
	l.inside = nil
	for _, f := range l.sends.gather() {
		if l.sends.to == &l.settled {
			l.books.settledAs(f)
		}
	}
}

// dwell is the time that user code takes: mostly none, sometimes longer than
// anybody waits, and not always with an ear for its context.
func (l *simLane) dwell() error {
	l.until, l.heeds = l.now, l.one(2)
	switch l.r.IntN(12) {
	case 0:
		l.until = l.soon(150)
	case 1, 2, 3:
		l.until = l.soon(8)
	case 4, 5, 6:
		return nil
	}
	l.yield(struct{}{})
	if l.heeds && l.ctx.Err() != nil {
		return context.Cause(l.ctx)
	}
	return nil
}

// simLoan is a slice that somebody goes on reading, and what has to be in it.
type simLoan struct{ events, given []int }

// simSink is a sink, or a route's, with moods.
type simSink struct {
	*sim
	main    bool // else a route's
	writing int
	closed  bool
}

var errSimDown = errors.New("down")

func (k *simSink) Write(ctx context.Context, events []int) error {
	k.writing++
	defer func() { k.writing-- }()
	if most := max(1, k.workers); k.closed || !k.main && k.writing > 1 || k.writing > most {
		k.wrong("%d calls of a sink at once, closed: %v", k.writing, k.closed)
	}
	given := slices.Clone(events)
	k.books.enter(given, k.main)
	err := k.inside.dwell()
	if !slices.Equal(given, events) {
		k.wrong("the events of a call were %v, and became %v", given, events)
	}
	if k.one(16) {
		Forfeit(ctx) // as a decorator does that has given up a call
		k.loans = append(k.loans, simLoan{events, given})
		k.saw(simForfeit)
	}
	return k.end(given, err)
}

// end decides how a call ends.
func (k *simSink) end(events []int, err error) error {
	all := make([]int, len(events))
	for i := range all {
		all[i] = i
	}
	to := simRerouted
	if k.main {
		to = simDelivered
	}
	failed := all
	paniced := false
	if err == nil {
		switch k.r.IntN(12) {
		case 0:
			err = errSimDown
		case 1:
			err = Permanent(errSimDown)
		case 2:
			failed, err = k.some(events)
		case 3:
			err = &PartialError{Failed: []int{len(events)}, Err: io.ErrShortWrite}
		case 4:
			paniced = k.one(8) // a stack is dear
		default:
			failed = nil
		}
	}
	k.books.leave(events, failed, to, paniced)
	switch {
	case paniced:
		k.saw(simPanic)
		panic("sink")
	case len(failed) > 0 && !k.main:
		k.saw(simRouteFailure)
	case len(failed) < len(events) && !k.main:
		k.saw(simReroute)
	}
	if len(failed) > 0 && err == nil {
		err = errSimDown
	}
	return err
}

// some makes an error about some of the events, in any order.
func (k *simSink) some(events []int) (failed []int, err error) {
	failed = k.r.Perm(len(events))[:k.among(len(events))]
	if len(failed) < len(events) {
		k.saw(simPartial)
	}
	return failed, &PartialError{Failed: slices.Clone(failed), Err: errSimDown}
}

func (k *simSink) Flush(context.Context) error {
	if k.writing > 0 || k.closed {
		k.wrong("Flush with %d calls of Write, closed: %v", k.writing, k.closed)
	}
	return k.inside.dwell()
}

// Close is called when the router has ended, and nobody writes any more.
func (k *simSink) Close() error {
	if k.writing > 0 || k.closed {
		k.wrong("Close with %d calls of Write, closed: %v", k.writing, k.closed)
	}
	k.closed = true
	return nil
}
