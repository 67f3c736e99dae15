package stage

import (
	"fmt"
	"slices"
)

// simCloser calls Close, and does what the supervisor does then.
type simCloser struct {
	*sim
	at       simTime // when Close is called, and then its deadline
	patience simTime
	last     *simLink[Batch[int]]
	ends     []simActor // what has ended when nothing can be called any more
}

func (a *simCloser) name() string { return "closer" }

func (a *simCloser) over() bool { return a.judged }

func (a *simCloser) next() simTime {
	switch {
	case a.judged:
		return simNever
	case a.sealed && a.all():
		return 0
	}
	return a.at
}

// all reports whether all that may call a sink has ended.
func (a *simCloser) all() bool {
	return !slices.ContainsFunc(a.ends, func(e simActor) bool { return !e.over() })
}

func (a *simCloser) step() {
	switch {
	case !a.sealed:
		a.sealed, a.at = true, a.now+a.patience
		if a.books.is.Depth > 0 || a.books.is.InFlight > 0 {
			a.saw(simBuffered)
		}
		a.q.Seal(ErrClosed, RefusedClosed)
	case a.all():
		a.judged = true
	default:
		a.judged = true
		a.force()
	}
}

// force ends the pipeline at Close's deadline.
func (a *simCloser) force() {
	a.forced = true
	a.saw(simForced)
	a.settled.senders += simSweepers
	back, inDoubt := a.q.Abandon(LossDeadline)
	a.books.abandoned(back, LossDeadline, inDoubt)
	if inDoubt > 0 {
		a.saw(simAbandoned)
	}
	a.cancel(fmt.Errorf("%w: too late", ErrAbandoned))
	waiting := &simLink[Batch[int]]{queue: back}
	for _, l := range []*simLink[Batch[int]]{waiting, a.last} {
		a.actors = append(a.actors, &simSweeper{sim: a.sim, in: l, out: simPort[Failure[int]]{a.failures, nil, &a.settled}})
	}
}

const simSweepers = 3

// simSweeper takes in, after a forced end, what leads to a flusher that may not
// return.
type simSweeper struct {
	*sim
	in    *simLink[Batch[int]]
	out   simPort[Failure[int]]
	ended bool
}

func (a *simSweeper) name() string { return "sweeper" }

func (a *simSweeper) over() bool { return a.ended }

func (a *simSweeper) next() simTime {
	switch {
	case a.ended:
		return simNever
	case a.out.busy():
		return a.out.next()
	case a.in.due():
		return 0
	}
	return simNever
}

func (a *simSweeper) step() {
	if a.out.busy() {
		a.out.send()
		return
	}
	b, ok := a.in.receive()
	switch {
	case !ok:
		a.ended = true
		a.settled.senders--
	case len(b.Events) > 0:
		a.out.c <- Failure[int]{Events: b.Events, Err: ErrAbandoned, Outcome: Lost, Loss: LossDeadline}
		for _, f := range a.out.gather() {
			a.books.settledAs(f)
		}
	}
}
