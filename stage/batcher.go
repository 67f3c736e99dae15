package stage

import (
	"context"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/clockutil"
)

// Batcher is the second actor. It cuts batches by count, by bytes, by the age
// of the first event, by flush and by close, whichever comes first, and opens
// their receipts.
type Batcher[T any] struct {
	Size  int   // events
	Bytes int64 // 0: no bound; needs chunks with sizes
	// Interval is the greatest age of an open batch, counted from its opening
	// by its first event. None is opened while the one before cannot be sent on.
	Interval time.Duration
	Ledger   *Ledger
	Chunks   *Buffers[T] // where emptied chunks go
	Batches  *Buffers[T] // where batches come from; may be Chunks
	Step     *Step       // shared with the intake if chunks have the size of batches; nil: they have not

	cut      cutter[T]
	received uint64 // events
}

// Name is "batcher".
func (b *Batcher[T]) Name() string { return "batcher" }

// Run returns when p.In is closed, having sent what was open, or an empty
// batch, with trigger ByClose.
func (b *Batcher[T]) Run(ctx context.Context, p Ports[T]) error {
	alarm := ageAlarm{clock: Clock(ctx), interval: b.Interval}
	defer alarm.stop()
	b.cut = cutter[T]{size: b.Size, bytes: b.Bytes, chunks: b.Chunks, batches: b.Batches}
	for {
		select {
		case chunk, ok := <-p.In:
			if !ok {
				p.Out <- b.issue(b.cut.close(ByClose))
				return nil
			}
			b.add(chunk, p.Out, &alarm)
		case <-alarm.c():
			alarm.stop()
			p.Out <- b.aged()
		}
	}
}

// add takes a chunk in and sends on the batches it completes.
func (b *Batcher[T]) add(chunk Batch[T], out chan<- Batch[T], alarm *ageAlarm) {
	if chunk.Trigger == ByFlush {
		alarm.stop()
		b.Step.restarted(b.received)
		batch, bytes := b.cut.close(ByFlush)
		if batch.span.Through = chunk.span.Through; len(batch.Events) == 0 {
			batch.span.From = chunk.span.From
		}
		out <- b.issue(batch, bytes)
		return
	}
	b.received += uint64(len(chunk.Events))
	b.cut.begin(chunk)
	for {
		batch, bytes, ok := b.cut.next()
		if !ok {
			break
		}
		alarm.stop()
		out <- b.issue(batch, bytes)
	}
	if b.cut.open() {
		alarm.start()
	}
}

// aged cuts the open batch because of its age.
func (b *Batcher[T]) aged() Batch[T] {
	b.Step.restarted(b.received)
	return b.issue(b.cut.close(ByAge))
}

// issue opens the receipt of a batch that was cut.
func (b *Batcher[T]) issue(batch Batch[T], bytes int64) Batch[T] {
	batch.receipt = b.Ledger.Issue(len(batch.Events), bytes, batch.span, batch.Trigger)
	return batch
}

// ageAlarm is the deadline of the open batch. It is armed by the first event
// and by nothing else.
type ageAlarm struct {
	clock    clock.Clock
	interval time.Duration
	timer    *clockutil.Timer
	armed    bool
}

func (a *ageAlarm) c() <-chan time.Time {
	if !a.armed {
		return nil
	}
	return a.timer.C()
}

func (a *ageAlarm) start() {
	if a.armed {
		return
	}
	if a.timer == nil {
		a.timer = clockutil.NewTimer(a.clock, a.interval)
	} else {
		a.timer.Reset(a.interval)
	}
	a.armed = true
}

func (a *ageAlarm) stop() {
	if a.armed {
		a.timer.Stop()
		a.armed = false
	}
}
