package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// What the model is told about the intake: an event of 128 bytes takes about 15 ns
// with one producer, and 9 of them are taken to be inside the lock. What parking
// takes is assumed: less for whoever unlocks than where a processor has to be woken
// for the goroutine, which is 11 µs.
const (
	modelWork = 6
	modelHold = 9
	modelWake = 5000
	modelPost = 300
	modelSpan = 10e6 // ns that are played
)

func coresGroup(e env) group {
	g := group{
		name:  "cores",
		title: "Computed: producers flat out on more cores than there are",
		note: fmt.Sprintf("A model, not a measurement, and of the lock alone: %d ns outside and %d inside for each event, and for each move of the lock's cache "+
			"line to another core what two cores take here. Assumed are %d ns until a parked goroutine runs again, and %d for whoever "+
			"unlocks. A core that tries a lock that is taken takes the line "+
			"away from its holder. All cores together.", modelWork, modelHold, modelWake, modelPost),
		columns: []column{{"ns/event", nanoseconds, false}, {"move ns", nanoseconds, false}},
	}
	locks := []struct {
		name   string
		policy func(cores int) policy
	}{
		{"penstock's lock", backoff},
		{"pauses for four cores", func(int) policy { return backoff(4) }},
		{"pauses of nanoseconds", func(int) policy { return policy{pauses: []float64{20, 40, 80, 160, 320}} }},
		{"parking at once", func(int) policy { return policy{} }},
		{"spinning", func(int) policy { return policy{spins: true} }},
	}
	for _, cores := range e.cores {
		b := bout{name: plural(cores, "core"), base: locks[0].name, each: 100 * time.Millisecond}
		for _, l := range locks {
			b.subjects = append(b.subjects, subject{l.name, true, false, func() (trial, error) {
				move := lineMove()
				c := contention{work: modelWork, hold: modelHold, move: move, wake: modelWake, post: modelPost, policy: l.policy(cores)}
				ns, n := c.perEvent(cores, modelSpan)
				return trial{Values: figures{ns, move}, Offered: n, Delivered: n}, nil
			}})
		}
		g.bouts = append(g.bouts, b)
	}
	return g
}

// backoff is the policy of the intake's lock on so many cores.
func backoff(cores int) policy {
	long := 8192 * max(1, float64(cores)/4)
	return policy{brief: []float64{64, 128, 256, 512}, pauses: []float64{long, long}, heat: 32}
}

// lineMove is moveCost, measured once: it is the same for all that are compared.
var lineMove = sync.OnceValue(moveCost)

// moveCost is what a cache line takes to another core: half a round trip, at
// best. On one core there is none, and it is a guess.
func moveCost() float64 {
	const rounds, guess = 20_000, 50
	if runtime.NumCPU() < 2 || runtime.GOMAXPROCS(0) < 2 {
		return guess
	}
	best := time.Hour
	for range 5 {
		var ball atomic.Int64
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := int64(0); i < rounds; i++ {
				for ball.Load() != 2*i+1 {
				}
				ball.Store(2*i + 2)
			}
		}()
		begun := time.Now()
		for i := int64(0); i < rounds; i++ {
			ball.Store(2*i + 1)
			for ball.Load() != 2*i+2 {
			}
		}
		best = min(best, time.Since(begun))
		<-done
	}
	return float64(best) / (2 * rounds)
}
