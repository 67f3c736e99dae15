package setup

import (
	"errors"
	"log/slog"
	"math"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/logging"
)

func TestAPanicIsLoggedFlushedAndGoesOn(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var m memory
		out := to(&m)
		l := open(t, w, Config{Level: math.MaxInt, Outputs: []Output{out}})
		boom := errors.New("boom")
		wreck := func() {
			defer l.FlushOnPanic(time.Second)
			panic(boom)
		}
		require.PanicsWithValue(t, boom, wreck)
		require.Zero(t, w.Elapsed(), "a flush does not wait for the interval")
		r := m.Events()[0]
		require.Equal(t, logging.LevelFatal, r.Level)
		require.Equal(t, "panic", r.Message)
		require.Equal(t, w.Clock().Now(), r.Time)
		v, _ := r.Find("panic")
		require.Equal(t, "boom", v.String())
		stack, _ := r.Find("stack")
		require.Contains(t, stack.String(), "TestAPanicIsLoggedFlushedAndGoesOn")
		closeLog(t, w, l, &m)
		require.PanicsWithValue(t, boom, wreck, "after Close it still goes on")
	})
}

func TestAPanicWaitsNoLongerThanItsTimeout(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var m memory
		m.Hold()
		l := open(t, w, Config{Outputs: []Output{to(&m)}})
		var seen any
		var after time.Duration
		var wg sync.WaitGroup
		wg.Go(func() {
			defer func() { seen, after = recover(), w.Elapsed() }()
			defer l.FlushOnPanic(3 * time.Second)
			panic("stuck")
		})
		w.Advance(time.Minute)
		wg.Wait()
		require.Equal(t, "stuck", seen)
		require.Equal(t, 3*time.Second, after)
		m.Release()
		closeLog(t, w, l, &m)
		require.Len(t, m.Events(), 1)
	})
}

func TestWithoutAPanicNothingHappens(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		var m memory
		l := open(t, w, Config{Outputs: []Output{to(&m)}})
		func() { defer l.FlushOnPanic(time.Second) }()
		var wg sync.WaitGroup
		wg.Go(func() {
			defer l.FlushOnPanic(time.Second)
			runtime.Goexit()
		})
		wg.Wait()
		l.Logger("").Log(t.Context(), slog.LevelInfo, "alive")
		closeLog(t, w, l, &m)
		require.Equal(t, []string{"alive"}, messages(&m))
	})
}
