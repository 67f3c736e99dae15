package stage

import (
	"context"
	"fmt"
	"io"
)

// Sink is where batches end: a file, a socket, another pipeline.
//
// A pipeline with one worker (the default) makes one call at a time. With more
// workers Write is called concurrently, and so must be safe for it. A sink that
// several pipelines share is wrapped in sinks.Shared.
//
// Write is done with the whole slice when it returns nil. It neither retains
// nor modifies events: the slice goes back to the pipeline when Write returns
// and is cleared and filled again. A sink that keeps events copies them.
//
// An error means that no event was delivered, unless it is (or wraps) a
// [*PartialError], which names the events that were not. [Permanent] marks an
// error that a retry cannot mend. A panic or a runtime.Goexit counts as an
// error of the whole batch, and so does an error whose own Is, As or Unwrap ends
// in one.
//
// ctx is the pipeline's own, never a producer's. It ends when the deadline
// given to Close passes; a Write that ignores it is abandoned and what it was
// writing is counted as lost and in doubt. [Clock] and [Draining] read the
// pipeline's clock and the beginning of Close from it.
//
// Optional methods are found by type assertion:
//
//   - io.Closer: Close is called exactly once, after the last Write and Flush.
//   - Flush(context.Context) error: makes what was written durable; called
//     with no Write in progress, by the pipeline's Flush and before Close.
//   - [FailureSink], on the sink of a [Route].
//   - Name() string: the name used in errors instead of the type's.
//   - Report(*SinkReport): adds what the sink has counted itself; see
//     [ReportSink].
type Sink[T any] interface {
	Write(ctx context.Context, events []T) error
}

// SinkFunc makes a function a [Sink], with the same contract.
type SinkFunc[T any] func(ctx context.Context, events []T) error

// Write calls f.
func (f SinkFunc[T]) Write(ctx context.Context, events []T) error { return f(ctx, events) }

// FailureSink is a [Sink] that wants the cause with the events, as a
// dead-letter sink does. The [ErrorRouter] prefers WriteFailure to Write; the
// contract is Write's, with f.Events as the slice.
type FailureSink[T any] interface {
	Sink[T]
	WriteFailure(ctx context.Context, f Failure[T]) error
}

// WriteFailure calls sink's WriteFailure if it has one, else its Write.
// Decorators use it to pass a failure on.
func WriteFailure[T any](ctx context.Context, sink Sink[T], f Failure[T]) error {
	if s, ok := sink.(FailureSink[T]); ok {
		return s.WriteFailure(ctx, f)
	}
	return sink.Write(ctx, f.Events)
}

// FlushSink calls sink's Flush if it has one. Decorators use it to pass a
// flush on.
func FlushSink[T any](ctx context.Context, sink Sink[T]) error {
	if f, ok := sink.(interface{ Flush(context.Context) error }); ok {
		return f.Flush(ctx)
	}
	return nil
}

// CloseSink calls sink's Close if it has one. Decorators use it to pass Close
// on.
func CloseSink[T any](sink Sink[T]) error {
	if c, ok := sink.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// NameOf returns what v calls itself by a method Name() string, or else its
// type.
func NameOf(v any) string {
	if n, ok := v.(interface{ Name() string }); ok {
		return n.Name()
	}
	return fmt.Sprintf("%T", v)
}
