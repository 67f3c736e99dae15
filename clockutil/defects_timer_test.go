package clockutil_test

import (
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// The tests named after a defect show what the mock of clock v1.3.5 does, where
// that is safe, and that this package does better. If one fails because the
// mock has been mended, the code that works around it may go.

func onMock(t *testing.T, f func(t *testing.T, w *clocktest.World, mock *clock.Mock)) {
	t.Helper()
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) { f(t, w, mockOf(t, w)) }, clocktest.WithMock())
}

// Defect 1: a timer that fires into a full channel blocks the whole clock.
func TestDefectUnreadTickHangsTheClock(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		bare := mock.Timer(time.Second)
		mock.Add(time.Second)
		bare.Reset(time.Second)
		moved := make(chan struct{})
		go func() {
			defer close(moved)
			mock.Add(time.Second)
		}()
		w.Settle()
		requireNothing(t, moved)
		<-bare.C // sets the clock free
		<-moved

		tm := clockutil.NewTimer(mock, time.Second)
		for range 3 {
			w.Advance(time.Second)
			tm.Reset(time.Second)
		}
		w.Advance(time.Second)
		requireReady(t, tm.C())
		requireNothing(t, tm.C())
	})
}

// Defect 2: Stop and Reset leave a tick in the channel, and Stop denies it.
func TestDefectStaleTick(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		bare := mock.Timer(time.Second)
		tm := clockutil.NewTimer(mock, time.Second)
		w.Advance(time.Second)
		require.False(t, bare.Stop())
		requireReady(t, bare.C)
		require.True(t, tm.Stop())
		requireNothing(t, tm.C())

		bare.Reset(time.Second)
		tm.Reset(time.Second)
		w.Advance(time.Second)
		bare.Reset(time.Second)
		requireReady(t, bare.C)
		require.True(t, tm.Reset(time.Second))
		requireNothing(t, tm.C())
	})
}

// Defect 3: a Reset beside the clock's move is lost.
func TestDefectResetBesideAMoveIsLost(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		tm := clockutil.NewStoppedTimer(mock)
		for range 200 {
			tm.Reset(time.Millisecond)
			start, moved := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(moved)
				<-start
				mock.Add(time.Millisecond)
			}()
			close(start)
			tm.Reset(2 * time.Millisecond) // now, or a millisecond later
			<-moved
			requireNothing(t, tm.C())
			w.Advance(2 * time.Millisecond)
			requireReady(t, tm.C())
		}
	})
}

// Defect 4: what is due at once does not fire before the clock next moves.
func TestDefectDueAtOnceDoesNotFire(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		bare := mock.Timer(time.Second)
		defer bare.Stop()
		bare.Reset(0)
		w.Settle()
		requireNothing(t, bare.C)
		called := clocktest.NewRecorder[struct{}](w)
		mock.AfterFunc(0, func() { called.Add(struct{}{}) })
		w.Settle()
		require.Zero(t, called.Len())

		tm := clockutil.NewTimer(mock, time.Second)
		tm.Reset(0)
		requireReady(t, tm.C())
	})
}

// Defect 5: a timer due in the past turns the time back.
func TestDefectTimeRunsBackwards(t *testing.T) {
	onMock(t, func(t *testing.T, w *clocktest.World, mock *clock.Mock) {
		w.Advance(10 * time.Hour)
		requireReady(t, clockutil.NewTimer(mock, -time.Hour).C())
		require.NoError(t, clockutil.Sleep(t.Context(), mock, -time.Hour))
		require.Equal(t, 10*time.Hour, w.Elapsed())

		mock.Timer(-time.Hour)
		require.Equal(t, 9*time.Hour, w.Elapsed())
	})
}

// Defects 6 and 12: a ticker of period zero never lets the clock arrive, and a
// ticker drops the ticks of a slow reader. There is no ticker here; a timer that
// is re-armed loses nothing and spins only if its owner does.
func TestDefectTickers(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		const period, work = time.Second, 1500 * time.Millisecond
		ticks := clocktest.NewRecorder[time.Time](w)
		done := make(chan error, 1)
		go func() {
			tm := clockutil.NewTimer(w.Clock(), 0)
			for ticks.Len() < 60 {
				ticks.Add(<-tm.C())
				tm.Reset(period) // fires while the owner works, and waits for him
				if err := clockutil.Sleep(t.Context(), w.Clock(), work); err != nil {
					done <- err
					return
				}
			}
			tm.Stop()
			done <- nil
		}()
		w.Advance(time.Hour)
		require.NoError(t, requireReady(t, done))
		for i, at := range ticks.Times() {
			require.Equal(t, time.Duration(i)*work, at)
		}
	})
}
