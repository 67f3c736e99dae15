package clocktest

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
)

func TestAdvanceStopsWhereSomethingIsDue(t *testing.T) {
	Both(t, func(t *testing.T, w *World) {
		woke := NewRecorder[int](w)
		for i := range 3 {
			go func() {
				for range 3 {
					if clockutil.Sleep(t.Context(), w.Clock(), time.Duration(i+1)*time.Second) == nil {
						woke.Add(i)
					}
				}
			}()
		}
		w.Advance(0)
		require.Zero(t, woke.Len(), "settles first, so that all are armed")
		w.Advance(time.Second - 1)
		require.Zero(t, woke.Len())
		w.Advance(1)
		require.Equal(t, []int{0}, woke.Values())
		w.Advance(time.Hour)
		require.Equal(t, 9, woke.Len())
		require.Equal(t, []time.Duration{1, 2, 2, 3, 3, 4, 6, 6, 9}, inSeconds(woke.Times()))
		require.Equal(t, time.Hour+time.Second, w.Elapsed())
	})
}

// What happens at an instant is over before time moves on, however many
// goroutines hand it on to one another.
func TestAdvanceWaitsForConsequences(t *testing.T) {
	Both(t, func(t *testing.T, w *World) {
		const stages = 50
		out := NewRecorder[int](w)
		first := make(chan int)
		next := first
		for range stages {
			from, to := next, make(chan int)
			go func() {
				defer close(to)
				for v := range from {
					to <- v + 1
				}
			}()
			next = to
		}
		go func() {
			for v := range next {
				out.Add(v)
			}
		}()
		go func() {
			defer close(first)
			tm := clockutil.NewTimer(w.Clock(), time.Second)
			for range 10 {
				<-tm.C()
				first <- 0
				tm.Reset(time.Second)
			}
			tm.Stop()
		}()
		w.Advance(time.Minute)
		require.Len(t, out.Values(), 10)
		for i, at := range out.Times() {
			require.Equal(t, time.Duration(i+1)*time.Second, at)
			require.Equal(t, stages, out.Values()[i])
		}
	})
}

func TestWorldWithTimeout(t *testing.T) {
	Both(t, func(t *testing.T, w *World) {
		ctx, cancel := w.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Equal(t, w.Clock(), clockutil.ContextClock(ctx))
		w.Advance(time.Second - 1)
		require.NoError(t, ctx.Err())
		w.Advance(1)
		require.Equal(t, context.DeadlineExceeded, ctx.Err())
	})
}

func inSeconds(ds []time.Duration) []time.Duration {
	for i := range ds {
		ds[i] /= time.Second
	}
	return ds
}
