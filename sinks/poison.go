package sinks

import (
	"context"
	"slices"

	"github.com/penstock-go/penstock/stage"
)

// Poison is for tests of sinks: inner gets a private copy of every batch, and
// each event of the copy is overwritten with value as soon as Write returns.
// A sink that keeps the slice sees value afterwards, or fails under the race
// detector. Every batch has a copy of its own, so that what shows up is value
// and not a later batch.
func Poison[T any](inner stage.Sink[T], value T) (stage.Sink[T], error) {
	if inner == nil {
		return nil, bad("Poison's sink", nil, "a sink")
	}
	return &poison[T]{inner: inner, value: value}, nil
}

type poison[T any] struct {
	inner stage.Sink[T]
	value T
}

func (p *poison[T]) Write(ctx context.Context, events []T) error {
	lent := slices.Clone(events)
	defer p.spoil(lent)
	return p.inner.Write(ctx, lent)
}

func (p *poison[T]) WriteFailure(ctx context.Context, f stage.Failure[T]) error {
	f.Events = slices.Clone(f.Events)
	defer p.spoil(f.Events)
	return stage.WriteFailure(ctx, p.inner, f)
}

func (p *poison[T]) spoil(lent []T) {
	for i := range lent {
		lent[i] = p.value
	}
}

func (p *poison[T]) Flush(ctx context.Context) error { return stage.FlushSink(ctx, p.inner) }
func (p *poison[T]) Close() error                    { return stage.CloseSink(p.inner) }
func (p *poison[T]) Name() string                    { return stage.NameOf(p.inner) }
func (p *poison[T]) Report(r *stage.SinkReport)      { stage.ReportSink(p.inner, r) }
