package sinks

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/stage"
)

// Retry writes again what a sink failed to take, after waits that grow. The
// waiting is back-pressure: nothing else is written by this caller meanwhile,
// and what arrives waits in the queue.
//
// Of a batch that failed in part only the failed events are tried again, in
// their order. What is given up comes back as a [*RetryError], within a
// [stage.PartialError] if other events were delivered.
//
// There is no further attempt after an error marked by [stage.Permanent], nor
// after a panic in the sink, which becomes a [stage.PanicError]; and none once
// the attempts or the time are used up, or when ctx has a deadline that comes
// before the wait would end. When Close of the pipeline begins, whoever waits
// makes one last attempt at once, and from then on every failure is final, so
// that the routes get the events without delay. The end of ctx ends a wait
// without an attempt.
//
// A failure whose write took effect all the same is written twice: a retry
// makes at least one of at most one. Flush and Close are passed on and not
// retried. Without failures a Retry costs a reading of the clock.
//
// All methods are safe for concurrent use if the sink's are.
type Retry[T any] struct {
	sink    stage.Sink[T]
	backoff backoff
	onRetry func(context.Context, Retrying)
	retries atomic.Uint64

	mu   sync.Mutex
	rand *rand.Rand
}

// NewRetry returns a Retry around sink, which it takes over.
func NewRetry[T any](sink stage.Sink[T], cfg RetryConfig) (*Retry[T], error) {
	if sink == nil {
		return nil, bad("NewRetry's sink", nil, "a sink")
	}
	b, err := cfg.backoff()
	if err != nil {
		return nil, err
	}
	seed := cfg.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	return &Retry[T]{sink: sink, backoff: b, onRetry: cfg.OnRetry, rand: rand.New(rand.NewPCG(seed, 0))}, nil
}

// Write implements [stage.Sink].
func (r *Retry[T]) Write(ctx context.Context, events []T) error { return r.deliver(ctx, events, nil) }

// WriteFailure implements [stage.FailureSink], for a Retry around the sink of a
// route.
func (r *Retry[T]) WriteFailure(ctx context.Context, f stage.Failure[T]) error {
	return r.deliver(ctx, f.Events, &f)
}

func (r *Retry[T]) deliver(ctx context.Context, events []T, f *stage.Failure[T]) error {
	clk := stage.Clock(ctx)
	t := tries{began: clk.Now()}
	err := r.attempt(ctx, events, f)
	if err == nil {
		return nil
	}
	left := remainder[T]{events: events}
	for {
		left.keep(err)
		wait, again := r.backoff.failed(&t, clk.Now(), retryAfter(err), r.draw())
		if !again || useless(err) || !worthWaiting(ctx, wait) {
			return left.failure(&RetryError{Attempts: t.made, Err: err})
		}
		if r.pause(ctx, clk, wait, Retrying{Attempts: t.made, Events: len(left.events), Wait: wait, Err: err}) == canceled {
			err = errors.Join(err, context.Cause(ctx))
			return left.failure(&RetryError{Attempts: t.made, Err: err})
		}
		r.retries.Add(1)
		if err = r.attempt(ctx, left.events, f); err == nil {
			return nil
		}
	}
}

// attempt makes an error of a panic: the events that an earlier attempt has
// delivered must not fail with the others.
func (r *Retry[T]) attempt(ctx context.Context, events []T, f *stage.Failure[T]) (err error) {
	defer func() {
		if value := recover(); value != nil {
			err = stage.NewPanicError(value)
		}
	}()
	return write(ctx, r.sink, events, f)
}

// pause tells the hook and waits.
func (r *Retry[T]) pause(ctx context.Context, clk clock.Clock, wait time.Duration, told Retrying) wake {
	if r.onRetry != nil {
		due := clk.Now().Add(wait)
		_ = stage.Guard(ctx, "hook OnRetry", func() error { r.onRetry(ctx, told); return nil }, nil)
		wait = max(due.Sub(clk.Now()), 0)
	}
	return await(ctx, clk, wait, nil)
}

// worthWaiting reports whether there can be an attempt after the wait.
func worthWaiting(ctx context.Context, wait time.Duration) bool {
	if ctx.Err() != nil || isDraining(ctx) {
		return false
	}
	left, ok := clockutil.Remaining(ctx)
	return !ok || wait < left
}

func (r *Retry[T]) draw() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rand.Float64()
}

// Report adds the number of retries, and the sink's report.
func (r *Retry[T]) Report(to *stage.SinkReport) {
	to.Retries += r.retries.Load()
	stage.ReportSink(r.sink, to)
}

// Flush flushes the sink.
func (r *Retry[T]) Flush(ctx context.Context) error { return stage.FlushSink(ctx, r.sink) }

// Close closes the sink.
func (r *Retry[T]) Close() error { return stage.CloseSink(r.sink) }

// Name is the sink's.
func (r *Retry[T]) Name() string { return stage.NameOf(r.sink) }

// remainder is what is left of a batch, and where in the batch it was.
type remainder[T any] struct {
	events []T
	at     []int // nil: events is the batch
}

// keep leaves the events that err names. They are copied: the slice is not
// ours, and a call that was given up may still read it.
func (r *remainder[T]) keep(err error) {
	failed := stage.FailedIndexes(err, len(r.events))
	if failed == nil || len(failed) == len(r.events) {
		return
	}
	events := make([]T, len(failed))
	for k, i := range failed {
		events[k] = r.events[i]
		if r.at != nil {
			failed[k] = r.at[i]
		}
	}
	r.events, r.at = events, failed
}

// failure is err, for the events left.
func (r *remainder[T]) failure(err error) error {
	if r.at == nil {
		return err
	}
	return &stage.PartialError{Failed: r.at, Err: err}
}
