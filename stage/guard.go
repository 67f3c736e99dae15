package stage

import (
	"context"
	"sync/atomic"
)

// Watch shows from outside what an actor's goroutine is doing with user code.
// Safe for concurrent use.
type Watch struct {
	in      atomic.Pointer[string]
	exits   atomic.Int32
	forfeit atomic.Bool
}

// In returns the name of the user code that is being called, or "".
func (w *Watch) In() string {
	if name := w.in.Load(); name != nil {
		return *name
	}
	return ""
}

// Exited reports whether user code called runtime.Goexit since the last call
// of Exited. The actor's goroutine has then ended although the actor has not
// died: the failure is on its way, and Run is to be called again.
func (w *Watch) Exited() bool { return w.exits.Swap(0) > 0 }

// Watched returns ctx for one actor, and the watch over it.
func Watched(ctx context.Context) (context.Context, *Watch) {
	var s Scope
	if parent, ok := ctx.Value(scopeKey{}).(*Scope); ok {
		s = *parent
	}
	s.watch = new(Watch)
	return WithScope(ctx, s), s.watch
}

// guard calls user code known as name. A panic becomes the error it returns.
// A runtime.Goexit cannot be stopped: guard then notes it in the actor's watch
// and calls exited, with a [*PanicError], from the ending goroutine.
func guard(ctx context.Context, name *string, call func() error, exited func(error)) (err error) {
	watch := watchOf(ctx)
	var outer *string // calls nest: a decorator's in the sink's
	if watch != nil {
		outer = watch.in.Swap(name)
	}
	returned := false
	defer func() {
		if watch != nil {
			watch.in.Store(outer)
		}
		if returned {
			return
		}
		if r := recover(); r != nil {
			err = NewPanicError(r)
			return
		}
		if watch != nil {
			watch.exits.Add(1)
		}
		exited(NewPanicError(nil))
	}()
	err = call()
	returned = true
	return err
}

// Guard calls user code on behalf of a decorator or of the pipeline: a panic
// becomes a [*PanicError]. A runtime.Goexit goes on, after exited was called
// with a [*PanicError]; exited may be nil. ctx is the one the caller was given.
func Guard(ctx context.Context, name string, call func() error, exited func(error)) error {
	if exited == nil {
		exited = func(error) {}
	}
	return guard(ctx, &name, call, exited)
}
