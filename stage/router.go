package stage

import (
	"context"
	"errors"
)

// ErrorRouter is the fourth actor. It takes each failure to the first route
// that matches, what that route fails to take to the next, settles the
// outcome, and reports it. Nobody else calls a route's sink that is not the
// pipeline's own, too, until the actors have ended: then their starter flushes
// and closes it.
type ErrorRouter[T any] struct {
	Routes []Route[T]
	Ledger *Ledger
	// Settled receives each failure once its outcome is final; events of one
	// failure that ended differently come in several. nil: nobody asks.
	Settled chan<- Failure[T]
	// Sync receives requests to flush the routes' sinks. Many send, nobody
	// closes it.
	Sync chan SyncRequest
	// Intake is where events come from that overflow sends to the routes; nil:
	// nowhere. Set before Run.
	Intake *Intake[T]

	names  []string // the routes' sinks'
	meters []meter  // of calls of the routes' sinks
}

// NewErrorRouter returns a router with its channel made.
func NewErrorRouter[T any](routes []Route[T], ledger *Ledger, settled chan<- Failure[T]) *ErrorRouter[T] {
	r := &ErrorRouter[T]{Routes: routes, Ledger: ledger, Settled: settled, Sync: make(chan SyncRequest), meters: make([]meter, len(routes))}
	for _, to := range routes {
		r.names = append(r.names, NameOf(to.To))
	}
	return r
}

// Name is "router".
func (r *ErrorRouter[T]) Name() string { return "router" }

// Run returns when failed is closed. The intake must be sealed and empty by
// then: what overflow has spilled is settled before.
func (r *ErrorRouter[T]) Run(ctx context.Context, failed <-chan Failure[T]) error {
	var spilled <-chan struct{}
	if r.Intake != nil {
		spilled = r.Intake.spills.notice
	}
	for {
		select { // asked for first, so that failures do not hold it up
		case s := <-r.Sync:
			r.flush(ctx, s)
		default:
		}
		select {
		case f, ok := <-failed:
			if !ok {
				for r.spill(ctx) {
				}
				return nil
			}
			r.receive(ctx, f)
		case <-spilled:
			r.spill(ctx)
		case s := <-r.Sync:
			r.flush(ctx, s)
		}
	}
}

// receive routes f. Its error may be a custom stage's, which nobody has asked yet.
func (r *ErrorRouter[T]) receive(ctx context.Context, f Failure[T]) {
	f.Err = guard(ctx, &f.Stage, func() error { return f.Err }, func(exit error) {
		f.Err = exit
		r.route(ctx, f, 0)
	})
	r.route(ctx, f, 0)
}

// spill offers the next spilled events to the routes. It reports false if
// there are none.
func (r *ErrorRouter[T]) spill(ctx context.Context) bool {
	if r.Intake == nil {
		return false
	}
	f, ok := r.Intake.fetch()
	if ok {
		r.route(ctx, f, 0)
	}
	return ok
}

// route offers f to the routes in order, from the i-th on, and ends as lost
// what none of them takes.
func (r *ErrorRouter[T]) route(ctx context.Context, f Failure[T], i int) {
	if len(f.Events) == 0 && f.receipt == (Receipt{}) {
		return // of a stage that failed nothing
	}
	for ; i < len(r.Routes) && len(f.Events) > 0 && ctx.Err() == nil; i++ {
		if r.matches(ctx, i, &f) && r.offer(ctx, i, &f) {
			return
		}
	}
	if !r.settle(f, Lost, nil) && r.Ledger.over() {
		why := lossOf(f.Err)
		if why != LossDeadline && why != LossInDoubt {
			f.Err, why = errors.Join(ErrAbandoned, f.Err), LossDeadline // why it was settled, whatever it failed for
		}
		r.report(f, Lost, why)
	}
}

// matches asks a route's predicate. One that panics does not match, and its
// panic joins the cause. One that ends the goroutine does not match either:
// what is to be done is then done on the way out.
func (r *ErrorRouter[T]) matches(ctx context.Context, i int, f *Failure[T]) (yes bool) {
	to := &r.Routes[i]
	if to.Match == nil {
		return true
	}
	err := guard(ctx, &r.names[i], func() error { yes = to.Match(f.Err); return nil }, func(err error) {
		f.Err = errors.Join(f.Err, err)
		r.route(ctx, *f, i+1)
	})
	if err != nil {
		f.Err = errors.Join(f.Err, err)
		return false
	}
	return yes
}

// offer writes f to a route and reports whether nothing of it is left. What is
// left is in f, with the route's error joined to its cause.
func (r *ErrorRouter[T]) offer(ctx context.Context, i int, f *Failure[T]) bool {
	to := &r.Routes[i]
	if r.Ledger.enter(f.receipt, len(f.Events), r.meters[i].begin) != mayCall {
		return false
	}
	clk, total := Clock(ctx), len(f.Events)
	began := clk.Now()
	if f.First.IsZero() {
		f.First = began
	}
	var how ending
	note := func() { r.meters[i].end(f.Last.Sub(began), total, len(f.Events), how) }
	err := guard(ctx, &r.names[i], func() error { return WriteFailure(ctx, to.To, *f) }, func(exit error) {
		how = panicked
		f.called(clk.Now())
		r.left(f, exit, note)
		r.route(ctx, *f, i+1)
	})
	how = endingOf(err)
	f.called(clk.Now())
	if err == nil && r.settle(*f, Rerouted, note) {
		return true
	}
	if indexes := FailedIndexes(err, len(f.Events)); len(indexes) > 0 && len(indexes) < len(f.Events) {
		if rest, ok := r.Ledger.settlePart(f.receipt, len(indexes), Rerouted); ok {
			taken := *f
			f.receipt = rest
			f.Events, taken.Events = divide(f.Events, indexes)
			r.report(taken, Rerouted, 0)
		}
	}
	r.left(f, err, note)
	return false
}

// Calls returns what was counted of the calls of the i-th route's sink.
func (r *ErrorRouter[T]) Calls(i int) SinkCalls { return r.meters[i].read(r.names[i]) }

// left notes that a route has failed to take f.
func (r *ErrorRouter[T]) left(f *Failure[T], err error, note func()) {
	f.Err = errors.Join(f.Err, err)
	if inDoubt := r.Ledger.leave(f.receipt, note); inDoubt {
		f.Err = errors.Join(ErrInDoubt, f.Err) // the verdict came first, whatever the route says
	}
}

// settle closes the books on f and reports it. It returns false if the ledger
// refuses: what it refuses as a second settlement is nobody's business, and
// what it refuses as too late has been lost.
func (r *ErrorRouter[T]) settle(f Failure[T], o Outcome, note func()) bool {
	why := lossOf(f.Err)
	if !r.Ledger.finish(f.receipt, o, why, note) {
		return false
	}
	r.report(f, o, why)
	return true
}

// report hands a failure with its final outcome to whoever asked; why counts if
// that is Lost.
func (r *ErrorRouter[T]) report(f Failure[T], o Outcome, why Loss) {
	if r.Settled == nil || len(f.Events) == 0 {
		return
	}
	f.Outcome, f.receipt = o, Receipt{}
	if o == Lost {
		f.Loss = why
	}
	r.Settled <- f
	if planted(faultReportTwice) {
		r.Settled <- f
	}
}

// lossOf is the reason for losing events that failed with err.
func lossOf(err error) Loss {
	var p *PanicError
	switch {
	case errors.Is(err, ErrInDoubt):
		return LossInDoubt
	case errors.Is(err, ErrAbandoned):
		return LossDeadline
	case errors.Is(err, ErrDead):
		return LossDead
	case errors.Is(err, ErrOverflow):
		return LossOverflow
	case errors.As(err, &p):
		return LossPanic
	}
	return LossFailed
}

// flush flushes the sinks of the routes behind those that have answered with
// errs, and replies for all. If one ends the goroutine, the others' turn comes on
// the way out.
func (r *ErrorRouter[T]) flush(ctx context.Context, s SyncRequest, errs ...error) {
	for i := len(errs); i < len(r.Routes); i++ {
		to := r.Routes[i].To
		err := guard(ctx, &r.names[i], func() error { return FlushSink(ctx, to) }, func(exit error) {
			r.flush(ctx, s, append(errs, exit)...)
		})
		errs = append(errs, err)
	}
	s.Reply <- errors.Join(errs...)
}

// divide copies the events at the ascending indexes out of events, and the
// others.
func divide[T any](events []T, indexes []int) (at, others []T) {
	at = make([]T, 0, len(indexes))
	others = make([]T, 0, len(events)-len(indexes))
	for i, ev := range events {
		if len(at) < len(indexes) && indexes[len(at)] == i {
			at = append(at, ev)
		} else {
			others = append(others, ev)
		}
	}
	return at, others
}
