package pipeline_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// What is queued leaves at once, however long the interval.
func TestCloseDoesNotWaitForTheInterval(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{FlushInterval: time.Hour}, nil)
		h.offer(t, run(1, 1, 5)...)
		w.Advance(time.Minute)
		require.Empty(t, h.tap.taken())
		h.close(t)
		require.Equal(t, []time.Duration{time.Minute}, h.tap.calls.Times())
		require.Equal(t, []int{5}, h.tap.sizes())
		require.EqualValues(t, 1, h.p.Stats().Batches.Close)
		require.NoError(t, h.p.Err())
		<-h.p.Done()
	})
}

// A sink that ignores its context: Close returns at the deadline, names it and
// counts what was lost. When the sink returns at last, no counter changes, and
// it is closed.
func TestCloseWithASinkThatIgnoresItsContext(t *testing.T) {
	for _, workers := range []int{1, 3} {
		t.Run(fmt.Sprintf("workers=%d", workers), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				cfg := inPairs()
				cfg.Workers = workers
				cfg.Name = "works"
				sink := newTap(w).then(accepts).hold()
				sink.stubborn = true
				h := newHouse(t, w, cfg, sink)
				h.offer(t, run(1, 1, 31)...)
				w.Settle()
				sink.step()
				h.settle(t)
				took, err := h.closeWithin(t, time.Second)
				require.Equal(t, time.Second, took)
				require.ErrorIs(t, err, context.DeadlineExceeded)
				var loss *pipeline.LossError
				require.ErrorAs(t, err, &loss)
				want := pipeline.LossError{Pipeline: "works", Lost: 29, InDoubt: uint64(2 * workers)}
				for range workers {
					want.Stuck = append(want.Stuck, "tap")
				}
				require.Equal(t, want, *loss)
				require.ErrorContains(t, err, "tap")
				require.Equal(t, err, h.p.Err())
				require.Zero(t, sink.closes.Len())
				before := h.p.Stats()
				require.Equal(t, pipeline.Lost{Deadline: 29 - uint64(2*workers), InDoubt: uint64(2 * workers)}, before.Lost)
				require.ErrorIs(t, h.enqueue(ev(2, 1)), stage.ErrClosed)

				w.Advance(time.Hour)
				sink.release()
				after := h.closed(t)
				after.Offered, after.Rejected = before.Offered, before.Rejected
				require.Equal(t, before, after)
				require.Equal(t, 1, sink.closes.Len())
				require.Equal(t, 1, sink.flushes.Len())
				require.Equal(t, workers+1, sink.calls.Len(), "no further Write")
				require.Equal(t, err, h.p.Close(context.Background()), "the verdict stands")
				require.Equal(t, err, h.p.Flush(context.Background()))
			})
		})
	}
}

// A sink that heeds its context ends with the deadline, and nothing is left at
// that instant.
func TestCloseWithASinkThatHeedsItsContext(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, inPairs(), newTap(w).hold())
		h.offer(t, run(1, 1, 6)...)
		took, err := h.closeWithin(t, time.Second)
		require.Equal(t, time.Second, took)
		var loss *pipeline.LossError
		require.ErrorAs(t, err, &loss)
		require.EqualValues(t, 6, loss.Lost)
		require.EqualValues(t, 2, loss.InDoubt)
		require.ErrorIs(t, h.tap.returns.Values()[0], stage.ErrAbandoned)
		h.closed(t)
		require.Equal(t, []time.Duration{time.Second}, h.tap.closes.Times())
	})
}

// Ten calls of Close and ten of Flush, side by side: every one waits, and all
// get the same verdict.
func TestConcurrentClosesAgree(t *testing.T) {
	for _, patient := range []bool{true, false} {
		t.Run(fmt.Sprintf("patient=%v", patient), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w, inPairs(), newTap(w).then(accepts, fails(errDown)).hold())
				h.offer(t, run(1, 1, 7)...)
				limit := time.Hour
				if !patient {
					limit = time.Second
				}
				var calls []*clocktest.Recorder[error]
				for k := range 10 {
					ctx, cancel := w.WithTimeout(t.Context(), limit+time.Duration(k)*time.Minute)
					defer cancel()
					calls = append(calls,
						h.start(func() error { return h.p.Close(ctx) }),
						h.start(func() error { w.Clock().Sleep(time.Millisecond); return h.p.Flush(context.Background()) }))
				}
				w.Advance(time.Second - 1)
				for _, c := range calls {
					require.Zero(t, c.Len())
				}
				if patient {
					h.tap.release()
				}
				w.Advance(1)
				verdict := calls[0].Values()
				var loss *pipeline.LossError
				require.ErrorAs(t, verdict[0], &loss)
				if patient {
					require.Equal(t, pipeline.LossError{Pipeline: "tap", Lost: 2}, *loss)
				} else {
					require.EqualValues(t, 7, loss.Lost)
				}
				for _, c := range calls {
					require.Equal(t, verdict, c.Values())
				}
				require.Equal(t, verdict[0], h.p.Close(context.Background()))
				require.Equal(t, verdict[0], h.p.Flush(context.Background()))
				h.closed(t)
				require.Equal(t, 1, h.tap.closes.Len())
			})
		})
	}
}

// The context that ends first is the one that counts.
func TestASecondCloseMayBeImpatient(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, inPairs(), newTap(w).hold())
		h.offer(t, run(1, 1, 4)...)
		first := h.start(func() error { return h.p.Close(context.Background()) })
		w.Advance(time.Second)
		require.Zero(t, first.Len())
		ctx, cancel := w.WithTimeout(t.Context(), time.Second)
		defer cancel()
		second := h.start(func() error { return h.p.Close(ctx) })
		w.Advance(time.Second)
		require.Equal(t, []time.Duration{2 * time.Second}, second.Times())
		require.Equal(t, first.Times(), second.Times())
		require.Equal(t, first.Values(), second.Values())
		require.ErrorIs(t, first.Values()[0], context.DeadlineExceeded)
		h.closed(t)
	})
}

func TestCloseBeforeAnyEvent(t *testing.T) {
	for _, workers := range []int{1, 3} {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, config{Workers: workers}, nil)
			h.close(t)
			require.Zero(t, h.tap.calls.Len(), "no empty Write")
			require.Equal(t, 1, h.tap.flushes.Len())
			require.Equal(t, 1, h.tap.closes.Len())
			require.NoError(t, h.p.Close(t.Context()))
			require.NoError(t, h.p.Flush(t.Context()))
		})
	}
}

// A context that has ended is an immediate shutdown.
func TestCloseWithAnExpiredContext(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, inPairs(), newTap(w).hold())
		h.offer(t, run(1, 1, 9)...)
		w.Settle()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := h.p.Close(ctx)
		require.Zero(t, w.Elapsed())
		require.ErrorIs(t, err, context.Canceled)
		var loss *pipeline.LossError
		require.ErrorAs(t, err, &loss)
		require.EqualValues(t, 9, loss.Lost)
		require.EqualValues(t, 2, loss.InDoubt)
		require.Equal(t, []string{"tap"}, loss.Stuck)
		h.closed(t)
		require.Equal(t, 1, h.tap.closes.Len())
		require.Equal(t, 1, h.tap.calls.Len())
	})
}

// One sink in several places is flushed and closed once.
func TestASinkThatServesTwiceIsClosedOnce(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		both, other := newOutfall(w, "both"), newOutfall(w, "other")
		cfg := inPairs()
		cfg.Clock = w.Clock()
		cfg.Routes = []stage.Route[Event]{{To: both}, {To: other}, {To: other}, {To: both}}
		p, err := pipeline.New[Event](both, cfg)
		require.NoError(t, err)
		_, err = p.EnqueueAll(run(1, 1, 4))
		require.NoError(t, err)
		require.NoError(t, p.Close(t.Context()))
		for _, s := range []*outfall{both, other} {
			require.Equal(t, []int{s.calls.Len()}, s.flushes.Values())
			require.Equal(t, []int{s.calls.Len()}, s.closes.Values())
		}
		require.EqualValues(t, 4, p.Stats().Delivered)
	})
}

// Functions cannot be compared, and need not be.
func TestSinksThatCannotBeCompared(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		f := stage.SinkFunc[Event](accepts)
		p, err := pipeline.New[Event](f, config{Clock: w.Clock(), Routes: []stage.Route[Event]{{To: f}, {To: f}}})
		require.NoError(t, err)
		require.NoError(t, p.Enqueue(ev(1, 1)))
		require.NoError(t, p.Close(t.Context()))
	})
}

// A sink that does not return from Close holds up the pipeline's no longer than
// its deadline, and is named. Nothing was lost.
func TestCloseNamesASinkStuckInClose(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		free := make(chan struct{})
		aside := &frail{outfall: newOutfall(w, "mud"), close: func() { <-free }}
		cfg := inPairs()
		cfg.Routes = []stage.Route[Event]{{To: aside}}
		h := newHouse(t, w, cfg, nil)
		h.offer(t, run(1, 1, 3)...)
		took, err := h.closeWithin(t, time.Second)
		require.Equal(t, time.Second, took)
		var loss *pipeline.LossError
		require.ErrorAs(t, err, &loss)
		require.Equal(t, pipeline.LossError{Pipeline: "tap", Stuck: []string{"mud"}}, *loss)
		close(free)
		require.EqualValues(t, 3, h.closed(t).Delivered)
	})
}

// A route that ignores its context is named, too.
func TestCloseNamesAStuckRoute(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		aside := newOutfall(w, "mud")
		aside.stubborn = true
		aside.hold()
		cfg := inPairs()
		cfg.Routes = []stage.Route[Event]{{To: aside}}
		h := newHouse(t, w, cfg, newTap(w).then(fails(errDown)))
		h.offer(t, run(1, 1, 6)...)
		w.Settle()
		_, err := h.closeWithin(t, time.Second)
		var loss *pipeline.LossError
		require.ErrorAs(t, err, &loss)
		require.Equal(t, pipeline.LossError{Pipeline: "tap", Lost: 2, InDoubt: 2, Stuck: []string{"mud"}}, *loss)
		aside.release()
		s := h.closed(t)
		require.Zero(t, s.Rerouted)
		require.EqualValues(t, 4, s.Delivered)
		require.Equal(t, 1, aside.closes.Len())
	})
}

// A stage that hangs with its input full is named.
func TestCloseNamesAStuckStage(t *testing.T) {
	for _, n := range []int{2, 200} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				s := newPuppet(deaf)
				cfg := inPairs()
				cfg.Stages = []stage.Stage[Event]{s}
				h := newHouse(t, w, cfg, nil)
				h.offer(t, run(1, 1, n)...)
				w.Settle()
				took, err := h.closeWithin(t, time.Second)
				require.Equal(t, time.Second, took)
				var loss *pipeline.LossError
				if require.ErrorAs(t, err, &loss); true {
					require.EqualValues(t, n, loss.Lost)
				}
				stuck := loss.Stuck
				s.order <- func() error { return nil }
				h.closed(t)
				require.Equal(t, []string{"puppet"}, stuck)
			})
		})
	}
}

// A decorator that guards what it calls does not hide the sink from Close.
func TestCloseNamesASinkThatGuardsOthers(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		free := make(chan struct{})
		sink := newOutfall(w, "branching")
		sink.then(func(ctx context.Context, _ []Event) error {
			err := stage.Guard(ctx, "branch", func() error { return nil }, nil)
			<-free
			return err
		})
		h := newHouse(t, w, inPairs(), sink)
		h.offer(t, run(1, 1, 2)...)
		w.Settle()
		_, err := h.closeWithin(t, time.Second)
		var loss *pipeline.LossError
		require.ErrorAs(t, err, &loss)
		stuck := loss.Stuck
		close(free)
		h.closed(t)
		require.Equal(t, []string{"branching"}, stuck)
	})
}

// Whoever waits inside the pipeline is told when Close begins, and the fallback
// still gets the events.
func TestCloseEndsWaitingInsideTheSink(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		aside := newOutfall(w, "aside")
		cfg := inPairs()
		cfg.Routes = []stage.Route[Event]{{To: aside}}
		patient := func(ctx context.Context, _ []Event) error {
			timer := clockutil.NewTimer(stage.Clock(ctx), 5*time.Minute)
			defer timer.Stop()
			select {
			case <-timer.C():
			case <-stage.Draining(ctx):
			}
			return errDown
		}
		h := newHouse(t, w, cfg, newTap(w).then(patient, patient, patient))
		h.offer(t, run(1, 1, 5)...)
		w.Advance(time.Second)
		h.close(t)
		require.Equal(t, time.Second, w.Elapsed())
		require.Equal(t, count(1, 5), seqs(aside.taken()))
	})
}

// A stage that holds batches back loses none to the hook when Close is cut
// short while it waits for a reader.
func TestAForcedCloseReportsWhatAStageHolds(t *testing.T) {
	clocktest.Explore(t, 200, func(t *testing.T, w *clocktest.World) {
		cfg := inPairs()
		cfg.Stages = []stage.Stage[Event]{newPuppet(holds)}
		failures := reported(w, &cfg)
		h := newHouse(t, w, cfg, newTap(w).hold())
		h.offer(t, run(1, 1, 20)...)
		w.Settle()
		flushing := h.start(func() error { return h.p.Flush(context.Background()) })
		w.Settle()
		h.offer(t, run(1, 21, 31)...)
		w.Settle()
		_, err := h.closeWithin(t, time.Second)
		require.Equal(t, []error{err}, flushing.Values())
		h.closed(t)
		told := 0
		for _, f := range failures.Values() {
			told += len(f.Events)
		}
		require.Equal(t, 31, told)
	})
}
