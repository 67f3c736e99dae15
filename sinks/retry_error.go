package sinks

import (
	"errors"
	"fmt"
	"time"

	"github.com/penstock-go/penstock/stage"
)

// ErrExhausted is what a [*RetryError] is unless its cause is permanent: another
// attempt might have helped, and there was none left to make.
var ErrExhausted = errors.New("penstock: retries exhausted")

// RetryError is the failure of events that a [Retry] has given up. It is
// [ErrExhausted] to errors.Is, unless a retry would have been useless.
type RetryError struct {
	Attempts int   // made with the events that failed last
	Err      error // of the last attempt
}

// Error gives the number of attempts and the last error.
func (e *RetryError) Error() string {
	if e.Attempts == 1 {
		return fmt.Sprintf("given up after 1 attempt: %v", e.Err)
	}
	return fmt.Sprintf("given up after %d attempts: %v", e.Attempts, e.Err)
}

// Unwrap returns the last error.
func (e *RetryError) Unwrap() error { return e.Err }

// Is reports whether e is target.
func (e *RetryError) Is(target error) bool { return target == ErrExhausted && !useless(e.Err) }

type hinted struct {
	error
	after time.Duration
}

func (e hinted) Unwrap() error             { return e.error }
func (e hinted) RetryAfter() time.Duration { return e.after }

// RetryAfter marks err as one after which a sink is to be left alone for d. Any
// error with a method RetryAfter() time.Duration is such a mark. [Retry] waits
// so long at least. It returns nil for nil.
func RetryAfter(err error, d time.Duration) error {
	if err == nil {
		return nil
	}
	return hinted{err, d}
}

// retryAfter returns the longest time that err, or an error it wraps or joins,
// asks for; 0 if none does.
func retryAfter(err error) (longest time.Duration) {
	for err != nil {
		if h, ok := err.(interface{ RetryAfter() time.Duration }); ok {
			longest = max(longest, h.RetryAfter())
		}
		if j, ok := err.(interface{ Unwrap() []error }); ok {
			for _, part := range j.Unwrap() {
				longest = max(longest, retryAfter(part))
			}
			return longest
		}
		err = errors.Unwrap(err)
	}
	return longest
}

// useless reports whether another attempt is: after a permanent error, and
// after a panic, which is a defect and no bad luck. Of joined errors all must
// be one or the other.
func useless(err error) bool {
	for err != nil && !stage.IsPermanent(err) {
		switch e := err.(type) {
		case *stage.PanicError:
			return true
		case interface{ Unwrap() []error }:
			parts := e.Unwrap()
			for _, part := range parts {
				if !useless(part) {
					return false
				}
			}
			return len(parts) > 0
		}
		err = errors.Unwrap(err)
	}
	return err != nil
}
