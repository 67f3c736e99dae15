package stage

import "time"

// Buffer holds the events of a chunk or a batch. Its owner is whoever holds
// the Batch that points to it.
type Buffer[T any] struct {
	events []T     // length and capacity are the buffer's size
	sizes  []int64 // beside events, if the pipeline counts bytes
	head   int     // first event not evicted
	n      int     // end of the filled part
	bytes  int64   // of events[head:n], while they wait in the intake

	// born is when the first event written into it was accepted, which may have
	// been evicted since.
	born time.Time
}

// reset makes b, whose slots are clear, as good as new.
func (b *Buffer[T]) reset() { b.head, b.n, b.bytes, b.born = 0, 0, 0, time.Time{} }

func newBuffer[T any](size int, sized bool) *Buffer[T] {
	b := &Buffer[T]{events: make([]T, size)}
	clear(b.events) // they are zero; but now the memory is there, and no producer pays for the page faults
	if sized {
		b.sizes = make([]int64, size)
	}
	return b
}

// Buffers is a pool of cleared buffers of one size. It is a channel, bounded,
// and belongs to one pipeline; what does not fit is left to the collector, and
// what is not there is made. Safe for concurrent use.
type Buffers[T any] struct {
	size  int
	sized bool
	free  chan *Buffer[T]
}

// NewBuffers returns a pool of at most keep buffers of size events each, with
// room for the events' byte counts if sized.
func NewBuffers[T any](size, keep int, sized bool) *Buffers[T] {
	return &Buffers[T]{size: size, sized: sized, free: make(chan *Buffer[T], keep)}
}

func (p *Buffers[T]) get() *Buffer[T] {
	select {
	case b := <-p.free:
		return b
	default:
		return newBuffer[T](p.size, p.sized)
	}
}

// put takes b back and drops its references to events. The filled part is
// events[head:n]; the rest is clear already.
func (p *Buffers[T]) put(b *Buffer[T]) {
	if b == nil || len(b.events) != p.size {
		return
	}
	clear(b.events[b.head:b.n])
	b.reset()
	select {
	case p.free <- b:
	default:
	}
}
