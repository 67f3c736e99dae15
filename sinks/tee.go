package sinks

import (
	"context"
	"errors"
	"fmt"

	"github.com/penstock-go/penstock/stage"
)

// Tee hands every batch to all branches, one after the other in the order
// given, and returns when the last is done. The slowest branch holds up the
// others: outputs that should not wait for each other are pipelines of their
// own in a Fan. A single branch is returned as it is.
//
// A branch that fails, panics or calls runtime.Goexit does not keep the others
// from being called; the Goexit goes on afterwards. Errors are joined, each
// with the number and name of its branch. An event failed if any branch failed
// it, so that a retry around a Tee delivers it again to branches that had it;
// a retry around each branch does not. The joined error is permanent only if
// each of its parts is.
//
// Flush, Close and Report reach all branches too.
func Tee[T any](branches ...stage.Sink[T]) (stage.Sink[T], error) {
	if len(branches) == 0 {
		return nil, bad("number of Tee's branches", 0, "1 or more")
	}
	for i, b := range branches {
		if b == nil {
			return nil, bad(fmt.Sprintf("Tee's branch %d", i), nil, "a sink")
		}
	}
	if len(branches) == 1 {
		return branches[0], nil
	}
	t := &tee[T]{}
	for _, b := range branches {
		t.branches = append(t.branches, branch[T]{sink: b, name: stage.NameOf(b)})
	}
	return t, nil
}

type tee[T any] struct{ branches []branch[T] }

type branch[T any] struct {
	sink stage.Sink[T]
	name string
}

func (t *tee[T]) Write(ctx context.Context, events []T) error {
	errs := t.all(ctx, func(s stage.Sink[T]) error { return s.Write(ctx, events) })
	return t.unite(errs, len(events))
}

func (t *tee[T]) WriteFailure(ctx context.Context, f stage.Failure[T]) error {
	errs := t.all(ctx, func(s stage.Sink[T]) error { return stage.WriteFailure(ctx, s, f) })
	return t.unite(errs, len(f.Events))
}

func (t *tee[T]) Flush(ctx context.Context) error {
	return t.join(t.all(ctx, func(s stage.Sink[T]) error { return stage.FlushSink(ctx, s) }))
}

func (t *tee[T]) Close() error {
	return t.join(t.all(context.Background(), stage.CloseSink[T]))
}

// Report adds up what the branches report.
func (t *tee[T]) Report(r *stage.SinkReport) {
	for _, b := range t.branches {
		stage.ReportSink(b.sink, r)
	}
}

// all returns nil, or an error or nil for each branch.
func (t *tee[T]) all(ctx context.Context, call func(stage.Sink[T]) error) []error {
	var errs []error
	t.from(ctx, 0, call, &errs)
	return errs
}

// from calls the branches from i on. A Goexit cannot be stopped, but on its
// way it still calls the branches behind the one it came from.
func (t *tee[T]) from(ctx context.Context, i int, call func(stage.Sink[T]) error, errs *[]error) {
	for ; i < len(t.branches); i++ {
		b := t.branches[i]
		err := stage.Guard(ctx, b.name,
			func() error { return call(b.sink) },
			func(error) { t.from(ctx, i+1, call, errs) })
		if err == nil {
			continue
		}
		if *errs == nil {
			*errs = make([]error, len(t.branches))
		}
		(*errs)[i] = err
	}
}

// unite joins errs for a batch of n. The outermost PartialError names every
// event that failed anywhere, also when that is all of them: a reader that
// looks for a PartialError must not find that of one branch first.
func (t *tee[T]) unite(errs []error, n int) error {
	if errs == nil {
		return nil
	}
	failed := make([]bool, n)
	for _, err := range errs {
		if err == nil {
			continue
		}
		indexes := stage.FailedIndexes(err, n)
		for i := range failed {
			failed[i] = failed[i] || indexes == nil
		}
		for _, i := range indexes {
			failed[i] = true
		}
	}
	pe := &stage.PartialError{Err: t.join(errs)}
	for i, f := range failed {
		if f {
			pe.Failed = append(pe.Failed, i)
		}
	}
	return pe
}

func (t *tee[T]) join(errs []error) error {
	var named []error
	for i, err := range errs {
		if err != nil {
			named = append(named, fmt.Errorf("branch %d, %s: %w", i, t.branches[i].name, err))
		}
	}
	return errors.Join(named...)
}
