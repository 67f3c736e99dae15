package pipeline

import (
	"fmt"
	"strings"

	"github.com/penstock-go/penstock/stage"
)

// ErrReentrant is returned by Flush, Close and EnqueueWait when they are
// called with a context derived from one that this pipeline gave to a sink, a
// stage, a route or a hook: waiting there for the pipeline would be waiting
// for oneself. It is stage.ErrReentrant.
var ErrReentrant = stage.ErrReentrant

// LossError says what Flush or Close could not deliver. Every error of Close
// is or wraps one.
type LossError struct {
	Pipeline string   // Config.Name
	Lost     uint64   // events lost since Close began, or before the mark since Flush was called
	InDoubt  uint64   // those of them a sink or a route was writing when Close's context ended; 0 from Flush
	Stuck    []string // user code that had not returned by then
}

// Error gives the figures and the names.
func (e *LossError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "penstock: pipeline %s: ", e.Pipeline)
	switch e.Lost {
	case 0:
		b.WriteString("no event lost")
	case 1:
		b.WriteString("1 event lost")
	default:
		fmt.Fprintf(&b, "%d events lost", e.Lost)
	}
	if e.InDoubt > 0 {
		fmt.Fprintf(&b, ", %d of them in doubt", e.InDoubt)
	}
	if len(e.Stuck) > 0 {
		fmt.Fprintf(&b, "; stuck in %s", strings.Join(e.Stuck, ", "))
	}
	return b.String()
}

// DeadError says which actor of a pipeline died, and why. It wraps
// stage.ErrDead and the cause.
type DeadError struct {
	Pipeline string
	Actor    string
	Err      error // a *stage.PanicError, what Run returned, or what was wrong with its return
}

// Error names the pipeline, the actor and the cause.
func (e *DeadError) Error() string {
	return fmt.Sprintf("penstock: pipeline %s: actor %s died: %v", e.Pipeline, e.Actor, e.Err)
}

// Unwrap returns stage.ErrDead and the cause.
func (e *DeadError) Unwrap() []error { return []error{stage.ErrDead, e.Err} }

// RejectedError is returned by EnqueueAll. Indexes are those of the events
// that were not accepted, ascending, and Errs the reasons beside them.
type RejectedError struct {
	Indexes []int
	Errs    []error
}

// Error gives the number and the first reason.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("penstock: %d events rejected: %v", len(e.Indexes), e.Errs[0])
}

// Unwrap returns the reasons.
func (e *RejectedError) Unwrap() []error { return e.Errs }
