package sinktest

import (
	"context"
	"errors"
	"testing/synctest"
	"time"

	"github.com/penstock-go/penstock/stage"
)

// errCause is what the failures that are written have as their cause.
var errCause = errors.New("sinktest: a cause")

func partial[T any](c *check[T]) {
	if c.sub.Fail == nil {
		c.skipped("the subject has no Fail")
	}
	for _, n := range []int{5, 1, 20} {
		c.send(3)
		c.sub.Fail()
		events, first := c.fresh(n)
		err := c.call("Write", func() error { return c.sub.Sink.Write(c.scope(), events) })
		if !c.judge(err, first, n) {
			c.broken("Write of %d events returned nil, although Subject.Fail was called", n)
		}
	}
	c.send(3)
	c.verify()
}

func endedContext[T any](c *check[T]) {
	c.send(2)
	ctx, cancel := context.WithCancel(c.scope())
	cancel()
	events, first := c.fresh(5)
	err := c.call("Write with an ended context", func() error { return c.sub.Sink.Write(ctx, events) })
	c.judge(err, first, len(events))
	_ = c.call("Flush with an ended context", func() error { return stage.FlushSink(ctx, c.sub.Sink) })
	c.send(2)
	c.verify()
}

func blockedWrite[T any](c *check[T]) {
	if c.sub.Block == nil {
		c.skipped("the subject has no Block")
	}
	c.send(2)
	release := c.sub.Block()
	released := false
	free := func() {
		if !released {
			released = true
			release()
		}
	}
	defer free()
	ctx, cancel := context.WithCancel(c.scope())
	defer cancel()
	events, first := c.fresh(3)
	done := start(func() error { return c.sub.Sink.Write(ctx, events) })
	c.settle()
	select {
	case <-done:
		c.broken("Write has returned, although Subject.Block was called")
		return
	default:
	}
	_ = c.call("Report beside a Write", func() error {
		stage.ReportSink(c.sub.Sink, &stage.SinkReport{})
		return nil
	})
	cancel()
	if err := c.ended("Write with a destination that does not answer and a context that has ended", done); err == nil {
		c.broken("Write returned nil, although the destination did not answer")
	}
	c.expect(first, len(events), either)
	free()
	c.send(2)
	c.verify()
}

// settle lets a call go as far as it can.
func (c *check[T]) settle() {
	if c.cfg.NoBubble {
		<-time.After(100 * time.Millisecond) // too short only makes the check easier
		return
	}
	synctest.Wait()
}

func zeroEvent[T any](c *check[T]) {
	c.send(1)
	_ = c.call("Write of a zero event", func() error { return c.sub.Sink.Write(c.scope(), make([]T, 1)) })
	_ = c.call("Write of zero events", func() error { return c.sub.Sink.Write(c.scope(), make([]T, 3)) })
	c.send(1) // what Read makes of zero values is its own affair
	c.flush()
}

func name[T any](c *check[T]) {
	n, ok := c.sub.Sink.(interface{ Name() string })
	if !ok {
		c.skipped("the sink has no Name")
	}
	_ = c.call("Name", func() error {
		if n.Name() == "" {
			c.broken("Name returned nothing")
		}
		return nil
	})
}
