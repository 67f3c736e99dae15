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
	hadSacrifice
	hadSpill
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
	hadSacrifice:  "an important event evicted",
	hadSpill:      "events that overflow sent to the routes",
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
			return seeds.Scenario{Has: w.had, Err: w.err, Trace: func() string { return w.report(t, seed) }}
		},
	}.Run(t)
}

// report is the trace of a run, and its plan, or the smallest that fails.
func (w *world) report(t *testing.T, seed uint64) string {
	p, which := *w.plan, "the plan"
	if *smallest && w.err != nil {
		which = "the smallest plan that fails"
		p = shrink(p, func(q plan) bool {
			w = play(t, &q, seed)
			return w.err != nil
		})
		w = play(t, &p, seed)
	}
	text, err := json.Marshal(p)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%s\n%s, for a file in testdata: {\"Was\":\"\",\"Plan\":%s}\nit fails with: %v", w.log.String(), which, text, w.err)
}

// Where nothing coincides a plan plays the same way each time.
func TestSimulationReplays(t *testing.T) {
	for seed := uint64(1); seed <= numReplays; seed++ {
		p := draw(seed)
		if p.Ties {
			continue
		}
		calm(&p)
		require.Equal(t, p, copied(p), "a plan survives its text")
		first, second := play(t, &p, seed), play(t, &p, seed)
		require.Equal(t, first.log.String(), second.log.String(), "seed %d", seed)
	}
}

// calm takes out of a plan what makes things coincide: that several wait for
// the router, that what the pipeline calls calls back, and that Close tells
// those who wait to stop and ends everything at one instant.
func calm(p *plan) {
	p.Workers, p.Stages, p.Flushes = 1, nil, nil
	p.OnFailure, p.OnDrop, p.OnPressure = nil, nil, nil
	p.Close.Patience = max(p.Close.Patience, 1)
	for _, s := range p.Sinks {
		for i := range s.Calls {
			s.Calls[i].Acts = nothing
		}
	}
}
