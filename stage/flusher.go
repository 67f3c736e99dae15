package stage

import (
	"context"
	"errors"
	"time"

	"github.com/benbjohnson/clock"
)

// Flusher is the third actor. It calls the sink's Write for every batch that is
// not empty, and Flush in between, when asked through Sync, with no Write in
// progress. Nobody else calls a sink that is not a route's, too, until the actors
// have ended: then their starter flushes and closes it.
type Flusher[T any] struct {
	Sink    Sink[T]
	Ledger  *Ledger
	Buffers *Buffers[T] // where delivered batches' buffers go
	// Workers is the number of concurrent calls of Write; above 1 the starter
	// runs Work in as many goroutines, and order is lost. At most 1, Run calls
	// the sink itself.
	Workers int
	// Sync receives requests to flush the sink. Many send, nobody closes it.
	Sync chan SyncRequest

	name  string // the sink's
	meter meter
	age   Histogram // of delivered batches

	jobs chan job[T]   // from Run to the workers; closed by Run
	idle chan struct{} // one token for each worker without a job
}

// SyncRequest asks an actor to flush its sinks. Reply has one slot.
type SyncRequest struct{ Reply chan error }

type job[T any] struct {
	batch  Batch[T]
	failed chan<- Failure[T]
}

// NewFlusher returns a flusher for sink with its channels made.
func NewFlusher[T any](sink Sink[T], ledger *Ledger, buffers *Buffers[T], workers int) *Flusher[T] {
	f := &Flusher[T]{Sink: sink, Ledger: ledger, Buffers: buffers, Workers: workers, Sync: make(chan SyncRequest), name: NameOf(sink)}
	if workers > 1 {
		f.jobs = make(chan job[T])
		f.idle = make(chan struct{}, workers)
		for range workers {
			f.idle <- struct{}{}
		}
	}
	return f
}

// Name is "flusher".
func (f *Flusher[T]) Name() string { return "flusher" }

// Run returns when p.In is closed and every call has returned. It uses p.In
// and p.Failed.
func (f *Flusher[T]) Run(ctx context.Context, p Ports[T]) error {
	ctx, _ = ensureWatched(ctx)
	for {
		select { // asked for first, so that batches do not hold it up
		case r := <-f.Sync:
			f.flush(ctx, r)
		default:
		}
		select {
		case b, ok := <-p.In:
			if !ok {
				f.join()
				if f.jobs != nil {
					close(f.jobs)
				}
				return nil
			}
			f.hand(ctx, b, p.Failed)
		case r := <-f.Sync:
			f.flush(ctx, r)
		}
	}
}

// hand passes b to a worker, or delivers it if there are none.
func (f *Flusher[T]) hand(ctx context.Context, b Batch[T], failed chan<- Failure[T]) {
	if f.jobs == nil {
		f.deliver(ctx, b, failed)
		return
	}
	<-f.idle
	f.jobs <- job[T]{b, failed}
}

// join waits until no worker has a job. Nobody hands out another meanwhile.
func (f *Flusher[T]) join() {
	for range cap(f.idle) {
		<-f.idle
	}
}

// Work delivers batches that Run hands out, until Run returns.
func (f *Flusher[T]) Work(ctx context.Context) {
	ctx, _ = ensureWatched(ctx)
	for j := range f.jobs {
		func() {
			defer func() { f.idle <- struct{}{} }() // also when a Goexit ends this worker
			f.deliver(ctx, j.batch, j.failed)
		}()
	}
}

func (f *Flusher[T]) flush(ctx context.Context, r SyncRequest) {
	f.join()
	defer func() {
		for range cap(f.idle) {
			f.idle <- struct{}{}
		}
	}()
	err := guard(ctx, &f.name, func() error { return FlushSink(ctx, f.Sink) }, func(err error) { r.Reply <- err })
	r.Reply <- err
}

// deliver writes one batch and settles it, or sends on what failed.
func (f *Flusher[T]) deliver(ctx context.Context, b Batch[T], failed chan<- Failure[T]) {
	if len(b.Events) == 0 {
		if f.Ledger.Settle(b.receipt, Filtered, 0) {
			f.Buffers.put(b.buf)
		}
		return
	}
	if ctx.Err() != nil && !f.Ledger.over() { // looked at first: what has entered is a call
		f.fail(b, failed, context.Cause(ctx), attempt{})
		return
	}
	switch f.Ledger.enter(b.receipt, len(b.Events), f.meter.begin) {
	case mayCall:
	case notOurs:
		return
	case tooLate:
		f.fail(b, failed, ErrAbandoned, attempt{})
		return
	case tooMany:
		b.Events = b.Events[:f.Ledger.size(b.receipt)]
		f.fail(b, failed, ErrGrown, attempt{})
		return
	}
	a := attempt{clock: Clock(ctx)}
	a.first = a.clock.Now()
	err := guard(ctx, &f.name, func() error { return f.Sink.Write(ctx, b.Events) }, func(err error) { f.fail(b, failed, err, a.ended()) })
	a = a.ended()
	forfeited := watchOf(ctx).Forfeited()
	if err == nil && f.Ledger.finish(b.receipt, Delivered, 0, func() { f.note(b, 0, worked, a) }) {
		if !forfeited {
			f.Buffers.put(b.buf)
		}
		return
	}
	f.fail(b, failed, err, a)
}

// attempt is when a call was made; the zero attempt is a call not made.
type attempt struct {
	clock       clock.Clock
	first, last time.Time
}

// ended returns a as a call that has just returned.
func (a attempt) ended() attempt {
	a.last = a.clock.Now()
	return a
}

// note counts a call that was made, and the age of b if any of it was
// delivered.
func (f *Flusher[T]) note(b Batch[T], refused int, how ending, a attempt) {
	if a.clock == nil {
		return
	}
	f.meter.end(a.last.Sub(a.first), len(b.Events), refused, how)
	if refused < len(b.Events) && !b.born.IsZero() {
		f.age.Record(a.last.Sub(b.born))
	}
}

// Calls returns what was counted of the sink's calls.
func (f *Flusher[T]) Calls() SinkCalls { return f.meter.read(f.name) }

// Ages returns how old the batches were when the sink had taken them, or some
// of their events: the time since the acceptance of the oldest event that the
// batch was cut with.
func (f *Flusher[T]) Ages() Quantiles { return f.age.Quantiles() }

// fail settles what a partial error says was delivered and sends the rest to
// the router. The buffer is forfeited in either case: an abandoned call below
// the sink may still read it.
func (f *Flusher[T]) fail(b Batch[T], failed chan<- Failure[T], err error, a attempt) {
	events, receipt := b.Events, b.receipt
	if indexes := FailedIndexes(err, len(b.Events)); len(indexes) > 0 && len(indexes) < len(b.Events) {
		var ok bool
		if receipt, ok = f.Ledger.settlePart(b.receipt, len(indexes), Delivered); ok {
			events, _ = divide(b.Events, indexes)
		}
	}
	how := endingOf(err)
	inDoubt := f.Ledger.leave(receipt, func() { f.note(b, len(events), how, a) })
	if inDoubt && a.clock != nil {
		err = errors.Join(ErrInDoubt, err) // the verdict came first, whatever the sink says
	}
	out := Failure[T]{Events: events, Stage: f.name, Err: err, receipt: receipt}
	if a.clock != nil {
		out.Attempts, out.First, out.Last = 1, a.first, a.last
	}
	failed <- out
}
