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

	names []string // the routes' sinks'
}

// NewErrorRouter returns a router with its channel made.
func NewErrorRouter[T any](routes []Route[T], ledger *Ledger, settled chan<- Failure[T]) *ErrorRouter[T] {
	r := &ErrorRouter[T]{Routes: routes, Ledger: ledger, Settled: settled, Sync: make(chan SyncRequest)}
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
		select {
		case f, ok := <-failed:
			if !ok {
				return nil
			}
			r.route(ctx, f)
		case s := <-r.Sync:
			r.flush(ctx, s)
		}
	}
}

// route offers f to the routes in order, from the first.
func (r *ErrorRouter[T]) route(ctx context.Context, f Failure[T]) {
	for i := range r.Routes {
		if ctx.Err() != nil || len(f.Events) == 0 {
			break
		}
		if r.matches(ctx, i, &f) && r.offer(ctx, i, &f) {
			return
		}
	}
	r.settle(f, Lost)
}

// matches asks a route's predicate. One that panics does not match, and its
// panic joins the cause.
func (r *ErrorRouter[T]) matches(ctx context.Context, i int, f *Failure[T]) (yes bool) {
	to := &r.Routes[i]
	if to.Match == nil {
		return true
	}
	err := guard(ctx, &r.names[i], func() error { yes = to.Match(f.Err); return nil }, func(err error) {
		r.lose(*f, err)
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
	if r.Ledger.enter(f.receipt, len(f.Events)) != mayCall {
		return false
	}
	f.Attempts++
	clk := Clock(ctx)
	if f.First.IsZero() {
		f.First = clk.Now()
	}
	err := guard(ctx, &r.names[i], func() error {
		if s, ok := to.To.(FailureSink[T]); ok {
			return s.WriteFailure(ctx, *f)
		}
		return to.To.Write(ctx, f.Events)
	}, func(err error) {
		r.lose(*f, err)
	})
	f.Last = clk.Now()
	if err == nil {
		r.settle(*f, Rerouted)
		return true
	}
	if indexes := partial(err, len(f.Events)); len(indexes) > 0 && len(indexes) < len(f.Events) {
		if rest, split, ok := f.receipt.split(len(f.Events), len(indexes)); ok {
			taken := *f
			f.Events, taken.Events = divide(f.Events, indexes)
			f.receipt, taken.receipt = split, rest
			r.settle(taken, Rerouted)
		}
	}
	r.Ledger.leave(f.receipt)
	f.Err = errors.Join(f.Err, err)
	return false
}

// lose ends f when a Goexit leaves no goroutine to try further routes on.
func (r *ErrorRouter[T]) lose(f Failure[T], err error) {
	r.Ledger.leave(f.receipt)
	f.Err = errors.Join(f.Err, err)
	r.settle(f, Lost)
}

// settle closes the books on f and reports it. What the ledger refuses as a
// second settlement is not reported; what it refuses as too late is, as lost.
func (r *ErrorRouter[T]) settle(f Failure[T], o Outcome) {
	if !r.Ledger.Settle(f.receipt, o, lossOf(f.Err)) {
		if !r.Ledger.over() {
			return
		}
		o = Lost
	}
	if r.Settled != nil && len(f.Events) > 0 {
		f.Outcome = o
		f.receipt = Receipt{}
		r.Settled <- f
		if planted(faultReportTwice) {
			r.Settled <- f
		}
	}
}

// lossOf is the reason for losing events that failed with err.
func lossOf(err error) Loss {
	var p *PanicError
	switch {
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
