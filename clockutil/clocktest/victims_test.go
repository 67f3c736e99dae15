package clocktest

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// victims are bodies that fail, each in its own way.
var victims = map[string]func(t *testing.T){
	"a seed fails": func(t *testing.T) {
		Explore(t, 5, func(t *testing.T, w *World) {
			require.NotEqual(t, uint64(3), w.Seed(), "three is bad luck")
		})
	},
	"a seed leaks": func(t *testing.T) {
		ExploreBoth(t, 5, func(t *testing.T, w *World) {
			if w.Seed() == 2 {
				go func() { <-make(chan int) }()
			}
		})
	},
	"a bubble is stuck": func(t *testing.T) {
		Run(t, func(t *testing.T, w *World) {
			var mu sync.Mutex
			mu.Lock()
			go func() {
				mu.Lock() // not a wait that the bubble knows
				defer mu.Unlock()
			}()
			w.Clock().Sleep(time.Second)
			mu.Unlock()
		}, WithSeed(7), WithStuckTimeout(10*time.Millisecond))
	},
	"time runs backwards": func(t *testing.T) {
		Run(t, func(t *testing.T, w *World) { w.Advance(-time.Second) })
	},
	"no seeds": func(t *testing.T) {
		Explore(t, 0, func(*testing.T, *World) {})
	},
	"bad environment": func(t *testing.T) {
		Explore(t, 1, func(*testing.T, *World) {})
	},
}

func TestFailedSeedIsReported(t *testing.T) {
	out := sacrifice(t, "a seed fails")
	require.Contains(t, out, "--- FAIL: TestVictim/seed=3 ")
	require.Contains(t, out, "three is bad luck")
	require.Contains(t, out, "CLOCKTEST_SEED=3 go test -run '^TestVictim$/^seed=3$' .")
	require.NotContains(t, out, "seed=4")
}

func TestLeakIsReportedWithItsSeed(t *testing.T) {
	out := sacrifice(t, "a seed leaks")
	require.Contains(t, out, "blocked goroutines remain")
	require.Contains(t, out, "CLOCKTEST_SEED=2 go test -run '^TestVictim$/^clock=real$/^seed=2$' .")
}

func TestStuckBubbleEndsTheBinary(t *testing.T) {
	out := sacrifice(t, "a bubble is stuck")
	require.Contains(t, out, "panic: clocktest: TestVictim (seed 7) is stuck")
	require.Contains(t, out, "victims_test.go", "the stacks are missing")
}

func TestAdvanceBackwardsFails(t *testing.T) {
	require.Contains(t, sacrifice(t, "time runs backwards"), "Advance(-1s)")
}

func TestExploreRefusesToTestNothing(t *testing.T) {
	require.Contains(t, sacrifice(t, "no seeds"), "Explore with 0 seeds")
	require.Contains(t, sacrifice(t, "bad environment", seedEnv+"=x"), `CLOCKTEST_SEED="x"`)
}
