package pipeline_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// A byteBook follows the bytes of all events that have not ended. Its hooks and
// its sink have their goroutines, so it is read when all is quiet.
type byteBook struct {
	ended *clocktest.Recorder[int]
	in    int
}

func newByteBook(w *clocktest.World) *byteBook {
	return &byteBook{ended: clocktest.NewRecorder[int](w)}
}

func (b *byteBook) end(events []Event) {
	for _, e := range events {
		b.ended.Add(e.Bytes)
	}
}

// held is the number of bytes that a pipeline must say it has.
func (b *byteBook) held() int64 {
	held := b.in
	for _, n := range b.ended.Values() {
		held -= n
	}
	return int64(held)
}

// Whatever becomes of an event, its bytes are held from its acceptance to its
// end, and never more than the budget.
func TestTheByteBudgetIsKept(t *testing.T) {
	down := errors.New("down")
	clocktest.ExploreBoth(t, 15, func(t *testing.T, w *clocktest.World) {
		r := w.Rand("plan")
		book := newByteBook(w)
		sink := newTap(w)
		budget := int64(50 + r.IntN(1000))
		overflow := stage.Overflow(r.IntN(2))
		// The bytes of what a stage removes are given back with the rest of its
		// batch, which may be on its way for a while.
		var stages []stage.Stage[Event]
		if w.Seed()%3 == 0 {
			stages = append(stages, newSieve(func(e Event) bool {
				if e.Seq%5 == 0 {
					book.end([]Event{e})
				}
				return e.Seq%5 != 0
			}))
		}
		h := newHouse(t, w, config{
			QueueSize: 1 + r.IntN(200), BatchSize: 1, FlushInterval: time.Second,
			QueueBytes: budget, SizeOf: oracle.SizeOf, Overflow: overflow, Stages: stages,
			OnDrop:    func(_ context.Context, d stage.Dropped[Event]) { book.end(d.Events) },
			OnFailure: func(_ context.Context, f stage.Failure[Event]) { book.end(f.Events) },
		}, stage.SinkFunc[Event](func(ctx context.Context, events []Event) error {
			if err := sink.Write(ctx, events); err != nil {
				return err
			}
			if events[0].Seq%7 == 0 {
				return down
			}
			book.end(events)
			return nil
		}))
		next := fresh(1)
		for range 300 {
			e := next(r.IntN(int(budget) / 4))
			if r.IntN(20) == 0 {
				e.Bytes = int(budget)
			}
			if h.enqueue(e) == nil {
				book.in += e.Bytes
			}
			switch r.IntN(20) {
			case 0:
				sink.hold()
			case 1:
				sink.release()
			case 2:
				w.Advance(time.Second)
			}
			s := h.settle(t)
			require.LessOrEqual(t, s.Bytes, budget)
			if stages == nil {
				require.Equal(t, book.held(), s.Bytes)
			} else {
				require.GreaterOrEqual(t, s.Bytes, book.held())
			}
		}
		sink.release()
		w.Advance(time.Second)
		s := h.settle(t)
		require.Zero(t, s.Buffered)
		require.Zero(t, s.Bytes)
		require.Zero(t, book.held())
		h.close(t)
	})
}

func TestNoBytesAreLeft(t *testing.T) {
	down := errors.New("down")
	cfg := func(c config) config {
		c.QueueBytes, c.SizeOf, c.FlushInterval = 10_000, oracle.SizeOf, time.Second
		return c
	}
	offer := func(t *testing.T, h *house, n int) {
		next := fresh(1)
		for range n {
			h.offer(t, next(10))
		}
	}
	t.Run("after a drain", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, cfg(config{BatchSize: 7}), nil)
			offer(t, h, 100)
			require.EqualValues(t, 20, h.settle(t).Bytes, "an open batch of two")
			w.Advance(time.Second)
			require.Zero(t, h.settle(t).Bytes)
			h.close(t)
		})
	})
	t.Run("after failures", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, cfg(config{BatchSize: 5}), newTap(w).then(
				fails(down),
				fails(&stage.PartialError{Failed: []int{1, 3}, Err: down}),
				func(context.Context, []Event) error { panic("boom") },
			))
			offer(t, h, 20)
			s := h.settle(t)
			require.Equal(t, pipeline.Lost{Failed: 7, Panic: 5}, s.Lost)
			require.Zero(t, s.Bytes)
			h.close(t)
		})
	})
	t.Run("after a reroute", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, cfg(config{
				BatchSize: 5,
				Routes:    []stage.Route[Event]{{To: newTap(w).then(fails(&stage.PartialError{Failed: []int{0}}))}},
			}), newTap(w).then(fails(&stage.PartialError{Failed: []int{1, 2, 3}})))
			offer(t, h, 5)
			s := h.settle(t)
			require.EqualValues(t, 2, s.Rerouted)
			require.EqualValues(t, 1, s.Lost.Failed)
			require.Zero(t, s.Bytes)
			h.close(t)
		})
	})
	t.Run("after a filter", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, cfg(config{
				BatchSize: 5,
				Stages:    []stage.Stage[Event]{newSieve(func(e Event) bool { return e.Seq > 7 })},
			}), nil)
			offer(t, h, 10)
			require.Zero(t, h.settle(t).Bytes)
			h.close(t)
		})
	})
	t.Run("after evictions", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, cfg(config{QueueSize: 3, BatchSize: 1}), nil)
			n := h.stall(t)
			for seq := n + 1; seq <= n+20; seq++ {
				h.offer(t, Event{Producer: 1, Seq: seq, Bytes: 10})
				h.settle(t)
			}
			require.EqualValues(t, 30, h.settle(t).Bytes)
			h.tap.release()
			require.Zero(t, h.settle(t).Bytes)
			h.close(t)
		})
	})
	t.Run("after Close", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, cfg(config{BatchSize: 7}), nil)
			offer(t, h, 100)
			h.close(t)
		})
	})
	t.Run("after Close's deadline", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, cfg(config{QueueSize: 10, BatchSize: 1}), nil)
			n := h.stall(t)
			h.offer(t, Event{Producer: 1, Seq: n + 1, Bytes: 10}, Event{Producer: 1, Seq: n + 2, Bytes: 10})
			took, err := h.closeWithin(t, time.Minute)
			require.Error(t, err)
			require.Equal(t, time.Minute, took)
			h.closed(t)
		})
	})
}

// A megabyte against ten kilobytes: the newest ten stay, the others are evicted
// one for one, and their memory is free.
func TestMemoryStaysFlatUnderAFlood(t *testing.T) {
	const kilobyte = 1024
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		gate := make(chan struct{})
		h := newHouse(t, w, config{
			BatchSize: 1, QueueBytes: 10 * kilobyte, SizeOf: oracle.SizeOf,
		}, stage.SinkFunc[Event](func(context.Context, []Event) error { <-gate; return nil }))
		stuck := 0 // events of no bytes, which fill all that lies behind the queue
		for h.p.Depth() == 0 {
			stuck++
			h.offer(t, ev(1, stuck))
			w.Settle()
		}
		var held []weak.Pointer[payload]
		for range 1024 / 8 {
			events, refs := lend(2, len(held)+1, len(held)+8)
			held = append(held, refs...)
			for _, e := range events {
				e.Bytes = kilobyte
				h.offer(t, e)
			}
			s := h.settle(t)
			require.LessOrEqual(t, s.Bytes, int64(10*kilobyte))
		}
		s := h.settle(t)
		require.EqualValues(t, 10*kilobyte, s.Bytes)
		require.EqualValues(t, 10, s.Depth)
		require.Equal(t, pipeline.Evicted{Bytes: 1024 - 10 + 1}, s.Evicted, "and the one of no bytes ahead of them")
		require.Equal(t, 10, alive(held))
		require.Zero(t, alive(held[:len(held)-10]), "the newest are there")
		close(gate)
		h.close(t)
	})
}

// What is on its way cannot be evicted. Where it alone takes up the bytes, an
// event is refused under DropOldest too.
func TestBytesInFlightAreNotEvicted(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{QueueBytes: 100, SizeOf: oracle.SizeOf, BatchSize: 1}, nil)
		h.tap.hold()
		h.offer(t, Event{Seq: 1, Bytes: 60})
		h.settle(t)
		h.offer(t, Event{Seq: 2, Bytes: 40})
		s := h.settle(t)
		require.EqualValues(t, 2, s.InFlight)
		require.EqualValues(t, 100, s.Bytes)

		require.ErrorIs(t, h.enqueue(Event{Seq: 3, Bytes: 1}), stage.ErrFull)
		h.offer(t, Event{Seq: 4}) // of no bytes
		s = h.settle(t)
		require.Equal(t, pipeline.Rejected{Full: 1}, s.Rejected)
		require.Zero(t, s.Evicted)

		h.tap.step()
		h.settle(t)
		h.offer(t, Event{Seq: 5, Bytes: 60})
		h.tap.release()
		h.close(t)
		require.Equal(t, []int{1, 2, 4, 5}, seqs(h.tap.taken()))
	})
}

// Where evicting all that waits would not make room either, nothing is evicted.
func TestNothingIsEvictedInVain(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{QueueBytes: 100, SizeOf: oracle.SizeOf, BatchSize: 1}, nil)
		h.tap.hold()
		h.offer(t, Event{Seq: 1, Bytes: 60})
		require.EqualValues(t, 1, h.settle(t).InFlight)
		next := 2 // events of no bytes, which fill all that lies behind the queue
		for ; h.p.Depth() == 0; next++ {
			h.offer(t, Event{Seq: next})
			w.Settle()
		}
		h.offer(t, Event{Seq: next, Bytes: 15}, Event{Seq: next + 1, Bytes: 15})
		require.ErrorIs(t, h.enqueue(Event{Seq: next + 2, Bytes: 41}), stage.ErrFull)
		s := h.settle(t)
		require.Zero(t, s.Evicted)
		require.EqualValues(t, 3, s.Depth)
		require.EqualValues(t, 90, s.Bytes)

		h.offer(t, Event{Seq: next + 3, Bytes: 40})
		s = h.settle(t)
		require.Equal(t, pipeline.Evicted{Bytes: 3}, s.Evicted, "all that waited")
		require.EqualValues(t, 100, s.Bytes)
		h.tap.release()
		h.close(t)
	})
}

// Sizes whose sum is no number are too much for any bound.
func TestBytesDoNotOverflow(t *testing.T) {
	const half = math.MaxInt/2 + 1
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{
			QueueBytes: math.MaxInt, BatchBytes: half, BatchSize: 4, SizeOf: oracle.SizeOf,
		}, newTap(w).hold())
		h.offer(t, Event{Seq: 1, Bytes: half})
		require.EqualValues(t, half, h.settle(t).Bytes)
		require.ErrorIs(t, h.enqueue(Event{Seq: 2, Bytes: half}), stage.ErrFull, "the first is on its way")
		h.offer(t, Event{Seq: 3, Bytes: half - 1})
		require.EqualValues(t, math.MaxInt, h.settle(t).Bytes)
		h.tap.release()
		h.close(t)
		require.Equal(t, []int{1, 1}, h.tap.sizes())
	})
}

// Bytes are the size function's answer at the time of the call, whatever it
// would say later.
func TestASizeIsAskedForOnce(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		asked := 0
		h := newHouse(t, w, config{
			QueueBytes: 1 << 20, BatchSize: 2, BatchBytes: 1 << 10,
			SizeOf: func(Event) int { asked++; return asked },
		}, nil)
		h.offer(t, run(1, 1, 20)...)
		require.NoError(t, h.o.EnqueueWait(t.Context(), h.p, ev(1, 21)))
		require.Equal(t, 21, asked)
		require.EqualValues(t, 21, h.settle(t).Bytes, "the open batch's one")
		h.close(t)
		require.Equal(t, 21, asked)
	})
}
