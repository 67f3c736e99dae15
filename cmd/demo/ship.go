package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

const shipAbout = `Usage: demo ship -in FILE -out FILE [flags]

Sends lines through a pipeline, byte for byte: line ends of any kind, a last line
without one, and bytes that are not text come out as they went in. A line longer
than 64 KiB travels in pieces. An existing output file is overwritten.

At the end a verdict, and the ledger if -stats asks for it, go to the standard
error. SIGINT and SIGTERM stop the reading; what was read is delivered, within
-timeout, and then the verdict given. A second signal quits at once.

Exit codes: 0 everything read was delivered (or dropped, as -overflow allows),
1 runtime error, 2 wrong usage, 3 events were lost, 130 second signal.

Flags:
`

// The overflow policies.
const (
	wait       = "wait"
	dropOldest = "drop-oldest"
	dropNewest = "drop-newest"
)

// The formats of the ledger.
const (
	statsNone = "none"
	statsText = "text"
	statsJSON = "json"
)

// minQueueBytes leaves room for a few of the longest events.
const minQueueBytes = 4 * maxEvent

// shipment is the configuration of ship.
type shipment struct {
	in, out    string
	overflow   choice
	queue      int
	queueBytes int64
	batch      int
	interval   time.Duration
	timeout    time.Duration
	stats      choice
}

func shipCommand(p process, args []string) int {
	s := shipment{
		overflow: choice{wait, []string{wait, dropOldest, dropNewest}},
		stats:    choice{statsNone, []string{statsNone, statsText, statsJSON}},
	}
	fs := newFlags("demo ship")
	fs.StringVar(&s.in, "in", "", "`file` to read, - for the standard input; required")
	fs.StringVar(&s.out, "out", "", "`file` to write, - for the standard output; required")
	fs.Var(&s.overflow, "overflow", "`policy` for a full queue: wait stops reading, drop-oldest and drop-newest lose lines")
	fs.IntVar(&s.queue, "queue", 8192, "`events` that may wait in the queue")
	fs.Int64Var(&s.queueBytes, "queue-bytes", 64<<20, "`bytes` that the pipeline may hold; at least 262144")
	fs.IntVar(&s.batch, "batch", 0, "`events` in a batch; at most -queue (default 512, or -queue if that is less)")
	fs.DurationVar(&s.interval, "interval", 100*time.Millisecond, "greatest time that an event waits for its batch to fill")
	fs.DurationVar(&s.timeout, "timeout", 10*time.Second, "greatest time for delivering the rest after a signal or a write error")
	fs.Var(&s.stats, "stats", "`format` of the ledger at the end: none, text or json")
	if code, ok := parse(p, fs, shipAbout, args, s.check); !ok {
		return code
	}
	return interruptible(p, "demo ship", func(ctx context.Context) int {
		files, err := openFiles(p, s.in, s.out)
		switch {
		case errors.Is(err, errSameFile):
			return usageError(p, fs, err)
		case err != nil:
			fmt.Fprintf(p.stderr, "demo ship: %v\n", err)
			return exitRuntime
		}
		defer files.close()
		v, err := s.run(ctx, files)
		if err != nil {
			fmt.Fprintf(p.stderr, "demo ship: %v\n", err)
			return exitRuntime
		}
		return v.write(p.stderr, s.stats.word)
	})
}

func (s *shipment) check() error {
	switch {
	case s.in == "":
		return errors.New("-in is missing")
	case s.out == "":
		return errors.New("-out is missing")
	case s.queue < 1:
		return fmt.Errorf("-queue is %d, want 1 or more", s.queue)
	case s.queueBytes < minQueueBytes:
		return fmt.Errorf("-queue-bytes is %d, want %d or more", s.queueBytes, minQueueBytes)
	case s.batch < 0 || s.batch > s.queue:
		return fmt.Errorf("-batch is %d, want 1 to %d (-queue)", s.batch, s.queue)
	case s.interval <= 0:
		return fmt.Errorf("-interval is %v, want more than 0", s.interval)
	case s.timeout <= 0:
		return fmt.Errorf("-timeout is %v, want more than 0", s.timeout)
	}
	return nil
}

func (s *shipment) config(onFailure func(context.Context, stage.Failure[[]byte])) pipeline.Config[[]byte] {
	cfg := pipeline.Config[[]byte]{
		Name:          "ship",
		QueueSize:     s.queue,
		QueueBytes:    s.queueBytes,
		SizeOf:        func(event []byte) int { return len(event) },
		BatchSize:     s.batch,
		BatchBytes:    1 << 20,
		FlushInterval: s.interval,
		OnFailure:     onFailure,
	}
	if s.overflow.word == dropNewest {
		cfg.Overflow = stage.DropNewest
	}
	return cfg
}

// run ships until the input ends, ctx does, or something fails. Its error is
// one of setting up; the verdict has all others.
func (s *shipment) run(ctx context.Context, files *files) (*verdict, error) {
	// What ends the reading early. From then on -timeout counts.
	stop, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	failed := make(chan error, 1) // the first failure of the output
	p, err := pipeline.New(files.sink, s.config(func(_ context.Context, f stage.Failure[[]byte]) {
		select {
		case failed <- f.Err:
		default:
		}
		cancel(errOutput)
	}))
	if err != nil {
		return nil, err
	}
	drain, expire := context.WithCancelCause(context.Background())
	defer expire(nil)
	defer context.AfterFunc(stop, func() {
		time.AfterFunc(s.timeout, func() { expire(fmt.Errorf("-timeout of %v passed", s.timeout)) })
	})()

	// Refusals are in the ledger.
	send := func(event []byte) { _ = p.EnqueueWait(drain, event) }
	if s.overflow.word != wait {
		send = func(event []byte) { _ = p.Enqueue(event) }
	}
	start := time.Now()
	feed := newFeed(files.in, send)
	read := make(chan error, 1)
	go func() { read <- feed.run() }()
	v := &verdict{policy: s.overflow.word, to: files.name}
	select {
	case v.readErr = <-read:
	case <-stop.Done():
		v.stopped = context.Cause(stop)
	case <-p.Done():
		v.stopped = errEnded
	}
	feed.stop()
	v.closeErr = p.Close(drain)
	v.events, v.bytes, v.stats, v.took = feed.events, feed.bytes, p.Stats(), time.Since(start)
	select {
	case v.writeErr = <-failed:
	default:
	}
	if v.stopped == nil && ctx.Err() != nil {
		v.stopped = context.Cause(ctx)
	}
	return v, nil
}

var (
	errOutput = errors.New("the output failed")
	errEnded  = errors.New("the pipeline ended")
)
