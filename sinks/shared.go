package sinks

import (
	"context"

	"github.com/penstock-go/penstock/stage"
)

// Shared lets several pipelines, or several routes, use one sink. Each gets a
// handle of its own. Calls are made one at a time, first come first served,
// and a caller stops waiting when its ctx ends. The sink is closed once, when
// the last handle is closed.
//
// A sink that stalls holds up everybody who shares it.
type Shared[T any] struct {
	sink stage.Sink[T]
	turn turn

	// Guarded by turn.
	handles int
	closed  bool
}

// NewShared takes sink over. It is closed through handles only: without a
// handle it is never closed.
func NewShared[T any](sink stage.Sink[T]) (*Shared[T], error) {
	if sink == nil {
		return nil, bad("NewShared's sink", nil, "a sink")
	}
	return &Shared[T]{sink: sink, turn: newTurn()}, nil
}

// Handle returns a new handle, which is to be closed. Make all handles before
// the first is closed: once the last open one is closed, so is the sink, and
// later handles fail with [ErrClosed].
func (s *Shared[T]) Handle() stage.Sink[T] {
	s.turn.wait()
	defer s.turn.give()
	s.handles++
	return &handle[T]{shared: s, closed: s.closed}
}

type handle[T any] struct {
	shared *Shared[T]
	closed bool // guarded by shared.turn
}

func (h *handle[T]) Write(ctx context.Context, events []T) error {
	return h.call(ctx, func() error { return h.shared.sink.Write(ctx, events) })
}

func (h *handle[T]) WriteFailure(ctx context.Context, f stage.Failure[T]) error {
	return h.call(ctx, func() error { return writeFailure(ctx, h.shared.sink, f) })
}

func (h *handle[T]) Flush(ctx context.Context) error {
	return h.call(ctx, func() error { return stage.FlushSink(ctx, h.shared.sink) })
}

func (h *handle[T]) call(ctx context.Context, f func() error) error {
	if err := h.shared.turn.take(ctx); err != nil {
		return err
	}
	defer h.shared.turn.give()
	if h.closed {
		return errClosed()
	}
	return f()
}

func (h *handle[T]) Close() error {
	s := h.shared
	s.turn.wait()
	defer s.turn.give()
	if h.closed {
		return nil
	}
	h.closed = true
	if s.handles--; s.handles > 0 {
		return nil
	}
	s.closed = true
	return stage.CloseSink(s.sink)
}

func (h *handle[T]) Name() string { return stage.NameOf(h.shared.sink) }
