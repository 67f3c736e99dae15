package sim

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/penstock-go/penstock/internal/seeds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// feature is something a scenario had in it.
type feature int

const (
	hadEviction feature = iota
	hadBytes
	hadRefusal
	hadTooLarge
	hadGaveUp
	hadTransient
	hadPermanent
	hadPartial
	hadAmbiguous
	hadPanic
	hadGoexit
	hadStall
	hadDoubt
	hadLate
	hadReroute
	hadFilter
	hadHeld
	hadDeath
	hadDark
	hadHookPanic
	hadCallback
	hadInward
	hadBuffered
	hadForced
	hadFlush
	hadFlushClose
	hadWorkers
	hadAge
	hadRetry
	hadOpen
	hadGivenUp
	hadThrottle
	hadTies
	hadMock

	numFeature
)

var features = [numFeature]string{
	hadEviction:   "an eviction",
	hadBytes:      "an eviction for bytes",
	hadRefusal:    "a full queue that refused",
	hadTooLarge:   "an event refused for its size",
	hadGaveUp:     "a waiting caller that gave up",
	hadTransient:  "a transient failure",
	hadPermanent:  "a permanent failure",
	hadPartial:    "a partial failure",
	hadAmbiguous:  "a failure that had written everything",
	hadPanic:      "a panic",
	hadGoexit:     "a Goexit",
	hadStall:      "a stall that ignores its context",
	hadDoubt:      "an abandoned call",
	hadLate:       "a success after the deadline",
	hadReroute:    "a rerouted event",
	hadFilter:     "a filtered event",
	hadHeld:       "batches held back by a stage",
	hadDeath:      "an actor's death",
	hadDark:       "events lost by a death",
	hadHookPanic:  "a hook that panics",
	hadCallback:   "a call back into the pipeline",
	hadInward:     "Close from inside",
	hadBuffered:   "Close with work buffered",
	hadForced:     "Close ended by its deadline",
	hadFlush:      "a Flush that went through",
	hadFlushClose: "Flush overlapping Close",
	hadWorkers:    "several workers",
	hadAge:        "a batch cut by age",
	hadRetry:      "a retry",
	hadOpen:       "a breaker that opens",
	hadGivenUp:    "a call that a Timeout gave up",
	hadThrottle:   "a call that waited for a rate limit",
	hadTies:       "ties",
	hadMock:       "a mock clock",
}

// TestSimulation plays whole pipelines through many seeds.
func TestSimulation(t *testing.T) {
	n := numSeeds
	if testing.Short() {
		n = 100
	}
	seeds.Simulation{
		Package:  "internal/sim",
		Seeds:    n,
		Features: features[:],
		Play: func(t *testing.T, seed uint64) seeds.Scenario {
			p := draw(seed)
			w := play(t, &p, seed)
			return seeds.Scenario{Has: w.had, Err: w.err, Trace: func() string {
				text, err := json.Marshal(p)
				return fmt.Sprintf("%s\nthe plan: %s %v", w.log.String(), text, err)
			}}
		},
	}.Run(t)
}

// Where nothing coincides, and one worker keeps the order, a plan plays the same
// way each time.
func TestSimulationReplays(t *testing.T) {
	seed := uint64(0)
	for range numReplays {
		var p plan
		for p.QueueSize == 0 || p.Ties || p.Workers > 1 {
			seed++
			p = draw(seed)
		}
		require.Equal(t, p, again(t, p), "a plan survives its text")
		first, second := play(t, &p, seed), play(t, &p, seed)
		require.Equal(t, first.log.String(), second.log.String(), "seed %d", seed)
	}
}

// again is the plan, written and read.
func again(t *testing.T, p plan) (q plan) {
	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &q))
	return q
}
