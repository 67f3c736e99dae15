package sinks

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
	"github.com/stretchr/testify/require"
)

func TestMemoryKeepsCopies(t *testing.T) {
	var m Memory[int]
	events := []int{1, 2, 3}
	require.NoError(t, m.Write(t.Context(), events))
	require.NoError(t, m.Write(t.Context(), []int{}))
	events[0] = 9
	got := m.Events()
	require.Equal(t, []int{1, 2, 3}, got)
	got[0] = 9
	m.Batches()[0][0] = 9
	require.Equal(t, [][]int{{1, 2, 3}, {}}, m.Batches())
	require.Equal(t, 2, m.Calls())
	require.Equal(t, 1, m.Peak())
	require.Zero(t, m.Running())
}

func TestMemoryFailsByScript(t *testing.T) {
	var m Memory[int]
	m.Fail = func(call int, events []int) error {
		switch call {
		case 1:
			return errDown
		case 2:
			return &stage.PartialError{Failed: []int{2, 0}, Err: errDown}
		case 3:
			return &stage.PartialError{Failed: []int{0, 0}}
		case 4:
			return &stage.PartialError{Failed: []int{3}}
		case 5:
			panic(errDown)
		}
		return nil
	}
	for call := 1; call <= 4; call++ {
		require.Error(t, m.Write(t.Context(), []int{call, 10 * call, 100 * call}))
	}
	require.Panics(t, func() { _ = m.Write(t.Context(), []int{5}) })
	require.NoError(t, m.Write(t.Context(), []int{6}))
	require.Equal(t, []int{20, 6}, m.Events())
	require.Zero(t, m.Running())
}

func TestMemoryKeepsTheCauseOfFailures(t *testing.T) {
	m := Memory[int]{Fail: func(call int, _ []int) error {
		return []error{nil, &stage.PartialError{Failed: []int{0}}, errDown}[call-1]
	}}
	events := []int{1, 2}
	f := stage.Failure[int]{Events: events, Stage: "db", Err: errDown, Attempts: 3}
	require.NoError(t, m.WriteFailure(t.Context(), f))
	require.Error(t, m.WriteFailure(t.Context(), f))
	require.Error(t, m.WriteFailure(t.Context(), f))
	events[0] = 9
	got := m.Failures()
	require.Len(t, got, 2)
	require.Equal(t, stage.Failure[int]{Events: []int{1, 2}, Stage: "db", Err: errDown, Attempts: 3}, got[0])
	require.Equal(t, []int{2}, got[1].Events)
	require.Equal(t, []int{1, 2, 2}, m.Events())
}

func TestMemoryHolds(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var m Memory[int]
		m.Release() // of nothing
		m.Hold()
		m.Hold()
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() { _ = m.Write(at(w), []int{i}) })
		}
		ctx, cancel := w.WithTimeout(at(w), time.Second)
		defer cancel()
		wg.Go(func() {
			if err := m.Write(ctx, []int{99}); err != context.DeadlineExceeded {
				t.Error(err)
			}
		})
		w.Advance(time.Hour)
		require.Empty(t, m.Events())
		require.Equal(t, 3, m.Running())
		require.Equal(t, 4, m.Peak())
		m.Release()
		wg.Wait()
		require.ElementsMatch(t, []int{0, 1, 2}, m.Events())
	})
}

func TestMemoryCountsWhatIsLate(t *testing.T) {
	m := Memory[int]{FlushErr: errDown, CloseErr: errDown}
	entered, leave := make(chan struct{}), make(chan struct{})
	m.Fail = func(int, []int) error { close(entered); <-leave; return nil }
	done := make(chan error)
	go func() { done <- m.Write(context.Background(), []int{1}) }()
	<-entered
	require.ErrorIs(t, m.Flush(t.Context()), errDown)
	require.ErrorIs(t, m.Close(), errDown)
	require.Equal(t, 1, m.Late(), "still running")
	close(leave)
	require.NoError(t, <-done)

	err := m.Write(t.Context(), []int{2})
	require.ErrorIs(t, err, ErrClosed)
	require.True(t, stage.IsPermanent(err))
	require.Equal(t, 2, m.Late())
	require.Equal(t, 1, m.Flushes())
	require.Equal(t, 1, m.Closes())
	require.Equal(t, 2, m.Calls())

	m.Reset()
	m.Fail = nil
	require.Empty(t, m.Events())
	require.Zero(t, m.Late()+m.Flushes()+m.Closes()+m.Calls()+m.Peak()+len(m.Failures()))
	require.NoError(t, m.Write(t.Context(), []int{3}))
	require.Equal(t, []int{3}, m.Events())
}

func TestDiscardCounts(t *testing.T) {
	var d Discard[int]
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { _ = d.Write(context.Background(), make([]int, 100)) })
	}
	wg.Wait()
	require.EqualValues(t, 800, d.Count())
}
