package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func ns(c contention, cores int) float64 {
	v, _ := c.perEvent(cores, 1e6)
	return v
}

// One core never waits; cores that do not share a line cost nothing either.
func TestContentionWithoutAny(t *testing.T) {
	c := contention{work: 6, hold: 9, move: 50, wake: 5000, post: 300, pauses: backoff(1)}
	require.InDelta(t, 15, ns(c, 1), 0.1)
	_, n := c.perEvent(1, 15_000)
	require.InDelta(t, 1000, n, 5)
}

// The lock lets one in at a time: no number of cores is faster than what is
// inside it.
func TestContentionIsBoundByTheLock(t *testing.T) {
	for _, cores := range []int{2, 8, 64} {
		for _, c := range []contention{
			{work: 6, hold: 9, pauses: backoff(cores)},
			{work: 6, hold: 9, move: 50, wake: 5000, post: 300},
			{work: 6, hold: 9, move: 50, spins: true},
		} {
			require.GreaterOrEqual(t, ns(c, cores), 9.0, "%d cores: %+v", cores, c)
		}
	}
}

// Cores that spin take the line from each other for each event.
func TestContentionOfSpinners(t *testing.T) {
	two := ns(contention{work: 6, hold: 9, move: 50, spins: true}, 2)
	require.Greater(t, two, 50.0)
	require.Greater(t, ns(contention{work: 6, hold: 9, move: 50, spins: true}, 16), 4*two)
}

// Nobody is forgotten: cores that have parked come back.
func TestContentionWakesTheParked(t *testing.T) {
	m := contention{work: 6, hold: 9, move: 50, wake: 5000, post: 300}
	_, few := m.perEvent(4, 1e5)
	_, many := m.perEvent(4, 1e7)
	require.Greater(t, many, 50*few)
}

func TestBackoff(t *testing.T) {
	for _, cores := range []int{1, 2, 4} {
		require.Equal(t, []float64{2048, 4096, 4096, 4096}, backoff(cores))
	}
	require.Equal(t, []float64{2048, 8192, 32768, 65536, 65536, 65536}, backoff(64))
}

func TestMoveCost(t *testing.T) { require.Positive(t, moveCost()) }
