package logging

import (
	"context"
	"fmt"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/pipeline"
)

// DefaultSyncTimeout is how long [Writer.Sync] waits unless told otherwise.
const DefaultSyncTimeout = 5 * time.Second

// WriterConfig sets up a [Writer]. The zero value is a working default.
type WriterConfig struct {
	// Buffers is where lines are copied to; nil: each Write allocates.
	Buffers *Buffers
	// Wait makes Write wait for room in the queue, until the pipeline is
	// closed, instead of letting its overflow policy act. It suits a source
	// that may be slowed down, not a program that logs.
	Wait bool
	// SyncTimeout is how long Sync waits for the pipeline; default 5 s.
	SyncTimeout time.Duration
	// Clock is what SyncTimeout is measured on: the pipeline's Config.Clock;
	// default the system's.
	Clock clock.Clock
}

// Writer puts a pipeline where others want an io.Writer for log lines: package
// log, zerolog, or zap, for which it is a zapcore.WriteSyncer. Each of them
// calls Write once for each entry.
//
// One Write is one event, whatever is in it: several lines stay together, and
// what does not end in a line feed is an event too, to which [AppendLine] adds
// one. Wrap the Writer in a [LineWriter] if pieces of lines are written.
//
// All methods are safe for concurrent use. A Writer has nothing to close; the
// pipeline is its owner's.
type Writer struct {
	p   *pipeline.Pipeline[[]byte]
	cfg WriterConfig
}

// NewWriter returns a writer in front of p. It returns a
// [*pipeline.ConfigError] if there is none, or if cfg makes no sense.
func NewWriter(p *pipeline.Pipeline[[]byte], cfg WriterConfig) (*Writer, error) {
	switch {
	case p == nil:
		return nil, &pipeline.ConfigError{Field: "pipeline", Value: nil, Reason: "must not be nil"}
	case cfg.SyncTimeout < 0:
		return nil, &pipeline.ConfigError{Field: "SyncTimeout", Value: cfg.SyncTimeout, Reason: "must not be negative"}
	case cfg.SyncTimeout == 0:
		cfg.SyncTimeout = DefaultSyncTimeout
	}
	return &Writer{p: p, cfg: cfg}, nil
}

// Write offers a copy of line to the pipeline, so the caller may use it again
// at once. It returns len(line) and nil if the pipeline has accepted it, else
// 0 and the pipeline's error, as stage.ErrFull or stage.ErrClosed. An empty
// line is no event.
func (w *Writer) Write(line []byte) (int, error) {
	if len(line) == 0 {
		return 0, nil
	}
	ev := append(w.cfg.Buffers.get(), line...)
	var err error
	if w.cfg.Wait {
		err = w.p.EnqueueWait(context.Background(), ev)
	} else {
		err = w.p.Enqueue(ev)
	}
	if err != nil {
		w.cfg.Buffers.put([][]byte{ev})
		return 0, err
	}
	return len(line), nil
}

// Sync is the pipeline's Flush: it returns when everything written before is
// settled and the sink has flushed. An error says that something was lost, or
// that it took longer than SyncTimeout. It must not be called by the
// pipeline's own sink or hooks, which would wait for themselves that long.
func (w *Writer) Sync() error {
	ctx, cancel := clockutil.WithTimeout(context.Background(), w.cfg.Clock, w.cfg.SyncTimeout)
	defer cancel()
	if err := w.p.Flush(ctx); err != nil {
		return fmt.Errorf("penstock: sync: %w", err)
	}
	return nil
}

// AppendLine is a sinks.Encoder for what a [Writer] has written: the bytes as
// they are, and a line feed if they do not end in one.
func AppendLine(dst, line []byte) ([]byte, error) {
	dst = append(dst, line...)
	if n := len(line); n == 0 || line[n-1] != '\n' {
		dst = append(dst, '\n')
	}
	return dst, nil
}
