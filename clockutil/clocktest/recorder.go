package clocktest

import (
	"slices"
	"sync"
	"time"
)

// A Recorder is a log of values, each stamped with the virtual time since the
// body began. It is how fakes tell the body what happened: safe for concurrent
// use, and what it returns are copies.
type Recorder[T any] struct {
	w *World

	mu     sync.Mutex
	values []T
	times  []time.Duration
}

// NewRecorder returns an empty recorder on w's clock.
func NewRecorder[T any](w *World) *Recorder[T] { return &Recorder[T]{w: w} }

// Add appends v and returns how many values there are now. It keeps v as it is:
// clone a slice that its owner will reuse.
func (r *Recorder[T]) Add(v T) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.values = append(r.values, v)
	r.times = append(r.times, r.w.Elapsed())
	return len(r.values)
}

// Values returns the values in the order they were added.
func (r *Recorder[T]) Values() []T {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.values)
}

// Times returns the stamps of the values, in the same order; they never
// decrease.
func (r *Recorder[T]) Times() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.times)
}

// Len returns the number of values.
func (r *Recorder[T]) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.values)
}

// Reset forgets all values. Stamps go on counting from the beginning of the
// body.
func (r *Recorder[T]) Reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.values, r.times = nil, nil
}
