package stage

// chunks is a queue of buffers with waiting events, oldest first.
type chunks[T any] struct {
	ring   []*Buffer[T]
	first  int // index of the oldest in ring
	n      int // buffers
	events int // in them
}

// push appends b.
func (c *chunks[T]) push(b *Buffer[T]) {
	c.ring[(c.first+c.n)%len(c.ring)] = b
	c.n++
	c.events += b.n - b.head
}

// front returns the oldest buffer, of which there is one.
func (c *chunks[T]) front() *Buffer[T] { return c.ring[c.first] }

// back returns the latest buffer, of which there is one.
func (c *chunks[T]) back() *Buffer[T] { return c.ring[(c.first+c.n-1)%len(c.ring)] }

// pop takes the oldest buffer out.
func (c *chunks[T]) pop() *Buffer[T] {
	b := c.ring[c.first]
	c.ring[c.first] = nil
	c.first = (c.first + 1) % len(c.ring)
	c.n--
	c.events -= b.n - b.head
	return b
}
