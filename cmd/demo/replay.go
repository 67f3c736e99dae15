package main

import (
	"context"
	"errors"
	"io"

	"github.com/penstock-go/penstock/sinks"
)

const replayAbout = `Usage: demo replay -in FILE -out FILE [flags]

Sends dead letters, as demo ship -dead makes them, on their way again: the lines
in them come out as they once went in, in the order of the letters. An existing
output file is overwritten.

What is not a dead letter, as the last line of a file after a crash, is reported
with its number, and the next line follows. With -dead, lines that the output
refuses again are appended to that file, and their attempts add up.

Signals, the verdict and the ledger are as in demo ship.

Exit codes: 0 every letter was delivered (or is a dead letter again), 1 runtime
error, or there were lines that are not letters, 2 wrong usage, 3 events were
lost, 130 second signal.

Flags:
`

func replayCommand(p process, args []string) int {
	h, fs := newHaul("replay")
	h.in.single = true
	return h.main(p, fs, replayAbout, args, h.check, func(ctx context.Context, files *files) (*verdict, error) {
		return carry(ctx, h, files, cargo[letter]{
			sizeOf: func(l letter) int { return len(l.Event) },
			encode: func(dst []byte, l letter) ([]byte, error) { return append(dst, l.Event...), nil },
			refuse: sinks.ReturnedLetters[[]byte],
			source: newReplaySource,
		})
	})
}

// maxComplaints is how many lines that are not letters are told one by one.
const maxComplaints = 20

// mailbag reads dead letters and passes them on. The goroutine of run has the
// turn except in a read of the input, so that stop finds everything passed on
// that was read.
type mailbag struct {
	input input
	in    io.Reader // from run on
	send  func(letter)

	turn    chan struct{} // one slot: whoever has put the token in may touch the fields below
	stopped bool
	events  uint64
	bytes   uint64
	bad     uint64  // lines that are not letters
	errs    []error // about the first of them
}

func newReplaySource(f *files, to outlet[letter]) source {
	return &mailbag{input: f.inputs[0], send: to.send, turn: make(chan struct{}, 1)}
}

// Read gives the turn away while it waits for the input.
func (m *mailbag) Read(p []byte) (int, error) {
	<-m.turn
	n, err := m.in.Read(p)
	m.turn <- struct{}{}
	if m.stopped {
		return 0, io.EOF
	}
	return n, err
}

func (m *mailbag) run() error {
	in, err := m.input.open()
	if err != nil {
		return err
	}
	defer in.Close()
	m.in = in
	m.turn <- struct{}{}
	defer func() { <-m.turn }()
	reader := sinks.LetterReader[[]byte]{Decode: sinks.DecodeText[[]byte]}
	for l, err := range reader.Read(m) {
		var line *sinks.LineError
		switch {
		case m.stopped: // the rest of a line that is not all there
			return nil
		case err == nil:
			m.events++
			m.bytes += uint64(len(l.Event))
			m.send(l)
		case errors.As(err, &line):
			if m.bad++; len(m.errs) < maxComplaints {
				m.errs = append(m.errs, line)
			}
		default:
			return err
		}
	}
	return nil
}

func (m *mailbag) stop() {
	m.turn <- struct{}{}
	m.stopped = true
	<-m.turn
}

func (m *mailbag) count(v *verdict) {
	v.events, v.bytes, v.unread, v.complaints = m.events, m.bytes, m.bad, m.errs
}
