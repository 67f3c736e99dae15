package clockutil_test

import (
	"context"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// A badClock is a mock whose AfterFunc leaves it to the test when a function is
// called, and how often. The mock itself does the same when it is moved by one
// goroutine and armed by another, but not on demand.
type badClock struct {
	*clock.Mock
	armed []func()
}

func (c *badClock) AfterFunc(d time.Duration, f func()) *clock.Timer {
	c.armed = append(c.armed, f)
	return c.Mock.AfterFunc(d, func() {})
}

func TestTimerToleratesLateAndDoubleTicks(t *testing.T) {
	clk := &badClock{Mock: clock.NewMock()}
	tm := clockutil.NewTimer(clk, time.Second)
	clk.armed[0]()
	clk.armed[0]()
	requireReady(t, tm.C())
	clk.armed[0]() // again, when it has been received
	requireNothing(t, tm.C())
	require.False(t, tm.Stop())

	tm.Reset(time.Second)
	kept := tm.C()
	require.True(t, tm.Stop())
	clk.armed[1]() // after Stop
	requireNothing(t, tm.C())
	requireNothing(t, kept)

	tm.Reset(time.Second)
	kept = tm.C()
	require.True(t, tm.Reset(time.Minute))
	clk.armed[2]() // after Reset: the new arming stands
	requireNothing(t, tm.C())
	requireNothing(t, kept)
	clk.armed[3]()
	requireReady(t, tm.C())
}

func TestTimeoutToleratesLateAndDoubleTicks(t *testing.T) {
	clk := &badClock{Mock: clock.NewMock()}
	ctx, cancel := clockutil.WithTimeout(t.Context(), clk, time.Second)
	cancel()
	clk.armed[0]()
	require.EqualError(t, ctx.Err(), "context canceled")

	ctx, cancel = clockutil.WithTimeout(t.Context(), clk, time.Second)
	clk.armed[1]()
	clk.armed[1]()
	cancel()
	require.EqualError(t, ctx.Err(), "context deadline exceeded")
	requireNothingArmed(t, clk.Mock)
}

// A hastyClock calls what is armed before AfterFunc has returned.
type hastyClock struct{ *clock.Mock }

func (c hastyClock) AfterFunc(d time.Duration, f func()) *clock.Timer {
	f()
	return c.Mock.AfterFunc(d, f)
}

func TestHastyTicks(t *testing.T) {
	clk := hastyClock{clock.NewMock()}
	tm := clockutil.NewTimer(clk, time.Second)
	requireReady(t, tm.C())
	require.False(t, tm.Stop())
	ctx, cancel := clockutil.WithTimeout(t.Context(), clk, time.Second)
	defer cancel()
	require.Equal(t, context.DeadlineExceeded, ctx.Err())
	requireNothingArmed(t, clk.Mock)
}

// Timers that fall due together, each re-armed by its owner while the clock is
// still on its way through them: none may be lost, doubled or block the rest.
func TestTimerUnderContention(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		const owners, rounds = 8, 50
		fired := clocktest.NewRecorder[int](w)
		for owner := range owners {
			go func() {
				tm := clockutil.NewTimer(w.Clock(), time.Millisecond)
				never := clockutil.NewTimer(w.Clock(), time.Hour)
				defer never.Stop()
				for range rounds {
					select {
					case <-tm.C():
						fired.Add(owner)
					case <-never.C():
						t.Error("a timer that was put off all the time has fired")
					}
					never.Reset(time.Hour)
					tm.Reset(time.Millisecond)
				}
				<-tm.C()
			}()
		}
		w.Advance(time.Minute)
		require.Equal(t, owners*rounds, fired.Len())
		for i, at := range fired.Times() {
			require.Equal(t, time.Duration(i/owners+1)*time.Millisecond, at)
		}
	})
}
