package stage

import "context"

// Forfeit says that something may still read the events after the call they
// were given to has returned. It is for a decorator that gives up a call which
// does not return: ctx is the one the decorator was given, and Forfeit is
// called before the decorator returns. The events' buffer is then left to the
// collector, also if a decorator further out makes a success of it.
//
// A decorator that gives what it wraps a context from [Watched], because it
// calls it on another goroutine, passes Forfeit on.
func Forfeit(ctx context.Context) {
	if w := watchOf(ctx); w != nil {
		w.forfeit.Store(true)
	}
}

// Forfeited reports whether [Forfeit] was called since the last call of
// Forfeited, with the watched context or one derived from it. Nobody has told a
// nil watch anything.
func (w *Watch) Forfeited() bool { return w != nil && w.forfeit.Load() && w.forfeit.Swap(false) }

// watchOf returns the watch over the actor that ctx was made for, or nil.
func watchOf(ctx context.Context) *Watch {
	if s, ok := ctx.Value(scopeKey{}).(*Scope); ok {
		return s.watch
	}
	return nil
}

// ensureWatched is Watched, unless ctx has a watch.
func ensureWatched(ctx context.Context) (context.Context, *Watch) {
	if w := watchOf(ctx); w != nil {
		return ctx, w
	}
	return Watched(ctx)
}
