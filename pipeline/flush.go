package pipeline

import (
	"context"
	"errors"

	"github.com/penstock-go/penstock/stage"
)

// Flush is a barrier: it returns when every event accepted before the call is
// settled, the batch inside the sink included, and then the sink's own Flush
// and the routes' have run, with no Write in progress. Events that arrive
// later do not hold it up.
//
// It returns the sinks' errors, and a [*LossError] if events accepted before
// the call were lost since. If ctx ends first it returns ctx's error, and
// nothing queued is harmed. If an actor dies it returns the [*DeadError] at
// once. While the pipeline closes it waits for the end and returns Close's
// verdict, as it does afterwards. From inside the pipeline it returns
// [ErrReentrant].
func (p *Pipeline[T]) Flush(ctx context.Context) error {
	if stage.Within(ctx, p) {
		return ErrReentrant
	}
	s := p.sup
	mark := s.intake.Mark()
	err, ended := s.await(ctx, mark.Done())
	lost := s.ledger.Forget(mark)
	if ended || err != nil {
		return err
	}
	if lost > 0 {
		err = &LossError{Pipeline: s.cfg.Name, Lost: lost}
	}
	for _, sync := range []chan stage.SyncRequest{s.flusher.Sync, s.router.Sync} {
		e, ended := s.sync(ctx, sync)
		if ended {
			return e
		}
		err = errors.Join(err, e)
	}
	return err
}

// await waits for ready. ended is set if the pipeline ended first: err is then
// why.
func (s *supervisor[T]) await(ctx context.Context, ready <-chan struct{}) (err error, ended bool) {
	select {
	case <-ready:
	case <-ctx.Done():
		return ctx.Err(), false
	case <-s.sealed:
	case <-s.done:
	}
	// The end of the pipeline settles everything, and so makes ready whatever
	// waits here: it is looked for first.
	switch {
	case isClosed(s.sealed):
		return s.awaitEnd(ctx), true
	case isClosed(s.done):
		return s.err(), true
	}
	return nil, false
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// awaitEnd waits for the verdict.
func (s *supervisor[T]) awaitEnd(ctx context.Context) error {
	select {
	case <-s.verdict:
		return s.conclude()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// sync asks an actor to flush its sinks and waits for the answer.
func (s *supervisor[T]) sync(ctx context.Context, to chan<- stage.SyncRequest) (err error, ended bool) {
	r := stage.SyncRequest{Reply: make(chan error, 1)}
	select {
	case to <- r:
	case <-ctx.Done():
		return ctx.Err(), true
	case <-s.sealed:
		return s.awaitEnd(ctx), true
	case <-s.done:
		return s.err(), true
	}
	select {
	case err := <-r.Reply:
		return err, false
	case <-ctx.Done():
		return ctx.Err(), true
	case <-s.done:
		return s.err(), true
	}
}
