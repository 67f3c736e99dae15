package clockutil_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
)

func TestSleep(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		woke := clocktest.NewRecorder[error](w)
		go func() { woke.Add(clockutil.Sleep(t.Context(), w.Clock(), time.Second)) }()
		w.Advance(time.Second - 1)
		require.Empty(t, woke.Times())
		w.Advance(time.Hour)
		require.Equal(t, []error{nil}, woke.Values())
		require.Equal(t, []time.Duration{time.Second}, woke.Times())
	})
}

func TestSleepEndsWithItsContext(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		woke := clocktest.NewRecorder[error](w)
		ctx, cancel := w.WithTimeout(t.Context(), time.Second)
		defer cancel()
		go func() { woke.Add(clockutil.Sleep(ctx, w.Clock(), time.Minute)) }()
		w.Advance(time.Hour)
		require.Equal(t, []error{context.DeadlineExceeded}, woke.Values())
		require.Equal(t, []time.Duration{time.Second}, woke.Times())
		for _, d := range []time.Duration{-1, 0, time.Second} {
			require.Equal(t, context.DeadlineExceeded, clockutil.Sleep(ctx, w.Clock(), d))
		}
	})
}

func TestSleepForNothing(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		require.NoError(t, clockutil.Sleep(t.Context(), w.Clock(), 0))
		require.NoError(t, clockutil.Sleep(t.Context(), w.Clock(), -time.Hour))
		require.Zero(t, w.Elapsed())
	})
}

func TestSleepWithoutClockIsOnTheSystems(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		require.NoError(t, clockutil.Sleep(t.Context(), nil, time.Second))
		require.Equal(t, time.Second, w.Elapsed())
	})
}
