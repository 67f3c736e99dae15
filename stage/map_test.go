package stage

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

func TestMap(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m := newMill()
		calls := clocktest.NewRecorder[int](w)
		l := startLine(t.Context(), w, Map("edit", func(_ context.Context, events []int) ([]int, error) {
			calls.Add(events[0])
			switch events[0] {
			case 1: // in place
				events[1] = 20
				return events[1:], nil
			case 2: // another slice
				return []int{7, 8}, nil
			case 3:
				return nil, nil
			case 4:
				return nil, Permanent(io.EOF)
			case 5:
				blowUp("boom")
			case 6:
				return append(events, 99), nil
			}
			return events, nil
		}))
		l.send(m.batch(), m.flush())
		require.Zero(t, calls.Len(), "there is nothing to map in an empty batch")
		require.Equal(t, []Trigger{BySize, ByFlush}, []Trigger{l.out.Values()[0].Trigger, l.out.Values()[1].Trigger})
		l.out.Reset()
		for ev := range 7 {
			l.send(m.batch(ev+1, 50, 60))
		}
		l.close(t)
		require.Equal(t, count(1, 7), calls.Values())
		var got [][]int
		for _, b := range l.out.Values() {
			require.Equal(t, BySize, b.Trigger)
			got = append(got, append([]int{}, b.Events...))
		}
		require.Equal(t, [][]int{{20, 60}, {7, 8}, {}, {}, {}, {}, {7, 50, 60}}, got, "a failed batch keeps its place")
		failed := l.failed.Values()
		require.Len(t, failed, 3)
		for i, f := range failed {
			require.Equal(t, []int{i + 4, 50, 60}, f.Events)
			require.Equal(t, "edit", f.Stage)
		}
		require.True(t, IsPermanent(failed[0].Err))
		var p *PanicError
		require.ErrorAs(t, failed[1].Err, &p)
		require.Contains(t, p.Stack, "stage.blowUp")
		require.ErrorIs(t, failed[2].Err, ErrGrown)
		require.Equal(t, Books{Filtered: 5, InFlight: 16}, only(m.ledger.Books()))
		for _, f := range failed {
			require.True(t, m.ledger.Settle(f.receipt, Lost, LossFailed))
		}
		for _, b := range l.out.Values() {
			require.True(t, m.ledger.Settle(b.receipt, Delivered, 0))
		}
		require.Equal(t, Books{Filtered: 5, Delivered: 7, Lost: [numLoss]uint64{9}}, only(m.ledger.Books()))
	})
}

func TestMapSurvivesGoexit(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m := newMill()
		ctx, watch := Watched(t.Context())
		l := startLine(ctx, w, Map("leave", func(context.Context, []int) ([]int, error) { bowOut(); return nil, nil }))
		l.send(m.batch(1, 2))
		require.True(t, watch.Exited())
		require.Equal(t, []int{1, 2}, l.failed.Values()[0].Events)
		require.Equal(t, 1, l.out.Len(), "the emptied batch travels on")
		require.Zero(t, l.ended.Len())
	})
}

func TestMapAfterTheEnd(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m := newMill()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(ErrAbandoned)
		l := startLine(ctx, w, Map("never", func(context.Context, []int) ([]int, error) {
			t.Error("called after the end")
			return nil, nil
		}))
		l.send(m.batch(1))
		l.close(t)
		require.ErrorIs(t, l.failed.Values()[0].Err, ErrAbandoned)
		require.Equal(t, 1, l.out.Len())
	})
}
