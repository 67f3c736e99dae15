package stage

import (
	"context"

	"github.com/benbjohnson/clock"
)

// Scope is what a pipeline tells the user code it calls, through the context
// it hands over. The zero Scope is valid: the system's clock, never draining.
// A Scope is not changed once it is in a context.
type Scope struct {
	Clock    clock.Clock     // nil: the system's
	Draining <-chan struct{} // closed by the owner when Close begins; nil: never
	Owner    any             // identity of the pipeline, compared with ==

	watch *Watch // of the actor the context was made for
}

type scopeKey struct{}

// WithScope returns a context that carries s.
func WithScope(ctx context.Context, s Scope) context.Context {
	if s.Clock == nil {
		s.Clock = clock.New()
	}
	return context.WithValue(ctx, scopeKey{}, &s)
}

// Clock returns the clock of the pipeline that ctx comes from, so that a sink,
// a decorator or a stage cannot run on another; without one, the system's.
func Clock(ctx context.Context) clock.Clock {
	if s, ok := ctx.Value(scopeKey{}).(*Scope); ok {
		return s.Clock
	}
	return clock.New()
}

// Draining returns a channel that is closed when Close of the pipeline that
// ctx comes from begins, or when one of its actors has died. Whoever waits (a
// retry, a breaker, a rate limit) then stops waiting. Without a pipeline it is
// nil, which is never ready.
func Draining(ctx context.Context) <-chan struct{} {
	if s, ok := ctx.Value(scopeKey{}).(*Scope); ok {
		return s.Draining
	}
	return nil
}

// Within reports whether ctx was derived from one that owner, who is not nil,
// handed out.
func Within(ctx context.Context, owner any) bool {
	s, ok := ctx.Value(scopeKey{}).(*Scope)
	return ok && owner != nil && s.Owner == owner
}
