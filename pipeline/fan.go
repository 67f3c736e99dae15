package pipeline

import (
	"context"
	"errors"
	"fmt"

	"github.com/sourcegraph/conc"

	"github.com/penstock-go/penstock/stage"
)

// Fan offers each event to several pipelines. Every output has its own queue,
// overflow policy, books and fate: one that stalls holds up no other. This is
// how outputs are isolated; sinks.Tee, by contrast, makes several sinks one.
// All methods may be called concurrently.
type Fan[T any] struct {
	outputs []*Pipeline[T]
}

// NewFan returns a fan over the outputs, which it closes when it is closed.
func NewFan[T any](outputs ...*Pipeline[T]) (*Fan[T], error) {
	if len(outputs) == 0 {
		return nil, &ConfigError{Field: "outputs", Value: outputs, Reason: "must not be empty"}
	}
	for i, p := range outputs {
		field := fmt.Sprintf("outputs[%d]", i)
		if p == nil {
			return nil, &ConfigError{Field: field, Value: p, Reason: "must not be nil"}
		}
		for _, other := range outputs[:i] {
			if p == other {
				return nil, &ConfigError{Field: field, Value: p.Name(), Reason: "must not be there twice"}
			}
		}
	}
	return &Fan[T]{outputs: append([]*Pipeline[T](nil), outputs...)}, nil
}

// OutputError is the error of one output of a Fan, or of one pipeline of
// CloseAll.
type OutputError struct {
	Output string
	Err    error
}

// Error names the output and gives its error.
func (e *OutputError) Error() string { return fmt.Sprintf("output %s: %v", e.Output, e.Err) }

// Unwrap returns the output's error.
func (e *OutputError) Unwrap() error { return e.Err }

// Enqueue offers ev to every output and never blocks. nil means that all
// accepted it; the others' errors are joined, each as an [*OutputError].
func (f *Fan[T]) Enqueue(ev T) error {
	var errs []error
	for _, p := range f.outputs {
		if err := p.intake.Enqueue(&ev); err != nil {
			errs = append(errs, &OutputError{Output: p.cfg.Name, Err: err})
		}
	}
	return errors.Join(errs...)
}

// Flush flushes all outputs at the same time and joins their errors.
func (f *Fan[T]) Flush(ctx context.Context) error {
	return f.each(func(p *Pipeline[T]) error { return p.Flush(ctx) })
}

// Close closes all outputs at the same time and joins their verdicts.
func (f *Fan[T]) Close(ctx context.Context) error {
	return f.each(func(p *Pipeline[T]) error { return p.Close(ctx) })
}

// Stats returns the outputs' books, in the order they were given to NewFan.
// There is no sum: an event has a fate in each of them.
func (f *Fan[T]) Stats() []Stats {
	all := make([]Stats, len(f.outputs))
	for i, p := range f.outputs {
		all[i] = p.Stats()
	}
	return all
}

// each calls do for all outputs at the same time.
func (f *Fan[T]) each(do func(*Pipeline[T]) error) error {
	var wg conc.WaitGroup
	errs := make([]error, len(f.outputs))
	for i, p := range f.outputs {
		wg.Go(func() { errs[i] = named(p, do(p)) })
	}
	return errors.Join(append(errs, recovered(&wg))...)
}

// named wraps what v returned in an OutputError.
func named(v any, err error) error {
	if err == nil {
		return nil
	}
	return &OutputError{Output: stage.NameOf(v), Err: err}
}
