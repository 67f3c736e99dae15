package pipeline

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/sourcegraph/conc/panics"

	"github.com/penstock-go/penstock/stage"
)

// actor is one goroutine of the house, seen from the supervisor.
type actor struct {
	name  string
	run   func(ctx context.Context) error
	early func() bool // after run: did it return before its input was closed? nil: it cannot
	end   func()      // at the end: closes what run sent on; nil: nothing

	// bury is what runs after a death, which err is: it takes in what run no
	// longer does. nil: nothing comes.
	bury func(ctx context.Context, err error)

	watch *stage.Watch // of the latest launch; guarded by supervisor.mu
	ended bool         // guarded by supervisor.mu
}

var (
	errEarly  = errors.New("its Run returned before its input was closed")
	errGoexit = errors.New("runtime.Goexit called")
)

// cause says why an actor died that panicked or returned err, or nil if it ended
// as it should.
func cause(a *actor, caught *panics.Recovered, err error) error {
	if caught != nil {
		return &stage.PanicError{Value: caught.Value, Stack: string(caught.Stack)}
	}
	if a.early != nil && a.early() {
		return errors.Join(errEarly, err)
	}
	return err
}

// trusted returns err, or what came of asking it: an error's own methods are user
// code.
func trusted(err error) error {
	return stage.Guard(context.Background(), "error", func() error { return err }, nil)
}

// outlet is a channel with many senders, closed when the last has left.
type outlet[M any] struct {
	c       chan M
	senders atomic.Int32
}

func newOutlet[M any](size int) *outlet[M] { return &outlet[M]{c: make(chan M, size)} }

// open sets the number of senders. It is called before any of them runs.
func (o *outlet[M]) open(senders int) { o.senders.Store(int32(senders)) }

// join adds senders, unless the last has left.
func (o *outlet[M]) join(senders int) bool {
	for {
		n := o.senders.Load()
		if n == 0 {
			return false
		}
		if o.senders.CompareAndSwap(n, n+int32(senders)) {
			return true
		}
	}
}

func (o *outlet[M]) leave() {
	if o.senders.Add(-1) == 0 {
		close(o.c)
	}
}
