package stage

import "context"

// Map makes a stage of a function from a batch's events to what is to be
// delivered of them: a transform, a filter, a sampler, an enricher. It gets
// whole batches, in order, one call at a time, and never an empty one.
//
// f may work in place and return events, or a shorter slice of it, or another
// slice; it does not retain events. Events it leaves out count as filtered. It
// must not return more events than it got. An error, a panic, a Goexit or a
// longer slice fails the batch, and the pipeline lives.
func Map[T any](name string, f func(ctx context.Context, events []T) ([]T, error)) Stage[T] {
	return &mapStage[T]{name: name, f: f}
}

type mapStage[T any] struct {
	name string
	f    func(context.Context, []T) ([]T, error)
}

func (m *mapStage[T]) Name() string { return m.name }

func (m *mapStage[T]) Run(ctx context.Context, p Ports[T]) error {
	for b := range p.In {
		m.apply(ctx, b, p)
	}
	return nil
}

// apply sends b, or what becomes of it, on.
func (m *mapStage[T]) apply(ctx context.Context, b Batch[T], p Ports[T]) {
	if len(b.Events) == 0 {
		p.Out <- b
		return
	}
	fail := func(err error) {
		rest, f := b.fail(m.name, err)
		p.Failed <- f
		p.Out <- rest
	}
	if ctx.Err() != nil {
		fail(context.Cause(ctx))
		return
	}
	var kept []T
	err := guard(ctx, &m.name, func() (err error) {
		kept, err = m.f(ctx, b.Events)
		return err
	}, fail)
	if err == nil && len(kept) > len(b.Events) {
		err = ErrGrown
	}
	if err != nil {
		fail(err)
		return
	}
	p.Out <- b.Keep(kept)
}
