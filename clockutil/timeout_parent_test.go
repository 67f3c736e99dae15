package clockutil_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// foreign is a context that package context does not know.
type foreign struct{ context.Context }

// Whoever ends the parent sees the child ended in his next line.
func TestTimeoutEndsWithItsParent(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		type wrap = func(context.Context) context.Context
		for name, wrap := range map[string]wrap{
			"cancel": func(ctx context.Context) context.Context { return ctx },
			"value":  func(ctx context.Context) context.Context { return context.WithValue(ctx, key{}, 1) },
			"timeout": func(ctx context.Context) context.Context {
				ctx, cancel := clockutil.WithTimeout(ctx, w.Clock(), time.Minute)
				t.Cleanup(cancel)
				return ctx
			},
			"value of a timeout": func(ctx context.Context) context.Context {
				ctx, cancel := clockutil.WithTimeout(ctx, w.Clock(), time.Minute)
				t.Cleanup(cancel)
				return context.WithValue(ctx, key{}, 1)
			},
		} {
			looks := []func(ctx context.Context){
				func(ctx context.Context) { require.Equal(t, context.Canceled, ctx.Err(), name) },
				func(ctx context.Context) { require.Equal(t, errBoss, context.Cause(ctx), name) },
				func(ctx context.Context) { requireEnded(t, ctx) },
			}
			for first := range looks {
				parent, cancel := context.WithCancelCause(t.Context())
				ctx, stop := clockutil.WithTimeout(wrap(parent), w.Clock(), time.Second)
				cancel(errBoss)
				for i := range looks {
					looks[(first+i)%len(looks)](ctx)
				}
				stop()
				require.Equal(t, errBoss, context.Cause(ctx))
			}
		}
		w.Advance(0)
		if mock, ok := w.Clock().(*clock.Mock); ok {
			requireNothingArmed(t, mock)
		}
	})
}

// Those who wait hear of the parent's end though nobody asks the context.
func TestTimeoutWakesThoseWhoWait(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		parent, cancel := context.WithCancelCause(t.Context())
		ctx, stop := clockutil.WithTimeout(foreign{parent}, w.Clock(), time.Hour)
		defer stop()
		below, stopBelow := context.WithCancel(ctx)
		defer stopBelow()
		woke := clocktest.NewRecorder[error](w)
		for _, ctx := range []context.Context{ctx, below} {
			go func() {
				<-ctx.Done()
				woke.Add(context.Cause(ctx))
			}()
		}
		w.Advance(time.Second)
		cancel(errBoss)
		w.Advance(time.Hour)
		require.Equal(t, []error{errBoss, errBoss}, woke.Values())
		require.Equal(t, []time.Duration{time.Second, time.Second}, woke.Times())
	})
}

// The parent may end, and the deadline pass, while the context is being made.
func TestTimeoutRacesItsOwnMaking(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		for range 100 {
			parent, cancel := context.WithCancelCause(t.Context())
			var wg sync.WaitGroup
			wg.Go(func() { cancel(errBoss) })
			if mock, ok := w.Clock().(*clock.Mock); ok {
				wg.Go(func() { mock.Add(time.Millisecond) })
			}
			ctx, stop := clockutil.WithTimeoutCause(parent, w.Clock(), time.Millisecond, errLate)
			<-ctx.Done()
			require.Contains(t, []error{errBoss, errLate}, context.Cause(ctx))
			stop()
			wg.Wait()
			w.Settle()
		}
		if mock, ok := w.Clock().(*clock.Mock); ok {
			requireNothingArmed(t, mock)
		}
	})
}

func TestTimeoutOfAnEndedParent(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		parent, cancel := context.WithCancelCause(t.Context())
		cancel(errBoss)
		for _, d := range []time.Duration{-1, time.Second} {
			ctx, stop := clockutil.WithTimeout(foreign{parent}, w.Clock(), d)
			require.Equal(t, context.Canceled, ctx.Err())
			require.Equal(t, errBoss, context.Cause(ctx))
			stop()
		}
	})
}

// A hub is a parent that counts who hangs on it.
type hub struct {
	context.Context
	done     chan struct{}
	children int
}

func (h *hub) Done() <-chan struct{} { return h.done }

func (h *hub) AfterFunc(func()) (stop func() bool) {
	h.children++
	return sync.OnceValue(func() bool { h.children--; return true })
}

// A parent that lives long does not gather the contexts that are done with.
func TestTimeoutLetsGoOfItsParent(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := &hub{Context: context.Background(), done: make(chan struct{})}
		_, stop := clockutil.WithTimeout(h, w.Clock(), time.Second)
		require.Equal(t, 1, h.children)
		stop()
		require.Zero(t, h.children)

		_, stop = clockutil.WithTimeout(h, w.Clock(), time.Second)
		require.Equal(t, 1, h.children)
		w.Advance(time.Second)
		require.Zero(t, h.children)
		stop()
		require.Zero(t, h.children)
	})
}
