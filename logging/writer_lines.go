package logging

import (
	"bytes"
	"io"

	"github.com/penstock-go/penstock/pipeline"
)

// maxLine is how much of a line a LineWriter holds back.
const maxLine = 64 << 10

// LineWriter cuts a stream into lines and writes each, with its line feed, by
// one call: for sources that write pieces of lines, or many at once, as a child
// process does. It is for one source: pieces that several write meet in one
// line.
//
// What has no line feed yet is held back until one comes, or 64 KiB have
// gathered, or Sync or Close is called. All methods are safe for concurrent
// use.
type LineWriter struct {
	to   io.Writer
	turn chan struct{} // one token, held by whoever works; nobody closes it
	rest []byte        // of the stream, without a line feed; guarded by turn
}

// NewLineWriter returns a LineWriter in front of to, a [Writer] or whatever
// takes each Write as one entry. It returns a [*pipeline.ConfigError] if there
// is none.
func NewLineWriter(to io.Writer) (*LineWriter, error) {
	if to == nil {
		return nil, &pipeline.ConfigError{Field: "to", Value: nil, Reason: "must not be nil"}
	}
	return &LineWriter{to: to, turn: make(chan struct{}, 1)}, nil
}

// Write passes complete lines on and holds the rest back. It returns how much
// of p it has passed on or holds; less than all comes with the error that
// stopped it.
func (l *LineWriter) Write(p []byte) (n int, err error) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	for n < len(p) {
		end := bytes.IndexByte(p[n:], '\n') + 1
		complete := end > 0
		if !complete {
			end = len(p) - n
		}
		end = min(end, maxLine-len(l.rest))
		line := p[n : n+end]
		if len(l.rest) > 0 || !complete {
			l.rest = append(l.rest, line...)
			line = l.rest
		}
		if len(line) == maxLine || line[len(line)-1] == '\n' {
			if _, err = l.to.Write(line); err != nil {
				l.rest = l.rest[:max(0, len(l.rest)-end)]
				return n, err
			}
			l.rest = l.rest[:0]
		}
		n += end
	}
	return n, nil
}

// Sync passes on what is held back, as a line of its own, and then calls the
// writer's Sync() error if it has one.
func (l *LineWriter) Sync() error {
	if err := l.Close(); err != nil {
		return err
	}
	if s, ok := l.to.(interface{ Sync() error }); ok {
		return s.Sync()
	}
	return nil
}

// Close passes on what is held back, as a line of its own. It does not close
// the writer, and the LineWriter may be used again. What the writer refuses
// stays held back.
func (l *LineWriter) Close() error {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if len(l.rest) == 0 {
		return nil
	}
	_, err := l.to.Write(l.rest)
	if err == nil {
		l.rest = l.rest[:0]
	}
	return err
}
