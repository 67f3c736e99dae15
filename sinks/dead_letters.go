package sinks

import (
	"context"

	"github.com/penstock-go/penstock/stage"
)

// DeadLetters makes a letter of every failed event and writes it to to, which
// may be any sink of letters: a [File] or a [Writer] with a [LetterEncoder], a
// [Memory], or one of these in decorators. As the sink of a [stage.Route] it
// knows the whole story of an event; events that come by Write are letters
// without one.
//
// The letters of a failure are one batch, in the order of their events. What
// to fails to take, all or what a [stage.PartialError] names, has failed here.
// Flush, Close and Report are to's.
func DeadLetters[T any](to stage.Sink[Letter[T]]) (stage.Sink[T], error) {
	if to == nil {
		return nil, bad("DeadLetters' sink", nil, "a sink of letters")
	}
	return &postman[T, T]{to, func(ev T) Letter[T] { return Letter[T]{Event: ev} }}, nil
}

// ReturnedLetters is DeadLetters for a pipeline whose events are letters: one
// that sends those of an earlier run on their way again. A letter that fails
// once more keeps its First, adds to its Attempts, and has the new cause.
func ReturnedLetters[T any](to stage.Sink[Letter[T]]) (stage.Sink[Letter[T]], error) {
	if to == nil {
		return nil, bad("ReturnedLetters' sink", nil, "a sink of letters")
	}
	return &postman[Letter[T], T]{to, func(l Letter[T]) Letter[T] { return l }}, nil
}

// postman takes events of type E and hands over letters about Ts. It has no
// state: it is as safe for concurrent use as to.
type postman[E, T any] struct {
	to     stage.Sink[Letter[T]]
	letter func(E) Letter[T]
}

func (p *postman[E, T]) Write(ctx context.Context, events []E) error {
	return p.to.Write(ctx, p.letters(events))
}

func (p *postman[E, T]) WriteFailure(ctx context.Context, f stage.Failure[E]) error {
	letters := p.letters(f.Events)
	why := storyOf(f)
	for i := range letters {
		letters[i] = letters[i].failed(why)
	}
	return p.to.Write(ctx, letters)
}

// letters are made anew each time, because a call of to that was abandoned may
// still be reading the last ones.
func (p *postman[E, T]) letters(events []E) []Letter[T] {
	letters := make([]Letter[T], len(events))
	for i, ev := range events {
		letters[i] = p.letter(ev)
	}
	return letters
}

func (p *postman[E, T]) Flush(ctx context.Context) error { return stage.FlushSink(ctx, p.to) }
func (p *postman[E, T]) Close() error                    { return stage.CloseSink(p.to) }
func (p *postman[E, T]) Report(r *stage.SinkReport)      { stage.ReportSink(p.to, r) }
func (p *postman[E, T]) Name() string                    { return stage.NameOf(p.to) }

var _ stage.FailureSink[int] = (*postman[int, int])(nil)
