package sinktest

import (
	"errors"
	"fmt"

	"github.com/penstock-go/penstock/stage"
)

// arrived flushes, reads the destination, and returns the numbers of the
// events that are there, in their order. ok is false if nothing can be read.
func (c *check[T]) arrived() (numbers []int, ok bool) {
	c.t.Helper()
	if c.sub.Read == nil {
		return nil, false
	}
	if !c.closed {
		c.flush()
	}
	made := make([]T, len(c.due))
	for i := range made {
		made[i] = c.cfg.Event(i)
	}
	next := 0
	for _, ev := range c.sub.Read() {
		n := c.number(made, ev, next)
		if n < 0 {
			c.broken("%#v has arrived, and nobody wrote that", ev)
			continue
		}
		numbers = append(numbers, n)
		next = n + 1
	}
	return numbers, true
}

// number finds ev among the events made, or returns -1. It looks at the guess
// first, because most events arrive behind the one before.
func (c *check[T]) number(made []T, ev T, guess int) int {
	if guess < len(made) && c.cfg.Equal(made[guess], ev) {
		return guess
	}
	for i := range made {
		if c.cfg.Equal(made[i], ev) {
			return i
		}
	}
	return -1
}

// verify holds what has arrived against what is due, whatever the order.
func (c *check[T]) verify() {
	c.t.Helper()
	numbers, ok := c.arrived()
	if !ok {
		return
	}
	seen := make([]int, len(c.due))
	for _, n := range numbers {
		seen[n]++
	}
	for n, times := range seen {
		switch {
		case times > 1 && !c.cfg.Duplicates:
			c.broken("%s has arrived %d times", c.show(n), times)
		case times == 0 && c.due[n] == present:
			c.broken("%s has not arrived, although Write did not report it as failed", c.show(n))
		case times > 0 && c.due[n] == absent && !c.cfg.Duplicates:
			c.broken("%s has arrived, although Write reported it as failed", c.show(n))
		}
	}
}

// judge sets the fates of events first to first+n-1 as err, which Write
// returned for them, has it. It reports whether any of them failed.
func (c *check[T]) judge(err error, first, n int) (failed bool) {
	c.t.Helper()
	if err == nil {
		c.expect(first, n, present)
		return false
	}
	// In the middle of a join a partial error says nothing, so it may be bad.
	for e := err; e != nil; e = errors.Unwrap(e) {
		if pe, ok := e.(*stage.PartialError); ok {
			if stage.FailedIndexes(pe, n) == nil {
				c.broken("the indexes %v of a PartialError are not distinct ones of a batch of %d: %v", pe.Failed, n, err)
			}
			break
		}
	}
	indexes := stage.FailedIndexes(err, n)
	if indexes == nil {
		c.expect(first, n, absent)
		return true
	}
	c.expect(first, n, present)
	for _, i := range indexes {
		c.due[first+i] = absent
	}
	return true
}

// show is an event as messages name it.
func (c *check[T]) show(n int) string { return fmt.Sprintf("event %d, %#v,", n, c.cfg.Event(n)) }
