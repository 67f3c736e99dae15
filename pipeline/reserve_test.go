package pipeline_test

import (
	"context"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// fourth makes every fourth event of a producer an important one.
func fourth(e Event) bool { return e.Seq%4 == 0 }

// With defaults, a flood of lesser events costs no important one, until these
// alone are more than the queue holds.
func TestAFloodOfLesserEventsCostsNoImportantOne(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		important := func(e Event) bool { return e.Producer == 2 }
		h := newHouse(t, w, config{Important: important}, nil)
		n := h.stall(t)
		records := 0
		for range 400 {
			for range 100 {
				n++
				h.offer(t, ev(1, n))
			}
			for range 20 {
				records++
				h.offer(t, ev(2, records))
			}
			w.Settle() // the drop hook keeps up
		}
		s := h.settle(t)
		require.Equal(t, 8000, records)
		require.EqualValues(t, pipeline.DefaultQueueSize, s.Depth)
		require.Zero(t, s.Evicted.Important)
		require.Zero(t, s.Rejected)
		require.EqualValues(t, 1, s.Pressure)

		for range pipeline.DefaultQueueSize + 5 - 8000 {
			records++
			h.offer(t, ev(2, records))
		}
		n++
		require.ErrorIs(t, h.enqueue(ev(1, n)), stage.ErrFull, "what is important is not evicted for it")
		s = h.settle(t)
		require.EqualValues(t, 5, s.Evicted.Important)
		require.Equal(t, pipeline.Rejected{Full: 1}, s.Rejected)
		h.tap.release()
		require.NoError(t, h.flush(t))
		h.close(t)
		var got []int
		for _, e := range h.tap.taken() {
			if important(e) {
				got = append(got, e.Seq)
			}
		}
		require.Equal(t, count(6, records), got, "all but the oldest five")
	})
}

// Under DropNewest nobody is evicted, and lesser events leave the reserve.
func TestTheReserveUnderDropNewest(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{
			QueueSize: 8, BatchSize: 1, Overflow: stage.DropNewest, Important: func(e Event) bool { return e.Producer == 2 },
		}, nil)
		n := h.stall(t)
		for range 8 {
			n++
			_ = h.enqueue(ev(1, n))
		}
		require.EqualValues(t, 6, h.settle(t).Depth)
		h.offer(t, run(2, 1, 2)...)
		require.ErrorIs(t, h.enqueue(ev(2, 3)), stage.ErrFull)
		s := h.settle(t)
		require.EqualValues(t, 8, s.Depth)
		require.EqualValues(t, 1, s.Rejected.FullImportant)
		require.EqualValues(t, 4, s.Rejected.Full)
		h.tap.release()
		h.close(t)
	})
}

// The default threshold is of what lesser events may have: the warning comes
// before the first of them is evicted.
func TestPressureComesBeforeLesserEventsAreEvicted(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		depths := clocktest.NewRecorder[int](w)
		h := newHouse(t, w, config{
			QueueSize: 100, BatchSize: 1, Important: fourth, Reserve: 0.5,
			OnPressure: func(_ context.Context, depth, _ int) { depths.Add(depth) },
		}, nil)
		n := h.stall(t)
		for s := h.settle(t); s.Evicted.Total() == 0; s = h.settle(t) {
			if n++; n%4 == 0 {
				n++
			}
			h.offer(t, ev(1, n))
		}
		require.Equal(t, []int{40}, depths.Values())
		h.tap.release()
		h.close(t)
	})
}

func TestAnImportanceThatPanicsRefusesItsEvent(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{Important: func(e Event) bool {
			if e.Seq == 2 {
				panic(io.EOF)
			}
			return true
		}}, nil)
		h.offer(t, ev(1, 1))
		err := h.enqueue(ev(1, 2))
		require.ErrorIs(t, err, stage.ErrInvalid)
		require.ErrorIs(t, err, io.EOF)
		h.offer(t, ev(1, 3))
		require.Equal(t, pipeline.Rejected{Invalid: 1}, h.settle(t).Rejected)
		h.close(t)
		require.Equal(t, []int{1, 3}, seqs(h.tap.taken()))
	})
}

// Both classes at random, with and without bytes, callers that wait, flushes,
// and a sink that stalls: the books balance and order holds.
func TestTheReserveAtRandom(t *testing.T) {
	clocktest.ExploreBoth(t, 40, func(t *testing.T, w *clocktest.World) {
		r := w.Rand("plan")
		cfg := config{
			QueueSize: 1 + r.IntN(40), FlushInterval: time.Millisecond, Overflow: stage.Overflow(r.IntN(2)),
			Important: fourth, Reserve: 0.05 + 0.9*r.Float64(),
		}
		cfg.BatchSize = 1 + r.IntN(min(cfg.QueueSize, 9))
		if r.IntN(2) == 0 {
			cfg.SizeOf, cfg.QueueBytes = oracle.SizeOf, 200
		}
		h := newHouse(t, w, cfg, nil)
		next, callers := make([]int, 3), 3 // whoever waits is a producer of its own
		event := func(r *rand.Rand) Event {
			k := r.IntN(len(next))
			next[k]++
			return Event{Producer: k, Seq: next[k], Bytes: r.IntN(40)}
		}
		ctx, cancel := w.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for range 400 {
			switch r.IntN(16) {
			case 0:
				h.tap.hold()
			case 1:
				h.tap.release()
			case 2:
				w.Advance(time.Millisecond)
			case 3:
				callers++
				h.wait(ctx, Event{Producer: callers, Seq: 1 + r.IntN(4), Bytes: r.IntN(40)})
			case 4:
				h.start(func() error { return h.p.Flush(ctx) })
			default:
				_ = h.enqueue(event(r))
			}
			h.settle(t)
		}
		h.tap.release()
		w.Advance(time.Second)
		s := h.settle(t)
		require.Zero(t, s.Buffered+s.Waiting)
		require.Zero(t, s.Bytes)
		h.close(t)
	})
}
