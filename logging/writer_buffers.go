package logging

import (
	"context"
	"sync"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// What Buffers keeps: buffers up to this size, and so many bytes of them.
const (
	maxBuffer = 64 << 10
	maxIdle   = 4 << 20
)

// Buffers are byte slices on their way round: a [Writer] fills them, the sink
// that [Buffers.Recycle] returns gives them back when they are delivered, and
// then nobody allocates any more. The zero value is ready. It belongs to one
// pipeline; its Writers may be many.
//
// What is evicted, filtered, rerouted or lost is left to the collector, because
// nobody knows how long a hook or a route reads it.
type Buffers struct {
	mu   sync.Mutex
	free [][]byte
	idle int // bytes in free
}

// get returns an empty slice. b may be nil.
func (b *Buffers) get() []byte {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.free) - 1
	if n < 0 {
		return nil
	}
	buf := b.free[n]
	b.free[n] = nil
	b.free = b.free[:n]
	b.idle -= cap(buf)
	return buf[:0]
}

// put takes slices that nobody reads any more. b may be nil.
func (b *Buffers) put(bufs [][]byte) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, buf := range bufs {
		if c := cap(buf); c > 0 && c <= maxBuffer && b.idle+c <= maxIdle {
			b.free = append(b.free, buf)
			b.idle += c
		}
	}
}

// Recycle returns sink as one that gives the slices it has delivered back to b.
// It returns a [*pipeline.ConfigError] if there is none. It must be the
// outermost decorator, on the one sink of one pipeline, and everything in the
// pipeline must come from Writers with these buffers, or from a stage that
// keeps no slice it has returned. The sink must not retain the bytes, as
// sinks.Memory does.
//
// A batch's slices come back when the same worker begins its next batch: what
// became of the batch is settled then, and no hook can ask for its events. With
// several workers, which take turns, most are left to the collector.
func (b *Buffers) Recycle(sink stage.Sink[[]byte]) (stage.Sink[[]byte], error) {
	if sink == nil {
		return nil, &pipeline.ConfigError{Field: "sink", Value: nil, Reason: "must not be nil"}
	}
	return &recycler{sink: sink, buffers: b}, nil
}

type recycler struct {
	sink    stage.Sink[[]byte]
	buffers *Buffers

	mu     sync.Mutex      // never held while sink is called
	worker context.Context // who delivered; each worker has a context of its own
	done   [][]byte        // what it delivered by its latest call
}

func (r *recycler) Write(ctx context.Context, events [][]byte) error {
	r.reclaim(ctx)
	err := r.sink.Write(ctx, events)
	if err == nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		clear(r.done)
		r.worker, r.done = ctx, append(r.done[:0], events...)
	}
	return err
}

// reclaim gives back what ctx's worker delivered by its latest call.
func (r *recycler) reclaim(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.worker == ctx {
		r.buffers.put(r.done)
		clear(r.done)
		r.worker, r.done = nil, r.done[:0]
	}
}

func (r *recycler) WriteFailure(ctx context.Context, f stage.Failure[[]byte]) error {
	return stage.WriteFailure(ctx, r.sink, f)
}

func (r *recycler) Flush(ctx context.Context) error { return stage.FlushSink(ctx, r.sink) }
func (r *recycler) Close() error                    { return stage.CloseSink(r.sink) }
func (r *recycler) Name() string                    { return stage.NameOf(r.sink) }
func (r *recycler) Report(report *stage.SinkReport) { stage.ReportSink(r.sink, report) }
