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

func requireRemaining(t *testing.T, want time.Duration, ctx context.Context) {
	t.Helper()
	d, ok := clockutil.Remaining(ctx)
	require.True(t, ok)
	require.Equal(t, want, d)
}

func TestRemaining(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		_, ok := clockutil.Remaining(t.Context())
		require.False(t, ok)

		long, cancelLong := w.WithTimeout(t.Context(), time.Hour)
		defer cancelLong()
		short, cancelShort := w.WithTimeout(context.WithValue(long, key{}, 1), time.Minute)
		defer cancelShort()
		cut, cancelCut := w.WithTimeout(short, time.Hour)
		defer cancelCut()
		requireRemaining(t, time.Hour, long)
		requireRemaining(t, time.Minute, short)
		requireRemaining(t, time.Minute, cut)
		requireRemaining(t, time.Minute, context.WithValue(cut, key{}, 1))

		w.Advance(2 * time.Minute)
		requireRemaining(t, 58*time.Minute, long)
		requireRemaining(t, -time.Minute, cut)
		require.Equal(t, context.DeadlineExceeded, cut.Err())
		require.NoError(t, long.Err())
	})
}

func TestContextClock(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		system := clock.New()
		require.Equal(t, system, clockutil.ContextClock(t.Context()))

		ctx, cancel := w.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.Same(t, mock, clockutil.ContextClock(ctx))
		require.Same(t, mock, clockutil.ContextClock(context.WithValue(ctx, key{}, 1)))
		require.Equal(t, system, clockutil.ContextClock(context.WithoutCancel(ctx)))

		// A deadline that package context set below the mock's is the system's.
		past, cancelPast := context.WithDeadline(ctx, time.Unix(0, 0).Add(-time.Hour))
		defer cancelPast()
		require.Equal(t, system, clockutil.ContextClock(past))

		// The two clocks may happen to agree.
		mock.Set(time.Now())
		ctx, cancel = clockutil.WithTimeout(t.Context(), mock, time.Minute)
		defer cancel()
		same, cancelSame := clockutil.WithTimeout(ctx, system, time.Until(mock.Now().Add(time.Minute)))
		defer cancelSame()
		require.Same(t, mock, clockutil.ContextClock(ctx))
		require.Equal(t, system, clockutil.ContextClock(same))
	})
}

// A deadline that is the parent's needs no timer of its own.
func TestTimeoutBeyondItsParents(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		outer, cancelOuter := w.WithTimeout(t.Context(), time.Minute)
		defer cancelOuter()
		_, cancelInner := w.WithTimeout(outer, time.Hour)
		defer cancelInner()
		require.Equal(t, mock.Now().Add(time.Minute), mock.WaitForAllTimers())
	})
}

// Each timeout runs on its own clock, whichever is nested in which.
func TestTimeoutsOnTwoClocks(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		other := clock.NewMock()
		other.Set(time.Unix(1e6, 0))
		outer, cancelOuter := clockutil.WithTimeout(t.Context(), mock, time.Minute)
		defer cancelOuter()
		inner, cancelInner := clockutil.WithTimeout(outer, other, time.Second)
		defer cancelInner()
		real, cancelReal := clockutil.WithTimeout(context.WithValue(inner, key{}, 1), nil, time.Hour)
		defer cancelReal()
		requireRemaining(t, time.Minute, outer)
		requireRemaining(t, time.Second, inner)
		requireRemaining(t, time.Hour, real)
		require.Same(t, other, clockutil.ContextClock(inner))
		require.Equal(t, clock.New(), clockutil.ContextClock(real))
		require.Equal(t, 1, real.Value(key{}))

		require.NoError(t, clockutil.Sleep(t.Context(), nil, time.Hour))
		w.Settle()
		require.Equal(t, context.DeadlineExceeded, real.Err())
		require.NoError(t, inner.Err(), "its clock has not moved")

		cut, cancelCut := clockutil.WithTimeout(inner, nil, time.Hour)
		defer cancelCut()
		w.Advance(time.Minute)
		require.Equal(t, context.DeadlineExceeded, outer.Err())
		require.Equal(t, context.DeadlineExceeded, inner.Err(), "its parent has ended")
		require.Equal(t, context.DeadlineExceeded, cut.Err())
		requireNothingArmed(t, other)
	})
}

// A clock that cannot be compared is nobody's equal; asking must not panic.
type uncomparable struct {
	*clock.Mock
	_ []int
}

func TestTimeoutOnAClockThatCannotBeCompared(t *testing.T) {
	clk := uncomparable{Mock: clock.NewMock()}
	outer, cancelOuter := clockutil.WithTimeout(t.Context(), clk, time.Second)
	defer cancelOuter()
	inner, cancelInner := clockutil.WithTimeout(outer, clk, time.Minute)
	defer cancelInner()
	requireRemaining(t, time.Minute, inner)
}
