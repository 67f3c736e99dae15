package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// timekeeper is a sink that keeps a record of its calls, by a clock of its own,
// and fails by chance.
type timekeeper struct {
	name string
	w    *clocktest.World

	mu                   sync.Mutex
	r                    *rand.Rand
	took                 []time.Duration
	failed, panics       uint64
	events, failedEvents uint64

	bytes atomic.Uint64 // reported: one for each event taken
}

func newTimekeeper(w *clocktest.World, name string, seed uint64) *timekeeper {
	return &timekeeper{name: name, w: w, r: rand.New(rand.NewPCG(seed, 1))}
}

func (s *timekeeper) Name() string { return s.name }

func (s *timekeeper) Report(r *stage.SinkReport) { r.Bytes += s.bytes.Load() }

func (s *timekeeper) Write(ctx context.Context, events []Event) error {
	s.mu.Lock()
	took, dice, at := time.Duration(s.r.IntN(51))*time.Millisecond, s.r.IntN(8), s.r.IntN(len(events))
	s.mu.Unlock()
	begun := s.w.Elapsed()
	err := clockutil.Sleep(ctx, s.w.Clock(), took)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took = append(s.took, s.w.Elapsed()-begun)
	failed, n := uint64(0), uint64(len(events))
	switch {
	case dice == 0:
		err, failed = io.EOF, n
	case dice == 1 && n > 1:
		err, failed = &stage.PartialError{Failed: []int{at}}, 1
	case dice == 2:
		s.panics++
		s.failed++
		s.failedEvents += n
		panic("boom")
	}
	if err != nil {
		s.failed++
	}
	s.events += n - failed
	s.failedEvents += failed
	s.bytes.Add(n - failed)
	return err
}

// check holds got against the record.
func (s *timekeeper) check(t *testing.T, role string, got pipeline.SinkStats) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	checkQuantiles(t, s.took, got.Latency)
	got.Latency = stage.Quantiles{}
	require.Equal(t, pipeline.SinkStats{
		Role: role,
		SinkCalls: stage.SinkCalls{
			Name: s.name, Calls: uint64(len(s.took)), Failed: s.failed, Panics: s.panics,
			Events: s.events, FailedEvents: s.failedEvents,
		},
		SinkReport: stage.SinkReport{Bytes: s.bytes.Load()},
	}, got)
}

// checkQuantiles holds got against every single duration, by nearest rank.
func checkQuantiles(t *testing.T, all []time.Duration, got stage.Quantiles) {
	t.Helper()
	sorted := slices.Sorted(slices.Values(all))
	require.EqualValues(t, len(sorted), got.Count)
	if len(sorted) == 0 {
		require.Zero(t, got)
		return
	}
	var sum time.Duration
	for _, d := range sorted {
		sum += d
	}
	require.Equal(t, sum, got.Sum)
	require.Equal(t, sorted[len(sorted)-1], got.Max)
	for percent, q := range map[int]time.Duration{50: got.P50, 95: got.P95, 99: got.P99} {
		want := sorted[(percent*len(sorted)+99)/100-1]
		require.InDelta(t, want, q, float64(want)/32, "p%d", percent)
	}
}

// Every call is counted at its sink, with its exact duration, whoever makes it
// and however it ends.
func TestSinkFiguresAgainstRecordedCalls(t *testing.T) {
	clocktest.ExploreBoth(t, 20, func(t *testing.T, w *clocktest.World) {
		r := w.Rand("test")
		sink := newTimekeeper(w, "main", r.Uint64())
		left, right := newTimekeeper(w, "left", r.Uint64()), newTimekeeper(w, "right", r.Uint64())
		h := newHouse(t, w, config{
			QueueSize: 1000, BatchSize: 1 + r.IntN(8), FlushInterval: 20 * time.Millisecond, Workers: 1 + r.IntN(3),
			Routes: []stage.Route[Event]{
				{Match: func(err error) bool { return errors.Is(err, io.EOF) }, To: left}, {To: right},
			},
		}, sink)
		for i := range 60 {
			h.offer(t, ev(1, i+1))
			w.Advance(time.Duration(r.IntN(5)) * time.Millisecond)
		}
		w.Advance(time.Hour)
		s := h.settle(t)
		require.Len(t, s.Sinks, 3)
		sink.check(t, "main", s.Sinks[0])
		left.check(t, "route0", s.Sinks[1])
		right.check(t, "route1", s.Sinks[2])
		require.Equal(t, s.Delivered, s.Sinks[0].Events)
		require.Equal(t, s.Rerouted, s.Sinks[1].Events+s.Sinks[2].Events)
		require.Equal(t, s.Accepted, s.Sinks[0].Events+s.Sinks[0].FailedEvents, "an event fails once, not once for each attempt")
		h.close(t)
	})
}

// An age goes from the acceptance of a batch's oldest event to the return of
// the call that delivered it, or a part of it.
func TestAges(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		sink := stage.SinkFunc[Event](func(ctx context.Context, events []Event) error {
			if err := clockutil.Sleep(ctx, w.Clock(), 100*time.Millisecond); err != nil || events[0].Seq == 2 {
				return io.EOF
			}
			return nil
		})
		h := newHouse(t, w, config{BatchSize: 2, FlushInterval: time.Second}, sink)
		h.offer(t, ev(1, 1)) // waits for company, and then for the sink
		w.Advance(1100 * time.Millisecond)
		h.offer(t, run(1, 2, 3)...) // fails
		w.Advance(100 * time.Millisecond)
		h.offer(t, run(1, 4, 5)...)
		w.Advance(50 * time.Millisecond)
		h.offer(t, ev(1, 6)) // waits for the call before
		flushed := h.start(func() error { return h.p.Flush(t.Context()) })
		w.Advance(150 * time.Millisecond)
		require.Equal(t, []error{nil}, flushed.Values())
		s := h.settle(t)
		checkQuantiles(t, []time.Duration{1100 * time.Millisecond, 100 * time.Millisecond, 150 * time.Millisecond}, s.Age)
		checkQuantiles(t, slices.Repeat([]time.Duration{100 * time.Millisecond}, 4), s.Sinks[0].Latency)
		h.close(t)
	})
}

func TestBatchEventsByTrigger(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{BatchSize: 4, FlushInterval: time.Second}, nil)
		h.offer(t, run(1, 1, 9)...)
		w.Settle()
		require.Equal(t, pipeline.Batches{Size: 8}, h.settle(t).BatchEvents)
		w.Advance(time.Second)
		h.offer(t, run(1, 10, 12)...)
		require.NoError(t, h.flush(t))
		require.NoError(t, h.flush(t))
		h.offer(t, run(1, 13, 14)...)
		h.close(t)
		s := h.p.Stats()
		require.Equal(t, pipeline.Batches{Size: 2, Age: 1, Flush: 2, Close: 1}, s.Batches)
		require.Equal(t, pipeline.Batches{Size: 8, Age: 1, Flush: 3, Close: 2}, s.BatchEvents)
	})
}

// What a Flush has waited for is in the figures when it returns.
func TestFlushComesAfterTheFigures(t *testing.T) {
	clocktest.Explore(t, 200, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{BatchSize: 3, Workers: 2}, nil)
		h.offer(t, run(1, 1, 10)...)
		require.NoError(t, h.p.Flush(t.Context()))
		s := h.p.Stats()
		require.EqualValues(t, 10, s.Sinks[0].Events)
		require.Equal(t, s.Sinks[0].Calls, s.Sinks[0].Latency.Count)
		h.close(t)
	})
}

// cracked is a sink whose Report panics.
type cracked struct{ stage.Sink[Event] }

func (cracked) Report(r *stage.SinkReport) {
	r.Bytes = 7
	panic("boom")
}

func TestReportThatPanics(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{}, cracked{newTap(w)})
		require.Zero(t, h.p.Stats().Sinks[0].SinkReport)
		h.offer(t, ev(1, 1))
		require.NoError(t, h.flush(t))
		require.EqualValues(t, 1, h.settle(t).Sinks[0].Events)
		h.close(t)
	})
}

// A snapshot costs one slice, whatever was counted.
func TestStatsAllocateOneSlice(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{Routes: []stage.Route[Event]{{To: newTap(w)}}}, nil)
		h.offer(t, run(1, 1, 1000)...)
		require.NoError(t, h.flush(t))
		require.LessOrEqual(t, testing.AllocsPerRun(100, func() { _ = h.p.Stats() }), 1.0)
		h.close(t)
	})
}

// JSON of a pipeline that works under load is valid in every snapshot, and
// nothing in it is negative or not a number.
func TestStatsAsJSONUnderLoad(t *testing.T) {
	sink := newUnreliable(7)
	p, err := pipeline.New[Event](sink, config{BatchSize: 3, Routes: []stage.Route[Event]{{To: newUnreliable(8)}}})
	require.NoError(t, err)
	produced := make(chan struct{})
	go func() {
		defer close(produced)
		for i := range 20_000 {
			_ = p.Enqueue(ev(1, i+1))
		}
	}()
	for over := false; !over; {
		select {
		case <-produced:
			over = true
		default:
		}
		text, err := json.Marshal(p.Stats())
		require.NoError(t, err)
		var tree any
		require.NoError(t, json.Unmarshal(text, &tree))
		numbers(t, tree)
	}
	require.NoError(t, ignoreLoss(p.Close(context.Background())))
}

// numbers walks through a tree of JSON.
func numbers(t *testing.T, tree any) {
	switch v := tree.(type) {
	case map[string]any:
		for _, inner := range v {
			numbers(t, inner)
		}
	case []any:
		for _, inner := range v {
			numbers(t, inner)
		}
	case float64:
		assert.GreaterOrEqual(t, v, 0.0)
	case string:
	default:
		t.Errorf("%T %v in the JSON of Stats", v, v)
	}
}

// ignoreLoss is for sinks that lose events.
func ignoreLoss(err error) error {
	if loss := (*pipeline.LossError)(nil); errors.As(err, &loss) {
		return nil
	}
	return err
}
