package sinktest

import "github.com/penstock-go/penstock/stage"

// spare is how much longer the array is than the slice that is lent: what lies
// behind the slice is not the sink's either.
const spare = 3

// lend calls f with the events of a new batch and holds the batch against
// what it was, before and after its memory was filled with another event.
func (c *check[T]) lend(what string, n int, f func(events []T) error) {
	c.t.Helper()
	all, first := c.fresh(n + spare)
	if err := c.call(what, func() error { return f(all[:n]) }); err != nil {
		c.broken("%s of %d events failed: %v", what, n, err)
		c.t.FailNow()
	}
	c.expect(first, n, present)
	for i := range all {
		if own := c.cfg.Event(first + i); !c.cfg.Equal(own, all[i]) {
			where := "in"
			if i >= n {
				where = "behind"
			}
			c.broken("%s has become %#v %s the slice that was lent", c.show(first+i), all[i], where)
		}
	}
	poison, _ := c.fresh(1)
	for i := range all {
		all[i] = poison[0]
	}
}

func lentSlice[T any](c *check[T]) {
	for _, n := range []int{1, 5, 2} {
		c.lend("Write", n, func(events []T) error { return c.sub.Sink.Write(c.scope(), events) })
	}
	c.kept()
}

// kept finds events that were overwritten after the call they were lent for.
func (c *check[T]) kept() {
	c.t.Helper()
	c.verify()
	if c.t.Failed() {
		c.t.Log("sinktest: the memory of each slice was filled with another event when the call had returned")
	}
}

func writeFailure[T any](c *check[T]) {
	s, ok := c.sub.Sink.(stage.FailureSink[T])
	if !ok {
		c.skipped("the sink has no WriteFailure")
	}
	for _, n := range []int{1, 5, 2} {
		c.lend("WriteFailure", n, func(events []T) error {
			return s.WriteFailure(c.scope(), stage.Failure[T]{Events: events, Stage: "sinktest", Err: errCause, Attempts: 1})
		})
	}
	c.kept()
}
