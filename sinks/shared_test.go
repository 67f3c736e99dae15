package sinks

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
	"github.com/stretchr/testify/require"
)

func newShared(t *testing.T, sink stage.Sink[int]) *Shared[int] {
	t.Helper()
	s, err := NewShared(sink)
	require.NoError(t, err)
	return s
}

func TestSharedCallsOneAtATime(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var m Memory[int]
		m.Fail = func(int, []int) error { return clockutil.Sleep(context.Background(), w.Clock(), time.Second) }
		s := newShared(t, &m)
		var wg sync.WaitGroup
		for i := range 5 {
			h := s.Handle()
			wg.Go(func() {
				for j := range 2 {
					if err := h.Write(at(w), []int{10*i + j}); err != nil {
						t.Error(err)
					}
				}
				if err := stage.FlushSink(at(w), h); err != nil {
					t.Error(err)
				}
				if err := stage.CloseSink(h); err != nil {
					t.Error(err)
				}
			})
		}
		require.Zero(t, w.Elapsed(), "Handle waits for nobody")
		w.Advance(10*time.Second - 1)
		require.Equal(t, 9, len(m.Events()))
		require.Zero(t, m.Closes())
		w.Advance(time.Second)
		wg.Wait()
		require.Equal(t, 10, len(m.Events()))
		require.Equal(t, 1, m.Peak())
		require.Equal(t, 5, m.Flushes())
		require.Equal(t, 1, m.Closes())
		require.Zero(t, m.Late())
	})
}

func TestSharedWaitEndsWithTheContext(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var m Memory[int]
		s := newShared(t, &m)
		a, b := s.Handle(), s.Handle()
		m.Hold()
		var wg sync.WaitGroup
		wg.Go(func() { _ = a.Write(at(w), []int{1}) })
		w.Settle()
		ctx, cancel := w.WithTimeout(at(w), time.Second)
		defer cancel()
		var err error
		wg.Go(func() { err = b.Write(ctx, []int{2}) })
		w.Advance(time.Second)
		m.Release()
		wg.Wait()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, []int{1}, m.Events())
		require.NoError(t, stage.CloseSink(a))
		require.NoError(t, stage.CloseSink(b))
	})
}

// A handle's Close does not wait for a stalled call of another.
func TestSharedCloseWaitsOnlyIfItIsTheLast(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var m Memory[int]
		s := newShared(t, &m)
		a, b := s.Handle(), s.Handle()
		m.Hold()
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := a.Write(at(w), []int{1}); err != nil {
				t.Error(err)
			}
		})
		w.Settle()
		require.NoError(t, stage.CloseSink(b))
		require.Zero(t, w.Elapsed())
		wg.Go(func() {
			if err := stage.CloseSink(a); err != nil {
				t.Error(err)
			}
		})
		w.Advance(time.Hour)
		require.Zero(t, m.Closes())
		m.Release()
		wg.Wait()
		require.Equal(t, 1, m.Closes())
		require.Zero(t, m.Late())
	})
}

func TestSharedClosesWithTheLastHandle(t *testing.T) {
	m := &Memory[int]{CloseErr: errDown}
	s := newShared(t, m)
	a, b := s.Handle(), s.Handle()
	require.Equal(t, "*sinks.Memory[int]", stage.NameOf(a))
	require.NoError(t, stage.CloseSink(a))
	require.NoError(t, stage.CloseSink(a), "counts once")
	require.ErrorIs(t, a.Write(t.Context(), []int{1}), ErrClosed)
	require.NoError(t, b.Write(t.Context(), []int{2}))
	require.NoError(t, b.(stage.FailureSink[int]).WriteFailure(t.Context(), stage.Failure[int]{Events: []int{3}}))
	require.ErrorIs(t, stage.CloseSink(b), errDown)
	require.NoError(t, stage.CloseSink(b))
	late := s.Handle()
	err := late.Write(t.Context(), []int{4})
	require.ErrorIs(t, err, ErrClosed)
	require.True(t, stage.IsPermanent(err))
	require.NoError(t, stage.CloseSink(late))
	require.Equal(t, 1, m.Closes())
	require.Equal(t, []int{2, 3}, m.Events())
	require.Len(t, m.Failures(), 1)

	_, err = NewShared[int](nil)
	require.ErrorContains(t, err, "NewShared's sink is <nil>")
}

func TestSharedSurvivesAPanic(t *testing.T) {
	var m Memory[int]
	m.Fail = func(call int, _ []int) error {
		if call == 1 {
			panic(errDown)
		}
		return nil
	}
	h := newShared(t, &m).Handle()
	require.Panics(t, func() { _ = h.Write(t.Context(), []int{1}) })
	require.NoError(t, h.Write(t.Context(), []int{2}))
}
