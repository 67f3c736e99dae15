package stage

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/internal/seeds"
)

// The simulation of the cores: the intake, the cutter, the ledger, the
// receipts, the flusher's and the router's decisions, played by actors that are
// step functions on one goroutine. A scheduler draws from the seed which of
// those that can go on takes the next step, or that time passes, so that a seed
// is one interleaving of millions, and the same one each time. The channels
// between the actors are queues with a bound, and calls of user code are
// coroutines that return when the scheduler lets them.

// simFeature is something a scenario had in it.
type simFeature int

const (
	simEviction simFeature = iota
	simByteEviction
	simRefusal
	simOversized
	simPartial
	simPanic
	simStagePanic
	simRouteFailure
	simReroute
	simFilter
	simAbandoned
	simLate
	simBuffered
	simForced
	simFlushed
	simFlushLoss
	simFlushClose
	simDeath
	simSwallowed
	simLetIn
	simDozed
	simGaveUp
	simTurnedAway
	simMisuse
	simWorkers
	simAged
	simBytesCut
	simMarkCut
	simHeld
	simForfeit
	simSpill
	simReserve
	simMeanwhile

	numSimFeature
)

var simFeatures = [numSimFeature]string{
	simEviction:     "an eviction",
	simByteEviction: "an eviction for bytes",
	simRefusal:      "a full queue that refused",
	simOversized:    "an event refused for its size",
	simPartial:      "a partial failure",
	simPanic:        "a panic in a sink or a route",
	simStagePanic:   "a panic in a stage",
	simRouteFailure: "a route that failed",
	simReroute:      "a rerouted event",
	simFilter:       "a filtered event",
	simAbandoned:    "an abandoned call",
	simLate:         "a success after the deadline",
	simBuffered:     "Close with work buffered",
	simForced:       "Close ended by its deadline",
	simFlushed:      "a Flush that went through",
	simFlushLoss:    "a Flush told of losses",
	simFlushClose:   "Flush overlapping Close",
	simDeath:        "an actor's death",
	simSwallowed:    "events swallowed by a dead actor",
	simLetIn:        "a waiting caller let in",
	simDozed:        "a caller told later that it is let in",
	simGaveUp:       "a waiting caller that gave up",
	simTurnedAway:   "a waiting caller turned away by Close",
	simMisuse:       "a batch used twice",
	simWorkers:      "several workers",
	simAged:         "a batch cut by age",
	simBytesCut:     "a batch cut by bytes",
	simMarkCut:      "a batch cut by a flush",
	simHeld:         "batches held back by a stage",
	simForfeit:      "a forfeited buffer",
	simSpill:        "events that overflow sent to the routes",
	simReserve:      "an important event evicted",
	simMeanwhile:    "somebody acting while another reads the clock",
}

// TestSimulation plays the cores of a pipeline through many seeds.
func TestSimulation(t *testing.T) {
	n := simSeeds
	if testing.Short() {
		n = 1000
	}
	seeds.Simulation{
		Package:  "stage",
		Seeds:    n,
		Features: simFeatures[:],
		Play: func(_ *testing.T, seed uint64) seeds.Scenario {
			s := newSim(seed, false)
			s.run()
			trace := func() string {
				again := newSim(seed, true)
				again.run()
				return again.log.String()
			}
			return seeds.Scenario{Has: s.has, Err: s.err, Trace: trace}
		},
	}.Run(t)
}

// The same seed is the same run, step by step.
func TestSimulationReplays(t *testing.T) {
	hashes := map[uint64]bool{}
	for seed := uint64(1); seed <= 500; seed++ {
		first, second := newSim(seed, false), newSim(seed, false)
		first.run()
		second.run()
		require.Equal(t, first.hash, second.hash, "seed %d", seed)
		require.Equal(t, first.has, second.has, "seed %d", seed)
		hashes[first.hash] = true
	}
	require.Len(t, hashes, 500, "seeds differ")
}

// simRegressions are seeds that have failed. A seed names a scenario only for
// as long as the simulation draws what it draws now: each entry has a test of
// its own beside it, which does not depend on that.
var simRegressions = []struct {
	seed uint64
	was  string // what was wrong, and the name of the test that holds it
}{
	{4, "Keep after Close's deadline gave back what the stage had written over: TestBatchKeepAfterTheDeadline"},
}

func TestSimulationRegressions(t *testing.T) {
	for _, r := range simRegressions {
		s := newSim(r.seed, true)
		s.run()
		require.NoError(t, s.err, "seed %d: %s\n%s", r.seed, r.was, s.log)
	}
}
