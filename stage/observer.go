package stage

import (
	"context"
	"sync/atomic"
)

// Hooks are called one at a time, by the [Observer] alone. A hook that panics
// or ends its goroutine is counted, and the next is called all the same. A nil
// hook is not called.
//
// Hooks run during a stall and never on a producer's path. A slow hook delays
// only other hooks, except that the router waits for a failure hook that is
// many failures behind.
type Hooks[T any] struct {
	OnPressure func(ctx context.Context, depth, capacity int)
	OnFailure  func(ctx context.Context, f Failure[T])
	OnDrop     func(ctx context.Context, d Dropped[T])
}

// Observer runs the hooks.
type Observer[T any] struct {
	Hooks  Hooks[T]
	Intake *Intake[T]

	panics atomic.Uint64

	log    [numEviction]dropLog[T] // exchanged with the intake's
	alarms int                     // crossings not reported yet
	depth  int                     // at the latest
}

// NewObserver returns the observer of an intake.
func NewObserver[T any](hooks Hooks[T], intake *Intake[T]) *Observer[T] {
	return &Observer[T]{Hooks: hooks, Intake: intake, log: intake.cfg.dropLogs()}
}

// Panics returns how many hooks have panicked or ended their goroutine.
func (o *Observer[T]) Panics() uint64 { return o.panics.Load() }

// Name is "observer".
func (o *Observer[T]) Name() string { return "observer" }

// Run returns when settled is closed, having reported everything.
func (o *Observer[T]) Run(ctx context.Context, settled <-chan Failure[T]) error {
	o.tell(ctx) // what a hook that ended the goroutine left
	for {
		select {
		case f, ok := <-settled:
			if !ok {
				o.look(ctx)
				return nil
			}
			if hook := o.Hooks.OnFailure; hook != nil {
				o.call(ctx, &onFailure, func() { hook(ctx, f) })
			}
		case <-o.Intake.notice:
			o.look(ctx)
		}
	}
}

// look reports crossings and evictions since the last look.
func (o *Observer[T]) look(ctx context.Context) {
	o.alarms, o.depth = o.Intake.report(&o.log)
	o.tell(ctx)
}

// tell calls the hooks with what the last look found. What a call is about is
// struck off before it.
func (o *Observer[T]) tell(ctx context.Context) {
	for o.alarms > 0 {
		o.alarms--
		o.call(ctx, &onPressure, func() { o.Hooks.OnPressure(ctx, o.depth, o.Intake.cfg.QueueSize) })
	}
	for why := range o.log {
		log := &o.log[why]
		if log.count > 0 {
			d := log.dropped(Eviction(why))
			log.count = 0
			o.call(ctx, &onDrop, func() { o.Hooks.OnDrop(ctx, d) })
		}
		log.reset()
	}
}

func (o *Observer[T]) call(ctx context.Context, name *string, hook func()) {
	err := guard(ctx, name, func() error { hook(); return nil }, func(error) { o.panics.Add(1) })
	if err != nil {
		o.panics.Add(1)
	}
}

// The hooks' names for a Watch; never written.
var onPressure, onFailure, onDrop = "hook OnPressure", "hook OnFailure", "hook OnDrop"
