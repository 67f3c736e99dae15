package sinks

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

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

// pass is what a call that was let through comes back with.
type pass struct {
	generation uint64
	probe      *probe // nil: the breaker was closed
}

// probe is a call that must come back, so that there can be another.
type probe struct {
	stop func() bool   // keeps over from being called
	done chan struct{} // closed by over
	back bool          // guarded by the breaker's mu
}

// enter lets the call through, or waits until it may be, or fails.
func (b *Breaker[T]) enter(ctx context.Context) (pass, error) {
	b.mu.Lock()
	generation, ok := b.circuit.let()
	b.mu.Unlock()
	if ok {
		return pass{generation: generation}, nil
	}
	clk := stage.Clock(ctx)
	for {
		generation, wait, bell, ok := b.ask(ctx, clk.Now())
		switch {
		case ok:
			return b.send(ctx, generation), nil
		case !b.hold && wait > 0:
			return pass{}, RetryAfter(ErrOpen, wait)
		case !b.hold:
			return pass{}, ErrOpen
		}
		switch await(ctx, clk, wait, bell) {
		case draining:
			return pass{}, ErrOpen
		case canceled:
			return pass{}, fmt.Errorf("%w: %w", ErrOpen, context.Cause(ctx))
		}
	}
}

// ask asks for admission. Who has to wait gets a bell.
func (b *Breaker[T]) ask(ctx context.Context, now time.Time) (generation uint64, wait time.Duration, bell chan struct{}, ok bool) {
	b.change(ctx, now, func(c *circuit) {
		generation, wait, ok = c.admit(now)
		if b.hold && !ok {
			if b.bell == nil {
				b.bell = make(chan struct{})
			}
			bell = b.bell
		}
	})
	return generation, wait, bell, ok
}

// send makes a probe of a call that has asked for admission. It is over when
// ctx ends, if it has not come back by then.
func (b *Breaker[T]) send(ctx context.Context, generation uint64) pass {
	p := &probe{done: make(chan struct{})}
	sent := pass{generation, p}
	p.stop = context.AfterFunc(ctx, func() {
		defer close(p.done)
		o := failure
		if ctx.Err() == context.Canceled {
			o = unknown
		}
		own, _ := stage.Watched(ctx) // the actor's watch is for its own goroutine
		b.settle(own, sent, o)
	})
	return sent
}

// leave takes a call back.
func (b *Breaker[T]) leave(ctx context.Context, p pass, o outcome) {
	if p.probe != nil && !p.probe.stop() {
		<-p.probe.done
	}
	if p.probe == nil && o == success && !b.timed {
		b.mu.Lock()
		b.circuit.settle(p.generation, o, time.Time{})
		b.mu.Unlock()
		return
	}
	b.settle(ctx, p, o)
}

func (b *Breaker[T]) settle(ctx context.Context, p pass, o outcome) {
	now := stage.Clock(ctx).Now()
	b.change(ctx, now, func(c *circuit) {
		if p.probe != nil {
			if p.probe.back {
				return
			}
			p.probe.back = true
		}
		c.settle(p.generation, o, now)
	})
}

// change runs f on the state, and tells those who have to know if something has
// become of it.
func (b *Breaker[T]) change(ctx context.Context, now time.Time, f func(c *circuit)) {
	b.mu.Lock()
	before, free := b.circuit.state, b.circuit.free()
	f(&b.circuit)
	after := b.circuit.state
	if after != before && b.onChange != nil {
		b.news = append(b.news, BreakerChange{From: before, To: after, At: now})
	}
	var bell chan struct{}
	if after != before || b.circuit.free() > free {
		bell, b.bell = b.bell, nil
	}
	news := len(b.news) > 0
	b.mu.Unlock()
	if bell != nil {
		close(bell)
	}
	for news && b.tell(ctx) {
	}
}

// tell calls the hook with the oldest change, and reports whether it did: one
// goroutine at a time is in the hook, and sees to what comes up meanwhile.
func (b *Breaker[T]) tell(ctx context.Context) bool {
	b.mu.Lock()
	if b.telling || len(b.news) == 0 {
		b.mu.Unlock()
		return false
	}
	c := b.news[0]
	b.news, b.telling = b.news[1:], true
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.telling = false
		b.mu.Unlock()
	}()
	_ = stage.Guard(ctx, "hook OnStateChange", func() error { b.onChange(ctx, c); return nil }, nil)
	return true
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
