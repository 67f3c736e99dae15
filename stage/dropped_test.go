package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDropLogKeepsTheLatest(t *testing.T) {
	for n := range 14 {
		d := newDropLog[int](5)
		for ev := range n {
			d.add(ev+1, ev%3 == 0)
		}
		got := d.dropped(EvictedBytes)
		require.Equal(t, Dropped[int]{Reason: EvictedBytes, Count: uint64(n), Important: uint64(n+2) / 3, Events: count(max(1, n-4), n)}, got)
		d.reset()
		require.Equal(t, make([]int, len(got.Events)), got.Events, "references are dropped")
		d.add(99, true)
		require.Equal(t, Dropped[int]{Count: 1, Important: 1, Events: []int{99}}, d.dropped(EvictedCount), "it starts afresh")
	}
}

func TestDropLogIsBounded(t *testing.T) {
	d := newDropLog[int](1 << 30)
	require.Equal(t, maxDropLog, cap(d.events))
	for ev := range 3*maxDropLog + 7 {
		d.add(ev, false)
	}
	got := d.dropped(EvictedCount)
	require.Equal(t, uint64(3*maxDropLog+7), got.Count)
	require.Equal(t, count(2*maxDropLog+7, 3*maxDropLog+6), got.Events)
}
