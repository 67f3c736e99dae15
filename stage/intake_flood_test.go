package stage

import (
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
		require.Equal(t, flood{events: 10}, q.flood)
		q.flood.vain = 7
		takeAll(q)
		require.Equal(t, flood{events: 10}, q.flood)
	}
}
