package sinks

import (
	"errors"
	"fmt"

	"github.com/penstock-go/penstock/stage"
)

// ErrClosed is returned, marked [stage.Permanent], by the methods of a sink
// that has been closed.
var ErrClosed = errors.New("penstock: sink closed")

func errClosed() error { return stage.Permanent(ErrClosed) }

// bad is the error of a constructor that cannot work with value in field.
func bad(field string, value any, want string) error {
	return fmt.Errorf("penstock: %s is %v, want %s", field, value, want)
}
