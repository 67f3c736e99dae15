package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// lane is a way for events to get into a file.
type lane interface {
	// producer returns the function that one producer calls for each event.
	producer() func(ev *event) error
	// waiting returns the number of events accepted but not written.
	waiting() int
	// close returns when everything is in the file.
	close() error
	// ledger returns the books, if there are any.
	ledger() *pipeline.Stats
}

// direct encodes in the caller and writes each event by itself, one caller at
// a time, as the handlers of log/slog do.
type direct struct {
	mu   sync.Mutex
	file *os.File
}

func openDirect(path string) (lane, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &direct{file: f}, nil
}

func (d *direct) producer() func(*event) error {
	var buf []byte
	return func(ev *event) error {
		buf, _ = appendJSON(buf[:0], *ev)
		d.mu.Lock()
		defer d.mu.Unlock()
		_, err := d.file.Write(buf)
		return err
	}
}

func (d *direct) waiting() int            { return 0 }
func (d *direct) close() error            { return d.file.Close() }
func (d *direct) ledger() *pipeline.Stats { return nil }

// piped hands events to a pipeline, which encodes and writes them.
type piped struct {
	p      *pipeline.Pipeline[event]
	failed chan error // one slot: the first failure
}

// closeTimeout is how long a pipeline may take to write what it holds at the
// end of a run.
const closeTimeout = 30 * time.Second

func openPiped(path string, queue, batch int) (lane, error) {
	file, err := sinks.NewFile(sinks.FileConfig[event]{Path: path, Mode: 0o600, Encode: appendJSON})
	if err != nil {
		return nil, err
	}
	l := &piped{failed: make(chan error, 1)}
	l.p, err = pipeline.New(file, pipeline.Config[event]{
		Name:      "experiment",
		QueueSize: queue,
		BatchSize: batch,
		OnFailure: func(_ context.Context, f stage.Failure[event]) {
			select {
			case l.failed <- f.Err:
			default:
			}
		},
	})
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

func (l *piped) producer() func(*event) error {
	ctx := context.Background()
	return func(ev *event) error { return l.p.EnqueueWait(ctx, *ev) }
}

func (l *piped) waiting() int { return l.p.Depth() }

func (l *piped) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	err := l.p.Close(ctx)
	select {
	case cause := <-l.failed:
		err = errors.Join(err, cause)
	default:
	}
	return err
}

func (l *piped) ledger() *pipeline.Stats {
	s := l.p.Stats()
	return &s
}

// countLines returns the number of lines in a file, and an error if
// the last line is cut off.
func countLines(path string) (lines uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buf := make([]byte, 1<<20)
	last := byte('\n')
	for {
		n, err := f.Read(buf)
		if n > 0 {
			lines += uint64(bytes.Count(buf[:n], []byte{'\n'}))
			last = buf[n-1]
		}
		switch {
		case err == io.EOF && last != '\n':
			return lines, errors.New("the last line is cut off")
		case err == io.EOF:
			return lines, nil
		case err != nil:
			return lines, err
		}
	}
}
