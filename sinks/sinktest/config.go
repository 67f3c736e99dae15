package sinktest

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
)

// Config says what is tested and what may be expected of it. Open and Event
// are required.
type Config[T any] struct {
	// Open returns a new sink and the ways to its destination. It is called
	// once for each rule, in the bubble that the rule is checked in: what it
	// makes, it makes inside, and what it starts beside the sink it ends by
	// t.Cleanup, which runs after the sink was closed.
	Open func(t *testing.T) Subject[T]
	// Event returns the event number i, from 0, different from all others, and
	// made anew by each call.
	Event func(i int) T
	// Equal compares an event that was written with one that was read; nil:
	// reflect.DeepEqual.
	Equal func(wrote, read T) bool

	// Concurrent says that Write may be called concurrently, and that a batch
	// stays together.
	Concurrent bool
	// Duplicates says that an event may arrive although its Write failed, as
	// where an answer can be lost on its way.
	Duplicates bool
	// NoBubble runs the suite in real time, for sinks that wait for what a
	// bubble does not know: a socket, a process. A call then gets half a minute
	// before it counts as hanging. The test must not run in parallel with
	// others, whose goroutines would be taken for the sink's.
	NoBubble bool
}

// Subject is one sink under test. Only Sink is required.
type Subject[T any] struct {
	Sink stage.Sink[T]
	// Read returns all that has arrived so far, in the order in which it did.
	// It is called after Flush, and after Close too. nil: nothing can be read,
	// and only what the sink returns is checked.
	Read func() []T
	// Fail makes the next Write fail, whole or in part, and no later one.
	Fail func()
	// Block makes calls of Write wait for the destination, from the next on,
	// until release.
	Block func() (release func())
}

// Run checks every rule, as subtests of t. It must not be called inside a
// bubble.
func Run[T any](t *testing.T, cfg Config[T]) {
	t.Helper()
	if cfg.Open == nil || cfg.Event == nil {
		t.Fatal("sinktest: Config.Open and Config.Event are required")
	}
	if cfg.Equal == nil {
		cfg.Equal = func(wrote, read T) bool { return reflect.DeepEqual(wrote, read) }
	}
	for _, r := range rules[T]() {
		t.Run(r.name, func(t *testing.T) { r.check(t, cfg) })
	}
}

// rule is one of the contract's.
type rule[T any] struct {
	name string
	text string // what a failure quotes
	run  func(c *check[T])
}

func rules[T any]() []rule[T] {
	return []rule[T]{
		{"delivery", "all that Write accepts arrives, once; a batch without events does nothing", delivery[T]},
		{"order", "events arrive in the order in which they were written", order[T]},
		{"concurrent", "batches written at the same time stay whole, and none is lost", concurrent[T]},
		{"flush", "what was written can be read after Flush, or at once if there is no Flush", flush[T]},
		{"lent-slice", "Write neither keeps nor modifies the slice; a sink that keeps events copies them", lentSlice[T]},
		{"partial", "an error names the events that did not arrive, by a PartialError with valid indexes, or means all of them; the next Write starts anew", partial[T]},
		{"ended-context", "nothing hangs on a context that has ended, and what Write returns is the truth", endedContext[T]},
		{"blocked-write", "a Write that waits for the destination ends with its context", blockedWrite[T]},
		{"write-failure", "the contract of WriteFailure is Write's, with the failure's events as the slice", writeFailure[T]},
		{"zero-event", "the zero value of an event may be refused and breaks nothing", zeroEvent[T]},
		{"name", "a sink with a name has one that is not empty", name[T]},
		{"close-twice", "a second Close does no harm", closeTwice[T]},
		{"write-after-close", "a Write after Close fails with a permanent error and breaks nothing", writeAfterClose[T]},
		{"goroutines", "the goroutines that a sink starts are gone when its Close returns", goroutines[T]},
	}
}

// check runs r, in a bubble if it may.
func (r rule[T]) check(t *testing.T, cfg Config[T]) {
	t.Helper()
	skip := ""
	body := func(t *testing.T) {
		c := &check[T]{t: t, cfg: cfg, rule: r.text, draining: make(chan struct{}), skip: &skip}
		if r.name == "goroutines" {
			before := dump()
			t.Cleanup(func() { c.leaked(before) }) // after those of the subject
		}
		c.sub = cfg.Open(t)
		if c.sub.Sink == nil {
			t.Fatal("sinktest: Subject.Sink is required")
		}
		defer c.closeAtEnd()
		r.run(c)
	}
	if cfg.NoBubble {
		body(t)
		return
	}
	bubble(t, body)
	if skip != "" { // a bubble that was skipped does not say so itself
		t.Skip(skip)
	}
}

// bubble is clocktest.Run, and does not mind goroutines that are left: who
// leaves them is told by the rule that is about them, and has hung or leaked.
func bubble(t *testing.T, body func(t *testing.T)) {
	t.Helper()
	defer func() {
		if r := recover(); r != nil && !strings.HasPrefix(fmt.Sprint(r), "deadlock: main bubble goroutine has exited") {
			panic(r)
		}
	}()
	clocktest.Run(t, func(t *testing.T, _ *clocktest.World) { body(t) })
}
