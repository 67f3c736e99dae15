package seeds

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
)

var (
	count = flag.Int("seeds", 0, "play this many seeds; 0: as many as the test says")
	alone = flag.Uint64("seed", 0, "play this seed alone, with its trace; 0: all")
)

// Scenario is how one seed went.
type Scenario struct {
	Has   uint64        // bit i: it had what Simulation.Features[i] names
	Err   error         // what was wrong
	Trace func() string // what happened, step by step
}

// Simulation is a scenario for every seed.
type Simulation struct {
	Package  string   // path from the module's root, for the command that replays a seed
	Seeds    int      // to play unless -seeds says otherwise
	Features []string // what a scenario may have in it

	// Play plays one seed. Calls for different seeds run in parallel.
	Play func(t *testing.T, seed uint64) Scenario
}

const (
	enough = 1000 // seeds, to speak of shares
	least  = 0.01 // share of the scenarios that must have each feature
)

// Run plays the seeds, on as many goroutines as there are procs. It stops at
// the first seed that fails, and fails t; after 1000 seeds or more it also fails
// t if a feature was in less than one scenario of a hundred.
func (s Simulation) Run(t *testing.T) {
	t.Helper()
	if *alone > 0 {
		sc := s.play(t, *alone)
		t.Logf("seed %d: %s\n%s", *alone, strings.Join(s.names(sc.Has), ", "), sc.Trace())
		if sc.Err != nil {
			t.Errorf("seed %d: %v", *alone, sc.Err)
		}
		return
	}
	n := s.Seeds
	if *count > 0 {
		n = *count
	}
	w := newTally(s.Features)
	s.all(t, n, w)
	if f := w.failed.Load(); f != nil {
		t.Errorf("seed %d: %v\n%s\nto replay it:\n\t%s", f.seed, f.Err, f.Trace(), s.replay(t, f.seed))
		return
	}
	t.Logf("%s\n%s", w.speed(), w.shares())
	if n < enough {
		return
	}
	for _, name := range w.rare(least) {
		t.Errorf("%q was in less than %g %% of the scenarios", name, 100*least)
	}
}

// all plays n seeds, each by whichever shard is free.
func (s Simulation) all(t *testing.T, n int, w *tally) {
	var next atomic.Uint64
	stop := w.watch(t, n)
	defer stop()
	// Scenarios are small and leave all of their memory behind: with a heap of a
	// few megabytes the collector would take a third of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(1000))
	t.Run("all", func(t *testing.T) {
		for range runtime.GOMAXPROCS(0) {
			t.Run("shard", func(t *testing.T) {
				t.Parallel()
				for seed := next.Add(1); seed <= uint64(n) && w.failed.Load() == nil; seed = next.Add(1) {
					w.add(seed, s.play(t, seed))
				}
			})
		}
	})
}

// play plays one seed. One that panics, which ends the test binary, is named
// first.
func (s Simulation) play(t *testing.T, seed uint64) Scenario {
	finished := false
	defer func() {
		if !finished {
			fmt.Fprintf(os.Stderr, "seed %d did not return; to replay it:\n\t%s\n", seed, s.replay(t, seed))
		}
	}()
	sc := s.Play(t, seed)
	finished = true
	return sc
}

func (s Simulation) replay(t *testing.T, seed uint64) string {
	name, _, _ := strings.Cut(t.Name(), "/")
	return fmt.Sprintf("go test ./%s -run '^%s$' -seed %d -v", s.Package, name, seed)
}

func (s Simulation) names(has uint64) (names []string) {
	for i, name := range s.Features {
		if has&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}
