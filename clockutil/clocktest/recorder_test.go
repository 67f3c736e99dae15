package clocktest

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRecorder(t *testing.T) {
	Both(t, func(t *testing.T, w *World) {
		r := NewRecorder[string](w)
		require.Zero(t, r.Len())
		require.Empty(t, r.Values())
		require.Equal(t, 1, r.Add("a"))
		w.Advance(time.Second)
		require.Equal(t, 2, r.Add("b"))
		require.Equal(t, 2, r.Len())

		values, times := r.Values(), r.Times()
		require.Equal(t, []string{"a", "b"}, values)
		require.Equal(t, []time.Duration{0, time.Second}, times)
		values[0], times[0] = "x", 1
		require.Equal(t, []string{"a", "b"}, r.Values(), "copies")
		require.Equal(t, []time.Duration{0, time.Second}, r.Times(), "copies")

		r.Reset()
		require.Zero(t, r.Len())
		w.Advance(time.Second)
		require.Equal(t, 1, r.Add("c"))
		require.Equal(t, []time.Duration{2 * time.Second}, r.Times())
	})
}

func TestRecorderIsSafeForConcurrentUse(t *testing.T) {
	Both(t, func(t *testing.T, w *World) {
		const writers, each = 8, 100
		r := NewRecorder[int](w)
		var wg sync.WaitGroup
		lengths := make([]bool, writers*each)
		for range writers {
			wg.Go(func() {
				for i := range each {
					lengths[r.Add(i)-1] = true // a length of its own for each
					if len(r.Values()) > r.Len() || len(r.Times()) > r.Len() {
						t.Error("a copy is longer than the log")
					}
				}
			})
		}
		wg.Wait()
		require.NotContains(t, lengths, false)
	})
}
