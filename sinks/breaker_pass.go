package sinks

import (
	"context"
	"fmt"
	"time"

	"github.com/penstock-go/penstock/stage"
)

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
