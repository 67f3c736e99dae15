package main

import (
	"math"
	"slices"
	"testing"
)

func ns(c contention, cores int) float64 {
	v, _ := c.perEvent(cores, 1e6)
	return v
}

// One core never waits.
func TestContentionWithoutAny(t *testing.T) {
	c := contention{work: 6, hold: 9, move: 50, wake: 5000, post: 300, policy: backoff(1)}
	if v := ns(c, 1); math.Abs(v-15) > 0.1 {
		t.Errorf("%.1f ns", v)
	}
	if _, n := c.perEvent(1, 15_000); n < 995 || n > 1000 {
		t.Errorf("%d events in the time of a thousand", n)
	}
}

// The lock lets one in at a time: no number of cores is faster than what is
// inside it.
func TestContentionIsBoundByTheLock(t *testing.T) {
	for _, cores := range []int{2, 8, 64} {
		for _, c := range []contention{
			{work: 6, hold: 9, policy: backoff(cores)},
			{work: 6, hold: 9, move: 50, wake: 5000, post: 300},
			{work: 6, hold: 9, move: 50, policy: policy{spins: true}},
		} {
			if v := ns(c, cores); v < 9 {
				t.Errorf("%d cores: %.1f ns: %+v", cores, v, c)
			}
		}
	}
}

// Cores that spin take the line from each other for each event.
func TestContentionOfSpinners(t *testing.T) {
	c := contention{work: 6, hold: 9, move: 50, policy: policy{spins: true}}
	if two, many := ns(c, 2), ns(c, 16); two < 50 || many < 4*two {
		t.Errorf("%.1f ns with two, %.1f with sixteen", two, many)
	}
}

// More cores make parking dearer, at no number by chance.
func TestContentionOfTheParked(t *testing.T) {
	c := contention{work: modelWork, hold: modelHold, move: 30, wake: modelWake, post: modelPost}
	before := 0.0
	for cores := 2; cores <= 64; cores *= 2 {
		v := ns(c, cores)
		if v < before*0.9 || before > 0 && v > before*4 {
			t.Errorf("%.1f ns on %d cores, %.1f on half of them", v, cores, before)
		}
		before = v
	}
}

// Nobody is forgotten: cores that have parked come back.
func TestContentionWakesTheParked(t *testing.T) {
	c := contention{work: 6, hold: 9, move: 50, wake: 5000, post: 300}
	_, few := c.perEvent(4, 1e5)
	_, many := c.perEvent(4, 1e7)
	if many < 50*few {
		t.Errorf("%d events, and %d in a hundred times as long", few, many)
	}
}

// The numbers are those of the intake's lock, which is in another module and whose
// test has them in loop turns, four a nanosecond: who changes one changes both.
func TestBackoff(t *testing.T) {
	for cores, want := range map[int]float64{1: 8192, 4: 8192, 8: 16384, 64: 131072} {
		if got := backoff(cores).pauses; !slices.Equal(got, []float64{want, want}) {
			t.Errorf("%d cores: %v", cores, got)
		}
	}
}

// A lock that several cores want all the time is taken for hot: nearly all who
// wait stay away long at once.
func TestContentionHeats(t *testing.T) {
	c := contention{work: 6, hold: 9, move: 50, wake: 5000, post: 300, policy: backoff(8)}
	hot := ns(c, 8)
	c.heat = 0
	if cold := ns(c, 8); hot > cold*0.9 {
		t.Errorf("%.1f ns hot, %.1f without", hot, cold)
	}
}

func TestMoveCost(t *testing.T) {
	if v := moveCost(); v <= 0 {
		t.Errorf("%.1f ns", v)
	}
}
