package sinks

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/penstock-go/penstock/stage"
)

// Encoder appends ev to dst and returns the extended slice, as strconv's
// Append functions do. It must not retain or change what dst already holds.
// An error or a panic fails ev alone, permanently. What it appends should end
// in a line feed unless the format has other boundaries.
type Encoder[T any] func(dst []byte, ev T) ([]byte, error)

const (
	keepBytes = 4 << 20  // greatest buffer kept for the next batch
	keepLines = 64 << 10 // greatest number of line ends kept
)

var (
	errShrunk  = errors.New("encoder returned less than it was given")
	errInvalid = errors.New("writer returned an invalid count")
)

// lines is a batch on its way to bytes. An encoded event is called a line
// here, whatever it ends in.
type lines[T any] struct {
	encode Encoder[T]
	buf    []byte // a line feed, then the lines
	ends   []int  // where each line ends in buf
	failed []int  // indexes of the events that could not be encoded
	err    error  // why the first of them could not
}

// fill encodes events.
func (l *lines[T]) fill(events []T) {
	l.buf = append(l.buf[:0], '\n')
	l.ends, l.failed, l.err = l.ends[:0], l.failed[:0], nil
	for i := 0; i < len(events); {
		i = l.fillFrom(events, i)
	}
}

// fillFrom encodes events from i on. After a panic it returns the index behind
// the culprit, so that one deferred call serves a whole batch.
func (l *lines[T]) fillFrom(events []T, i int) (next int) {
	next = i
	returned := false
	defer func() {
		if returned {
			return
		}
		if v := recover(); v != nil {
			l.fail(next, stage.NewPanicError(v))
			next++
		}
	}()
	for ; next < len(events); next++ {
		buf, err := l.encode(l.buf, events[next])
		if err == nil && len(buf) < len(l.buf) {
			err = errShrunk
		}
		if err != nil {
			l.fail(next, err)
			continue
		}
		l.buf = buf
		l.ends = append(l.ends, len(buf))
	}
	returned = true
	return next
}

func (l *lines[T]) fail(i int, err error) {
	l.failed = append(l.failed, i)
	if l.err == nil {
		l.err = fmt.Errorf("penstock: encode event %d: %w", i, err)
	}
}

// start returns where line i begins.
func (l *lines[T]) start(i int) int {
	if i == 0 {
		return 1
	}
	return l.ends[i-1]
}

// span returns lines i to j-1. With heal they follow a line that was cut off;
// a line feed then goes first, if this is a format of lines at all.
func (l *lines[T]) span(i, j int, heal bool) []byte {
	from := l.start(i)
	if heal && i == 0 && l.terminated() {
		from = 0
	}
	return l.buf[from:l.ends[j-1]]
}

func (l *lines[T]) terminated() bool { return len(l.buf) > 1 && l.buf[len(l.buf)-1] == '\n' }

// whole returns how many of the lines from i on end at or before offset end.
func (l *lines[T]) whole(i, end int) int {
	n, found := slices.BinarySearch(l.ends[i:], end)
	for found && i+n < len(l.ends) && l.ends[i+n] == end { // empty lines share an end
		n++
	}
	return n
}

// verdict is the error for a batch of n events of which the first done lines
// were written and the others were not because of err.
func (l *lines[T]) verdict(n, done int, err error) error {
	if err == nil && l.err == nil {
		return nil
	}
	cause := err
	switch {
	case err == nil:
		cause = stage.Permanent(l.err)
	case l.err != nil:
		cause = errors.Join(err, l.err)
	}
	failed := make([]int, 0, n)
	line, bad := 0, l.failed
	for i := range n {
		switch {
		case len(bad) > 0 && bad[0] == i:
			bad = bad[1:]
			failed = append(failed, i)
		case line < done:
			line++
		default:
			failed = append(failed, i)
		}
	}
	if len(failed) == n {
		return cause
	}
	return &stage.PartialError{Failed: failed, Err: cause}
}

// trim lets go of a buffer that an unusual batch made large.
func (l *lines[T]) trim() {
	if cap(l.buf) > keepBytes {
		l.buf = nil
	}
	if cap(l.ends) > keepLines {
		l.ends = nil
	}
}

// writeAll writes p, also to a writer that takes it in pieces. It returns how
// much was written; less than all comes with an error. An error that comes
// with a full count is passed on.
func writeAll(w io.Writer, p []byte) (done int, err error) {
	for done < len(p) {
		n, err := w.Write(p[done:])
		if n < 0 || n > len(p)-done {
			return done, errInvalid
		}
		done += n
		switch {
		case err != nil && !errors.Is(err, io.ErrShortWrite):
			return done, err
		case n == 0:
			return done, io.ErrNoProgress
		}
	}
	return done, nil
}
