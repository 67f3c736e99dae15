package pipeline_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// overflowed is a Route.Match.
func overflowed(err error) bool { return errors.Is(err, stage.ErrOverflow) }

// spilling is a house whose sink is stalled and whose queue of four is full,
// and the number of events offered so far.
func spilling(t *testing.T, w *clocktest.World, cfg config, aside stage.Sink[Event]) (h *house, n int) {
	t.Helper()
	cfg.QueueSize, cfg.BatchSize = 4, 1
	if cfg.Routes == nil {
		cfg.Routes = []stage.Route[Event]{{Match: overflowed, To: aside}}
	}
	h = newHouse(t, w, cfg, nil)
	n = h.stall(t)
	for h.p.Depth() < 4 {
		n++
		h.offer(t, ev(1, n))
	}
	require.Zero(t, h.settle(t).Spilled)
	return h, n
}

// While the sink stalls, the routes get what the queue has no room for: nothing
// is lost, and what waits is what the policy says.
func TestOverflowGoesToARoute(t *testing.T) {
	for _, overflow := range []stage.Overflow{stage.DropOldest, stage.DropNewest} {
		t.Run(overflow.String(), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				aside := newTap(w)
				h, n := spilling(t, w, config{Overflow: overflow, SpillSize: 100}, aside)
				h.offer(t, run(1, n+1, n+50)...)
				s := h.settle(t)
				require.EqualValues(t, 50, s.Rerouted)
				require.EqualValues(t, 50, s.Spilled)
				require.EqualValues(t, 4, s.Depth)
				require.Zero(t, s.Evicted)
				require.Zero(t, s.Rejected)
				h.tap.release()
				h.close(t)
				if overflow == stage.DropOldest {
					require.Equal(t, count(n-3, n+46), seqs(aside.taken()))
					require.Equal(t, append(count(1, n-4), count(n+47, n+50)...), seqs(h.tap.taken()))
				} else {
					require.Equal(t, count(n+1, n+50), seqs(aside.taken()))
					require.Equal(t, count(1, n), seqs(h.tap.taken()))
				}
				require.Equal(t, []int{aside.calls.Len()}, aside.closes.Values())
			})
		})
	}
}

// Beyond SpillSize, overflow is as it is without it, and no caller waits for a
// route that hangs.
func TestMoreOverflowThanMayWait(t *testing.T) {
	for _, overflow := range []stage.Overflow{stage.DropOldest, stage.DropNewest} {
		t.Run(overflow.String(), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				aside := newTap(w).hold()
				h, n := spilling(t, w, config{Overflow: overflow, SpillSize: 3}, aside)
				h.offer(t, ev(1, n+1))
				h.settle(t) // it is with the route
				for seq := n + 2; seq <= n+8; seq++ {
					_ = h.enqueue(ev(1, seq))
				}
				s := h.settle(t)
				require.EqualValues(t, 4, s.Spilled)
				require.EqualValues(t, 4, s.Evicted.Count+s.Rejected.Full)
				if overflow == stage.DropNewest {
					require.Zero(t, s.Evicted)
				} else {
					require.Zero(t, s.Rejected)
				}
				aside.release()
				require.EqualValues(t, 4, h.settle(t).Rerouted)
				_ = h.enqueue(ev(1, n+9))
				require.EqualValues(t, 5, h.settle(t).Rerouted, "there is room again")
				h.tap.release()
				h.close(t)
			})
		})
	}
}

// What no route takes is lost for its own reason, and the failure hook is told.
func TestRoutesThatRefuseOverflow(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		failures := clocktest.NewRecorder[stage.Failure[Event]](w)
		never := newTap(w)
		aside := newTap(w).then(
			fails(errDown),
			func(context.Context, []Event) error { panic("aside") },
			fails(&stage.PartialError{Failed: []int{0, 2}, Err: errAside}),
			func(context.Context, []Event) error { runtime.Goexit(); return nil },
		)
		h, n := spilling(t, w, config{
			SpillSize: 10,
			Routes: []stage.Route[Event]{
				{Match: func(err error) bool { return !overflowed(err) }, To: never},
				{To: aside},
			},
			OnFailure: func(_ context.Context, f stage.Failure[Event]) { failures.Add(f) },
		}, nil)
		for range 4 { // three at a time, so that the route is offered three
			accepted, err := h.o.EnqueueAll(h.p, run(1, n+1, n+3))
			require.NoError(t, err)
			require.Equal(t, 3, accepted)
			h.settle(t)
			n += 3
		}
		s := h.settle(t)
		require.Equal(t, pipeline.Lost{Overflow: 11}, s.Lost)
		require.EqualValues(t, 1, s.Rerouted)
		require.Zero(t, s.Evicted)
		require.Zero(t, never.calls.Len())
		for _, f := range failures.Values() {
			require.ErrorIs(t, f.Err, stage.ErrOverflow)
			require.Equal(t, "intake", f.Stage)
			require.Equal(t, 1, f.Attempts)
			if f.Outcome == stage.Lost {
				require.Equal(t, stage.LossOverflow, f.Loss)
			}
		}
		require.ErrorIs(t, failures.Values()[0].Err, errDown)
		h.offer(t, ev(1, n+1))
		require.EqualValues(t, 2, h.settle(t).Rerouted, "the router lives")
		h.tap.release()
		h.close(t)
	})
}

// Spilled events go on to hold their bytes, so what lacks bytes is evicted or
// refused as ever.
func TestSpilledEventsHoldTheirBytes(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		aside := newTap(w).hold()
		h, n := spilling(t, w, config{SpillSize: 10, SizeOf: oracle.SizeOf, QueueBytes: 100}, aside)
		next := func(bytes int) Event { n++; return Event{Producer: 1, Seq: n, Bytes: bytes} }
		for range 4 {
			h.offer(t, next(10))
		}
		require.EqualValues(t, 40, h.settle(t).Bytes)
		require.EqualValues(t, 4, h.settle(t).Spilled, "those of no bytes")
		for range 4 {
			h.offer(t, next(15))
		}
		s := h.settle(t)
		require.EqualValues(t, 100, s.Bytes, "40 are spilled")
		require.EqualValues(t, 8, s.Spilled)
		h.offer(t, next(15))
		require.ErrorIs(t, h.enqueue(next(61)), stage.ErrFull, "the spilled bytes cannot be evicted")
		h.offer(t, next(10))
		s = h.settle(t)
		require.EqualValues(t, 95, s.Bytes)
		require.EqualValues(t, 8, s.Spilled, "spilling makes no room for bytes")
		require.Equal(t, pipeline.Evicted{Count: 2}, s.Evicted)
		aside.release()
		require.EqualValues(t, 55, h.settle(t).Bytes)
		h.tap.release()
		h.close(t)
	})
}

// Flush waits for the spilled events that were accepted before it, says if they
// were lost, and does not wait for later ones.
func TestFlushWaitsForSpilledEvents(t *testing.T) {
	for _, overflow := range []stage.Overflow{stage.DropOldest, stage.DropNewest} {
		for _, lost := range []bool{false, true} {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				aside := newTap(w).hold()
				if lost {
					aside.then(accepts, fails(errDown))
				}
				h, n := spilling(t, w, config{SpillSize: 100, Overflow: overflow}, aside)
				h.offer(t, ev(1, n+1))
				w.Settle() // the route has it
				h.offer(t, run(1, n+2, n+4)...)
				flushing := h.start(func() error { return h.p.Flush(context.Background()) })
				w.Settle()
				h.offer(t, ev(1, n+5))
				w.Settle()
				if overflow == stage.DropNewest {
					h.tap.release()
				}
				h.settle(t)
				require.Zero(t, flushing.Len())
				aside.step()
				h.settle(t)
				require.Zero(t, flushing.Len(), "three or four more were spilled before the mark")
				aside.step()
				h.tap.release()
				h.settle(t)
				if overflow == stage.DropNewest {
					require.Len(t, aside.calls.Values()[1], 3, "the fifth came after the mark")
				}
				if !lost && overflow == stage.DropOldest {
					require.EqualValues(t, 5, h.settle(t).Rerouted)
				}
				if overflow == stage.DropNewest {
					require.EqualValues(t, 1, h.settle(t).InFlight, "the fifth")
				}
				aside.release()
				h.settle(t)
				err := flushing.Values()[0]
				var loss *pipeline.LossError
				switch {
				case !lost:
					require.NoError(t, err)
				case overflow == stage.DropNewest:
					require.ErrorAs(t, err, &loss)
					require.EqualValues(t, 3, loss.Lost)
				default:
					require.ErrorAs(t, err, &loss)
					require.EqualValues(t, 4, loss.Lost)
				}
				h.close(t)
			})
		}
	}
}

// An overflow that never ends does not hold a Flush up.
func TestFlushReturnsWhileOverflowGoesOn(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		aside := newTap(w)
		h, n := spilling(t, w, config{SpillSize: 8, Overflow: stage.DropNewest}, aside)
		flushing := h.start(func() error { return h.p.Flush(context.Background()) })
		for range n + 8 {
			require.Zero(t, flushing.Len())
			n++
			h.offer(t, ev(1, n))
			h.tap.tryStep()
			h.settle(t)
			if flushing.Len() > 0 {
				break
			}
		}
		require.Equal(t, []error{nil}, flushing.Values())
		h.tap.release()
		h.close(t)
	})
}

// Close waits for what is spilled, and for no longer than it may.
func TestCloseWithSpilledEvents(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		aside := newTap(w).hold()
		h, n := spilling(t, w, config{SpillSize: 100}, aside)
		h.offer(t, run(1, n+1, n+9)...)
		h.settle(t)
		h.tap.release()
		closing := h.start(func() error { return h.p.Close(context.Background()) })
		w.Settle()
		require.Zero(t, closing.Len())
		require.EqualValues(t, 9, h.settle(t).InFlight)
		aside.release()
		w.Settle()
		require.Equal(t, []error{nil}, closing.Values())
		require.EqualValues(t, 9, h.closed(t).Rerouted)
	})
	t.Run("deadline", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			aside := newTap(w).hold()
			aside.stubborn = true
			h, n := spilling(t, w, config{SpillSize: 100, SizeOf: oracle.SizeOf, QueueBytes: 1000}, aside)
			h.offer(t, ev(1, n+1))
			h.settle(t)
			for seq := n + 2; seq <= n+9; seq++ {
				h.offer(t, Event{Producer: 1, Seq: seq, Bytes: 7})
			}
			h.settle(t)
			before := h.p.Stats()
			took, err := h.closeWithin(t, time.Second)
			require.Equal(t, time.Second, took)
			var loss *pipeline.LossError
			require.ErrorAs(t, err, &loss)
			require.Contains(t, loss.Stuck, "tap")
			s := h.p.Stats()
			require.EqualValues(t, 2, s.Lost.InDoubt, "one in the sink and one in the route")
			require.Equal(t, before.Buffered, s.Lost.Total())
			require.Zero(t, s.Lost.Overflow)
			aside.release()
			h.closed(t)
		})
	})
	t.Run("refused", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			aside := newTap(w).hold().then(fails(errDown), fails(errDown))
			h, n := spilling(t, w, config{SpillSize: 100}, aside)
			h.offer(t, run(1, n+1, n+3)...)
			h.settle(t)
			h.tap.release()
			closing := h.start(func() error { return h.p.Close(context.Background()) })
			w.Settle()
			aside.release()
			w.Settle()
			var loss *pipeline.LossError
			require.ErrorAs(t, closing.Values()[0], &loss)
			require.EqualValues(t, 3, loss.Lost)
			require.EqualValues(t, 3, h.closed(t).Lost.Overflow)
		})
	})
}

// An actor's death takes nothing from what is spilled: the routes still get it.
func TestSpilledEventsOutliveADeath(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		aside := newTap(w).hold()
		dying := newPuppet(passes)
		h, n := spilling(t, w, config{
			SpillSize: 100, Stages: []stage.Stage[Event]{dying},
			Routes: []stage.Route[Event]{{Match: overflowed, To: aside}},
		}, nil)
		h.offer(t, run(1, n+1, n+9)...)
		h.settle(t)
		h.tap.release()
		w.Settle()
		dying.order <- func() error { return errDown }
		w.Settle()
		require.ErrorIs(t, h.enqueue(ev(1, n+10)), stage.ErrDead)
		aside.release()
		w.Settle()
		require.ErrorIs(t, h.atOnce(t, h.p.Close), stage.ErrDead)
		require.EqualValues(t, 9, h.closed(t).Rerouted)
	})
}
