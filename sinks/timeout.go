package sinks

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/sourcegraph/conc"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/stage"
)

// Timeout bounds how long its caller waits for a sink: each call of Write,
// WriteFailure and Flush gets a context with a deadline, and one that ignores
// it is abandoned.
//
// An abandoned call goes on in its goroutine, and nothing that it does counts
// any more. Until it returns every further call fails at once, with [ErrStuck],
// so that the sink never gets a call beside it. The events it was given are
// forfeited ([stage.Forfeit]). They are in doubt: it may still write them.
//
// Close waits for an abandoned call to return and closes the sink then. It has
// no limit of its own: the context of the pipeline's Close is one, and the
// sink's name is in the verdict.
//
// An error of a call that returned late is [ErrTimeout] to errors.Is and wraps
// the sink's; a call that succeeded late has succeeded. A panic or a
// runtime.Goexit in the sink becomes a [*stage.PanicError]. Each call runs in a
// goroutine of its own, which costs about a microsecond.
//
// All methods are safe for concurrent use if the sink's are. With concurrent
// writes several may be under way when one is abandoned; they go on, and may be
// abandoned too.
type Timeout[T any] struct {
	sink  stage.Sink[T]
	name  string
	limit time.Duration
	grace time.Duration

	calls   conc.WaitGroup
	closing turn

	mu    sync.Mutex // held when a call is started, never during one
	leash leash
}

// NewTimeout returns a Timeout around sink, which it takes over.
func NewTimeout[T any](sink stage.Sink[T], cfg TimeoutConfig) (*Timeout[T], error) {
	switch {
	case sink == nil:
		return nil, bad("NewTimeout's sink", nil, "a sink")
	case cfg.Limit < 0:
		return nil, bad("TimeoutConfig.Limit", cfg.Limit, "0 or more")
	case cfg.Grace < 0:
		return nil, bad("TimeoutConfig.Grace", cfg.Grace, "0 or more")
	}
	t := &Timeout[T]{sink: sink, name: stage.NameOf(sink), limit: cfg.Limit, grace: cfg.Grace, closing: newTurn()}
	if t.limit == 0 {
		t.limit = 10 * time.Second
	}
	if t.grace == 0 {
		t.grace = 100 * time.Millisecond
	}
	return t, nil
}

// Write implements [stage.Sink].
func (t *Timeout[T]) Write(ctx context.Context, events []T) error {
	return t.call(ctx, func(ctx context.Context) error { return t.sink.Write(ctx, events) })
}

// WriteFailure implements [stage.FailureSink], for a Timeout around the sink of
// a route.
func (t *Timeout[T]) WriteFailure(ctx context.Context, f stage.Failure[T]) error {
	return t.call(ctx, func(ctx context.Context) error { return stage.WriteFailure(ctx, t.sink, f) })
}

// Flush flushes the sink, within the limit. It fails with [ErrStuck] while an
// abandoned call has not returned.
func (t *Timeout[T]) Flush(ctx context.Context) error {
	return t.call(ctx, func(ctx context.Context) error { return stage.FlushSink(ctx, t.sink) })
}

// call runs do in a goroutine and waits for it as long as it may take.
func (t *Timeout[T]) call(ctx context.Context, do func(context.Context) error) error {
	// The actor's watch is for its own goroutine, and the call gets another.
	own, watch := stage.Watched(ctx)
	clk := stage.Clock(ctx)
	own, cancel := clockutil.WithTimeoutCause(own, clk, t.limit, ErrTimeout)
	defer cancel()
	c := &call{end: make(chan error, 1)}
	if err := t.start(c, func() error { return do(own) }, own); err != nil {
		return err
	}
	err, returned := t.await(own, clk, c)
	if !returned || watch.Forfeited() {
		stage.Forfeit(ctx)
	}
	switch late := context.Cause(own) == ErrTimeout; {
	case err == nil && returned:
		return nil
	case returned && late:
		return &lateError{err}
	case returned:
		return err
	case late:
		return fmt.Errorf("%w: %w: %s given up", ErrTimeout, ErrStuck, t.name)
	}
	return fmt.Errorf("%w: %w: %s given up", context.Cause(own), ErrStuck, t.name)
}

// start starts do, unless it may not be.
func (t *Timeout[T]) start(c *call, do func() error, ctx context.Context) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.leash.mayCall(); err != nil {
		return err
	}
	t.calls.Go(func() { t.run(ctx, c, do) })
	return nil
}

// run makes one call and hands in its result, also if the call ends the
// goroutine.
func (t *Timeout[T]) run(ctx context.Context, c *call, do func() error) {
	var err error
	defer func() {
		t.mu.Lock()
		t.leash.returned(c)
		t.mu.Unlock()
		c.end <- err
	}()
	err = stage.Guard(ctx, t.name, do, func(exit error) { err = exit })
}

// await returns the call's result, or false if the call was abandoned.
func (t *Timeout[T]) await(ctx context.Context, clk clock.Clock, c *call) (err error, returned bool) {
	select {
	case err := <-c.end:
		return err, true
	case <-ctx.Done():
	}
	timer := clockutil.NewTimer(clk, t.grace)
	defer timer.Stop()
	select {
	case err := <-c.end:
		return err, true
	case <-timer.C():
	}
	t.mu.Lock()
	abandoned := t.leash.abandon(c)
	t.mu.Unlock()
	if abandoned {
		return nil, false
	}
	return <-c.end, true // it has returned this very moment
}

// Close closes the sink, after an abandoned call has returned.
func (t *Timeout[T]) Close() error {
	t.closing.wait()
	defer t.closing.give()
	t.mu.Lock()
	first := t.leash.close()
	t.mu.Unlock()
	if !first {
		return nil
	}
	t.calls.WaitAndRecover()
	return stage.CloseSink(t.sink)
}

// Report adds the number of abandoned calls, and the sink's report.
func (t *Timeout[T]) Report(to *stage.SinkReport) {
	t.mu.Lock()
	to.Abandoned += t.leash.total
	t.mu.Unlock()
	stage.ReportSink(t.sink, to)
}

// Name is the sink's.
func (t *Timeout[T]) Name() string { return t.name }
