package stage

import (
	"context"
	"errors"
)

// ErrorRouter is the fourth actor. It takes each failure to the first route
// that matches, what that route fails to take to the next, settles the
// outcome, and reports it. It is the only caller of the routes' sinks.
type ErrorRouter[T any] struct {
	Routes []Route[T]
	Ledger *Ledger
	// Settled receives each failure once its outcome is final; events of one
	// failure that ended differently come in several. nil: nobody asks.
	Settled chan<- Failure[T]
	// Sync receives requests to flush the routes' sinks. Many send, nobody
	// closes it.
	Sync chan SyncRequest

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

// Run returns when failed is closed.
func (r *ErrorRouter[T]) Run(ctx context.Context, failed <-chan Failure[T]) error {
	for {
		select { // asked for first, so that failures do not hold it up
		case s := <-r.Sync:
			r.flush(ctx, s)
		default:
		}
		select {
		case f, ok := <-failed:
			if !ok {
				return nil
			}
			r.route(ctx, f, 0)
		case s := <-r.Sync:
			r.flush(ctx, s)
		}
	}
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
		r.report(f, Lost)
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
	var err error
	note := func() { r.meters[i].end(f.Last.Sub(began), total, len(f.Events), err) }
	err = guard(ctx, &r.names[i], func() error { return WriteFailure(ctx, to.To, *f) }, func(exit error) {
		err = exit
		f.called(clk.Now())
		r.left(f, err, note)
		r.route(ctx, *f, i+1)
	})
	f.called(clk.Now())
	if err == nil && r.settle(*f, Rerouted, note) {
		return true
	}
	if indexes := FailedIndexes(err, len(f.Events)); len(indexes) > 0 && len(indexes) < len(f.Events) {
		if rest, ok := r.Ledger.settlePart(f.receipt, len(indexes), Rerouted); ok {
			taken := *f
			f.receipt = rest
			f.Events, taken.Events = divide(f.Events, indexes)
			r.report(taken, Rerouted)
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
	if !r.Ledger.finish(f.receipt, o, lossOf(f.Err), note) {
		return false
	}
	r.report(f, o)
	return true
}

// report hands a failure with its final outcome to whoever asked.
func (r *ErrorRouter[T]) report(f Failure[T], o Outcome) {
	if r.Settled == nil || len(f.Events) == 0 {
		return
	}
	f.Outcome, f.receipt = o, Receipt{}
	if o == Lost {
		f.Loss = lossOf(f.Err)
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
	case errors.As(err, &p):
		return LossPanic
	}
	return LossFailed
}

func (r *ErrorRouter[T]) flush(ctx context.Context, s SyncRequest) {
	var errs []error
	reply := func(err error) { s.Reply <- errors.Join(append(errs, err)...) }
	for i := range r.Routes {
		to := r.Routes[i].To
		if err := guard(ctx, &r.names[i], func() error { return FlushSink(ctx, to) }, reply); err != nil {
			errs = append(errs, err)
		}
	}
	reply(nil)
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
