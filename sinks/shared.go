package sinks

import (
	"context"
	"sync"

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
	turn turn // to call sink

	mu   sync.Mutex // never held while sink is called
	open int        // handles
	done bool       // the last one was closed
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.done {
		s.open++
	}
	return &handle[T]{shared: s, closed: s.done}
}

type handle[T any] struct {
	shared *Shared[T]
	closed bool // guarded by shared.mu
}

func (h *handle[T]) Write(ctx context.Context, events []T) error {
	return h.call(ctx, func() error { return h.shared.sink.Write(ctx, events) })
}

func (h *handle[T]) WriteFailure(ctx context.Context, f stage.Failure[T]) error {
	return h.call(ctx, func() error { return stage.WriteFailure(ctx, h.shared.sink, f) })
}

func (h *handle[T]) Flush(ctx context.Context) error {
	return h.call(ctx, func() error { return stage.FlushSink(ctx, h.shared.sink) })
}

func (h *handle[T]) call(ctx context.Context, f func() error) error {
	if err := h.shared.turn.take(ctx); err != nil {
		return err
	}
	defer h.shared.turn.give()
	if h.isClosed() {
		return errClosed()
	}
	return f()
}

// Close waits for the others' calls only if it is the last.
func (h *handle[T]) Close() error {
	s := h.shared
	if !h.retire() {
		return nil
	}
	s.turn.wait()
	defer s.turn.give()
	return stage.CloseSink(s.sink)
}

// retire reports whether h was the last handle.
func (h *handle[T]) retire() bool {
	s := h.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	if h.closed {
		return false
	}
	h.closed = true
	s.open--
	s.done = s.open == 0
	return s.done
}

func (h *handle[T]) isClosed() bool {
	h.shared.mu.Lock()
	defer h.shared.mu.Unlock()
	return h.closed
}

// Report does not wait for the turn. Each handle reports the whole sink.
func (h *handle[T]) Report(r *stage.SinkReport) { stage.ReportSink(h.shared.sink, r) }

func (h *handle[T]) Name() string { return stage.NameOf(h.shared.sink) }
