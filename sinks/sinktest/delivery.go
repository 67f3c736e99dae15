package sinktest

// batches are the sizes that delivery and order use.
var batches = []int{1, 3, 1, 64, 2, 200, 1}

func delivery[T any](c *check[T]) {
	for _, n := range batches {
		c.send(n)
		c.empty()
	}
	c.verify()
	c.close()
	c.verify()
}

// empty writes batches without events.
func (c *check[T]) empty() {
	for _, none := range [][]T{nil, {}} {
		if err := c.call("Write of no events", func() error { return c.sub.Sink.Write(c.scope(), none) }); err != nil {
			c.broken("Write of no events failed: %v", err)
		}
	}
}

func order[T any](c *check[T]) {
	c.needRead()
	for _, n := range batches {
		c.send(n)
	}
	numbers, _ := c.arrived()
	for i := 1; i < len(numbers); i++ {
		if numbers[i] < numbers[i-1] {
			c.broken("%s has arrived after %s", c.show(numbers[i]), c.show(numbers[i-1]))
			return
		}
	}
}

func (c *check[T]) needRead() {
	if c.sub.Read == nil {
		c.skipped("the subject has no Read")
	}
}

// How many goroutines write how many batches of how many events.
const (
	writers   = 8
	perWriter = 10
	perBatch  = 5
)

func concurrent[T any](c *check[T]) {
	if !c.cfg.Concurrent {
		c.skipped("Config.Concurrent is not set")
	}
	gate := make(chan struct{})
	var calls []<-chan outcome
	for range writers {
		var lent [][]T
		for range perWriter {
			events, first := c.fresh(perBatch)
			c.expect(first, perBatch, present)
			lent = append(lent, events)
		}
		calls = append(calls, start(func() error {
			<-gate
			for _, events := range lent {
				if err := c.sub.Sink.Write(c.scope(), events); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	close(gate)
	for _, call := range calls {
		if err := c.ended("Write beside others", call); err != nil {
			c.broken("Write beside others failed: %v", err)
		}
	}
	c.verify()
	if c.t.Failed() {
		return // batches that are not complete cannot be whole
	}
	numbers, _ := c.arrived()
	for i, n := range numbers {
		if n%perBatch > 0 && n != numbers[max(i-1, 0)]+1 {
			c.broken("%s does not come right behind the event before it in its batch", c.show(n))
			return
		}
	}
}

func flush[T any](c *check[T]) {
	c.needRead()
	c.flush() // nothing was written
	for range 3 {
		c.send(2)
		c.verify()
	}
	c.flush() // nothing was written since
	c.verify()
}
