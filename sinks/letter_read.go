package sinks

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/penstock-go/penstock/stage"
)

// DefaultMaxLine is the length in bytes of the longest line that a
// [LetterReader] accepts unless told otherwise.
const DefaultMaxLine = 16 << 20

// ErrNoEvent is the cause for a line that is a letter, but whose event could
// not be encoded when it was written.
var ErrNoEvent = errors.New("penstock: letter has no event, only a text")

// LineError is a line that is not a letter that can be sent again.
type LineError struct {
	Line int // counted from 1
	Err  error
}

// Error names the line.
func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }

// Unwrap returns the cause.
func (e *LineError) Unwrap() error { return e.Err }

// Decoder is the counterpart of an [Encoder] for one event. data is the
// encoded event alone, without white space around it, and the decoder's to
// keep.
type Decoder[T any] func(data []byte) (T, error)

// LetterReader reads the lines that a [LetterEncoder] made. The zero value is
// ready.
type LetterReader[T any] struct {
	Decode  Decoder[T] // reads one event; nil: encoding/json
	MaxLine int        // greatest length of a line in bytes; 0 or less: DefaultMaxLine
}

var (
	errLong      = errors.New("too long")
	errNoLetter  = errors.New("not a dead letter")
	errNoContent = errors.New("no event in it")
)

// Read returns the letters in in, in order. It holds one line at a time. An
// iterator that was left goes on with the next line when it is used again.
//
// A line that is none, or whose event cannot be had back, comes as a
// [*LineError], and the next line follows: one that was cut off, is too long,
// is of a newer version of the format, or whose event Decode refuses. With the
// error comes what else the line says; its Event is not to be used. Blank
// lines are skipped, line ends may be CRLF, fields that are not known are
// ignored. Any other error is in's own, and the last.
func (r LetterReader[T]) Read(in io.Reader) iter.Seq2[Letter[T], error] {
	lines := lineReader{in: bufio.NewReader(in), max: r.MaxLine}
	if lines.max <= 0 {
		lines.max = DefaultMaxLine
	}
	return func(yield func(Letter[T], error) bool) {
		for {
			line, err := lines.next()
			switch {
			case err == io.EOF:
				return
			case err != nil && err != errLong:
				yield(Letter[T]{}, fmt.Errorf("penstock: read letters: %w", err))
				return
			case err == nil && len(bytes.TrimSpace(line)) == 0:
				continue
			}
			var l Letter[T]
			if err == nil {
				l, err = r.parse(line)
			}
			if err != nil {
				if lines.torn {
					err = fmt.Errorf("cut off: %w", err)
				}
				err = &LineError{lines.number, err}
			}
			if !yield(l, err) {
				return
			}
		}
	}
}

// parse reads one line.
func (r LetterReader[T]) parse(line []byte) (Letter[T], error) {
	var w letterLine
	err := json.Unmarshal(line, &w)
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return Letter[T]{}, err
	case w.Version > letterVersion: // may be why there is another error
		return Letter[T]{}, fmt.Errorf("version %d of the format, want %d or less", w.Version, letterVersion)
	case w.Version < 1:
		return Letter[T]{}, errNoLetter
	}
	l := Letter[T]{
		Text: w.Text, Stage: w.Stage, Causes: w.Causes, Permanent: w.Permanent,
		Attempts: w.Attempts, First: w.First.UTC(), Last: w.Last.UTC(),
	}
	switch {
	case err != nil:
	case len(w.Event) > 0:
		l.Text = ""
		l.Event, err = r.decode(w.Event)
	case w.Text != "":
		err = ErrNoEvent
	default:
		err = errNoContent
	}
	return l, err
}

// decode calls the decoder, which is user code, or calls some.
func (r LetterReader[T]) decode(data []byte) (ev T, err error) {
	err = stage.Guard(context.Background(), "decoder of events", func() (err error) {
		if r.Decode == nil {
			return json.Unmarshal(data, &ev)
		}
		ev, err = r.Decode(data)
		return err
	}, nil)
	return ev, err
}

// lineReader cuts a stream into lines of bounded length.
type lineReader struct {
	in     *bufio.Reader
	max    int
	buf    []byte
	number int  // of the line that next has returned
	torn   bool // it is the last and has no end
}

// next returns the next line without its line feed, or errLong in the place of
// one that is too long, or the error of in.
func (l *lineReader) next() ([]byte, error) {
	l.buf, l.torn = l.buf[:0], false
	l.number++
	for length := 0; ; {
		part, err := l.in.ReadSlice('\n')
		if length += len(part); length <= l.max {
			l.buf = append(l.buf, part...)
		}
		l.torn = err == io.EOF && length > 0
		switch {
		case err == bufio.ErrBufferFull:
		case err != nil && !l.torn:
			return nil, err
		case length > l.max:
			return nil, errLong
		default:
			return bytes.TrimSuffix(l.buf, []byte("\n")), nil
		}
	}
}
