package sinktest

import "github.com/penstock-go/penstock/stage"

func closeTwice[T any](c *check[T]) {
	closer := c.closer()
	c.send(3)
	c.close()
	_ = c.call("a second Close", closer.Close)
	c.verify()
}

func writeAfterClose[T any](c *check[T]) {
	c.closer()
	c.send(3)
	c.close()
	events, first := c.fresh(2)
	err := c.call("Write after Close", func() error { return c.sub.Sink.Write(c.scope(), events) })
	switch {
	case err == nil:
		c.broken("Write after Close returned nil")
	case !stage.IsPermanent(err):
		c.broken("the error of a Write after Close is not marked as permanent: %v", err)
	}
	c.expect(first, len(events), absent)
	_ = c.call("Flush after Close", func() error { return stage.FlushSink(c.scope(), c.sub.Sink) })
	c.verify()
}
