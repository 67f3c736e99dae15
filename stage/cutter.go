package stage

import "time"

// cutter decides where batches end. It is a pure state machine: chunks go in,
// batches come out, and it knows neither clocks nor channels.
//
// A full chunk passes on in its own buffer when no batch is open, and a
// fragment that finds none open becomes the open batch in its own buffer if
// that has a batch's capacity. All others are copied.
type cutter[T any] struct {
	size    int
	bytes   int64 // 0: no bound
	chunks  *Buffers[T]
	batches *Buffers[T]

	batch *Buffer[T] // open batch, never full, or nil
	held  int64      // bytes in it
	span  Span       // of it, or of the last one cut
	born  time.Time  // of the first chunk in it
	chunk Batch[T]   // what is left of the chunk begun
}

// open reports whether events wait for the batch to fill.
func (c *cutter[T]) open() bool { return c.batch != nil }

// begin takes a chunk in. All batches of the one before have been taken out.
func (c *cutter[T]) begin(chunk Batch[T]) { c.chunk = chunk }

// next returns the next batch that is complete, with its bytes. It reports
// false when what was left of the chunk is in the open batch.
func (c *cutter[T]) next() (Batch[T], int64, bool) {
	for len(c.chunk.Events) > 0 {
		if c.batch == nil {
			// The run begins behind all chunks before this one. That is exact
			// for the chunk's first event and a lower bound for the others.
			c.span = Span{From: c.chunk.span.From, Through: c.chunk.span.From}
			c.born = c.chunk.born
			if !c.adopt() {
				c.batch = c.batches.get()
			}
		}
		trigger := c.fill()
		if c.batch.n == c.size {
			trigger = BySize
		}
		if trigger != 0 {
			batch, bytes := c.close(trigger)
			return batch, bytes, true
		}
	}
	return Batch[T]{}, 0, false
}

// adopt makes the chunk's own buffer the open batch, if it is a whole chunk of
// a batch's capacity and within the batch's bytes.
func (c *cutter[T]) adopt() bool {
	b := c.chunk.buf
	if len(b.events) != c.size || b.head > 0 || len(c.chunk.Events) != b.n {
		return false
	}
	var held int64
	for _, size := range b.sizes[:min(b.n, len(b.sizes))] {
		if c.bytes > 0 && size > c.bytes-held {
			return false
		}
		held += size
	}
	c.batch, c.held = b, held
	c.used()
	return true
}

// used notes that every event of the chunk is in the open batch.
func (c *cutter[T]) used() {
	c.span.Through = c.chunk.span.Through
	c.chunk = Batch[T]{}
}

// fill copies from the chunk into the open batch until one of them is done, or
// the bytes are: it then returns Bytes.
func (c *cutter[T]) fill() (trigger Trigger) {
	src, dst := c.chunk.buf, c.batch
	if src == nil {
		return 0
	}
	start := src.n - len(c.chunk.Events)
	n := min(c.size-dst.n, len(c.chunk.Events))
	if src.sizes != nil {
		if k := c.weigh(src.sizes[start : start+n]); k < n {
			n, trigger = k, ByBytes
		}
		copy(dst.sizes[dst.n:], src.sizes[start:start+n])
	}
	copy(dst.events[dst.n:], c.chunk.Events[:n])
	dst.n += n
	if c.chunk.Events = c.chunk.Events[n:]; len(c.chunk.Events) == 0 {
		c.used()
		c.chunks.put(src)
	}
	return trigger
}

// weigh takes up the bytes of as many events of the given sizes as the open
// batch has room for, and returns their number. An event larger than the bound
// travels alone.
func (c *cutter[T]) weigh(sizes []int64) int {
	for i, size := range sizes {
		if c.bytes > 0 && size > c.bytes-c.held && c.batch.n+i > 0 {
			return i
		}
		c.held += size
	}
	return len(sizes)
}

// close ends the open batch, or makes an empty one, and returns it with its
// bytes.
func (c *cutter[T]) close(trigger Trigger) (Batch[T], int64) {
	batch := Batch[T]{Trigger: trigger, span: c.span}
	if c.batch != nil {
		batch.Events, batch.buf = c.batch.events[:c.batch.n], c.batch
		batch.born = c.born
	}
	bytes := c.held
	c.batch, c.held = nil, 0
	c.span.From = c.span.Through
	return batch, bytes
}
