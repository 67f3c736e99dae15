package stage

import "time"

// Trigger says what cut a batch.
type Trigger uint8

// The triggers, in the order in which the [Batcher] looks for them.
const (
	BySize  Trigger = iota + 1 // it reached the batch size
	ByBytes                    // the next event would have exceeded the batch's bytes
	ByAge                      // its first event reached the flush interval
	ByFlush                    // somebody called Flush; the batch may be empty
	ByClose                    // the pipeline is closing; the batch may be empty

	numTrigger
)

var triggerNames = [numTrigger]string{"none", "size", "bytes", "age", "flush", "close"}

// String returns the lower-case name that Stats uses.
func (t Trigger) String() string { return name(triggerNames[:], int(t)) }

// Batch is a run of events on its way to the sink. A stage may reorder and
// rewrite Events in place, and replace events by others; to remove some it uses
// [Batch.Keep], to fail some [Batch.Fail]. A Batch is used up by either, by
// sending it, and by failing it: using it again is counted as misuse and
// changes nothing.
type Batch[T any] struct {
	Events  []T
	Trigger Trigger

	receipt Receipt
	chunk   bool       // on its way to the batcher, and without a receipt yet
	span    Span       // of a chunk
	buf     *Buffer[T] // where Events came from; goes back when the batch is delivered

	// born is when the oldest event was accepted, on the pipeline's clock, or
	// earlier, but not before the chunk it came in was begun: time is read once
	// for each chunk, for its first event. Zero for a batch that was cut empty.
	born time.Time
}

// Keep returns the batch with events as its contents; the rest was filtered.
// events may alias b.Events. More events than the batch had cannot be
// accounted for: the batch then comes back unchanged and the misuse is
// counted.
func (b Batch[T]) Keep(events []T) Batch[T] {
	r, ok := b.receipt.shrink(len(events))
	switch {
	case ok:
		b.Events, b.receipt = events, r
	case len(events) <= len(b.Events) && b.receipt.ledger.over():
		// Close's deadline has settled them all. What is reported as lost is what
		// the stage has kept: b.Events may be what it has written over.
		b.Events = events
	}
	return b
}

// Fail splits the events at indexes off as a [Failure] with err as its cause
// and returns the rest. The Failure has a copy of its events; a stage sends it
// to its port Failed, having set Stage. Without indexes nothing fails: the
// batch comes back as it is, and the Failure is empty and need not be sent.
// Indexes that are out of range or not distinct fail the whole batch, and the
// rest is then empty, as with [Batch.FailAll].
func (b Batch[T]) Fail(indexes []int, err error) (Batch[T], Failure[T]) {
	if len(indexes) == 0 {
		return b, Failure[T]{Err: err}
	}
	failed := ascending(indexes, len(b.Events))
	if len(failed) == 0 {
		failed = make([]int, len(b.Events))
		for i := range failed {
			failed[i] = i
		}
	}
	rest, split, ok := b.receipt.split(len(b.Events), len(failed))
	if !ok {
		return b, Failure[T]{Err: err}
	}
	events, kept := take(b.Events, failed)
	b.Events, b.receipt = kept, rest
	return b, Failure[T]{Events: events, Err: err, receipt: split}
}

// FailAll makes all events of the batch a [Failure] with err as its cause and
// returns the rest, which is empty and travels on all the same.
func (b Batch[T]) FailAll(err error) (Batch[T], Failure[T]) { return b.fail("", err) }

// take copies the events at the ascending indexes out and closes the gaps.
func take[T any](events []T, indexes []int) (taken, kept []T) {
	taken = make([]T, 0, len(indexes))
	kept = events[:0]
	for i, ev := range events {
		if len(indexes) > 0 && i == indexes[0] {
			taken = append(taken, ev)
			indexes = indexes[1:]
			continue
		}
		kept = append(kept, ev)
	}
	clear(events[len(kept):])
	return taken, kept
}

// fail makes all events of the batch a Failure and returns the emptied rest,
// which keeps the batch's place in the order. The buffer is forfeited: routes,
// hooks and an abandoned sink call may go on reading it.
func (b Batch[T]) fail(stage string, err error) (Batch[T], Failure[T]) {
	rest, taken, _ := b.receipt.split(len(b.Events), len(b.Events))
	f := Failure[T]{Events: b.Events, Stage: stage, Err: err, receipt: taken}
	b.Events, b.buf, b.receipt = nil, nil, rest
	return b, f
}
