package pipeline

import (
	"context"

	"github.com/penstock-go/penstock/stage"
)

// Pipeline takes events and delivers them to a sink in batches. All methods
// may be called concurrently, and from a sink, a stage, a route or a hook as
// [ErrReentrant] says.
type Pipeline[T any] struct {
	intake *stage.Intake[T] // first: it is what producers touch
	cfg    Config[T]
	sup    *supervisor[T]
	roles  []string // of the sinks
}

// New starts a pipeline that ends in sink. It returns a [*ConfigError] if the
// sink is nil or cfg makes no sense; nothing was started then. The pipeline
// closes the sink, and the sinks of its routes, when it is closed.
func New[T any](sink stage.Sink[T], cfg Config[T]) (*Pipeline[T], error) {
	if sink == nil {
		return nil, &ConfigError{Field: "sink", Value: sink, Reason: "must not be nil"}
	}
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults(sink)
	p := &Pipeline[T]{cfg: cfg, roles: roles(len(cfg.Routes))}
	p.sup = newSupervisor(p, sink, &p.cfg)
	p.intake = p.sup.intake
	p.sup.start()
	return p, nil
}

// Name returns Config.Name, or its default.
func (p *Pipeline[T]) Name() string { return p.cfg.Name }

// Enqueue offers an event and never blocks, whatever the sink does. A nil
// error means that the event is accepted and will be accounted for. Errors:
// stage.ErrFull (no room under DropNewest, or not enough bytes to evict),
// stage.ErrTooLarge, stage.ErrInvalid (SizeOf or Important failed), stage.ErrClosed, and
// after an actor's death a [*DeadError].
//
// What ev refers to belongs to the pipeline until the event is settled.
func (p *Pipeline[T]) Enqueue(ev T) error { return p.intake.Enqueue(&ev) }

// EnqueueFrom is Enqueue for the event at ev, which must not be nil. It copies
// *ev once, where Enqueue copies its argument twice, which counts for events of
// hundreds of bytes. It does not retain ev: the caller may reuse it at once.
func (p *Pipeline[T]) EnqueueFrom(ev *T) error { return p.intake.Enqueue(ev) }

// EnqueueAll offers every event, in order, and returns the number accepted.
// The others are named in a [*RejectedError]. Under DropOldest a slice longer
// than the queue evicts its own first events, which count as accepted.
func (p *Pipeline[T]) EnqueueAll(evs []T) (accepted int, err error) {
	var rejected RejectedError
	accepted = p.intake.EnqueueAll(evs, func(i int, err error) {
		rejected.Indexes = append(rejected.Indexes, i)
		rejected.Errs = append(rejected.Errs, err)
	})
	if len(rejected.Indexes) > 0 {
		return accepted, &rejected
	}
	return accepted, nil
}

// EnqueueWait offers an event and waits for room, first come first served. If
// ctx ends before there is room it returns ctx's error, and the event is
// counted as rejected; a ctx that has ended does not matter while there is
// room. Other errors are those of Enqueue, without ErrFull, and [ErrReentrant].
//
// No later EnqueueWait overtakes a waiting one, except that important events do
// not wait for lesser ones that the reserve keeps out. Enqueue does not take room
// that a waiting call could have: it fails or evicts for its own.
//
// Calls that have waited return by turns, so that one of them at a time fills
// the queue: the event is accepted when there is room, in order, and its call
// may return a little later, see Config.Pace. If ctx ends in between it returns
// nil.
func (p *Pipeline[T]) EnqueueWait(ctx context.Context, ev T) error {
	return p.intake.EnqueueWait(ctx, &ev)
}

// Depth returns the number of events waiting at the intake.
func (p *Pipeline[T]) Depth() int { return p.intake.Depth() }

// Done is closed when the pipeline has ended, by Close or by an actor's death.
func (p *Pipeline[T]) Done() <-chan struct{} { return p.sup.done }

// Err returns why the pipeline has ended: nil while Done is open and after a
// Close that returned nil, else a [*DeadError] or what Close returned.
func (p *Pipeline[T]) Err() error { return p.sup.err() }
