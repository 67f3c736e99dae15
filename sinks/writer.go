package sinks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"

	"github.com/penstock-go/penstock/stage"
)

// Writer is a sink on any io.Writer. Each batch is encoded into one buffer,
// which is reused, and written by one call, which is repeated for the rest if
// the writer takes less without an error. It does not allocate once the buffer
// has grown.
//
// When a write fails, the events that were completely written count as
// delivered and all others as failed. If that leaves a line cut off in the
// middle, the next batch begins with a line feed, so that two lines never
// become one; this needs an encoder whose lines end in a line feed. The stump
// stays in the stream and is for its reader to skip.
//
// A writer with a buffer of its own, as bufio.Writer, makes "delivered" mean
// "in that buffer".
type Writer[T any] struct {
	w    io.Writer
	name string
	turn turn

	bytes atomic.Uint64 // the writer has taken

	// Guarded by turn.
	lines  lines[T]
	cut    bool // the stream ends in the middle of a line
	closed bool
}

// NewWriter returns a Writer that owns w.
func NewWriter[T any](w io.Writer, encode Encoder[T]) (*Writer[T], error) {
	switch {
	case w == nil:
		return nil, bad("NewWriter's writer", nil, "a writer")
	case encode == nil:
		return nil, bad("NewWriter's encoder", nil, "an encoder")
	}
	return &Writer[T]{
		w:     w,
		name:  fmt.Sprintf("writer %T", w),
		turn:  newTurn(),
		lines: lines[T]{encode: encode},
	}, nil
}

// NewConsole returns a Writer on a standard stream, as os.Stdout or os.Stderr.
// Unlike [NewWriter] it neither closes nor syncs it: the stream belongs to the
// process, and terminals and pipes refuse to be synced.
func NewConsole[T any](stream *os.File, encode Encoder[T]) (*Writer[T], error) {
	switch {
	case stream == nil:
		return nil, bad("NewConsole's stream", nil, "os.Stdout or os.Stderr")
	case encode == nil:
		return nil, bad("NewConsole's encoder", nil, "an encoder")
	}
	w, err := NewWriter(io.Writer(struct{ io.Writer }{stream}), encode)
	if err == nil {
		w.name = "console " + stream.Name()
	}
	return w, err
}

// Write implements [stage.Sink]. ctx bounds the wait for a concurrent Write,
// not the writer.
func (w *Writer[T]) Write(ctx context.Context, events []T) error {
	if err := w.turn.take(ctx); err != nil {
		return err
	}
	defer w.turn.give()
	if w.closed {
		return errClosed()
	}
	w.lines.fill(events)
	done, err := w.writeLines()
	err = w.lines.verdict(len(events), done, err)
	w.lines.trim()
	return err
}

// writeLines returns how many lines were written completely.
func (w *Writer[T]) writeLines() (int, error) {
	all := len(w.lines.ends)
	if all == 0 {
		return 0, nil
	}
	p := w.lines.span(0, all, w.cut)
	healed := len(w.lines.buf) - len(p) // 0 if p begins with the line feed
	before := w.cut
	w.cut = true // what holds if the writer panics
	n, err := writeAll(w.w, p)
	w.bytes.Add(uint64(n))
	if err == nil {
		w.cut = false
		return all, nil
	}
	err = fmt.Errorf("penstock: %s: %w", w.name, err)
	switch n {
	case 0:
		w.cut = before
	case len(p):
		w.cut = false
		return 0, err // nothing is missing and yet it failed: believe the error
	default:
		w.cut = p[n-1] != '\n'
	}
	return w.lines.whole(0, healed+n), err
}

// Flush calls the writer's Flush() error and Sync() error, if it has them.
func (w *Writer[T]) Flush(ctx context.Context) error {
	if err := w.turn.take(ctx); err != nil {
		return err
	}
	defer w.turn.give()
	if w.closed {
		return errClosed()
	}
	var errs []error
	if f, ok := w.w.(interface{ Flush() error }); ok {
		errs = append(errs, f.Flush())
	}
	if s, ok := w.w.(interface{ Sync() error }); ok {
		errs = append(errs, s.Sync())
	}
	return errors.Join(errs...)
}

// Close closes the writer if it is an io.Closer.
func (w *Writer[T]) Close() error {
	w.turn.wait()
	defer w.turn.give()
	if w.closed {
		return nil
	}
	w.closed = true
	if c, ok := w.w.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Report adds the bytes that the writer said it has taken, those of lines that
// were cut off included.
func (w *Writer[T]) Report(r *stage.SinkReport) { r.Bytes += w.bytes.Load() }

// Name names the writer's type, or the console's stream.
func (w *Writer[T]) Name() string { return w.name }

var _ stage.Sink[int] = (*Writer[int])(nil)
