package sinks

import (
	"context"
	"errors"
	"sync"

	"github.com/penstock-go/penstock/stage"
)

// ErrOpen is the error of a call that a [Breaker] did not let through. The sink
// was not called.
var ErrOpen = errors.New("penstock: circuit breaker open")

// Breaker spares a sink that fails all the time. It is closed at first and lets
// every call through. Too many failures open it, and no call is let through
// until it has cooled down. Then it is half open: a probe is let through, alone,
// and its success closes the breaker where its failure opens it anew.
//
// A call that is not let through fails with [ErrOpen], which asks by
// [RetryAfter] for the rest of the cool-down, or waits, if BreakerConfig.Hold
// is set. The cool-down is counted from the opening, on the pipeline's clock,
// and ends lazily: the state changes with the next call.
//
// A success is what BreakerConfig.Trips says; by default a call that delivered
// anything, or failed with an error marked by [stage.Permanent], because the
// sink has then answered. A panic and a runtime.Goexit are failures, and go on
// to the caller. A call whose context was canceled says nothing about the sink.
// A probe whose context ends is over then, even if it does not return. What a
// call says that began before the latest change of state is not listened to.
//
// Flush and Close are passed on in every state and count for nothing. All
// methods are safe for concurrent use if the sink's are.
type Breaker[T any] struct {
	sink     stage.Sink[T]
	hold     bool
	timed    bool // each call's outcome needs its instant
	trips    func(error) bool
	onChange func(context.Context, BreakerChange)

	mu      sync.Mutex
	circuit circuit
	bell    chan struct{}   // closed when those who wait shall ask again; nil: nobody waits
	news    []BreakerChange // for the hook
	telling bool            // somebody is in the hook
}

// NewBreaker returns a Breaker around sink, which it takes over.
func NewBreaker[T any](sink stage.Sink[T], cfg BreakerConfig) (*Breaker[T], error) {
	if sink == nil {
		return nil, bad("NewBreaker's sink", nil, "a sink")
	}
	c, err := cfg.circuit()
	if err != nil {
		return nil, err
	}
	return &Breaker[T]{
		sink: sink, hold: cfg.Hold, timed: cfg.Window > 0, trips: cfg.Trips, onChange: cfg.OnStateChange, circuit: c,
	}, nil
}

// Write implements [stage.Sink].
func (b *Breaker[T]) Write(ctx context.Context, events []T) error { return b.call(ctx, events, nil) }

// WriteFailure implements [stage.FailureSink], for a Breaker around the sink of
// a route.
func (b *Breaker[T]) WriteFailure(ctx context.Context, f stage.Failure[T]) error {
	return b.call(ctx, f.Events, &f)
}

func (b *Breaker[T]) call(ctx context.Context, events []T, f *stage.Failure[T]) (err error) {
	p, err := b.enter(ctx)
	if err != nil {
		return err
	}
	o := failure // what a panic or a Goexit leaves
	defer func() { b.leave(ctx, p, o) }()
	err = write(ctx, b.sink, events, f)
	o = b.judge(ctx, err, len(events))
	return err
}

// judge says what a call that returned err says about the sink.
func (b *Breaker[T]) judge(ctx context.Context, err error, n int) outcome {
	switch {
	case err == nil:
		return success
	case ctx.Err() == context.Canceled:
		return unknown
	case b.trips != nil:
		if !b.trips(err) {
			return success
		}
	case stage.IsPermanent(err):
		return success
	default:
		if failed := stage.FailedIndexes(err, n); failed != nil && len(failed) < n {
			return success
		}
	}
	return failure
}

// State returns the state that the latest call has left. It changes nothing: an
// open breaker that has cooled down is open until the next call.
func (b *Breaker[T]) State() stage.BreakerState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.circuit.state
}

// Report adds how often the breaker has opened, and the sink's report. The
// state is this breaker's, or one further in that lets less through.
func (b *Breaker[T]) Report(to *stage.SinkReport) {
	b.mu.Lock()
	to.Opened += b.circuit.opened
	to.Breaker = max(to.Breaker, b.circuit.state)
	b.mu.Unlock()
	stage.ReportSink(b.sink, to)
}

// Flush flushes the sink.
func (b *Breaker[T]) Flush(ctx context.Context) error { return stage.FlushSink(ctx, b.sink) }

// Close closes the sink.
func (b *Breaker[T]) Close() error { return stage.CloseSink(b.sink) }

// Name is the sink's.
func (b *Breaker[T]) Name() string { return stage.NameOf(b.sink) }
