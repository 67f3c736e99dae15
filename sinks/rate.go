package sinks

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/penstock-go/penstock/stage"
)

// RateLimitConfig configures a [RateLimit]. At least one of Events and Batches
// is required.
type RateLimitConfig struct {
	// Events is the number of events per second in the long run. 0: no limit.
	Events float64
	// Burst is the number of events that may be written at once after a rest;
	// default: those of a second, and 1 at least. A larger batch is written
	// whole, after a rest that allows a burst, and what it was larger is waited
	// for afterwards.
	Burst int

	// Batches and BatchBurst are the same for calls, whatever is in them. 0: no
	// limit, and as for Events.
	Batches    float64
	BatchBurst int
}

// RateLimit waits before it passes a batch on, so that no more are written than
// its limits allow. The waiting is back-pressure. Callers go in the order in
// which they came.
//
// Waiting ends when Close of the pipeline begins: what is left is then written
// without a limit. It ends with the error of ctx when that ends, and the batch
// then counts for nothing. Every call of Write counts, also one that fails.
//
// All methods are safe for concurrent use if the sink's are.
type RateLimit[T any] struct {
	sink      stage.Sink[T]
	throttled atomic.Uint64
	turn      turn // to wait for the buckets

	// Guarded by turn.
	events  bucket
	batches bucket
}

// NewRateLimit returns a RateLimit around sink, which it takes over.
func NewRateLimit[T any](sink stage.Sink[T], cfg RateLimitConfig) (*RateLimit[T], error) {
	switch {
	case sink == nil:
		return nil, bad("NewRateLimit's sink", nil, "a sink")
	case !(cfg.Events >= 0 && cfg.Events <= math.MaxFloat64):
		return nil, bad("RateLimitConfig.Events", cfg.Events, "0 or more")
	case !(cfg.Batches >= 0 && cfg.Batches <= math.MaxFloat64):
		return nil, bad("RateLimitConfig.Batches", cfg.Batches, "0 or more")
	case cfg.Events == 0 && cfg.Batches == 0:
		return nil, bad("RateLimitConfig.Events", cfg.Events, "a rate, or one in Batches")
	case cfg.Burst < 0 || cfg.Burst > 0 && cfg.Events == 0:
		return nil, bad("RateLimitConfig.Burst", cfg.Burst, "0 or more, and 0 without Events")
	case cfg.BatchBurst < 0 || cfg.BatchBurst > 0 && cfg.Batches == 0:
		return nil, bad("RateLimitConfig.BatchBurst", cfg.BatchBurst, "0 or more, and 0 without Batches")
	}
	return &RateLimit[T]{
		sink:    sink,
		turn:    newTurn(),
		events:  newBucket(cfg.Events, cfg.Burst),
		batches: newBucket(cfg.Batches, cfg.BatchBurst),
	}, nil
}

// newBucket returns a full bucket.
func newBucket(perSecond float64, burst int) bucket {
	if burst == 0 {
		burst = int(max(1, min(perSecond, math.MaxInt32)))
	}
	return bucket{perSecond: perSecond, burst: burst}
}

// Write implements [stage.Sink].
func (r *RateLimit[T]) Write(ctx context.Context, events []T) error {
	return r.pass(ctx, events, nil)
}

// WriteFailure implements [stage.FailureSink], for a RateLimit around the sink
// of a route.
func (r *RateLimit[T]) WriteFailure(ctx context.Context, f stage.Failure[T]) error {
	return r.pass(ctx, f.Events, &f)
}

func (r *RateLimit[T]) pass(ctx context.Context, events []T, f *stage.Failure[T]) error {
	if err := r.admit(ctx, len(events)); err != nil {
		return err
	}
	return write(ctx, r.sink, events, f)
}

// admit returns when n events may be written. Who waits has the turn; all
// others queue behind, and go at once when Close begins.
func (r *RateLimit[T]) admit(ctx context.Context, n int) error {
	if err := r.turn.take(ctx); err != nil {
		return err
	}
	defer r.turn.give()
	clk := stage.Clock(ctx)
	now := clk.Now()
	wait := max(r.events.wait(now, n), r.batches.wait(now, 1))
	if wait > 0 && !isDraining(ctx) {
		r.throttled.Add(1)
		if await(ctx, clk, wait, nil) == canceled {
			return ctx.Err()
		}
		now = clk.Now()
	}
	r.events.take(now, n)
	r.batches.take(now, 1)
	return nil
}

// Report adds the number of calls that had to wait, and the sink's report.
func (r *RateLimit[T]) Report(to *stage.SinkReport) {
	to.Throttled += r.throttled.Load()
	stage.ReportSink(r.sink, to)
}

// Flush flushes the sink.
func (r *RateLimit[T]) Flush(ctx context.Context) error { return stage.FlushSink(ctx, r.sink) }

// Close closes the sink.
func (r *RateLimit[T]) Close() error { return stage.CloseSink(r.sink) }

// Name is the sink's.
func (r *RateLimit[T]) Name() string { return stage.NameOf(r.sink) }
