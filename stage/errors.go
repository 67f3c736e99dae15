package stage

import (
	"errors"
	"fmt"

	"github.com/sourcegraph/conc/panics"
)

// States in which an event is refused. Test for them with errors.Is.
var (
	ErrClosed   = errors.New("penstock: pipeline closed")
	ErrFull     = errors.New("penstock: queue full")
	ErrTooLarge = errors.New("penstock: event too large")
	ErrInvalid  = errors.New("penstock: event's size or importance cannot be told")
	ErrDead     = errors.New("penstock: actor died")
)

// ErrReentrant is returned to who would wait for a pipeline and has a context
// derived from one that this pipeline gave to a sink, a stage, a route or a hook:
// that would be waiting for oneself.
var ErrReentrant = errors.New("penstock: called from inside the pipeline")

// Causes of a failure that come from the pipeline itself.
var (
	// ErrAbandoned is the cause of events lost because Close's context ended.
	ErrAbandoned = errors.New("penstock: close deadline passed")
	// ErrInDoubt is the cause of those of them that a sink or a route was
	// writing at that moment; it wraps ErrAbandoned.
	ErrInDoubt = fmt.Errorf("%w in the middle of a write", ErrAbandoned)
	// ErrOverflow is the cause of events that overflow has pushed out of the
	// queue, or did not let in, and that were offered to the routes instead.
	ErrOverflow = errors.New("penstock: queue overflowed")
	// ErrGrown is the cause when a stage returned more events than it was given.
	ErrGrown = errors.New("penstock: stage returned more events than it was given")
)

// PartialError is returned by a [Sink] that delivered some events and not
// others. Failed holds indexes into the slice that Write was given; all other
// events count as delivered. An empty Failed, a duplicate or an index out of
// range makes it the failure of the whole batch, as a nil *PartialError is. It
// may be wrapped; joined with other errors it is one of several, and the whole
// batch failed.
type PartialError struct {
	Failed []int
	Err    error // the cause; may be nil
}

// Error names the number of failed events and the cause.
func (e *PartialError) Error() string {
	switch {
	case e == nil:
		return "all events failed"
	case e.Err == nil:
		return fmt.Sprintf("%d events failed", len(e.Failed))
	}
	return fmt.Sprintf("%d events failed: %v", len(e.Failed), e.Err)
}

// Unwrap returns the cause.
func (e *PartialError) Unwrap() error {
	if e == nil {
		return nil
	}
	return e.Err
}

// FailedIndexes returns the indexes that err reports as failed out of n events,
// ascending, as a [*PartialError] names them, or nil if err is the failure of
// the whole batch. Sinks that wrap others use it, so that everybody reads an
// error alike.
func FailedIndexes(err error, n int) []int {
	for err != nil {
		if pe, ok := err.(*PartialError); ok {
			if pe == nil || len(pe.Failed) == 0 {
				return nil
			}
			return ascending(pe.Failed, n)
		}
		// Not into a join: of several errors one may be about the whole batch.
		err = errors.Unwrap(err)
	}
	return nil
}

// ascending returns the indexes sorted if they are distinct and within [0, n),
// else nil. It does not change its argument, which belongs to the sink.
func ascending(indexes []int, n int) []int {
	if len(indexes) > n {
		return nil
	}
	marked := make([]bool, n)
	for _, i := range indexes {
		if i < 0 || i >= n || marked[i] {
			return nil
		}
		marked[i] = true
	}
	sorted := make([]int, 0, len(indexes))
	for i, m := range marked {
		if m {
			sorted = append(sorted, i)
		}
	}
	return sorted
}

type permanentError struct{ error }

func (e permanentError) Unwrap() error { return e.error }

// Permanent marks err as one that a retry cannot mend. It returns nil for nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanentError{err}
}

// IsPermanent reports whether err, or an error it wraps, was marked by
// [Permanent]. Joined errors are permanent if all of them are.
func IsPermanent(err error) bool {
	for err != nil {
		switch e := err.(type) {
		case permanentError:
			return true
		case interface{ Unwrap() []error }:
			parts := e.Unwrap()
			for _, part := range parts {
				if !IsPermanent(part) {
					return false
				}
			}
			return len(parts) > 0
		}
		err = errors.Unwrap(err)
	}
	return false
}

// PanicError is a panic, or a runtime.Goexit, in user code, caught where the
// code was called.
type PanicError struct {
	Value any    // what was passed to panic; nil for a Goexit
	Stack string // the stack of the goroutine at the time
}

// Error gives the value and the stack.
func (e *PanicError) Error() string {
	if e.Value == nil {
		return "runtime.Goexit called\n" + e.Stack
	}
	return fmt.Sprintf("panic: %v\n%s", e.Value, e.Stack)
}

// Unwrap returns the value passed to panic if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// NewPanicError is called in the deferred function that caught value, so that
// the stack still shows where the panic came from. Whoever can use [Guard] does
// not need it.
func NewPanicError(value any) *PanicError {
	r := panics.NewRecovered(2, value)
	return &PanicError{Value: value, Stack: string(r.Stack)}
}
