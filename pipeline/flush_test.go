package pipeline_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// Flush waits for the batch inside the sink, and for the sink's own Flush after
// it.
func TestFlushWaitsForTheBatchInsideTheSink(t *testing.T) {
	for _, workers := range []int{1, 4} {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			cfg := inPairs()
			cfg.Workers = workers
			h := newHouse(t, w, cfg, newTap(w).hold())
			h.offer(t, run(1, 1, 5)...)
			flushing := h.start(func() error { return h.p.Flush(context.Background()) })
			w.Advance(time.Hour - 1)
			require.Zero(t, flushing.Len())
			require.Zero(t, h.tap.flushes.Len())
			for range 3 {
				require.Zero(t, flushing.Len())
				h.tap.step()
				w.Settle()
			}
			require.Equal(t, []error{nil}, flushing.Values())
			require.Equal(t, []int{3}, h.tap.flushes.Values(), "after the last Write")
			require.EqualValues(t, 5, h.settle(t).Delivered)
			h.tap.release()
			h.close(t)
		})
	}
}

// Producers that never stop do not hold a Flush up: it returns at its own mark.
func TestFlushReturnsAtItsOwnMark(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		cfg := inPairs()
		cfg.QueueSize = 64
		h := newHouse(t, w, cfg, newTap(w).hold())
		h.offer(t, run(1, 1, 3)...)
		flushing := h.start(func() error { return h.p.Flush(context.Background()) })
		w.Settle()
		for seq := 4; flushing.Len() == 0; seq += 2 {
			require.Less(t, seq, 20, "still waiting for later events")
			h.offer(t, run(1, seq, seq+1)...)
			w.Settle()
			h.tap.step()
			w.Settle()
		}
		require.Equal(t, []error{nil}, flushing.Values())
		require.Equal(t, []int{1, 2, 3}, seqs(h.tap.taken())[:3])
		require.NotZero(t, h.settle(t).Buffered)
		delivered := h.p.Stats().Delivered
		h.tap.release()
		h.close(t)
		require.LessOrEqual(t, delivered, uint64(5), "the batch that was inside the sink, and no more")
	})
}

// A Flush whose context ends leaves the queue as it is.
func TestFlushGivesUp(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, inPairs(), newTap(w).hold())
		h.offer(t, run(1, 1, 9)...)
		before := h.settle(t)
		ctx, cancel := w.WithTimeout(t.Context(), time.Second)
		defer cancel()
		flushing := h.start(func() error { return h.p.Flush(ctx) })
		w.Advance(time.Second)
		require.Equal(t, []time.Duration{time.Second}, flushing.Times())
		require.ErrorIs(t, flushing.Values()[0], context.DeadlineExceeded)
		after := h.settle(t)
		require.Equal(t, before.Buffered, after.Buffered)
		require.Zero(t, after.Lost)

		expired, stop := context.WithCancel(t.Context())
		stop()
		require.ErrorIs(t, h.p.Flush(expired), context.Canceled)
		h.tap.release()
		require.EqualValues(t, 9, h.settle(t).Delivered)
		h.close(t)
	})
}

// sluice is a tap whose Flush answers.
type sluice struct {
	*outfall
	flush func(ctx context.Context) error
}

func (s *sluice) Flush(ctx context.Context) error {
	_ = s.outfall.Flush(ctx)
	return s.flush(ctx)
}

func TestFlushReturnsTheSinksErrors(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		main := &sluice{newOutfall(w, "main"), func(context.Context) error { return errDown }}
		aside := &sluice{newOutfall(w, "aside"), func(context.Context) error { return errAside }}
		cfg := inPairs()
		cfg.Routes = []stage.Route[Event]{{To: aside}}
		h := newHouse(t, w, cfg, main)
		h.offer(t, ev(1, 1))
		err := h.flush(t)
		require.ErrorIs(t, err, errDown)
		require.ErrorIs(t, err, errAside)
		require.EqualValues(t, 1, h.settle(t).Delivered)
		err = h.atOnce(t, h.p.Close)
		require.ErrorIs(t, err, errDown)
		require.ErrorIs(t, err, errAside)
		var se *pipeline.SinkError
		require.ErrorAs(t, err, &se)
		require.Equal(t, "main", se.Sink)
		h.closed(t)
	})
}

// A LossError speaks of events before the mark, lost since the call: not of
// earlier losses, and not of later events.
func TestFlushReportsItsOwnLosses(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, inPairs(), newTap(w).then(fails(errDown)))
		h.offer(t, run(1, 1, 2)...)
		require.EqualValues(t, 2, h.settle(t).Lost.Failed)
		require.NoError(t, h.flush(t), "lost before the call")

		h.tap.then(fails(errDown), accepts, accepts, fails(errDown)).hold()
		h.offer(t, run(1, 3, 7)...)
		flushing := h.start(func() error { return h.p.Flush(context.Background()) })
		w.Settle()
		h.offer(t, run(1, 8, 9)...)
		w.Settle()
		h.tap.release()
		s := h.settle(t)
		require.EqualValues(t, 6, s.Lost.Failed)
		var loss *pipeline.LossError
		require.ErrorAs(t, flushing.Values()[0], &loss)
		require.EqualValues(t, 2, loss.Lost, "3 and 4; 8 and 9 came later")
		require.Zero(t, loss.InDoubt)
		require.NoError(t, h.flush(t))
		h.close(t)
	})
}

// Concurrent flushes: all return, none while a Write is in progress.
func TestConcurrentFlushes(t *testing.T) {
	for _, workers := range []int{1, 4} {
		t.Run(fmt.Sprintf("workers=%d", workers), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				var mu sync.Mutex
				writing, most, faults := 0, 0, 0
				slow := &sluice{newOutfall(w, "slow"), nil}
				slow.flush = func(ctx context.Context) error {
					mu.Lock()
					if writing > 0 {
						faults++
					}
					mu.Unlock()
					stage.Clock(ctx).Sleep(time.Millisecond)
					mu.Lock()
					defer mu.Unlock()
					if writing > 0 {
						faults++
					}
					return nil
				}
				take := func(ctx context.Context, _ []Event) error {
					mu.Lock()
					writing++
					most = max(most, writing)
					mu.Unlock()
					stage.Clock(ctx).Sleep(3 * time.Millisecond)
					mu.Lock()
					defer mu.Unlock()
					writing--
					return nil
				}
				for range 200 {
					slow.then(take)
				}
				cfg := inPairs()
				cfg.Workers = workers
				h := newHouse(t, w, cfg, slow)
				var flushing []*clocktest.Recorder[error]
				for seq := 1; seq <= 200; seq += 10 {
					h.offer(t, run(1, seq, seq+9)...)
					mark := uint64(seq + 9)
					flushing = append(flushing, h.start(func() error {
						err := h.p.Flush(context.Background())
						if got := h.p.Stats().Delivered; got < mark {
							return fmt.Errorf("%d delivered at mark %d", got, mark)
						}
						return err
					}))
					w.Advance(2 * time.Millisecond)
				}
				w.Advance(time.Minute)
				for _, f := range flushing {
					require.Equal(t, []error{nil}, f.Values())
				}
				mu.Lock()
				require.Zero(t, faults)
				require.Equal(t, workers, most, "concurrency is reached and not exceeded")
				mu.Unlock()
				_, err := h.closeWithin(t, time.Second)
				require.NoError(t, err)
				h.closed(t)
			})
		})
	}
}

// Workers deliver side by side: as many calls as workers and no more, exact
// books, and Flush and Close that miss none of them.
func TestWorkers(t *testing.T) {
	for _, workers := range []int{2, 4, 7} {
		t.Run(fmt.Sprint(workers), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				cfg := inPairs()
				cfg.Workers = workers
				h := newHouse(t, w, cfg, newTap(w).hold().then(fails(errDown), fails(partly(0))))
				h.offer(t, run(1, 1, 60)...)
				h.settle(t)
				require.Equal(t, workers, h.tap.calls.Len())
				flushing := h.start(func() error { return h.p.Flush(context.Background()) })
				w.Settle()
				h.tap.step()
				h.settle(t)
				require.Equal(t, workers+1, h.tap.calls.Len(), "a free worker takes the next")
				require.Zero(t, flushing.Len())
				h.tap.release()
				s := h.settle(t)
				require.Equal(t, workers, h.tap.overlap())
				require.EqualValues(t, 57, s.Delivered)
				require.Equal(t, pipeline.Lost{Failed: 3}, s.Lost)
				var loss *pipeline.LossError
				require.ErrorAs(t, flushing.Values()[0], &loss)
				require.EqualValues(t, 3, loss.Lost)

				h.tap.hold()
				h.offer(t, run(1, 61, 60+4*workers)...)
				closing := h.start(func() error { return h.p.Close(context.Background()) })
				w.Settle()
				require.Zero(t, closing.Len())
				require.Zero(t, h.tap.closes.Len())
				h.tap.release()
				w.Settle()
				require.Equal(t, []error{nil}, closing.Values())
				require.Equal(t, []int{h.tap.calls.Len()}, h.tap.closes.Values())
				h.closed(t)
			})
		})
	}
}

// A sink stuck in its Flush holds up Close no longer than its deadline.
func TestAFlushOfTheSinkThatIsStuck(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		free := make(chan struct{})
		h := newHouse(t, w, inPairs(), &sluice{newOutfall(w, "mud"), func(context.Context) error { <-free; return nil }})
		h.offer(t, run(1, 1, 2)...)
		flushing := h.start(func() error { return h.p.Flush(context.Background()) })
		w.Settle()
		h.offer(t, run(1, 3, 4)...)
		took, err := h.closeWithin(t, time.Second)
		require.Equal(t, time.Second, took)
		var loss *pipeline.LossError
		require.ErrorAs(t, err, &loss)
		require.Equal(t, []string{"mud"}, loss.Stuck)
		require.Equal(t, pipeline.LossError{Pipeline: "mud", Lost: 2, Stuck: loss.Stuck}, *loss)
		require.Equal(t, []error{err}, flushing.Values())
		close(free)
		h.closed(t)
	})
}
