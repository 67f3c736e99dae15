package pipeline_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// cut is a batch as a stage sees it.
type cut struct {
	trigger stage.Trigger
	n       int
}

// spy is a stage that notes what passes.
type spy struct{ cuts *clocktest.Recorder[cut] }

func newSpy(w *clocktest.World) *spy { return &spy{clocktest.NewRecorder[cut](w)} }

func (s *spy) Run(_ context.Context, p stage.Ports[Event]) error {
	for b := range p.In {
		s.cuts.Add(cut{b.Trigger, len(b.Events)})
		p.Out <- b
	}
	return nil
}

func (s *spy) stages() []stage.Stage[Event] { return []stage.Stage[Event]{s} }

func TestAFullBatchLeavesAtTheInstantItIsFull(t *testing.T) {
	for _, size := range []int{1, 2, 30, 63, 64, 65, 512} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w, config{BatchSize: size}, nil)
				h.offer(t, run(1, 1, size-1)...)
				h.settle(t)
				require.Zero(t, h.tap.calls.Len())
				h.offer(t, ev(1, size))
				h.settle(t)
				require.Equal(t, []int{size}, h.tap.sizes())
				require.Equal(t, []time.Duration{0}, h.tap.calls.Times())
				h.close(t)
				require.Equal(t, 1, h.tap.calls.Len())
			})
		})
	}
}

// n events in batches of size are ⌈n/size⌉ calls of the sink, whether they come
// one by one or in a rush, and also where a batch is smaller than a chunk.
func TestTheNumberOfSinkCalls(t *testing.T) {
	for _, n := range []int{1, 29, 30, 31, 100, 1000} {
		for _, size := range []int{1, 7, 30, 64, 100, 500} {
			for pace, rush := range map[string]bool{"rush": true, "trickle": false} {
				t.Run(fmt.Sprintf("%d by %d in a %s", n, size, pace), func(t *testing.T) {
					clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
						h := newHouse(t, w, config{QueueSize: 1000, BatchSize: size}, nil)
						for _, e := range run(1, 1, n) {
							h.offer(t, e)
							if !rush {
								w.Settle()
							}
						}
						h.close(t)
						require.Equal(t, (n+size-1)/size, h.tap.calls.Len())
						require.Equal(t, run(1, 1, n), h.tap.taken())
					})
				})
			}
		}
	}
}

func TestTheQueueAndTheBatchMayBeOneEvent(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, narrow, nil)
		for seq := 1; seq <= 50; seq++ {
			h.offer(t, ev(1, seq))
			s := h.settle(t)
			require.EqualValues(t, seq, s.Delivered)
		}
		h.close(t)
		require.Equal(t, run(1, 1, 50), h.tap.taken())
	})
}

func TestABatchMayBeTheWholeQueue(t *testing.T) {
	for _, size := range []int{2, 64, 200} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w, config{QueueSize: size, BatchSize: size}, nil)
				for from := 1; from < 10*size; from += size {
					h.offer(t, run(1, from, from+size-1)...)
					h.settle(t)
				}
				require.Equal(t, 10, h.tap.calls.Len())
				require.Zero(t, w.Elapsed())
				h.close(t)
				require.Equal(t, run(1, 1, 10*size), h.tap.taken())
			})
		})
	}
}

func TestABatchLeavesWhenItIsOldEnough(t *testing.T) {
	const interval = 100 * time.Millisecond
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{FlushInterval: interval}, nil)
		want := []time.Duration{}
		for seq := 1; seq <= 10; seq++ {
			h.offer(t, ev(1, seq))
			w.Advance(interval - 1)
			require.Equal(t, seq-1, h.tap.calls.Len(), "not before its time")
			w.Advance(1)
			want = append(want, time.Duration(seq)*interval)
			require.Equal(t, want, h.tap.calls.Times())
			h.settle(t)
		}
		h.close(t)
		require.Equal(t, run(1, 1, 10), h.tap.taken())
	})
}

func TestTheDefaultIntervalIsATenthOfASecond(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{}, nil)
		h.offer(t, ev(1, 1))
		w.Advance(time.Hour)
		require.Equal(t, []time.Duration{pipeline.DefaultFlushInterval}, h.tap.calls.Times())
		require.Equal(t, 100*time.Millisecond, pipeline.DefaultFlushInterval)
		h.close(t)
	})
}

// The age is that of the first event: later ones do not put it off.
func TestAgeCountsFromTheFirstEvent(t *testing.T) {
	const interval, step = 100 * time.Millisecond, 51 * time.Millisecond
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{FlushInterval: interval}, nil)
		var want []time.Duration
		for seq := 1; seq <= 20; seq++ {
			if seq%2 == 1 {
				want = append(want, w.Elapsed()+interval)
			}
			h.offer(t, ev(1, seq))
			w.Advance(step)
		}
		require.Equal(t, want, h.tap.calls.Times())
		require.Equal(t, []int{2, 2, 2, 2, 2, 2, 2, 2, 2, 2}, h.tap.sizes())
		h.close(t)
	})
}

// What a full batch leaves over is as old as its arrival, not as the batch.
func TestAgeOfALeftover(t *testing.T) {
	const interval = 100 * time.Millisecond
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{BatchSize: 3, FlushInterval: interval}, nil)
		h.offer(t, run(1, 1, 2)...)
		w.Advance(60 * time.Millisecond)
		h.offer(t, run(1, 3, 4)...)
		w.Advance(time.Hour)
		require.Equal(t, []int{3, 1}, h.tap.sizes())
		require.Equal(t, []time.Duration{60 * time.Millisecond, 160 * time.Millisecond}, h.tap.calls.Times())
		h.close(t)
	})
}

// A batch that is full just before its deadline leaves no deadline behind.
func TestNoFlushFollowsAFullBatch(t *testing.T) {
	const interval = 100 * time.Millisecond
	for _, early := range []time.Duration{1, time.Millisecond, interval / 2} {
		t.Run(early.String(), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				spy := newSpy(w)
				h := newHouse(t, w, config{BatchSize: 2, FlushInterval: interval, Stages: spy.stages()}, nil)
				h.offer(t, ev(1, 1))
				w.Advance(interval - early)
				h.offer(t, ev(1, 2))
				h.settle(t)
				h.offer(t, ev(1, 3)) // opens the next
				w.Advance(early)
				h.settle(t)
				require.Equal(t, []cut{{stage.BySize, 2}}, spy.cuts.Values(), "neither empty nor early")
				w.Advance(interval - early)
				h.settle(t)
				require.Equal(t, []cut{{stage.BySize, 2}, {stage.ByAge, 1}}, spy.cuts.Values())
				require.Equal(t, []time.Duration{interval - early, 2*interval - early}, spy.cuts.Times())
				w.Advance(time.Hour)
				require.Equal(t, 2, spy.cuts.Len())
				h.close(t)
				require.Equal(t, 2, h.tap.calls.Len(), "the last batch was empty")
			})
		})
	}
}

// armed reports whether a timer is armed on a mock clock.
func armed(mock *clock.Mock) bool {
	now := mock.Now()
	return !mock.WaitForAllTimers().Equal(now)
}

func TestAnIdlePipelineDoesNothing(t *testing.T) {
	t.Run("no timer is armed", func(t *testing.T) {
		clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
			for name, cfg := range map[string]config{
				"plain": {BatchSize: 3},
				"paced": {BatchSize: 3, Pace: time.Millisecond},
			} {
				mock := w.Clock().(*clock.Mock)
				h := newHouse(t, w, cfg, nil)
				w.Settle()
				require.False(t, armed(mock), "%s: new", name)

				h.offer(t, run(1, 1, 3)...)
				w.Advance(10 * time.Millisecond) // a few paces
				require.False(t, armed(mock), "%s: after a full batch", name)

				h.offer(t, ev(1, 4))
				w.Advance(time.Second)
				require.False(t, armed(mock), "%s: after an old batch", name)

				h.offer(t, ev(1, 5))
				w.Settle()
				require.NoError(t, h.flush(t))
				w.Advance(10 * time.Millisecond)
				require.False(t, armed(mock), "%s: after a flush", name)
				require.Equal(t, []int{3, 1, 1}, h.tap.sizes())
				h.close(t)
				require.False(t, armed(mock), "%s: closed", name)
			}
		}, clocktest.WithMock())
	})
	// Ten years of the shortest waits would take weeks.
	t.Run("nothing wakes", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			for _, cfg := range []config{{}, {Pace: time.Millisecond, FlushInterval: time.Millisecond}} {
				h := newHouse(t, w, cfg, nil)
				w.Advance(10 * 365 * 24 * time.Hour)
				h.offer(t, ev(1, 1))
				w.Advance(10 * 365 * 24 * time.Hour)
				require.Equal(t, 1, h.tap.calls.Len())
				h.close(t)
				require.Equal(t, 1, h.tap.calls.Len())
			}
		})
	})
	t.Run("the sink is never called", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, config{}, nil)
			w.Advance(time.Hour)
			require.NoError(t, h.flush(t))
			h.close(t)
			require.Zero(t, h.tap.calls.Len())
			require.Equal(t, 1, h.tap.closes.Len())
		})
	})
}

func TestAHundredEventsInThirties(t *testing.T) {
	endings := map[string]func(*testing.T, *house){
		"by age":   func(_ *testing.T, h *house) { h.w.Advance(pipeline.DefaultFlushInterval) },
		"by flush": func(t *testing.T, h *house) { require.NoError(t, h.flush(t)) },
		"by close": func(*testing.T, *house) {},
	}
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w, config{BatchSize: 30}, nil)
				h.offer(t, run(1, 1, 100)...)
				h.settle(t)
				require.Equal(t, []int{30, 30, 30}, h.tap.sizes())
				end(t, h)
				h.close(t)
				require.Equal(t, []int{30, 30, 30, 10}, h.tap.sizes())
				require.Equal(t, run(1, 1, 100), h.tap.taken())
			})
		})
	}
}

func TestBatchesByBytes(t *testing.T) {
	for name, tc := range map[string]struct {
		bytes []int
		want  [][]int
	}{
		"as many as fit":            {[]int{40, 40, 40, 40, 40}, [][]int{{40, 40}, {40, 40}, {40}}},
		"exactly the bound":         {[]int{50, 50, 50, 50, 1}, [][]int{{50, 50}, {50, 50}, {1}}},
		"a larger one alone":        {[]int{10, 500, 10, 10}, [][]int{{10}, {500}, {10, 10}}},
		"larger ones only":          {[]int{500, 500, 500}, [][]int{{500}, {500}, {500}}},
		"one of the bound":          {[]int{1, 100, 1}, [][]int{{1}, {100}, {1}}},
		"none of them weighs":       {[]int{0, 0, 0, 0, 0}, [][]int{{0, 0, 0, 0}, {0}}},
		"the weightless join":       {[]int{100, 0, 0, 1}, [][]int{{100, 0, 0}, {1}}},
		"bytes and count":           {[]int{1, 1, 1, 1, 99, 1, 1}, [][]int{{1, 1, 1, 1}, {99, 1}, {1}}},
		"a larger one ends a batch": {[]int{1, 1, 1, 200, 1}, [][]int{{1, 1, 1}, {200}, {1}}},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w, config{BatchSize: 4, BatchBytes: 100, SizeOf: oracle.SizeOf}, nil)
				next := fresh(1)
				for _, n := range tc.bytes {
					h.offer(t, next(n))
				}
				h.close(t)
				var got [][]int
				for _, events := range h.tap.calls.Values() {
					var sizes []int
					for _, e := range events {
						sizes = append(sizes, e.Bytes)
					}
					got = append(got, sizes)
				}
				require.Equal(t, tc.want, got)
				require.Equal(t, count(1, len(tc.bytes)), seqs(h.tap.taken()))
			})
		})
	}
}

// cuts is where batches of at most size events and bytes must end.
func cuts(events []Event, size, bytes int) (want [][]Event) {
	var batch []Event
	held := 0
	for _, e := range events {
		if len(batch) == size || len(batch) > 0 && bytes > 0 && held+e.Bytes > bytes {
			want, batch, held = append(want, batch), nil, 0
		}
		batch, held = append(batch, e), held+e.Bytes
	}
	return append(want, batch)
}

// However events arrive, alone or in chunks, whole or in pieces, batches are
// cut where the definition says.
func TestBatchesDoNotDependOnHowEventsArrive(t *testing.T) {
	clocktest.ExploreBoth(t, 30, func(t *testing.T, w *clocktest.World) {
		r := w.Rand("plan")
		pick := func(of ...int) int { return of[r.IntN(len(of))] }
		size := pick(1, 2, 3, 10, 63, 64, 65, 100)
		bytes := pick(0, 0, 5, 50, 500)
		cfg := config{QueueSize: size + r.IntN(300), BatchSize: size, BatchBytes: int64(bytes), Overflow: stage.DropNewest}
		if bytes > 0 || r.IntN(2) == 0 {
			cfg.SizeOf = oracle.SizeOf
		}
		h := newHouse(t, w, cfg, nil)
		next := fresh(1)
		var events []Event
		for len(events) < 700 {
			if r.IntN(8) == 0 {
				h.tap.hold()
			}
			for range 1 + r.IntN(pick(1, 2, size, cfg.QueueSize)) {
				e := next(r.IntN(pick(1, 10, 100)))
				if h.enqueue(e) == nil {
					events = append(events, e)
				}
			}
			if r.IntN(3) > 0 {
				h.settle(t)
			}
			if r.IntN(4) == 0 {
				h.tap.release()
				h.settle(t)
			}
		}
		h.tap.release()
		h.close(t)
		require.Equal(t, cuts(events, size, bytes), h.tap.calls.Values())
	})
}

func TestABatchKnowsWhatCutIt(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		spy := newSpy(w)
		h := newHouse(t, w, config{
			BatchSize: 4, BatchBytes: 100, SizeOf: oracle.SizeOf, FlushInterval: time.Second, Stages: spy.stages(),
		}, nil)
		next := fresh(1)
		offer := func(bytes ...int) {
			for _, n := range bytes {
				h.offer(t, next(n))
			}
			h.settle(t)
		}
		want := []cut{}
		expect := func(more ...cut) {
			want = append(want, more...)
			require.Equal(t, want, spy.cuts.Values())
		}

		offer(1, 1, 1, 1)
		expect(cut{stage.BySize, 4})
		offer(60, 60)
		expect(cut{stage.ByBytes, 1})
		w.Advance(time.Second)
		expect(cut{stage.ByAge, 1})
		offer(1, 1)
		require.NoError(t, h.flush(t))
		expect(cut{stage.ByFlush, 2})
		require.NoError(t, h.flush(t))
		expect(cut{stage.ByFlush, 0})
		offer(100, 100, 1, 1)
		expect(cut{stage.ByBytes, 1}, cut{stage.ByBytes, 1})
		h.close(t)
		expect(cut{stage.ByClose, 2})
		require.Equal(t, pipeline.Batches{Size: 1, Bytes: 3, Age: 1, Flush: 2, Close: 1}, h.p.Stats().Batches)
		require.Equal(t, 7, h.tap.calls.Len(), "the sink is spared the empty one")

		require.Equal(t, "size bytes age flush close",
			fmt.Sprint(stage.BySize, " ", stage.ByBytes, " ", stage.ByAge, " ", stage.ByFlush, " ", stage.ByClose))
	})
}

// A pace on an injected clock holds there, too: after a busy spell the queue is
// looked at again when the pace is over, when it is half full, or when somebody
// asks.
func TestPace(t *testing.T) {
	const pace = 10 * time.Millisecond
	paced := func(t *testing.T, body func(*testing.T, *house, func() uint64)) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, config{QueueSize: 8, BatchSize: 1, Pace: pace}, nil)
			h.offer(t, ev(1, 1))
			w.Settle()
			require.Equal(t, 1, h.tap.calls.Len(), "the first after a rest is not delayed")
			body(t, h, func() uint64 { return h.settle(t).Depth })
			h.close(t)
			require.Equal(t, seqs(h.tap.taken()), count(1, len(h.tap.taken())))
		})
	}
	t.Run("ends with time", func(t *testing.T) {
		paced(t, func(t *testing.T, h *house, depth func() uint64) {
			h.w.Advance(time.Millisecond)
			h.offer(t, run(1, 2, 4)...)
			require.EqualValues(t, 3, depth())
			h.w.Advance(pace - time.Millisecond - 1)
			require.EqualValues(t, 3, depth())
			h.w.Advance(1)
			require.Zero(t, depth())
			require.Equal(t, []time.Duration{0, pace, pace, pace}, h.tap.calls.Times())
		})
	})
	t.Run("ends with a half full queue", func(t *testing.T) {
		paced(t, func(t *testing.T, h *house, depth func() uint64) {
			h.offer(t, run(1, 2, 4)...)
			require.EqualValues(t, 3, depth())
			h.offer(t, ev(1, 5))
			require.Zero(t, depth())
			require.Zero(t, h.w.Elapsed())
		})
	})
	t.Run("ends with a flush", func(t *testing.T) {
		paced(t, func(t *testing.T, h *house, depth func() uint64) {
			h.offer(t, ev(1, 2))
			require.EqualValues(t, 1, depth())
			require.NoError(t, h.flush(t))
			require.Zero(t, depth())
			require.Equal(t, 2, h.tap.calls.Len())
		})
	})
	t.Run("ends with Close", func(t *testing.T) {
		paced(t, func(t *testing.T, h *house, depth func() uint64) {
			h.offer(t, ev(1, 2))
			require.EqualValues(t, 1, depth())
		})
	})
	t.Run("is over after a rest without events", func(t *testing.T) {
		paced(t, func(t *testing.T, h *house, depth func() uint64) {
			h.w.Advance(pace)
			h.offer(t, ev(1, 2))
			require.Zero(t, depth())
			require.Equal(t, []time.Duration{0, pace}, h.tap.calls.Times())
		})
	})
	t.Run("is none unless told on an injected clock", func(t *testing.T) {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			for _, pace := range []time.Duration{0, -1} {
				h := newHouse(t, w, config{QueueSize: 8, BatchSize: 1, Pace: pace}, nil)
				for seq := 1; seq <= 20; seq++ {
					h.offer(t, ev(1, seq))
					require.Zero(t, h.settle(t).Depth)
				}
				h.close(t)
			}
		})
	})
}

// The age of a batch counts from the batcher: a pace adds to it, once.
func TestPaceAddsToTheAge(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{Pace: 10 * time.Millisecond, FlushInterval: 100 * time.Millisecond}, nil)
		h.offer(t, ev(1, 1))
		w.Settle()
		require.NoError(t, h.flush(t)) // another rest begins
		w.Advance(time.Millisecond)
		h.offer(t, ev(1, 2))
		w.Advance(time.Hour)
		require.Equal(t, []time.Duration{0, 110 * time.Millisecond}, h.tap.calls.Times())
		h.close(t)
	})
}

// What the clock of the wall does changes when things happen, and nothing else.
// A mock has one clock for everything, so that a step moves its timers as well,
// which no step of the wall's clock does to the system's: a step forward makes
// a batch as old as it says, a step back makes it wait for its old deadline.
func TestStepsOfTheClockAreHarmless(t *testing.T) {
	const interval = time.Second
	clocktest.Explore(t, 20, func(t *testing.T, w *clocktest.World) {
		mock, r := w.Clock().(*clock.Mock), w.Rand("plan")
		h := newHouse(t, w, config{
			QueueSize: 50, BatchSize: 3, FlushInterval: interval,
			Routes: []stage.Route[Event]{{To: newTap(w)}},
		}, newTap(w).then(fails(context.DeadlineExceeded), accepts, fails(context.Canceled)))
		mock.Add(1000 * time.Hour)
		seq := 0
		for range 60 {
			n := r.IntN(5)
			h.offer(t, run(1, seq+1, seq+n)...)
			seq += n
			w.Settle()
			mock.Set(mock.Now().Add(step(r)))
			h.settle(t)
		}
		// A batch that is opened now has the age it should have.
		require.NoError(t, h.flush(t))
		calls := h.tap.calls.Len()
		h.offer(t, ev(1, seq+1))
		w.Advance(interval - 1)
		require.Equal(t, calls, h.tap.calls.Len())
		w.Advance(1)
		require.Equal(t, calls+1, h.tap.calls.Len())
		s := h.settle(t)
		require.EqualValues(t, seq+1, s.Delivered+s.Rerouted)
		h.close(t)
	}, clocktest.WithMock())
}

// step is some way forward or back.
func step(r *rand.Rand) time.Duration {
	return time.Duration(r.Int64N(int64(20*time.Hour))) - 10*time.Hour
}

func TestAStepForwardIsOneFlush(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		mock := w.Clock().(*clock.Mock)
		h := newHouse(t, w, config{}, nil)
		h.offer(t, run(1, 1, 3)...)
		w.Settle()
		mock.Set(mock.Now().Add(1000 * time.Hour))
		h.settle(t)
		require.Equal(t, []int{3}, h.tap.sizes())
		w.Advance(time.Hour)
		require.Equal(t, []int{3}, h.tap.sizes())
		h.close(t)
	}, clocktest.WithMock())
}
