package clockutil_test

import (
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
)

func TestTimerFiresOnceAtItsInstant(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		want := w.Clock().Now().Add(time.Second)
		tm := clockutil.NewTimer(w.Clock(), time.Second)
		w.Advance(time.Second - 1)
		requireNothing(t, tm.C())
		w.Advance(1)
		w.Advance(time.Hour) // the instant is that of the firing, not of the receipt
		require.True(t, want.Equal(requireReady(t, tm.C())))
		w.Advance(time.Hour)
		requireNothing(t, tm.C())
		require.False(t, tm.Stop())
	})
}

func TestTimerFiresAtOnce(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		for _, d := range []time.Duration{0, -1, -10 * time.Hour} {
			now := w.Clock().Now()
			tm := clockutil.NewTimer(w.Clock(), d)
			require.True(t, now.Equal(requireReady(t, tm.C())), d)
			require.False(t, tm.Reset(d))
			require.True(t, now.Equal(requireReady(t, tm.C())), d)
			require.False(t, tm.Stop())
			require.False(t, w.Clock().Now().Before(now), d)
		}
	})
}

func TestTimerStop(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		tm := clockutil.NewTimer(w.Clock(), time.Second)
		require.True(t, tm.Stop(), "armed")
		require.False(t, tm.Stop(), "stopped")
		w.Advance(time.Minute)
		requireNothing(t, tm.C())

		tm.Reset(time.Second)
		w.Advance(time.Second)
		require.True(t, tm.Stop(), "fired, but not received")
		requireNothing(t, tm.C())

		tm.Reset(time.Second)
		w.Advance(time.Second)
		requireReady(t, tm.C())
		require.False(t, tm.Stop(), "received")
	})
}

func TestTimerReset(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		tm := clockutil.NewTimer(w.Clock(), time.Second)
		require.True(t, tm.Reset(2*time.Second), "armed")
		w.Advance(time.Second)
		requireNothing(t, tm.C())
		w.Advance(time.Second)
		require.True(t, tm.Reset(time.Second), "fired, but not received")
		requireNothing(t, tm.C())
		w.Advance(time.Second)
		require.Equal(t, 3*time.Second, w.Elapsed())
		requireReady(t, tm.C())
		require.False(t, tm.Reset(time.Second), "received")
		require.True(t, tm.Stop())
	})
}

func TestStoppedTimer(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		tm := clockutil.NewStoppedTimer(w.Clock())
		requireNothing(t, tm.C())
		require.False(t, tm.Stop())
		w.Advance(24 * time.Hour)
		requireNothing(t, tm.C())
		require.False(t, tm.Reset(time.Second))
		w.Advance(time.Second)
		requireReady(t, tm.C())
	})
}

// The owner blocks on the channel while the clock moves, as in every loop that
// uses a timer.
func TestTimerWakesItsOwner(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		fired := clocktest.NewRecorder[time.Time](w)
		done := make(chan struct{})
		go func() {
			defer close(done)
			tm := clockutil.NewStoppedTimer(w.Clock())
			for _, d := range []time.Duration{time.Second, 0, time.Minute, time.Millisecond} {
				tm.Reset(d)
				fired.Add(<-tm.C())
			}
		}()
		w.Advance(time.Hour)
		<-done
		require.Equal(t, []time.Duration{
			time.Second, time.Second, 61 * time.Second, 61*time.Second + time.Millisecond,
		}, fired.Times())
	})
}

func TestTimerWithoutClockIsOnTheSystems(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		var zero clockutil.Timer
		require.Nil(t, zero.C())
		require.False(t, zero.Stop())
		require.False(t, zero.Reset(time.Second))
		for _, tm := range []*clockutil.Timer{
			&zero, clockutil.NewTimer(nil, time.Second), clockutil.NewStoppedTimer(nil),
		} {
			tm.Reset(time.Second)
			w.Advance(time.Second)
			requireReady(t, tm.C())
		}
	})
}

func TestTimerOnTheSystemsClockDoesNotAllocate(t *testing.T) {
	tm := clockutil.NewStoppedTimer(clock.New())
	defer tm.Stop()
	require.Zero(t, testing.AllocsPerRun(100, func() {
		tm.Reset(time.Hour)
		tm.Stop()
		tm.Reset(0)
		<-tm.C()
	}))
}
