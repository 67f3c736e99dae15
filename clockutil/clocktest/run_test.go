package clocktest

import (
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"
)

func TestRun(t *testing.T) {
	ran := false
	cleaned := false
	Run(t, func(t *testing.T, w *World) {
		ran = true
		t.Cleanup(func() { cleaned = true })
		require.IsType(t, clock.New(), w.Clock())
		require.Equal(t, uint64(1), w.Seed())
		require.Zero(t, w.Elapsed())
		require.Equal(t, "TestRun", t.Name())
	})
	require.True(t, ran)
	require.True(t, cleaned)
}

func TestRunOptions(t *testing.T) {
	Run(t, func(t *testing.T, w *World) {
		require.IsType(t, clock.NewMock(), w.Clock())
		require.Equal(t, uint64(42), w.Seed())
		require.True(t, w.Clock().Now().Equal(time.Unix(0, 0)))
	}, WithMock(), WithSeed(42))
}

func TestBoth(t *testing.T) {
	var names []string
	var mocks []bool
	Both(t, func(t *testing.T, w *World) {
		_, mock := w.Clock().(*clock.Mock)
		names, mocks = append(names, t.Name()), append(mocks, mock)
		require.Equal(t, uint64(5), w.Seed())
	}, WithSeed(5), WithMock())
	require.Equal(t, []string{"TestBoth/clock=real", "TestBoth/clock=mock"}, names)
	require.Equal(t, []bool{false, true}, mocks)
}
