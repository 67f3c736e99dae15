package stage

import "slices"

// Eviction says which bound an event was evicted for.
type Eviction uint8

// The reasons for an eviction under [DropOldest].
const (
	EvictedCount Eviction = iota // QueueSize
	EvictedBytes                 // QueueBytes

	numEviction
)

var evictionNames = [numEviction]string{"count", "bytes"}

// String returns the lower-case name that Stats uses.
func (e Eviction) String() string { return name(evictionNames[:], int(e)) }

// Dropped tells a drop hook about evicted events. Events is valid until the
// hook returns; a hook that keeps events copies them.
type Dropped[T any] struct {
	Reason    Eviction
	Count     uint64 // events evicted since the last call for this reason; exact
	Important uint64 // those of them that Config.Important says are
	Events    []T    // those events, oldest first; the latest of them if the hook did not keep up, or has no room for more
}

// maxDropLog bounds the events kept for a drop hook that does not keep up,
// unless it asks for more.
const maxDropLog = 4096

// dropLog gathers evicted events between two calls of the drop hook: all of
// them while there is room, then the latest. The zero dropLog gathers nothing.
type dropLog[T any] struct {
	count     uint64
	important uint64
	events    []T // a ring once it is full
	next      int // oldest in the ring
}

func newDropLog[T any](events int) dropLog[T] {
	return dropLog[T]{events: make([]T, 0, events)}
}

// dropLogs returns one for each reason that there can be.
func (c *IntakeConfig[T]) dropLogs() (logs [numEviction]dropLog[T]) {
	if !c.ReportDrops {
		return logs
	}
	events := c.DropEvents
	if events == 0 {
		events = min(c.QueueSize, maxDropLog)
	}
	for why := range logs {
		if Eviction(why) == EvictedBytes && c.QueueBytes == 0 {
			events = 0 // there is no such bound
		}
		logs[why] = newDropLog[T](max(events, 0))
	}
	return logs
}

func (d *dropLog[T]) add(ev T, important bool) {
	d.count++
	if important {
		d.important++
	}
	if planted(faultDropUnreported) && d.count%8 == 0 {
		return
	}
	if len(d.events) < cap(d.events) {
		d.events = append(d.events, ev)
		return
	}
	if len(d.events) == 0 {
		return // only numbers are asked for
	}
	d.events[d.next] = ev
	if d.next++; d.next == len(d.events) {
		d.next = 0
	}
}

// dropped puts what has gathered in order.
func (d *dropLog[T]) dropped(why Eviction) Dropped[T] {
	slices.Reverse(d.events[:d.next])
	slices.Reverse(d.events[d.next:])
	slices.Reverse(d.events)
	return Dropped[T]{Reason: why, Count: d.count, Important: d.important, Events: d.events}
}

// reset empties the log and drops its references to events.
func (d *dropLog[T]) reset() {
	clear(d.events)
	d.count, d.important, d.events, d.next = 0, 0, d.events[:0], 0
}
