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

	// For pipelines that keep a reserve for important events: which ones are,
	// their sum while they wait in the intake, and if the buffer is sparse, so
	// that its events are not successive, their numbers.
	classes   []bool
	important tally
	sparse    bool
	numbers   []uint64
}

// tally is a number of events and the sum of their bytes.
type tally struct {
	events int
	bytes  int64
}

func (t *tally) add(bytes int64) { t.events, t.bytes = t.events+1, t.bytes+bytes }
func (t *tally) sub(o tally)     { t.events, t.bytes = t.events-o.events, t.bytes-o.bytes }

// reset makes b, whose slots are clear, as good as new.
func (b *Buffer[T]) reset() {
	b.head, b.n, b.bytes, b.born = 0, 0, 0, time.Time{}
	b.important, b.sparse = tally{}, false
}

// sizeAt returns the bytes of the event in slot i, 0 if bytes are not counted.
func (b *Buffer[T]) sizeAt(i int) int64 {
	if b.sizes == nil {
		return 0
	}
	return b.sizes[i]
}

// before returns how many of a chunk's events were accepted up to and including
// mark, if all up to and including from were accepted before them.
func (b *Buffer[T]) before(mark, from uint64) (k int) {
	if !b.sparse {
		return int(max(mark, from) - from)
	}
	for _, number := range b.numbers[b.head:b.n] {
		if number <= mark {
			k++
		}
	}
	return k
}

// moveTail moves the events from slot i on to b's, which is clean.
func (b *Buffer[T]) moveTail(src *Buffer[T], i int) {
	b.n = copy(b.events, src.events[i:src.n])
	copy(b.sizes, src.sizes[min(i, len(src.sizes)):min(src.n, len(src.sizes))])
	if b.sparse = src.sparse; b.sparse {
		copy(b.numbers, src.numbers[i:src.n])
	}
	clear(src.events[i:src.n])
	src.n = i
}

func newBuffer[T any](size int, sized bool) *Buffer[T] {
	b := &Buffer[T]{events: make([]T, size)}
	clear(b.events) // they are zero; but now the memory is there, and no producer pays for the page faults
	if sized {
		b.sizes = make([]int64, size)
	}
	return b
}

// classed gives b room for the classes and numbers of its events.
func (b *Buffer[T]) classed() *Buffer[T] {
	b.classes, b.numbers = make([]bool, len(b.events)), make([]uint64, len(b.events))
	return b
}

// Buffers is a pool of cleared buffers of one size. It is a channel, bounded,
// and belongs to one pipeline; what does not fit is left to the collector, and
// what is not there is made. Safe for concurrent use.
type Buffers[T any] struct {
	size    int
	sized   bool
	classed bool
	free    chan *Buffer[T]
}

// NewBuffers returns a pool of at most keep buffers of size events each, with
// room for the events' byte counts if sized.
func NewBuffers[T any](size, keep int, sized bool) *Buffers[T] {
	return &Buffers[T]{size: size, sized: sized, free: make(chan *Buffer[T], keep)}
}

// Classed makes the pool's buffers fit for the chunks of an intake that tells
// important events from others, and returns the pool. It is called before the
// first use.
func (p *Buffers[T]) Classed() *Buffers[T] {
	p.classed = true
	return p
}

func (p *Buffers[T]) get() *Buffer[T] {
	select {
	case b := <-p.free:
		return b
	default:
	}
	b := newBuffer[T](p.size, p.sized)
	if p.classed {
		b.classed()
	}
	return b
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
