package clockutil_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
)

type key struct{}

var (
	errBoss = errors.New("the boss left")
	errLate = errors.New("too late")
)

func TestTimeoutEndsAtItsInstant(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		parent := context.WithValue(t.Context(), key{}, "value")
		ctx, cancel := clockutil.WithTimeout(parent, w.Clock(), time.Second)
		defer cancel()
		deadline, ok := ctx.Deadline()
		require.True(t, ok)
		require.True(t, w.Clock().Now().Add(time.Second).Equal(deadline))
		require.Equal(t, "value", ctx.Value(key{}))

		ends := clocktest.NewRecorder[error](w)
		context.AfterFunc(ctx, func() { ends.Add(ctx.Err()) })
		below, cancelBelow := context.WithCancel(context.WithValue(ctx, key{}, "other"))
		defer cancelBelow()
		context.AfterFunc(below, func() { ends.Add(below.Err()) })

		w.Advance(time.Second - 1)
		require.NoError(t, ctx.Err())
		require.NoError(t, context.Cause(ctx))
		requireNothing(t, ctx.Done())
		w.Advance(time.Hour)
		require.Equal(t, []error{context.DeadlineExceeded, context.DeadlineExceeded}, ends.Values())
		require.Equal(t, []time.Duration{time.Second, time.Second}, ends.Times())
		require.Equal(t, context.DeadlineExceeded, context.Cause(ctx))
		require.Equal(t, context.DeadlineExceeded, context.Cause(below))
		require.Equal(t, "value", ctx.Value(key{}))
		<-ctx.Done()
	})
}

func TestTimeoutCause(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		ctx, cancel := clockutil.WithTimeoutCause(t.Context(), w.Clock(), time.Second, errLate)
		defer cancel()
		below, cancelBelow := context.WithCancel(ctx)
		defer cancelBelow()
		w.Advance(time.Second)
		for _, ctx := range []context.Context{ctx, below} {
			require.Equal(t, context.DeadlineExceeded, ctx.Err())
			require.Equal(t, errLate, context.Cause(ctx))
		}

		ctx, cancel = clockutil.WithTimeoutCause(t.Context(), w.Clock(), time.Second, errLate)
		cancel()
		cancel()
		require.Equal(t, context.Canceled, ctx.Err())
		require.Equal(t, context.Canceled, context.Cause(ctx))
		w.Advance(time.Hour)
		require.Equal(t, context.Canceled, ctx.Err())
	})
}

func TestTimeoutThatHasPassed(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		for _, d := range []time.Duration{0, -1, -10 * time.Hour} {
			ctx, cancel := clockutil.WithTimeoutCause(t.Context(), w.Clock(), d, errBoss)
			require.Equal(t, context.DeadlineExceeded, ctx.Err())
			require.Equal(t, errBoss, context.Cause(ctx))
			requireEnded(t, ctx)
			cancel()
		}
		require.Zero(t, w.Elapsed())
	})
}

func TestTimeoutIsPrintable(t *testing.T) {
	mock := clock.NewMock()
	ctx, cancel := clockutil.WithTimeout(t.Context(), mock, time.Second)
	defer cancel()
	deadline, _ := ctx.Deadline()
	require.Equal(t, fmt.Sprintf("clockutil.WithTimeout(%v)", deadline), fmt.Sprint(ctx))
}

func requireEnded(t *testing.T, ctx context.Context) {
	t.Helper()
	select {
	case <-ctx.Done():
	default:
		require.Fail(t, "the context has not ended")
	}
}
