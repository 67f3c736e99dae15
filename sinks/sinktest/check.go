package sinktest

import (
	"context"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/penstock-go/penstock/stage"
)

// How long a call may take, in the time of a bubble and in real time.
const (
	virtualPatience = time.Hour
	realPatience    = 30 * time.Second
)

func (c *check[T]) patience() time.Duration {
	if c.cfg.NoBubble {
		return realPatience
	}
	return virtualPatience
}

// check is one rule being checked on one sink.
type check[T any] struct {
	t    *testing.T
	cfg  Config[T]
	sub  Subject[T]
	rule string
	skip *string // set by skipped

	draining chan struct{} // closed before the sink is
	closed   bool
	told     int    // messages so far
	due      []fate // of the events made so far, by number
}

// fate is what may become of an event.
type fate uint8

const (
	absent  fate = iota // must not arrive
	present             // must arrive
	either              // nobody can tell
)

// enough is the number of messages after which a check says no more: a rule
// that is broken once is often broken for every event.
const enough = 3

// broken fails the check.
func (c *check[T]) broken(format string, args ...any) {
	c.t.Helper()
	if c.told++; c.told > enough {
		return
	}
	c.t.Errorf("sinktest: "+format+"\n\tthe rule: %s", append(args, c.rule)...)
}

// skipped ends a check that needs what the subject does not have.
func (c *check[T]) skipped(why string) {
	*c.skip = "sinktest: " + why
	c.t.Skip(*c.skip)
}

// scope is the context that a pipeline would hand over.
func (c *check[T]) scope() context.Context {
	return stage.WithScope(context.Background(), stage.Scope{Draining: c.draining})
}

// outcome is how a call has ended.
type outcome struct {
	err      error
	panicked any
	stack    string
	returned bool
}

// start makes a call of the sink in a goroutine of its own, so that one that
// hangs, panics or ends its goroutine costs one check.
func start(call func() error) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		defer func() {
			if !o.returned {
				o.panicked = recover()
				buf := make([]byte, 16<<10)
				o.stack = string(buf[:runtime.Stack(buf, false)])
			}
			done <- o
		}()
		o.err = call()
		o.returned = true
	}()
	return done
}

// ended waits for a call and returns its error. A call that does not return,
// or not in the ordinary way, ends the check.
func (c *check[T]) ended(what string, done <-chan outcome) error {
	c.t.Helper()
	timer := time.NewTimer(c.patience())
	defer timer.Stop()
	select {
	case o := <-done:
		switch {
		case o.panicked != nil:
			c.broken("%s panicked: %v\n%s", what, o.panicked, o.stack)
			c.t.FailNow()
		case !o.returned:
			c.broken("%s called runtime.Goexit\n%s", what, o.stack)
			c.t.FailNow()
		}
		return o.err
	case <-timer.C:
		c.broken("%s has not returned after %v", what, c.patience())
		c.t.FailNow()
		return nil
	}
}

// call is start and ended.
func (c *check[T]) call(what string, f func() error) error {
	c.t.Helper()
	return c.ended(what, start(f))
}

// fresh returns n new events, numbered from first on. Nothing is due yet.
func (c *check[T]) fresh(n int) (events []T, first int) {
	first = len(c.due)
	events = make([]T, n)
	for i := range events {
		events[i] = c.cfg.Event(first + i)
	}
	c.due = append(c.due, make([]fate, n)...)
	return events, first
}

// expect sets the fate of events first to first+n-1.
func (c *check[T]) expect(first, n int, f fate) {
	for i := range n {
		c.due[first+i] = f
	}
}

// send writes n new events, which must succeed.
func (c *check[T]) send(n int) {
	c.t.Helper()
	events, first := c.fresh(n)
	if err := c.call("Write", func() error { return c.sub.Sink.Write(c.scope(), events) }); err != nil {
		c.broken("Write of %d events failed: %v", n, err)
		c.t.FailNow()
	}
	c.expect(first, n, present)
}

// flush calls the sink's Flush, if it has one, which must succeed.
func (c *check[T]) flush() {
	c.t.Helper()
	if err := c.call("Flush", func() error { return stage.FlushSink(c.scope(), c.sub.Sink) }); err != nil {
		c.broken("Flush failed: %v", err)
	}
}

// closer returns the sink's Close, or ends the check if it has none.
func (c *check[T]) closer() io.Closer {
	closer, ok := c.sub.Sink.(io.Closer)
	if !ok {
		c.skipped("the sink has no Close")
	}
	return closer
}

// close does to the sink what a pipeline does at its end.
func (c *check[T]) close() {
	c.t.Helper()
	c.closed = true
	close(c.draining)
	c.flush()
	if err := c.call("Close", func() error { return stage.CloseSink(c.sub.Sink) }); err != nil {
		c.broken("Close failed: %v", err)
	}
}

// closeAtEnd closes a sink that its check has left open, whatever comes of it.
func (c *check[T]) closeAtEnd() {
	if c.closed {
		return
	}
	close(c.draining)
	timer := time.NewTimer(c.patience())
	defer timer.Stop()
	select {
	case <-start(func() error { return stage.CloseSink(c.sub.Sink) }):
	case <-timer.C:
	}
}
