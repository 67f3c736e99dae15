package sinks

import (
	"errors"
	"time"
)

// Errors of a [Timeout]. The call that is abandoned fails with both.
var (
	// ErrTimeout is the error of a call that took longer than the limit; it is
	// the context's cause, too.
	ErrTimeout = errors.New("penstock: sink took too long")
	// ErrStuck is the error of a call that was not made, because one that was
	// abandoned has not returned.
	ErrStuck = errors.New("penstock: sink ignores its context")
)

// TimeoutConfig configures a [Timeout]. Every zero value is a default.
type TimeoutConfig struct {
	// Limit is how long a call may take before its context ends; default 10s.
	Limit time.Duration
	// Grace is how long a call may take to return after its context has ended,
	// for whatever reason; then it is abandoned. Default 100ms.
	Grace time.Duration
}

// lateError is the error of a call that returned after its limit. It wraps the
// sink's alone, so that a partial one is still found.
type lateError struct{ error }

func (e *lateError) Error() string        { return ErrTimeout.Error() + ": " + e.error.Error() }
func (e *lateError) Unwrap() error        { return e.error }
func (e *lateError) Is(target error) bool { return target == ErrTimeout }
