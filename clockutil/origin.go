package clockutil

import (
	"context"
	"sync/atomic"
)

// An origin is a context made to have exactly one standard context derived from
// it. When it ends it hands its error and its cause to that one.
//
// Package context cancels what is derived from a context it does not know
// through an AfterFunc method, if there is one, in the calling goroutine. The
// error it takes from Err; the cause from the nearest context of its own, which
// it asks for by a private key of Value. Hence the ended context kept there.
type origin struct {
	context.Context               // the parent, for its values alone
	done            chan struct{} // never closed, but nil would mean that it cannot end
	fire            func()        // ends the derived context; idempotent
	verdict         atomic.Pointer[verdict]
}

// A verdict is how an origin ended.
type verdict struct {
	err   error
	cause context.Context // an ended context whose cause is the origin's
}

func newOrigin(parent context.Context) *origin {
	return &origin{Context: parent, done: make(chan struct{})}
}

// end ends the derived context. The first verdict stands, and when end returns
// the derived context has ended, whichever call it was that won.
func (o *origin) end(err, cause error) {
	ended, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	o.verdict.CompareAndSwap(nil, &verdict{err: err, cause: ended})
	o.fire()
}

// AfterFunc is called by package context when the one context is derived.
func (o *origin) AfterFunc(f func()) (stop func() bool) {
	o.fire = f
	return func() bool { return true }
}

func (o *origin) Done() <-chan struct{} { return o.done }

func (o *origin) Err() error {
	if v := o.verdict.Load(); v != nil {
		return v.err
	}
	return nil
}

func (o *origin) Value(key any) any {
	if v := o.verdict.Load(); v != nil {
		if value := v.cause.Value(key); value != nil {
			return value
		}
	}
	return o.Context.Value(key)
}
