package clockutil_test

import (
	"bytes"
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// Defects 8 and 13: a live ticker keeps WaitForAllTimers from returning, and
// what waits and is given up stays in the mock's list.
func TestDefectListNeverEmpties(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		tm := clockutil.NewTimer(mock, time.Hour)
		for i := range 100 {
			tm.Reset(time.Duration(i) * time.Hour)
		}
		tm.Stop()
		requireNothingArmed(t, mock)

		ctx, cancel := context.WithCancel(t.Context())
		slept := make(chan error)
		go func() { slept <- clockutil.Sleep(ctx, mock, time.Hour) }()
		w.Settle()
		cancel()
		require.ErrorIs(t, <-slept, context.Canceled)
		requireNothingArmed(t, mock)

		tm.Reset(time.Hour)
		want := mock.Now().Add(time.Hour)
		require.Equal(t, want, mock.WaitForAllTimers())
		requireReady(t, tm.C())
	})
}

// Defect 9: Err of the mock's context races with its end. The race detector is
// the judge here.
func TestDefectErrRaces(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		for _, end := range []func(stop, cancel context.CancelFunc){
			func(stop, _ context.CancelFunc) { stop() },
			func(_, cancel context.CancelFunc) { cancel() },
			func(context.CancelFunc, context.CancelFunc) { mock.Add(time.Second) },
			func(stop, cancel context.CancelFunc) { go stop(); go cancel(); mock.Add(time.Second) },
		} {
			parent, cancel := context.WithCancel(t.Context())
			ctx, stop := clockutil.WithTimeout(parent, mock, time.Second)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					for range 1000 {
						if ctx.Err() != nil {
							break
						}
					}
					<-ctx.Done()
					if ctx.Err() == nil || context.Cause(ctx) == nil {
						t.Error("ended without an error")
					}
				})
			}
			end(stop, cancel)
			wg.Wait()
			stop()
			cancel()
			w.Settle()
			requireNothingArmed(t, mock)
		}
	})
}

// Defect 10: a goroutine for each context, and a child that outlives its parent.
func TestDefectChildHearsLate(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		parent, cancel := context.WithCancel(t.Context())
		_, bareCancel := mock.WithTimeout(parent, time.Second)
		defer bareCancel()
		w.Settle()
		require.Equal(t, 1, propagating())

		children := make([]context.Context, 100)
		for i := range children {
			ctx, stop := clockutil.WithTimeout(parent, mock, time.Second)
			defer stop()
			_, stopBelow := context.WithCancel(ctx)
			defer stopBelow()
			children[i] = ctx
		}
		w.Settle()
		require.Equal(t, 1, propagating())

		cancel()
		for _, ctx := range children {
			require.ErrorIs(t, ctx.Err(), context.Canceled)
		}
		w.Settle()
		requireNothingArmed(t, mock)
	})
}

// propagating counts the goroutines that wait for a parent's end on behalf of a
// child, of this package's contexts, the mock's or the standard library's.
func propagating() int {
	buf := make([]byte, 1<<20)
	return bytes.Count(buf[:runtime.Stack(buf, true)], []byte(".propagateCancel.func"))
}

// Defect 11: deadlines of two clocks are compared, and causes are lost.
func TestDefectDeadlinesOfTwoClocks(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		// A hundred years after 1970 is later than an hour from now, so the mock
		// believes that the parent ends first. By its own time it never will.
		const century = 100 * 365 * 24 * time.Hour
		parent, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		bare, bareCancel := mock.WithTimeout(parent, century)
		defer bareCancel()
		deadline, _ := bare.Deadline()
		require.NotEqual(t, mock.Now().Add(century), deadline)

		ctx, stop := clockutil.WithTimeoutCause(parent, mock, century, errLate)
		defer stop()
		deadline, _ = ctx.Deadline()
		require.Equal(t, mock.Now().Add(century), deadline)
		mock.Set(deadline)
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
		require.ErrorIs(t, context.Cause(ctx), errLate)
		require.NoError(t, parent.Err())
	})
}

// Defect 14: no wrapper can hide behind the clock's own types. One that embeds
// the mock is a mock all the same.
func TestDefectWrappedMock(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		wrapped := struct{ *clock.Mock }{mock}
		tm := clockutil.NewTimer(wrapped, time.Second)
		ctx, stop := clockutil.WithTimeout(t.Context(), wrapped, time.Second)
		defer stop()
		w.Advance(time.Second)
		requireReady(t, tm.C())
		require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
		require.True(t, clockutil.ContextClock(ctx) == wrapped)
	})
}

// Defect 15: the mock starts in 1970, so its instants mean something to it alone.
func TestDefectInstantsOfAMock(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		ctx, stop := clockutil.WithTimeout(t.Context(), mock, time.Minute)
		defer stop()
		deadline, ok := ctx.Deadline()
		require.True(t, ok)
		require.Negative(t, time.Until(deadline), "for the system it is long past")
		w.Advance(20 * time.Second)
		left, ok := clockutil.Remaining(ctx)
		require.True(t, ok)
		require.Equal(t, 40*time.Second, left)
	})
}
