package stage

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// overflows returns how many overflows it takes until a producer gives way.
func (f *flood) overflows() (n int) {
	for n = 1; !f.overflowed(); n++ {
	}
	return n
}

func TestFloodGivesWay(t *testing.T) {
	var f flood
	for range 3 * floodLine {
		require.Equal(t, floodSize, f.overflows())
		f.moved()
	}
	for range floodLine {
		require.Equal(t, floodSize, f.overflows())
	}
	for range 3 {
		require.Equal(t, stallSize, f.overflows(), "nobody takes anything: it is a stall")
	}
	f.moved()
	require.Equal(t, floodSize, f.overflows())
}

// Evictions, refusals and what is spilled count alike, and the actor's coming
// by is noticed.
func TestIntakeCountsAFlood(t *testing.T) {
	for _, cfg := range []IntakeConfig[int]{{Overflow: DropOldest}, {Overflow: DropNewest}, {SpillSize: 100}} {
		cfg.QueueSize = 4
		q, _ := newQueue(cfg)
		for k := range 14 {
			_ = q.Enqueue(&k)
		}
		q.Books()
		require.Equal(t, flood{events: 10}, q.flood)
		q.flood.vain = 7
		takeAll(q)
		require.Equal(t, flood{events: 10}, q.flood)
	}
}

// A full queue takes more into the chunk that is being filled, and whoever looks
// finds the newest events alone. A caller that waits for room does not take it
// from others.
func TestIntakeEvictsLate(t *testing.T) {
	q, _ := newQueue(IntakeConfig[int]{QueueSize: 4, ChunkSize: 16})
	offer(q, 1, 2, 3, 4)
	require.Equal(t, 16, q.lim)
	require.Equal(t, 4, q.free)
	offer(q, 5, 6, 7)
	require.Zero(t, q.evicted, "not yet")
	require.Equal(t, 4, q.Depth())
	require.EqualValues(t, 3, q.Books().Evicted[EvictedCount])
	offer(q, 8)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	nine := 9
	require.ErrorIs(t, q.EnqueueWait(ctx, &nine), context.Canceled)
	events, _ := takeAll(q)
	require.Equal(t, []int{5, 6, 7, 8}, events)
	b := q.Books()
	require.EqualValues(t, 8, b.Accepted)
	require.EqualValues(t, 4, b.Evicted[EvictedCount])

	for _, cfg := range []IntakeConfig[int]{{ReportDrops: true}, {SpillSize: 9}, {Overflow: DropNewest}} {
		cfg.QueueSize, cfg.ChunkSize = 4, 16
		q, _ := newQueue(cfg)
		offer(q, 1, 2, 3, 4)
		require.Equal(t, 4, q.lim, "somebody wants to know: %+v", cfg)
	}
}
