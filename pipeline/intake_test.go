package pipeline_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// stall holds the tap and offers events of producer 1, each after all is quiet,
// until one finds everything downstream full and stays in the queue. It returns
// the number of that one.
func (h *house) stall(t *testing.T) (waiting int) {
	t.Helper()
	h.tap.hold()
	for h.p.Depth() == 0 {
		waiting++
		h.offer(t, ev(1, waiting))
		h.w.Settle()
	}
	return waiting
}

func TestDropOldestKeepsTheNewest(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		drops := clocktest.NewRecorder[stage.Dropped[Event]](w)
		h := newHouse(t, w, config{
			QueueSize: 3, BatchSize: 1,
			OnDrop: func(_ context.Context, d stage.Dropped[Event]) {
				d.Events = slices.Clone(d.Events)
				drops.Add(d)
			},
		}, nil)
		first := h.stall(t)
		h.offer(t, run(1, first+1, first+4)...)
		s := h.settle(t)
		require.Equal(t, pipeline.Evicted{Count: 2}, s.Evicted)
		require.EqualValues(t, 3, s.Depth)
		require.Zero(t, s.Rejected)

		var dropped []Event
		for _, d := range drops.Values() {
			require.Equal(t, stage.EvictedCount, d.Reason)
			require.EqualValues(t, len(d.Events), d.Count)
			dropped = append(dropped, d.Events...)
		}
		require.Equal(t, run(1, first, first+1), dropped)

		h.tap.release()
		h.close(t)
		require.Equal(t, append(run(1, 1, first-1), run(1, first+2, first+4)...), h.tap.taken())
	})
}

// The event is copied by the call: the caller goes on with the same variable.
func TestEnqueueFromCopies(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{QueueSize: 4, BatchSize: 2}, nil)
		var one Event
		for k := 1; k <= 3; k++ {
			one = ev(1, k)
			require.NoError(t, h.o.EnqueueFrom(h.p, &one))
		}
		one = ev(9, 9)
		h.close(t)
		require.Equal(t, run(1, 1, 3), h.tap.taken())
		require.ErrorIs(t, h.o.EnqueueFrom(h.p, &one), stage.ErrClosed)
		h.closed(t)
	})
}

func TestDropNewestKeepsTheOldest(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{QueueSize: 3, BatchSize: 1, Overflow: stage.DropNewest}, nil)
		first := h.stall(t)
		h.offer(t, run(1, first+1, first+2)...)
		require.ErrorIs(t, h.enqueue(ev(1, first+3)), stage.ErrFull)
		require.ErrorIs(t, h.enqueue(ev(1, first+4)), stage.ErrFull)
		s := h.settle(t)
		require.Equal(t, pipeline.Rejected{Full: 2}, s.Rejected)
		require.Zero(t, s.Evicted)
		require.EqualValues(t, 3, s.Depth)

		h.tap.release()
		h.close(t)
		require.Equal(t, run(1, 1, first+2), h.tap.taken())
	})
}

// A stuck sink is no producer's concern: no call takes any time, and the hooks
// run while nothing moves.
func TestAMillionEventsAgainstAStuckSink(t *testing.T) {
	const million, queue = 1_000_000, 4096
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		// An oracle of its own: a bit for each event, and no event twice.
		seen := make([]bool, million)
		see := func(ids []int) {
			for _, id := range ids {
				if seen[id] {
					t.Errorf("event %d ended twice", id)
				}
				seen[id] = true
			}
		}
		var dropped, crossings uint64 // the hooks have one goroutine, and the root settles
		stuck := make(chan struct{})
		p, err := pipeline.New(
			stage.SinkFunc[int](func(_ context.Context, ids []int) error {
				<-stuck
				see(ids)
				return nil
			}),
			pipeline.Config[int]{
				QueueSize:  queue,
				Clock:      w.Clock(),
				OnPressure: func(context.Context, int, int) { crossings++ },
				OnDrop: func(_ context.Context, d stage.Dropped[int]) {
					dropped += d.Count
					see(d.Events)
				},
			})
		require.NoError(t, err)
		for id := range million {
			if p.Enqueue(id) != nil {
				t.Fatalf("event %d was refused", id)
			}
			if id%queue == queue-1 {
				w.Settle() // let the drop hook keep up
			}
		}
		w.Settle()
		s := p.Stats()
		require.Zero(t, w.Elapsed())
		require.EqualValues(t, million, s.Accepted)
		require.EqualValues(t, queue, s.Depth)
		require.Equal(t, dropped, s.Evicted.Total())
		require.Equal(t, s.Pressure, crossings)
		require.NotZero(t, crossings)
		require.Empty(t, oracle.Identities(s))

		close(stuck)
		require.NoError(t, p.Close(t.Context()))
		s = p.Stats()
		require.Equal(t, million-dropped, s.Delivered)
		require.Empty(t, oracle.Identities(s))
		require.NotContains(t, seen, false)
	})
}

func TestEventsFlowAgainAfterAnOverflow(t *testing.T) {
	for _, overflow := range []stage.Overflow{stage.DropOldest, stage.DropNewest} {
		t.Run(overflow.String(), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w, config{QueueSize: 4, BatchSize: 2, Overflow: overflow}, nil)
				seq := h.stall(t)
				for range 3 {
					for range 4 {
						seq++
						_ = h.enqueue(ev(1, seq))
					}
					s := h.settle(t)
					require.EqualValues(t, 4, s.Depth)
				}
				h.tap.release()
				h.w.Advance(time.Second)
				s := h.settle(t)
				require.Zero(t, s.Buffered)
				require.NotZero(t, s.Evicted.Total()+s.Rejected.Total())

				h.tap.calls.Reset()
				h.offer(t, run(1, seq+1, seq+4)...)
				h.settle(t)
				require.Equal(t, run(1, seq+1, seq+4), h.tap.taken(), "full batches leave at once")
				h.close(t)
			})
		})
	}
}

// fresh numbers the events of one producer.
func fresh(producer int) func(size int) Event {
	seq := 0
	return func(size int) Event {
		seq++
		return Event{Producer: producer, Seq: seq, Bytes: size}
	}
}

func TestAnOversizedEventIsRefusedAlone(t *testing.T) {
	for name, cfg := range map[string]config{
		"its own limit":       {MaxEventBytes: 100},
		"the queue's bytes":   {QueueBytes: 100},
		"the smaller of both": {MaxEventBytes: 100, QueueBytes: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				cfg := cfg
				cfg.SizeOf = oracle.SizeOf
				h := newHouse(t, w, cfg, nil)
				next := fresh(1)
				const fits, over = 10, 101

				require.NoError(t, h.enqueue(next(fits)))
				require.ErrorIs(t, h.enqueue(next(over)), stage.ErrTooLarge)
				require.NoError(t, h.enqueue(next(fits)))

				require.NoError(t, h.o.EnqueueWait(t.Context(), h.p, next(fits)))
				require.ErrorIs(t, h.o.EnqueueWait(t.Context(), h.p, next(over)), stage.ErrTooLarge)

				n, err := h.o.EnqueueAll(h.p, []Event{next(over), next(fits), next(over), next(fits)})
				require.Equal(t, 2, n)
				var re *pipeline.RejectedError
				require.ErrorAs(t, err, &re)
				require.Equal(t, []int{0, 2}, re.Indexes)
				require.Equal(t, []error{stage.ErrTooLarge, stage.ErrTooLarge}, re.Errs)

				s := h.settle(t)
				require.Equal(t, pipeline.Rejected{TooLarge: 4}, s.Rejected)
				h.close(t)
				require.Equal(t, []int{1, 3, 4, 7, 9}, seqs(h.tap.taken()))
			})
		})
	}
}

// An event at its limit is not over it.
func TestAnEventOfExactlyItsLimitIsTaken(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{QueueBytes: 100, SizeOf: oracle.SizeOf}, nil)
		require.NoError(t, h.enqueue(Event{Seq: 1, Bytes: 100}))
		h.close(t)
		require.Equal(t, 1, h.tap.calls.Len())
	})
}

func TestAFailingSizeFunctionCostsItsEventAlone(t *testing.T) {
	boom := errors.New("boom")
	sizeOf := func(e Event) int {
		switch e.Bytes {
		case 13:
			panic(boom)
		case 14:
			panic("a string")
		}
		return e.Bytes
	}
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{SizeOf: sizeOf}, nil)
		next := fresh(1)

		for _, e := range []Event{next(-1), next(math.MinInt), next(13), next(14)} {
			err := h.enqueue(e)
			require.ErrorIs(t, err, stage.ErrInvalid)
			var pe *stage.PanicError
			require.Equal(t, e.Bytes > 0, errors.As(err, &pe))
			if pe != nil {
				require.Contains(t, pe.Stack, "intake_test.go", "the stack shows the size function")
			}
		}
		require.NoError(t, h.enqueue(next(1)))
		require.ErrorIs(t, h.o.EnqueueWait(t.Context(), h.p, next(13)), boom)
		n, err := h.o.EnqueueAll(h.p, []Event{next(1), next(13), next(-5), next(1)})
		require.Equal(t, 2, n)
		require.ErrorIs(t, err, boom)
		require.ErrorIs(t, err, stage.ErrInvalid)

		s := h.settle(t)
		require.Equal(t, pipeline.Rejected{Invalid: 7}, s.Rejected)
		h.close(t)
		require.Equal(t, []int{5, 7, 10}, seqs(h.tap.taken()))
	})
}

// A size function may end the producer's goroutine, as a failed assertion in a
// test does. The call then has no outcome, and the pipeline lives.
func TestASizeFunctionMayEndItsGoroutine(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{SizeOf: func(e Event) int {
			if e.Bytes < 0 {
				runtime.Goexit()
			}
			return e.Bytes
		}}, nil)
		go func() { _ = h.p.Enqueue(Event{Seq: 1, Bytes: -1}) }()
		h.settle(t)
		h.offer(t, Event{Seq: 2, Bytes: 7})
		h.close(t)
		require.Equal(t, []int{2}, seqs(h.tap.taken()))
	})
}

func TestTheZeroEventIsAnEvent(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{SizeOf: oracle.SizeOf, QueueBytes: 1}, nil)
		h.o.Unordered = true // the zero event comes before the first
		h.offer(t, Event{})
		h.close(t)
		require.Equal(t, []Event{{}}, h.tap.taken())
	})
}

func TestAnEmptyEnqueueAllIsNothing(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{}, nil)
		for _, none := range [][]Event{nil, {}} {
			n, err := h.o.EnqueueAll(h.p, none)
			require.Zero(t, n)
			require.NoError(t, err)
		}
		require.Zero(t, h.settle(t).Offered)
		h.close(t)
		n, err := h.o.EnqueueAll(h.p, nil)
		require.Zero(t, n)
		require.NoError(t, err, "there is nothing to refuse")
		require.Zero(t, h.tap.calls.Len())
	})
}

func TestEnqueueAllOverflows(t *testing.T) {
	t.Run("drop-oldest", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, config{QueueSize: 100, BatchSize: 1}, nil)
			first := h.stall(t)
			// More than one lock's worth, and more than the room.
			n, err := h.o.EnqueueAll(h.p, run(2, 1, 150))
			require.Equal(t, 150, n)
			require.NoError(t, err)
			s := h.settle(t)
			require.Equal(t, pipeline.Evicted{Count: 51}, s.Evicted, "of itself too")
			h.tap.release()
			h.close(t)
			require.Equal(t, append(run(1, 1, first-1), run(2, 51, 150)...), h.tap.taken())
		})
	})
	t.Run("drop-newest", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, config{
				QueueSize: 100, BatchSize: 1, Overflow: stage.DropNewest,
				SizeOf: oracle.SizeOf, MaxEventBytes: 10,
			}, nil)
			first := h.stall(t)
			events := run(2, 1, 150)
			events[20].Bytes = 11
			n, err := h.o.EnqueueAll(h.p, events)
			require.Equal(t, 99, n)
			var re *pipeline.RejectedError
			require.ErrorAs(t, err, &re)
			require.Equal(t, append([]int{20}, count(100, 149)...), re.Indexes)
			require.Equal(t, stage.ErrTooLarge, re.Errs[0])
			for _, err := range re.Errs[1:] {
				require.Equal(t, stage.ErrFull, err)
			}
			require.ErrorIs(t, err, stage.ErrFull)
			require.ErrorIs(t, err, stage.ErrTooLarge)
			require.EqualError(t, err, "penstock: 51 events rejected: penstock: event too large")
			s := h.settle(t)
			require.Equal(t, pipeline.Rejected{Full: 50, TooLarge: 1}, s.Rejected)
			h.tap.release()
			h.close(t)
			require.Equal(t, append(run(1, 1, first), slices.Delete(run(2, 1, 100), 20, 21)...), h.tap.taken())
		})
	})
}

func TestNothingIsTakenAfterClose(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{}, nil)
		h.offer(t, run(1, 1, 3)...)
		h.close(t)
		require.ErrorIs(t, h.enqueue(ev(2, 1)), stage.ErrClosed)
		require.ErrorIs(t, h.o.EnqueueWait(t.Context(), h.p, ev(2, 2)), stage.ErrClosed)
		n, err := h.o.EnqueueAll(h.p, run(2, 3, 5))
		require.Zero(t, n)
		require.ErrorIs(t, err, stage.ErrClosed)
		s := h.closed(t)
		require.Equal(t, pipeline.Rejected{Closed: 5}, s.Rejected)
		require.EqualValues(t, 3, s.Delivered)
	})
}

// alarm is a call of the pressure hook.
type alarm struct{ depth, capacity int }

func TestPressureIsReportedOncePerCrossing(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		alarms := clocktest.NewRecorder[alarm](w)
		h := newHouse(t, w, config{
			QueueSize: 10, BatchSize: 1, Pressure: 0.45, // five events
			OnPressure: func(_ context.Context, depth, capacity int) { alarms.Add(alarm{depth, capacity}) },
		}, nil)
		seq := h.stall(t) // one waits
		more := func(n int) Stats {
			h.offer(t, run(1, seq+1, seq+n)...)
			seq += n
			return h.settle(t)
		}
		more(3)
		crossings := 0
		for range 4 {
			require.Equal(t, crossings, alarms.Len(), "below the threshold")
			more(1)
			crossings++
			require.Equal(t, crossings, alarms.Len(), "at it, during the stall")
			s := more(5)
			require.EqualValues(t, 10, s.Depth)
			require.EqualValues(t, crossings, s.Pressure)
			require.Equal(t, crossings, alarms.Len(), "above it")

			h.tap.step() // one event down there makes room for all that waits
			require.Zero(t, h.settle(t).Depth)
			more(4)
		}
		require.Equal(t, slices.Repeat([]alarm{{5, 10}}, 4), alarms.Values())
		h.tap.release()
		h.close(t)
	})
}

// The depth also falls when one large event takes the place of many small ones.
func TestPressureIsRearmedByAnEviction(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{
			QueueSize: 10, BatchSize: 1, Pressure: 0.5,
			QueueBytes: 100, SizeOf: oracle.SizeOf,
			OnPressure: func(context.Context, int, int) {},
		}, nil)
		seq := h.stall(t) // of no bytes; one waits
		next := func(bytes int) Stats {
			seq++
			h.offer(t, Event{Producer: 1, Seq: seq, Bytes: bytes})
			return h.settle(t)
		}
		before := h.p.Stats().Pressure
		for range 5 {
			next(20)
		}
		s := h.settle(t)
		require.EqualValues(t, 6, s.Depth)
		require.Equal(t, before+1, s.Pressure)

		s = next(100)
		require.EqualValues(t, 1, s.Depth)
		for range 4 {
			s = next(0)
		}
		require.EqualValues(t, 5, s.Depth)
		require.Equal(t, before+2, s.Pressure, "the depth has risen to the threshold again")
		h.tap.release()
		h.close(t)
	})
}

// A threshold of the whole queue is crossed by filling it, and not again by
// each event that replaces another.
func TestPressureAtTheWholeQueue(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{QueueSize: 4, BatchSize: 1, Pressure: 1}, nil)
		seq := h.stall(t)
		require.Zero(t, h.p.Stats().Pressure)
		for range 4 {
			h.offer(t, run(1, seq+1, seq+4)...)
			seq += 4
			require.EqualValues(t, 1, h.settle(t).Pressure)
		}
		h.tap.release()
		h.close(t)
	})
}

// A hook may call any method of its pipeline; what would wait for the hook
// itself says so. It may also panic, which is counted.
func TestThePressureHookMayDoAnything(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		errs := clocktest.NewRecorder[error](w)
		ready := make(chan *house, 1)
		h := newHouse(t, w, config{
			QueueSize: 4, BatchSize: 1, Pressure: 0.5,
			OnPressure: func(ctx context.Context, depth, _ int) {
				h := <-ready
				errs.Add(h.enqueue(ev(2, 1)))
				_, err := h.o.EnqueueAll(h.p, run(2, 2, 2))
				errs.Add(err)
				errs.Add(h.p.EnqueueWait(ctx, ev(2, 9)))
				errs.Add(h.p.Flush(ctx))
				if h.p.Depth() < depth || h.p.Stats().Depth == 0 || h.p.Err() != nil {
					t.Errorf("depth %d, told %d; Err %v", h.p.Depth(), depth, h.p.Err())
				}
				panic("and then it fails")
			},
		}, nil)
		ready <- h
		first := h.stall(t)
		h.offer(t, ev(1, first+1))
		s := h.settle(t)
		require.Equal(t, []error{nil, nil, pipeline.ErrReentrant, pipeline.ErrReentrant}, errs.Values())
		require.EqualValues(t, 1, s.HookPanics)
		require.EqualValues(t, 4, s.Depth)
		h.tap.release()
		h.close(t)
		require.Equal(t, append(run(1, 1, first+1), run(2, 1, 2)...), h.tap.taken())
	})
}

// A flood that the sink is able to take loses nothing, although none of it is
// anywhere near a multiple of the flush interval.
func TestAFloodBelowTheSinksRateDropsNothing(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		sink := newTap(w)
		h := newHouse(t, w, config{}, stage.SinkFunc[Event](func(ctx context.Context, events []Event) error {
			<-w.Clock().After(10 * time.Millisecond) // 51,200 a second
			return sink.Write(ctx, events)
		}))
		const perTick = 20 // 20,000 a second
		for tick := range 1000 {
			h.offer(t, run(1, tick*perTick+1, (tick+1)*perTick)...)
			w.Advance(time.Millisecond)
		}
		w.Advance(200 * time.Millisecond)
		s := h.settle(t)
		require.EqualValues(t, 20_000, s.Delivered)
		require.Zero(t, s.Evicted.Total())
		require.Zero(t, s.Pressure)
		h.close(t)
	})
}

// Downstream of the queue there are no more events than Config.QueueSize's
// documentation says, wherever the way is blocked.
func TestTheNumberOfEventsDownstreamIsBounded(t *testing.T) {
	same := stage.Map("same", func(_ context.Context, events []Event) ([]Event, error) { return events, nil })
	for name, cfg := range map[string]config{
		"one and one":          {QueueSize: 1, BatchSize: 1},
		"small":                {QueueSize: 10, BatchSize: 3},
		"batches below chunks": {QueueSize: 500, BatchSize: 5},
		"batches above chunks": {QueueSize: 600, BatchSize: 100},
		"long hauls":           {QueueSize: 64 * 16, BatchSize: 16},
		"batch is queue":       {QueueSize: 200, BatchSize: 200},
		"odd":                  {QueueSize: 333, BatchSize: 77},
		"stages":               {QueueSize: 100, BatchSize: 10, Stages: []stage.Stage[Event]{same, same, same}},
		"workers":              {QueueSize: 100, BatchSize: 10, Workers: 5},
		"all":                  {QueueSize: 1000, BatchSize: 50, Workers: 3, Stages: []stage.Stage[Event]{same}},
	} {
		chunk := min(max(cfg.BatchSize, 64), cfg.QueueSize)
		haul := min(max(cfg.QueueSize/chunk/4, 1), 4)
		bound := (haul+5)*chunk + (13+5*len(cfg.Stages)+2*max(1, cfg.Workers))*cfg.BatchSize
		for _, stuck := range []string{"sink", "route", "sink and route"} {
			for feed, atOnce := range map[string]int{"flood": cfg.QueueSize, "trickle": min(cfg.QueueSize, 3)} {
				t.Run(name+"/"+stuck+"/"+feed, func(t *testing.T) {
					clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
						cfg := cfg
						cfg.Overflow = stage.DropNewest
						down := errors.New("down")
						sink, dead := newTap(w), newTap(w)
						if stuck != "sink" {
							dead.hold()
							cfg.Routes = []stage.Route[Event]{{To: dead}}
							sink.then(slices.Repeat([]answer{fails(down)}, 5)...)
						}
						if stuck == "route" {
							sink.then(slices.Repeat([]answer{fails(down)}, 10_000)...)
						} else {
							sink.hold()
						}
						h := newHouse(t, w, cfg, sink)
						seq, before := 0, uint64(math.MaxUint64)
						for full := 0; full < 3; {
							for range atOnce {
								seq++
								_ = h.enqueue(ev(1, seq))
							}
							if stuck == "sink and route" && seq <= 5*cfg.BatchSize {
								w.Settle()
								sink.release() // let the script fail the first
								w.Settle()
								sink.hold()
							}
							s := h.settle(t)
							require.LessOrEqual(t, s.InFlight, uint64(bound))
							require.LessOrEqual(t, s.Depth, uint64(cfg.QueueSize))
							if full++; s.InFlight != before || s.Rejected.Full == 0 {
								full = 0
							}
							before = s.InFlight
						}
						sink.release()
						dead.release()
						require.NoError(t, h.atOnce(t, h.p.Close))
						h.closed(t)
					})
				})
			}
		}
	}
}

// payload is what an event refers to: large enough to have its own memory.
type payload [64]byte

// lend makes events with payloads of their own and returns them with weak
// pointers to the payloads.
func lend(producer, from, to int) ([]Event, []weak.Pointer[payload]) {
	events := run(producer, from, to)
	held := make([]weak.Pointer[payload], len(events))
	for i := range events {
		p := new(payload)
		events[i].Ref = &p[0]
		held[i] = weak.Make(p)
	}
	return events, held
}

// alive is the number of payloads that the collector finds in use.
func alive(held []weak.Pointer[payload]) (n int) {
	runtime.GC()
	for _, p := range held {
		if p.Value() != nil {
			n++
		}
	}
	return n
}

// What has left the pipeline is not held by it: neither by the slots of evicted
// events, nor by buffers that wait for their next use, nor by what reports to
// hooks.
func TestNoReferenceToAnOldEventIsKept(t *testing.T) {
	for name, cfg := range map[string]config{
		"small chunks":      {QueueSize: 8, BatchSize: 3},
		"batches in chunks": {QueueSize: 640, BatchSize: 64},
		"with bytes":        {QueueSize: 640, BatchSize: 50, SizeOf: oracle.SizeOf, QueueBytes: 1 << 20},
		"a filter": {QueueSize: 100, BatchSize: 64, Stages: []stage.Stage[Event]{
			newSieve(func(e Event) bool { return e.Producer != 3 }),
		}},
		"workers": {QueueSize: 100, BatchSize: 10, Workers: 3},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				var gate chan struct{}
				var calls int
				cfg := cfg
				cfg.FlushInterval = time.Second
				sink := stage.SinkFunc[Event](func(_ context.Context, events []Event) error {
					if gate != nil {
						<-gate
					}
					if calls++; cfg.Workers < 2 && calls%5 == 0 {
						return &stage.PartialError{Failed: []int{0}, Err: errors.New("one")}
					}
					return nil
				})
				if cfg.Workers > 1 {
					sink = func(context.Context, []Event) error {
						if gate != nil {
							<-gate
						}
						return nil
					}
				}
				h := newHouse(t, w, cfg, sink)
				var held []weak.Pointer[payload]
				offer := func(producer, from, to int) {
					events, refs := lend(producer, from, to)
					held = append(held, refs...)
					for len(events) > 0 {
						n := min(5, len(events))
						h.offer(t, events[:n]...)
						events = events[n:]
						w.Settle()
					}
				}
				offer(1, 1, 500)
				offer(3, 1, 200)
				// Flush cuts chunks into pieces of their own.
				require.NoError(t, h.flush(t))
				offer(1, 501, 503)
				w.Advance(time.Second)
				require.Zero(t, h.settle(t).Buffered)
				require.Zero(t, alive(held), "after delivery")

				gate = make(chan struct{})
				for h.p.Depth() < cfg.QueueSize {
					offer(2, len(held)+1, len(held)+5)
				}
				offer(2, len(held)+1, len(held)+2*cfg.QueueSize)
				s := h.settle(t)
				require.NotZero(t, s.Evicted.Total())
				require.EqualValues(t, s.Buffered, alive(held), "what has not ended, and nothing else")

				close(gate)
				w.Advance(time.Second)
				require.Zero(t, h.settle(t).Buffered)
				require.Zero(t, alive(held), "after the stall")
				h.close(t)
				runtime.KeepAlive(h)
			})
		})
	}
}

// A caller that waited and went, or waited and was served, leaves nothing.
func TestNoReferenceToAWaitingCallIsKept(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		gate := make(chan struct{})
		h := newHouse(t, w, config{QueueSize: 1, BatchSize: 1}, stage.SinkFunc[Event](func(context.Context, []Event) error {
			<-gate
			return nil
		}))
		seq := 0
		for h.p.Depth() == 0 {
			seq++
			h.offer(t, ev(1, seq))
			w.Settle()
		}
		ctx, cancel := context.WithCancel(t.Context())
		held := func() (held []weak.Pointer[payload]) {
			events, held := lend(2, 1, 4)
			for i, ctx := range []context.Context{t.Context(), ctx, ctx, t.Context()} {
				h.wait(ctx, events[i])
				w.Settle()
			}
			return held
		}()
		require.EqualValues(t, 4, h.settle(t).Waiting)
		require.Equal(t, 4, alive(held))
		cancel()
		require.EqualValues(t, 2, h.settle(t).Waiting)
		require.Equal(t, 2, alive(held))
		close(gate)
		w.Advance(time.Second)
		require.Zero(t, h.settle(t).Buffered)
		require.Zero(t, alive(held))
		h.close(t)
		runtime.KeepAlive(h)
	})
}
