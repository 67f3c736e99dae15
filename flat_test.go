package penstock_test

import (
	"context"
	"errors"
	"math"
	"math/bits"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// eventsEnv is the number of events of TestMemoryStaysFlat.
const eventsEnv = "PENSTOCK_EVENTS"

// tally follows single events as the oracle does, at a bit for each.
type tally struct {
	bits  []uint64
	took  int
	twice int
}

func newTally(n int) *tally { return &tally{bits: make([]uint64, n/64+1)} }

func (y *tally) take(events []uint32) {
	for _, ev := range events {
		word, bit := &y.bits[ev/64], uint64(1)<<(ev%64)
		if *word&bit != 0 {
			y.twice++
		}
		*word |= bit
		y.took++
	}
}

// union is the tally of several sinks, which have come to rest.
func union(n int, of ...*flaky) *tally {
	all := newTally(n)
	for _, s := range of {
		all.took += s.took
		all.twice += s.twice
		for i, word := range s.bits {
			all.twice += bits.OnesCount64(all.bits[i] & word)
			all.bits[i] |= word
		}
	}
	return all
}

// flaky is a sink that fails 30 % of its calls: a third of them whole, a third
// in part, and a third by a panic. It keeps books of its own.
type flaky struct {
	*tally
	r      *rand.Rand
	failed int
	calls  int
}

var errFlaky = errors.New("flaky")

func (s *flaky) Write(_ context.Context, events []uint32) error {
	s.calls++
	if s.r.IntN(10) >= 3 {
		s.take(events)
		return nil
	}
	s.failed++
	switch s.r.IntN(3) {
	case 0:
		return errFlaky
	case 1:
		panic(errFlaky)
	}
	cut := s.r.IntN(len(events))
	s.take(events[:cut])
	failed := make([]int, 0, len(events)-cut)
	for i := cut; i < len(events); i++ {
		failed = append(failed, i)
	}
	return &stage.PartialError{Failed: failed, Err: errFlaky}
}

// slack is what may come and go in a heap of next to nothing, as that of the
// short run is.
const slack = 128 << 10

// liveHeap is what a collection leaves.
func liveHeap() float64 {
	runtime.GC()
	runtime.GC() // what the first one has only unlinked
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc)
}

// TestMemoryStaysFlat sends many events, ten million when PENSTOCK_EVENTS says
// so, to a sink that fails 30 % of its calls, with a retry around it and a
// fallback that is as bad. None may be lost or taken twice, and what is live
// after a tenth of them and after all may differ by a tenth.
func TestMemoryStaysFlat(t *testing.T) {
	n := 200_000
	if text := os.Getenv(eventsEnv); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(t, err, eventsEnv)
	}
	clocktest.Explore(t, 1, func(t *testing.T, w *clocktest.World) {
		main := &flaky{tally: newTally(n), r: w.Rand("main")}
		fallback := &flaky{tally: newTally(n), r: w.Rand("fallback")}
		// A panic is not tried again, so some reach the last sink, which takes all.
		last := &flaky{tally: newTally(n), r: rand.New(always{})}
		patient, err := sinks.NewRetry(main, sinks.RetryConfig{Initial: 10 * time.Millisecond, MaxAttempts: 3, Seed: w.Seed()})
		require.NoError(t, err)
		stubborn, err := sinks.NewRetry(fallback, sinks.RetryConfig{Initial: time.Second, MaxElapsed: math.MaxInt64, Seed: w.Seed()})
		require.NoError(t, err)
		p, err := pipeline.New(patient, pipeline.Config[uint32]{
			BatchSize: 64,
			Routes:    []stage.Route[uint32]{{To: stubborn}, {To: last}},
			OnFailure: func(context.Context, stage.Failure[uint32]) {},
			OnDrop:    func(context.Context, stage.Dropped[uint32]) {},
			Clock:     w.Clock(),
		})
		require.NoError(t, err)

		var early float64
		for i := range n {
			require.NoError(t, p.EnqueueWait(t.Context(), uint32(i)))
			if i == n/10 {
				require.NoError(t, p.Flush(t.Context()))
				early = liveHeap()
			}
		}
		require.NoError(t, p.Flush(t.Context()))
		late := liveHeap()
		t.Logf("%d events in %v: %.2f MB live after a tenth, %.2f MB at the end; %d of %d calls failed",
			n, w.Elapsed().Round(time.Second), early/1e6, late/1e6, main.failed, main.calls)
		require.InDelta(t, early, late, max(early/10, slack))
		require.NoError(t, p.Close(t.Context()))

		s := p.Stats()
		require.Empty(t, oracle.Identities(s))
		require.EqualValues(t, n, s.Accepted)
		require.Zero(t, s.Lost.Total()+s.Evicted.Total()+s.Filtered+s.Buffered+s.Misuse)
		require.EqualValues(t, main.took, s.Delivered)
		require.EqualValues(t, fallback.took+last.took, s.Rerouted)
		all := union(n, main, fallback, last)
		require.Equal(t, n, all.took)
		require.Zero(t, all.twice)
		require.NotZero(t, fallback.took)
		require.NotZero(t, last.took)
		require.InDelta(t, 0.3, float64(main.failed)/float64(main.calls), 0.05)
	})
}

// always draws the highest number, at which a flaky sink succeeds.
type always struct{}

func (always) Uint64() uint64 { return math.MaxUint64 }
