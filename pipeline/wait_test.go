package pipeline_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// narrow has room for one waiting event, so that each call the sink finishes
// makes room for exactly one.
var narrow = config{QueueSize: 1, BatchSize: 1}

func TestAWaitingCallCanBeCanceled(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, narrow, nil)
		h.stall(t)
		ctx, cancel := context.WithCancel(t.Context())
		outcome := h.wait(ctx, ev(2, 1))
		s := h.settle(t)
		require.Zero(t, outcome.Len(), "there is no room")
		require.EqualValues(t, 1, s.Waiting)
		require.Zero(t, s.Rejected, "a waiting call has no outcome yet")

		cancel()
		s = h.settle(t)
		require.Equal(t, []error{context.Canceled}, outcome.Values())
		require.EqualValues(t, 1, s.Depth)
		require.Zero(t, s.Waiting)
		require.Equal(t, pipeline.Rejected{Canceled: 1}, s.Rejected)

		h.tap.release()
		h.close(t)
		require.NotContains(t, h.tap.taken(), ev(2, 1))
	})
}

func TestAWaitingCallHasItsDeadline(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, narrow, nil)
		h.stall(t)
		ctx, cancel := w.WithTimeout(t.Context(), time.Second)
		defer cancel()
		outcome := h.wait(ctx, ev(2, 1))
		w.Advance(time.Second - 1)
		require.Zero(t, outcome.Len())
		w.Advance(1)
		require.Len(t, outcome.Values(), 1)
		require.ErrorIs(t, outcome.Values()[0], context.DeadlineExceeded)
		require.Equal(t, []time.Duration{time.Second}, outcome.Times())
		require.EqualValues(t, 1, h.settle(t).Rejected.Canceled)
		h.tap.release()
		h.close(t)
	})
}

func TestOneFreeSlotIsForOneWaitingCall(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, narrow, nil)
		h.stall(t)
		first := h.wait(t.Context(), ev(2, 1))
		w.Settle()
		second := h.wait(t.Context(), ev(3, 1))
		w.Settle()

		h.tap.step()
		s := h.settle(t)
		require.Equal(t, []error{nil}, first.Values())
		require.Zero(t, second.Len())
		require.EqualValues(t, 1, s.Waiting)
		require.EqualValues(t, 1, s.Depth)

		h.tap.step()
		s = h.settle(t)
		require.Equal(t, []error{nil}, second.Values())
		require.Zero(t, s.Waiting)
		h.tap.release()
		h.close(t)
	})
}

func TestCloseEndsWaitingCalls(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, narrow, nil)
		n := h.stall(t)
		outcomes := []*clocktest.Recorder[error]{}
		for producer := 2; producer < 6; producer++ {
			outcomes = append(outcomes, h.wait(t.Context(), ev(producer, 1)))
			w.Settle()
		}
		verdict := h.start(func() error { return h.p.Close(t.Context()) })
		s := h.settle(t)
		for _, o := range outcomes {
			require.Equal(t, []error{stage.ErrClosed}, o.Values())
		}
		require.Zero(t, verdict.Len(), "the sink is stuck")
		require.Equal(t, pipeline.Rejected{Closed: 4}, s.Rejected)
		require.Zero(t, s.Waiting)

		h.tap.release()
		w.Settle()
		require.Equal(t, []error{nil}, verdict.Values())
		h.closed(t)
		require.Equal(t, run(1, 1, n), h.tap.taken())
	})
}

// While there is room nobody waits, and nobody asks the context.
func TestEnqueueWaitWithRoom(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, cfg := range map[string]config{
		"counted": {QueueSize: 4},
		"sized":   {QueueSize: 4, SizeOf: oracle.SizeOf, QueueBytes: 100},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w, cfg, nil)
				for seq := range 100 {
					require.NoError(t, h.o.EnqueueWait(ended, h.p, ev(1, seq+1)))
					w.Settle()
				}
				h.close(t)
				require.Equal(t, run(1, 1, 100), h.tap.taken())
			})
		})
	}
}

func TestWaitingCallsAreServedInTheirOrder(t *testing.T) {
	for _, overflow := range []stage.Overflow{stage.DropOldest, stage.DropNewest} {
		t.Run(overflow.String(), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				cfg := narrow
				cfg.Overflow = overflow
				h := newHouse(t, w, cfg, nil)
				n := h.stall(t)
				served := clocktest.NewRecorder[int](w)
				for seq := 1; seq <= 20; seq++ {
					go func() {
						if h.o.EnqueueWait(t.Context(), h.p, ev(2, seq)) == nil {
							served.Add(seq)
						}
					}()
					w.Settle()
				}
				require.EqualValues(t, 20, h.settle(t).Waiting)
				for k := range 20 {
					h.tap.step()
					s := h.settle(t)
					require.Equal(t, count(1, k+1), served.Values())
					require.EqualValues(t, 19-k, s.Waiting)
				}
				h.tap.release()
				h.close(t)
				require.Equal(t, append(run(1, 1, n), run(2, 1, 20)...), h.tap.taken())
			})
		})
	}
}

// Neither a later EnqueueWait nor an Enqueue takes what a waiting call waits
// for, also when there is room for what they bring and not for what it brings.
func TestAWaitingCallIsNotOvertaken(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{
			QueueSize: 8, BatchSize: 1, Overflow: stage.DropNewest,
			QueueBytes: 100, SizeOf: oracle.SizeOf,
		}, nil)
		next := fresh(2)
		h.tap.hold()
		h.offer(t, next(70)) // in the sink
		w.Settle()

		large := h.wait(t.Context(), next(60))
		w.Settle()
		small := h.wait(t.Context(), next(5))
		w.Settle()
		require.ErrorIs(t, h.enqueue(next(5)), stage.ErrFull)
		s := h.settle(t)
		require.EqualValues(t, 2, s.Waiting)
		require.EqualValues(t, 70, s.Bytes)

		h.tap.step()
		s = h.settle(t)
		require.Equal(t, []error{nil}, large.Values())
		require.Equal(t, []error{nil}, small.Values())
		require.EqualValues(t, 65, s.Bytes)
		h.tap.release()
		h.close(t)
		require.Equal(t, []int{1, 2, 3}, seqs(h.tap.taken()))
	})
}

func TestAnyWaitingCallCanLeaveTheRow(t *testing.T) {
	const waiting = 7
	for _, leaving := range [][]int{{1}, {4}, {7}, {1, 2}, {6, 7}, {3, 5}, {2, 4, 6}, {1, 7}, {1, 2, 3, 4, 5, 6, 7}} {
		t.Run(fmt.Sprint(leaving), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w, narrow, nil)
				n := h.stall(t)
				outcomes := map[int]*clocktest.Recorder[error]{}
				cancels := map[int]context.CancelFunc{}
				want := run(1, 1, n)
				for seq := 1; seq <= waiting; seq++ {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					cancels[seq], outcomes[seq] = cancel, h.wait(ctx, ev(2, seq))
					w.Settle()
				}
				for _, seq := range leaving {
					cancels[seq]()
					s := h.settle(t)
					require.Equal(t, []error{context.Canceled}, outcomes[seq].Values())
					require.EqualValues(t, 1, s.Depth)
					delete(outcomes, seq)
				}
				require.EqualValues(t, len(outcomes), h.settle(t).Waiting)
				for seq := 1; seq <= waiting; seq++ {
					if outcomes[seq] != nil {
						require.Zero(t, outcomes[seq].Len())
						h.tap.step()
						h.settle(t)
						require.Equal(t, []error{nil}, outcomes[seq].Values())
						want = append(want, ev(2, seq))
					}
				}
				h.tap.release()
				h.close(t)
				require.Equal(t, want, h.tap.taken())
			})
		})
	}
}

// Those behind a large event that gives up need not wait for more room.
func TestALargeWaitingCallThatLeavesLetsOthersIn(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{QueueSize: 8, BatchSize: 1, QueueBytes: 100, SizeOf: oracle.SizeOf}, nil)
		next := fresh(2)
		h.tap.hold()
		h.offer(t, next(70))
		w.Settle()
		ctx, cancel := context.WithCancel(t.Context())
		large := h.wait(ctx, next(60))
		w.Settle()
		fits := h.wait(t.Context(), next(20))
		w.Settle()
		fitsToo := h.wait(t.Context(), next(10))
		w.Settle()
		fitsNot := h.wait(t.Context(), next(1))
		require.EqualValues(t, 4, h.settle(t).Waiting)

		cancel()
		s := h.settle(t)
		require.Equal(t, []error{context.Canceled}, large.Values())
		require.Equal(t, []error{nil}, fits.Values())
		require.Equal(t, []error{nil}, fitsToo.Values())
		require.Zero(t, fitsNot.Len())
		require.EqualValues(t, 1, s.Waiting)
		require.EqualValues(t, 100, s.Bytes)
		h.tap.release()
		h.settle(t)
		require.Equal(t, []error{nil}, fitsNot.Values())
		h.close(t)
		require.Equal(t, []int{1, 3, 4, 5}, seqs(h.tap.taken()))
	})
}

// An Enqueue under DropOldest makes its own room and leaves the waiting calls
// theirs.
func TestEnqueueEvictsPastWaitingCalls(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, narrow, nil)
		n := h.stall(t)
		waiting := h.wait(t.Context(), ev(2, 1))
		w.Settle()
		for seq := n + 1; seq <= n+3; seq++ {
			h.offer(t, ev(1, seq))
			s := h.settle(t)
			require.EqualValues(t, seq-n, s.Evicted.Count)
			require.EqualValues(t, 1, s.Depth)
			require.EqualValues(t, 1, s.Waiting)
		}
		require.Zero(t, waiting.Len())
		h.tap.step()
		h.settle(t)
		require.Equal(t, []error{nil}, waiting.Values())
		h.tap.release()
		h.close(t)
		require.Equal(t, append(run(1, 1, n-1), ev(1, n+3), ev(2, 1)), h.tap.taken())
	})
}

// An Enqueue that evicts more than it brings leaves room, and a call that
// waits for room gets it.
func TestRoomLeftByAnEvictionIsForWaitingCalls(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{QueueSize: 3, BatchSize: 1, QueueBytes: 90, SizeOf: oracle.SizeOf}, nil)
		n := h.stall(t) // of no bytes; one waits
		next := func(bytes int) Event {
			n++
			return Event{Producer: 1, Seq: n, Bytes: bytes}
		}
		h.offer(t, next(30), next(30), next(30)) // the last evicts the one of no bytes
		waiting := h.wait(t.Context(), Event{Producer: 2, Seq: 1, Bytes: 10})
		s := h.settle(t)
		require.EqualValues(t, 3, s.Depth)
		require.EqualValues(t, 1, s.Waiting)

		h.offer(t, next(80)) // takes the place of all three
		s = h.settle(t)
		require.Equal(t, []error{nil}, waiting.Values(), "one waits, and two are free")
		require.Zero(t, s.Waiting)
		require.EqualValues(t, 2, s.Depth)
		require.EqualValues(t, 90, s.Bytes)
		h.tap.release()
		h.close(t)
	})
}

// Also when what an Enqueue evicts does not suffice for itself, and what is
// accepted in its place does not stay behind in the queue.
func TestRoomLeftByAVainEvictionIsForWaitingCalls(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{
			QueueSize: 1, BatchSize: 1, QueueBytes: 100, SizeOf: oracle.SizeOf, FlushInterval: time.Second,
		}, nil)
		last := h.stall(t)
		h.offer(t, Event{Producer: 1, Seq: last + 1, Bytes: 60})
		h.tap.step() // it is on its way, and can no longer be evicted
		w.Settle()
		h.offer(t, Event{Producer: 1, Seq: last + 2, Bytes: 40})
		waiting := h.wait(t.Context(), Event{Producer: 2, Seq: 1, Bytes: 30})
		s := h.settle(t)
		require.EqualValues(t, 1, s.Depth)
		require.EqualValues(t, 100, s.Bytes)
		require.EqualValues(t, 1, s.Waiting)

		before := s.Evicted.Total()
		require.ErrorIs(t, h.enqueue(Event{Producer: 1, Seq: last + 3, Bytes: 70}), stage.ErrFull)
		s = h.settle(t)
		if s.Evicted.Total() > before {
			require.Equal(t, []error{nil}, waiting.Values(), "thirty bytes are free")
		}
		h.tap.release()
		w.Advance(time.Second)
		s = h.settle(t)
		require.Equal(t, []error{nil}, waiting.Values())
		require.Zero(t, s.Depth, "nothing holds it there")
		require.Zero(t, s.Buffered)
		h.close(t)
	})
}

// Everybody waits, nothing is lost, and each producer's order stays, with calls
// that really run at the same time.
func TestManyWaitingProducers(t *testing.T) {
	const producers, each = 8, 200
	for name, cfg := range map[string]config{
		"one slot":  narrow,
		"few slots": {QueueSize: 5, BatchSize: 3},
		"bytes":     {QueueSize: 100, BatchSize: 10, SizeOf: oracle.SizeOf, QueueBytes: 64},
		"by turns":  {QueueSize: 1024, BatchSize: 64, Pace: pipeline.DefaultPace},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w, cfg, nil)
				var wg sync.WaitGroup
				for producer := range producers {
					wg.Go(func() {
						for seq := range each {
							e := Event{Producer: producer + 1, Seq: seq + 1, Bytes: 1 + seq%64}
							if err := h.o.EnqueueWait(t.Context(), h.p, e); err != nil {
								t.Errorf("%v: %v", e, err)
							}
						}
					})
				}
				wg.Wait()
				h.close(t)
				s := h.p.Stats()
				require.EqualValues(t, producers*each, s.Delivered)
				require.Zero(t, s.Evicted.Total())
			})
		})
	}
}

// The same with calls that give up at any moment.
func TestManyWaitingProducersThatGiveUp(t *testing.T) {
	t.Run("few slots", func(t *testing.T) { givingUp(t, config{QueueSize: 2, BatchSize: 2}, 40) })
	t.Run("by turns", func(t *testing.T) {
		givingUp(t, config{QueueSize: 1024, BatchSize: 8, Pace: pipeline.DefaultPace}, 400)
	})
}

func givingUp(t *testing.T, cfg config, each int) {
	clocktest.Explore(t, 10, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, cfg, stage.SinkFunc[Event](func(context.Context, []Event) error {
			<-w.Clock().After(clocktest.Jitter(w.Rand("sink"), 0))
			return nil
		}))
		var wg sync.WaitGroup
		for producer := 1; producer <= 6; producer++ {
			r := w.Rand(fmt.Sprint("producer ", producer))
			wg.Go(func() {
				for seq := 1; seq <= each; seq++ {
					ctx, cancel := w.WithTimeout(t.Context(), clocktest.Jitter(r, 0))
					_ = h.o.EnqueueWait(ctx, h.p, ev(producer, seq))
					cancel()
				}
			})
		}
		wg.Wait()
		w.Advance(time.Second)
		s := h.settle(t)
		require.Zero(t, s.Buffered)
		require.Zero(t, s.Waiting)
		require.Equal(t, pipeline.Rejected{Canceled: s.Rejected.Canceled}, s.Rejected)
		require.NotZero(t, s.Rejected.Canceled)
		require.NotZero(t, s.Delivered)
		h.close(t)
	})
}
