package stage

import (
	"context"
	"errors"
	"fmt"
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

// guard calls user code known as name. A panic becomes the error it returns, and
// so does one of the error itself when it is asked. A runtime.Goexit cannot be
// stopped: guard then notes it in the actor's watch and calls exited, with a
// [*PanicError], from the ending goroutine.
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
		if watch != nil {
			watch.exits.Add(1)
		}
		exited(NewPanicError(nil))
	}()
	if err = recovered(call); err != nil {
		err = asked(err)
	}
	returned = true
	return err
}

// recovered calls user code and makes an error of its panic.
func recovered(call func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = NewPanicError(r)
		}
	}()
	return call()
}

// asked asks err all that the actors will ask it, because an error's own methods
// are user code, too, and nobody would catch their panic there. It returns err,
// or the panic this ended in, which has the text of err but does not wrap it.
func asked(err error) (safe error) {
	defer func() {
		if r := recover(); r != nil {
			safe = NewPanicError(fmt.Sprintf("in a method of %T: %v\nThe error: %v", err, r, err))
		}
	}()
	_, _, _ = lossOf(err), endingOf(err), FailedIndexes(err, 0)
	errors.As(err, new(interface{ nobody() })) // matches nothing, so this asks to the end
	return err
}

// Guard calls user code on behalf of a decorator or of the pipeline: a panic
// becomes a [*PanicError], and so does one of the error it returns when that is
// asked by errors.Is, errors.As or [FailedIndexes]. A runtime.Goexit goes on,
// after exited was called with a [*PanicError]; exited may be nil. ctx is the one
// the caller was given.
func Guard(ctx context.Context, name string, call func() error, exited func(error)) error {
	if exited == nil {
		exited = func(error) {}
	}
	return guard(ctx, &name, call, exited)
}
