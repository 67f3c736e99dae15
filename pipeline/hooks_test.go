package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// A hook that panics or ends its goroutine is counted, and the next call of it
// and of the others comes all the same.
func TestHooksThatEndBadly(t *testing.T) {
	for blow, deal := range blows {
		t.Run(blow, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				calls := clocktest.NewRecorder[string](w)
				cfg := config{
					QueueSize: 4, BatchSize: 2, FlushInterval: time.Hour,
					OnPressure: func(context.Context, int, int) { calls.Add("pressure"); deal() },
					OnDrop:     func(context.Context, stage.Dropped[Event]) { calls.Add("drop"); deal() },
					OnFailure:  func(context.Context, stage.Failure[Event]) { calls.Add("failure"); deal() },
				}
				h := newHouse(t, w, cfg, newTap(w).hold().then(fails(errDown), fails(errDown)))
				seq := 0
				flood := func(n int) {
					for range n {
						seq++
						h.offer(t, ev(1, seq))
						w.Settle()
					}
				}
				flood(100)
				s := h.settle(t)
				require.EqualValues(t, 1, s.Pressure)
				require.NotZero(t, s.Evicted.Count)
				dropped := s.Evicted.Count
				require.Equal(t, "pressure", calls.Values()[0])
				require.EqualValues(t, dropped, calls.Len()-1, "each eviction settled before the next")
				require.EqualValues(t, calls.Len(), s.HookPanics)

				h.tap.release()
				s = h.settle(t)
				require.Equal(t, pipeline.Lost{Failed: 4}, s.Lost)
				require.EqualValues(t, dropped+1+2, s.HookPanics)
				require.Equal(t, []string{"failure", "failure"}, calls.Values()[dropped+1:])

				h.tap.hold()
				flood(100)
				s = h.settle(t)
				require.EqualValues(t, 2, s.Pressure, "re-armed, and the hook is called again")
				require.Equal(t, 2, occurrences(calls.Values(), "pressure"))
				h.tap.release()
				h.close(t)
			})
		})
	}
}

func occurrences(all []string, one string) (n int) {
	for _, s := range all {
		if s == one {
			n++
		}
	}
	return n
}

// Hooks run while the sink is stuck.
func TestHooksRunDuringAStall(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		told := clocktest.NewRecorder[string](w)
		cfg := config{
			QueueSize: 8, BatchSize: 2, FlushInterval: time.Hour, Workers: 2,
			OnPressure: func(_ context.Context, depth, capacity int) {
				require.LessOrEqual(t, depth, capacity)
				told.Add("pressure")
			},
			OnDrop:    func(context.Context, stage.Dropped[Event]) { told.Add("drop") },
			OnFailure: func(context.Context, stage.Failure[Event]) { told.Add("failure") },
		}
		h := newHouse(t, w, cfg, newTap(w).then(fails(errDown)))
		h.offer(t, run(1, 1, 2)...)
		h.settle(t)
		h.tap.hold()
		for seq := 3; seq <= 200; seq++ {
			h.offer(t, ev(1, seq))
			w.Settle()
		}
		for _, kind := range []string{"pressure", "drop", "failure"} {
			require.Contains(t, told.Values(), kind)
		}
		h.settle(t)
		h.tap.release()
		h.close(t)
	})
}

// A hook that does not return holds up no delivery; what it is told later is
// complete.
func TestASlowHookDelaysOnlyHooks(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		cfg := inPairs()
		first := true
		cfg.OnFailure = func(ctx context.Context, _ stage.Failure[Event]) {
			if first {
				first = false
				stage.Clock(ctx).Sleep(time.Minute)
			}
		}
		h := newHouse(t, w, cfg, newTap(w).then(fails(errDown), fails(errDown)))
		h.offer(t, run(1, 1, 20)...)
		w.Settle()
		require.EqualValues(t, 16, h.p.Stats().Delivered)
		require.NoError(t, h.flush(t), "Flush does not wait for hooks: the losses came before it")
		w.Advance(time.Minute)
		h.settle(t)
		h.close(t)
	})
}

// Close that is cut short reports every event that it lost, once: those still
// waiting, those on the way and those inside the sink.
func TestAForcedCloseReportsEveryEventOnce(t *testing.T) {
	for _, workers := range []int{1, 3} {
		for _, overflow := range []stage.Overflow{stage.DropOldest, stage.DropNewest} {
			t.Run(fmt.Sprintf("%v/workers=%d", overflow, workers), func(t *testing.T) {
				clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
					cfg := config{
						QueueSize: 16, BatchSize: 4, FlushInterval: time.Hour, Workers: workers, Overflow: overflow,
						Stages: []stage.Stage[Event]{stage.Map("as is", func(_ context.Context, events []Event) ([]Event, error) { return events, nil })},
					}
					failures := reported(w, &cfg)
					sink := newTap(w).hold()
					sink.stubborn = true
					h := newHouse(t, w, cfg, sink)
					for seq := 1; seq <= 300; seq++ {
						_ = h.enqueue(ev(1, seq))
						w.Settle()
					}
					before := h.settle(t)
					took, err := h.closeWithin(t, time.Second)
					require.Equal(t, time.Second, took)
					var loss *pipeline.LossError
					require.ErrorAs(t, err, &loss)
					require.Equal(t, before.Buffered, loss.Lost)
					require.EqualValues(t, 4*workers, loss.InDoubt)

					sink.release()
					s := h.closed(t)
					require.Equal(t, before.Delivered, s.Delivered, "a late success changes no counter")
					require.Equal(t, loss.Lost, s.Lost.Total())
					require.Equal(t, loss.InDoubt, s.Lost.InDoubt)
					var told []int
					for _, f := range failures.Values() {
						require.Equal(t, stage.Lost, f.Outcome)
						require.ErrorIs(t, f.Err, stage.ErrAbandoned)
						told = append(told, seqs(f.Events)...)
					}
					slices.Sort(told)
					require.Equal(t, len(told), len(slices.Compact(slices.Clone(told))))
					require.EqualValues(t, loss.Lost, len(told))
				})
			})
		}
	}
}

// The same with a sink that heeds its context, so that everything ends while
// Close is still counting.
func TestAForcedCloseReportsWhatWaited(t *testing.T) {
	clocktest.Explore(t, 500, func(t *testing.T, w *clocktest.World) {
		cfg := config{QueueSize: 16, BatchSize: 4, FlushInterval: time.Hour, Overflow: stage.DropNewest}
		h := newHouse(t, w, cfg, newTap(w).hold())
		fill(h)
		_, err := h.closeWithin(t, time.Second)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.EqualValues(t, 4, h.closed(t).Lost.InDoubt)
	})
}

// A sink that reports a part of its batch as failed after the deadline: all of
// it was counted as in doubt, and is reported as that.
func TestALatePartialFailureIsReportedAsAbandoned(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		cfg := inOne(4)
		failures := reported(w, &cfg)
		sink := newTap(w).hold().then(fails(partly(1)))
		sink.stubborn = true
		h := newHouse(t, w, cfg, sink)
		h.offer(t, run(1, 1, 4)...)
		_, err := h.closeWithin(t, time.Second)
		require.Error(t, err)
		sink.release()
		s := h.closed(t)
		require.Equal(t, pipeline.Lost{InDoubt: 4}, s.Lost)
		require.Equal(t, 1, failures.Len())
		require.Len(t, failures.Values()[0].Events, 4)
		require.ErrorIs(t, failures.Values()[0].Err, stage.ErrAbandoned, "how else would the hook know of the doubt")
	})
}

// The failure hook hears of failures in the order they became final, and after
// a Close that returned nil it has heard of all.
func TestCloseWaitsForTheHooks(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		cfg := inPairs()
		told := clocktest.NewRecorder[int](w)
		cfg.OnFailure = func(ctx context.Context, f stage.Failure[Event]) {
			stage.Clock(ctx).Sleep(time.Second)
			told.Add(f.Events[0].Seq)
		}
		sink := stage.SinkFunc[Event](func(context.Context, []Event) error { return errDown })
		h := newHouse(t, w, cfg, sink)
		h.offer(t, run(1, 1, 10)...)
		w.Settle()
		took, err := h.closeWithin(t, time.Minute)
		require.NoError(t, err, "the losses came before")
		require.Equal(t, 5*time.Second, took)
		require.Equal(t, []int{1, 3, 5, 7, 9}, told.Values())
		h.closed(t)
	})
}

// A hook that ignores its context does not hold Close beyond its deadline, and
// is named.
func TestCloseNamesAStuckHook(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		cfg := inPairs()
		free := make(chan struct{})
		cfg.OnFailure = func(context.Context, stage.Failure[Event]) { <-free }
		h := newHouse(t, w, cfg, newTap(w).then(fails(errDown)))
		h.offer(t, run(1, 1, 2)...)
		w.Settle()
		took, err := h.closeWithin(t, time.Second)
		require.Equal(t, time.Second, took)
		var loss *pipeline.LossError
		require.True(t, errors.As(err, &loss))
		require.Equal(t, []string{"hook OnFailure"}, loss.Stuck)
		require.Zero(t, loss.Lost)
		close(free)
		h.closed(t)
	})
}
