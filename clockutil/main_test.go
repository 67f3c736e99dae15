package clockutil_test

import (
	"testing"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mockOf returns the world's clock, which must be a mock.
func mockOf(t *testing.T, w *clocktest.World) *clock.Mock {
	t.Helper()
	mock, ok := w.Clock().(*clock.Mock)
	require.True(t, ok, "the world runs on the system's clock")
	return mock
}

// requireNothingArmed fails if the mock still has a timer in its list: it would
// move to the last one's instant.
func requireNothingArmed(t *testing.T, mock *clock.Mock) {
	t.Helper()
	now := mock.Now()
	require.Equal(t, now, mock.WaitForAllTimers(), "a timer is left in the mock's list")
}

// ready receives from c if it can do so at once.
func ready[T any](c <-chan T) (v T, ok bool) {
	select {
	case v = <-c:
		return v, true
	default:
		return v, false
	}
}

// requireNothing fails if there is something to receive.
func requireNothing[T any](t *testing.T, c <-chan T) {
	t.Helper()
	v, ok := ready(c)
	require.False(t, ok, "received %v", v)
}

// requireReady fails unless there is something to receive, and returns it.
func requireReady[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	v, ok := ready(c)
	require.True(t, ok, "nothing to receive")
	return v
}
