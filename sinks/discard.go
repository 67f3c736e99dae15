package sinks

import (
	"context"
	"sync/atomic"
)

// Discard counts events and forgets them: for benchmarks, and where a sink is
// required and none is wanted. The zero value is ready. A batch costs one
// atomic addition.
type Discard[T any] struct{ n atomic.Int64 }

// Write counts events.
func (d *Discard[T]) Write(_ context.Context, events []T) error {
	d.n.Add(int64(len(events)))
	return nil
}

// Count returns how many events were written.
func (d *Discard[T]) Count() int64 { return d.n.Load() }
