package logging

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// Every record that several callers log ends in exactly one place, and the
// books say the same.
func TestEveryRecordHasOneFate(t *testing.T) {
	for _, overflow := range []stage.Overflow{stage.DropNewest, stage.DropOldest} {
		t.Run(overflow.String(), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) { checkFates(t, w, overflow) })
		})
	}
}

func checkFates(t *testing.T, w *clocktest.World, overflow stage.Overflow) {
	const callers, calls = 4, 500
	sink := &sinks.Memory[Record]{}
	sink.Hold()
	refused := clocktest.NewRecorder[string](w)
	p, err := pipeline.New[Record](sink, pipeline.Config[Record]{
		Clock: w.Clock(), QueueSize: 100, BatchSize: 10, Overflow: overflow, SizeOf: SizeOf,
	})
	require.NoError(t, err)
	h := newHandler(t, p, HandlerConfig{})
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for call := range calls {
				r := slog.Record{Message: fmt.Sprint(caller, "/", call)}
				r.AddAttrs(ints(call % 8)...)
				if err := h.Handle(t.Context(), r); err != nil {
					refused.Add(r.Message)
				}
			}
		})
	}
	wg.Wait()
	w.Settle()
	require.NotZero(t, p.Stats().Rejected.Full+p.Stats().Evicted.Count, "the queue never was full")
	sink.Release()
	require.NoError(t, p.Flush(t.Context()))
	seen := map[string]int{}
	for _, message := range refused.Values() {
		seen[message]++
	}
	for _, r := range sink.Events() {
		seen[r.Message]++
		require.True(t, slog.GroupValue(r.Attrs()...).Equal(slog.GroupValue(ints(len(r.Attrs()))...)))
	}
	require.NoError(t, p.Close(t.Context()))
	require.ErrorIs(t, h.Handle(t.Context(), slog.Record{Message: "late"}), stage.ErrClosed)

	for message, times := range seen {
		require.Equal(t, 1, times, message)
	}
	s := p.Stats()
	require.Equal(t, uint64(callers*calls+1), s.Offered)
	require.Equal(t, uint64(len(sink.Events())), s.Delivered)
	require.Equal(t, uint64(refused.Len()), s.Rejected.Full)
	require.Equal(t, uint64(callers*calls-len(seen)), s.Evicted.Total())
	require.Equal(t, uint64(1), s.Rejected.Closed)
	require.Zero(t, s.Buffered)
	require.Zero(t, s.Bytes)
}
