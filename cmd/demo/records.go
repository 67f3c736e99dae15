package main

import (
	"context"
	"os"

	parser "github.com/penstock-go/penstock/cmd/demo/internal/parse"
	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// carryRecords carries what the lines are parsed to.
func (s *shipment) carryRecords(ctx context.Context, ends *files) (*verdict, error) {
	encode, err := s.encoder()
	if err != nil {
		return nil, err
	}
	return carry(ctx, s.haul, ends, cargo[logging.Record]{
		sizeOf: logging.SizeOf,
		encode: encode,
		refuse: func(to stage.Sink[letter]) (stage.Sink[logging.Record], error) {
			letters, err := sinks.DeadLetters(to)
			return &rewriter{letters, encode}, err
		},
		source: func(f *files, to outlet[logging.Record]) source {
			r := &recorder{format: parser.Format(s.parse.word), send: to.send}
			r.source = s.source(f, true, to.flush, r.take)
			return r
		},
	})
}

func (s *shipment) encoder() (sinks.Encoder[logging.Record], error) {
	switch s.format.word {
	case formatText:
		return logging.EncodeText, nil
	case formatCLEF:
		return logging.EncodeCLEF, nil
	case formatConsole:
		return logging.NewConsoleEncoder(logging.ConsoleConfig{Stream: os.Stdout, Color: s.color()})
	}
	return logging.EncodeJSON, nil
}

// color leaves escape sequences out of files.
func (s *shipment) color() logging.Color {
	if s.out == console {
		return logging.ColorAuto
	}
	return logging.ColorNever
}

// recorder is a source of records.
type recorder struct {
	source
	format   parser.Format
	send     func(logging.Record)
	unparsed uint64 // only take writes it, and the source has one goroutine at a time in it
}

// take makes a record of a line. A piece of a line is not parsed: it could look
// like a whole one.
func (r *recorder) take(line []byte, piece bool) {
	record, ok := parser.Raw(line), false
	if !piece {
		record, ok = parser.Line(line, r.format)
	}
	if !ok {
		r.unparsed++
	}
	r.send(record)
}

func (r *recorder) count(v *verdict) {
	r.source.count(v)
	v.unparsed = r.unparsed
}

// rewriter makes dead letters of records: of the lines that would have been
// written.
type rewriter struct {
	letters stage.Sink[[]byte]
	encode  sinks.Encoder[logging.Record]
}

func (w *rewriter) Write(ctx context.Context, events []logging.Record) error {
	lines, err := w.lines(events)
	if err != nil {
		return err
	}
	return w.letters.Write(ctx, lines)
}

// WriteFailure implements [stage.FailureSink].
func (w *rewriter) WriteFailure(ctx context.Context, f stage.Failure[logging.Record]) error {
	lines, err := w.lines(f.Events)
	if err != nil {
		return err
	}
	to := w.letters.(stage.FailureSink[[]byte])
	return to.WriteFailure(ctx, stage.Failure[[]byte]{
		Events: lines, Stage: f.Stage, Err: f.Err, Attempts: f.Attempts, First: f.First, Last: f.Last,
	})
}

func (w *rewriter) lines(events []logging.Record) ([][]byte, error) {
	lines := make([][]byte, len(events))
	for i, ev := range events {
		line, err := w.encode(nil, ev)
		if err != nil {
			return nil, err
		}
		lines[i] = line
	}
	return lines, nil
}

func (w *rewriter) Flush(ctx context.Context) error { return stage.FlushSink(ctx, w.letters) }
func (w *rewriter) Close() error                    { return stage.CloseSink(w.letters) }
func (w *rewriter) Name() string                    { return stage.NameOf(w.letters) }

var _ stage.FailureSink[logging.Record] = (*rewriter)(nil)
