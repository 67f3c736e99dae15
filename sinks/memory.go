package sinks

import (
	"context"
	"slices"
	"sync"

	"github.com/penstock-go/penstock/stage"
)

// Memory keeps copies of what it is given, for tests. The zero value is ready;
// the exported fields are set before the first Write. All methods are safe for
// concurrent use.
type Memory[T any] struct {
	// Fail decides each Write by its number, counted from 1, and its events,
	// which it must not retain. An error keeps the events out of the memory,
	// except those that a valid [stage.PartialError] does not name. It runs
	// outside the lock and may block or panic.
	Fail     func(call int, events []T) error
	FlushErr error // returned by Flush
	CloseErr error // returned by Close

	mu       sync.Mutex
	batches  [][]T
	failures []stage.Failure[T]
	calls    int
	running  int
	peak     int
	flushes  int
	closes   int
	late     int
	gate     chan struct{} // made by Hold, closed by Release; nil: open
}

// Write copies events. While the sink is held it waits for Release or for the
// end of ctx, whose error it then returns.
func (m *Memory[T]) Write(ctx context.Context, events []T) error {
	_, err := m.write(ctx, events)
	return err
}

// WriteFailure is Write with f.Events, and keeps the cause too.
func (m *Memory[T]) WriteFailure(ctx context.Context, f stage.Failure[T]) error {
	took, err := m.write(ctx, f.Events)
	if took == nil {
		return err
	}
	kept := stage.Failure[T]{
		Events: took, Stage: f.Stage, Err: f.Err, Attempts: f.Attempts,
		First: f.First, Last: f.Last, Outcome: f.Outcome,
	}
	m.mu.Lock()
	m.failures = append(m.failures, kept)
	m.mu.Unlock()
	return err
}

// write returns a copy of the events that were taken; nil if all failed.
func (m *Memory[T]) write(ctx context.Context, events []T) ([]T, error) {
	call, gate, err := m.enter()
	if err != nil {
		return nil, err
	}
	defer m.leave()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if m.Fail != nil {
		err = m.Fail(call, events)
	}
	took := survivors(events, err)
	if took != nil {
		m.mu.Lock()
		m.batches = append(m.batches, took)
		m.mu.Unlock()
		took = slices.Clone(took)
	}
	return took, err
}

func (m *Memory[T]) enter() (call int, gate chan struct{}, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.closes > 0 {
		m.late++
		return 0, nil, errClosed()
	}
	m.running++
	m.peak = max(m.peak, m.running)
	return m.calls, m.gate, nil
}

func (m *Memory[T]) leave() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.running--
}

// survivors copies the events that err does not report as failed.
func survivors[T any](events []T, err error) []T {
	if err == nil {
		return append(make([]T, 0, len(events)), events...)
	}
	failed := stage.FailedIndexes(err, len(events))
	if failed == nil {
		return nil
	}
	var took []T
	for i, ev := range events {
		if len(failed) > 0 && failed[0] == i {
			failed = failed[1:]
			continue
		}
		took = append(took, ev)
	}
	return took
}

// Flush counts the call and returns FlushErr.
func (m *Memory[T]) Flush(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.flushes++
	return m.FlushErr
}

// Close counts the call and returns CloseErr. Writes that begin after it, and
// those it finds in progress, are counted as late.
func (m *Memory[T]) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closes++
	m.late += m.running
	return m.CloseErr
}
