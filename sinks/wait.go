package sinks

import (
	"context"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/stage"
)

// wake says what has ended a wait.
type wake uint8

const (
	timeUp   wake = iota
	rung          // by the bell
	draining      // Close of the pipeline has begun
	canceled      // the context has ended
)

// await waits for d on clk, for the bell, for the beginning of Close or for the
// end of ctx. Of several that come together the last named counts. A negative d
// never passes, and a nil bell is never rung.
func await(ctx context.Context, clk clock.Clock, d time.Duration, bell <-chan struct{}) wake {
	var due <-chan time.Time
	if d >= 0 {
		timer := clockutil.NewTimer(clk, d)
		defer timer.Stop()
		due = timer.C()
	}
	why := timeUp
	select {
	case <-due:
	case <-bell:
		why = rung
	case <-stage.Draining(ctx):
	case <-ctx.Done():
	}
	switch {
	case ctx.Err() != nil:
		return canceled
	case isDraining(ctx):
		return draining
	}
	return why
}

func isDraining(ctx context.Context) bool {
	select {
	case <-stage.Draining(ctx):
		return true
	default:
		return false
	}
}

// write passes on what a decorator was given: f by WriteFailure with events in
// place of its own, or, if f is nil, events by Write.
func write[T any](ctx context.Context, sink stage.Sink[T], events []T, f *stage.Failure[T]) error {
	if f == nil {
		return sink.Write(ctx, events)
	}
	own := *f
	own.Events = events
	return stage.WriteFailure(ctx, sink, own)
}
