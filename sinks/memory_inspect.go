package sinks

import (
	"slices"

	"github.com/penstock-go/penstock/stage"
)

// Hold makes Writes that begin from now on wait until Release.
func (m *Memory[T]) Hold() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gate == nil {
		m.gate = make(chan struct{})
	}
}

// Release ends Hold. The Writes that waited go on.
func (m *Memory[T]) Release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.gate != nil {
		close(m.gate)
		m.gate = nil
	}
}

// Events returns a copy of all events taken, in order.
func (m *Memory[T]) Events() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Concat(m.batches...)
}

// Batches returns a copy of the events taken, by Write.
func (m *Memory[T]) Batches() [][]T {
	m.mu.Lock()
	defer m.mu.Unlock()
	batches := make([][]T, len(m.batches))
	for i, b := range m.batches {
		batches[i] = slices.Clone(b)
	}
	return batches
}

// Failures returns what WriteFailure took. Its batches are in Batches too.
func (m *Memory[T]) Failures() []stage.Failure[T] {
	m.mu.Lock()
	defer m.mu.Unlock()
	failures := slices.Clone(m.failures)
	for i := range failures {
		failures[i].Events = slices.Clone(failures[i].Events)
	}
	return failures
}

// Calls returns how many Writes have begun.
func (m *Memory[T]) Calls() int { return m.count(&m.calls) }

// Running returns how many Writes have begun and not returned.
func (m *Memory[T]) Running() int { return m.count(&m.running) }

// Peak returns the greatest number of Writes that ran at the same time.
func (m *Memory[T]) Peak() int { return m.count(&m.peak) }

// Flushes returns how often Flush was called.
func (m *Memory[T]) Flushes() int { return m.count(&m.flushes) }

// Closes returns how often Close was called.
func (m *Memory[T]) Closes() int { return m.count(&m.closes) }

// Late returns how many Writes began after Close or were running at Close.
func (m *Memory[T]) Late() int { return m.count(&m.late) }

func (m *Memory[T]) count(n *int) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return *n
}

// Reset forgets events and counts and reopens a closed sink. It changes
// neither Hold nor the exported fields.
func (m *Memory[T]) Reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.batches, m.failures = nil, nil
	m.calls, m.peak, m.flushes, m.closes, m.late = 0, m.running, 0, 0, 0
}
