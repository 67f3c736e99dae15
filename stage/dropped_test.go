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

// What is kept is asked for, and nothing for bytes that nobody counts.
func TestRoomForDrops(t *testing.T) {
	for _, c := range []struct {
		cfg          IntakeConfig[int]
		count, bytes int
	}{
		{IntakeConfig[int]{QueueSize: 100}, 0, 0},
		{IntakeConfig[int]{QueueSize: 100, ReportDrops: true}, 100, 0},
		{IntakeConfig[int]{QueueSize: 100, QueueBytes: 1, ReportDrops: true}, 100, 100},
		{IntakeConfig[int]{QueueSize: 1 << 30, ReportDrops: true}, maxDropLog, 0},
		{IntakeConfig[int]{QueueSize: 1 << 30, ReportDrops: true, DropEvents: 10_000}, 10_000, 0},
		{IntakeConfig[int]{QueueSize: 100, QueueBytes: 1, ReportDrops: true, DropEvents: -1}, 0, 0},
	} {
		logs := c.cfg.dropLogs()
		require.Equal(t, [2]int{c.count, c.bytes}, [2]int{cap(logs[EvictedCount].events), cap(logs[EvictedBytes].events)}, "%+v", c.cfg)
	}
}

// Without room the numbers are exact all the same.
func TestDropsAreCountedWithoutRoom(t *testing.T) {
	d := newDropLog[int](0)
	d.add(1, true)
	d.add(2, false)
	got := d.dropped(EvictedCount)
	require.Equal(t, Dropped[int]{Count: 2, Important: 1, Events: []int{}}, got)
}

func TestDropLogIsBounded(t *testing.T) {
	d := newDropLog[int](maxDropLog)
	for ev := range 3*maxDropLog + 7 {
		d.add(ev, false)
	}
	got := d.dropped(EvictedCount)
	require.Equal(t, uint64(3*maxDropLog+7), got.Count)
	require.Equal(t, count(2*maxDropLog+7, 3*maxDropLog+6), got.Events)
}
