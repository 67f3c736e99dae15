package sinks

import (
	"errors"
	"fmt"

	"github.com/penstock-go/penstock/stage"
	"github.com/sourcegraph/conc/panics"
)

// ErrClosed is returned, marked [stage.Permanent], by the methods of a sink
// that has been closed.
var ErrClosed = errors.New("penstock: sink closed")

func errClosed() error { return stage.Permanent(ErrClosed) }

// bad is the error of a constructor that cannot work with value in field.
func bad(field string, value any, want string) error {
	return fmt.Errorf("penstock: %s is %v, want %s", field, value, want)
}

// panicError is called in the deferred function that recovered value.
func panicError(value any) error {
	return &stage.PanicError{Value: value, Stack: string(panics.NewRecovered(1, value).Stack)}
}

// failedOf marks the events out of n that err reports as failed. It is nil if
// err is the failure of all of them: not a [stage.PartialError], or one whose
// indexes are empty, out of range or not distinct.
func failedOf(err error, n int) []bool {
	var pe *stage.PartialError
	if !errors.As(err, &pe) || len(pe.Failed) == 0 || len(pe.Failed) > n {
		return nil
	}
	failed := make([]bool, n)
	for _, i := range pe.Failed {
		if i < 0 || i >= n || failed[i] {
			return nil
		}
		failed[i] = true
	}
	return failed
}

// transient hides the mark of [stage.Permanent] in an error that is joined
// with others that a retry may mend. errors.Is still finds the cause.
type transient struct{ err error }

func (t transient) Error() string        { return t.err.Error() }
func (t transient) Is(target error) bool { return errors.Is(t.err, target) }
