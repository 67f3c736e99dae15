package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// With one worker no two calls of the sink's methods overlap, and each
// producer's events arrive in its order, whoever flushes meanwhile.
func TestOneWorkerKeepsOrder(t *testing.T) {
	const producers, each, flushers = 8, 300, 4
	for name, cfg := range map[string]config{
		"large batches": {},
		"small batches": {QueueSize: producers * each, BatchSize: 7},
		"stages": {QueueSize: producers * each, BatchSize: 70, Stages: []stage.Stage[Event]{
			stage.Map("same", func(_ context.Context, events []Event) ([]Event, error) { return events, nil }),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w, cfg, nil)
				var wg, flushing sync.WaitGroup
				var over atomic.Bool
				for producer := 1; producer <= producers; producer++ {
					wg.Go(func() {
						for seq := 1; seq <= each; seq++ {
							if err := h.enqueue(ev(producer, seq)); err != nil {
								t.Error(err)
							}
						}
					})
				}
				for range flushers {
					flushing.Go(func() {
						for !over.Load() {
							if err := h.p.Flush(t.Context()); err != nil {
								t.Error(err)
							}
						}
					})
				}
				wg.Wait()
				over.Store(true)
				flushing.Wait()
				h.close(t)
				require.EqualValues(t, producers*each, h.p.Stats().Delivered)
				require.Equal(t, 1, h.tap.overlap())
				require.NotZero(t, h.tap.flushes.Len())
			})
		})
	}
}

func TestWorkersCallTheSinkConcurrently(t *testing.T) {
	const workers = 4
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{BatchSize: 1, Workers: workers}, nil)
		h.tap.hold()
		h.offer(t, run(1, 1, 3*workers)...)
		h.settle(t)
		require.Equal(t, workers, h.tap.calls.Len())
		require.Equal(t, workers, h.tap.overlap())

		// The sink is flushed when no Write is in progress, and none begins.
		flushed := h.start(func() error { return h.p.Flush(t.Context()) })
		for range 3*workers - 1 {
			w.Settle()
			require.Zero(t, h.tap.flushes.Len())
			h.tap.step()
		}
		h.settle(t)
		require.Zero(t, flushed.Len())
		h.tap.step()
		h.settle(t)
		require.Equal(t, []error{nil}, flushed.Values())
		require.Equal(t, []int{3 * workers}, h.tap.flushes.Values())
		require.Equal(t, workers, h.tap.overlap())
		h.tap.release()
		h.close(t)
	})
}

// One worker that is stuck does not keep the others from working.
func TestAStuckWorkerIsNotTheOthersConcern(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		stuck := make(chan struct{})
		h := newHouse(t, w, config{BatchSize: 1, Workers: 2}, stage.SinkFunc[Event](func(_ context.Context, events []Event) error {
			if events[0].Seq == 1 {
				<-stuck
			}
			return nil
		}))
		h.offer(t, run(1, 1, 100)...)
		require.EqualValues(t, 99, h.settle(t).Delivered)
		close(stuck)
		h.close(t)
	})
}

// poison lends its sink a copy of each batch and spoils it when Write returns,
// so that a sink that keeps its slice is found out.
type poison struct{ inner stage.Sink[Event] }

func (p poison) Write(ctx context.Context, events []Event) error {
	lent := slices.Clone(events)
	defer func() {
		for i := range lent {
			lent[i] = Event{Producer: -1, Seq: -1}
		}
	}()
	return p.inner.Write(ctx, lent)
}

func TestASinkThatKeepsItsSliceIsFoundOut(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var kept, copied []Event
		h := newHouse(t, w, config{BatchSize: 5}, poison{stage.SinkFunc[Event](func(_ context.Context, events []Event) error {
			kept = events
			copied = append(copied, events...)
			return nil
		})})
		h.offer(t, run(1, 1, 20)...)
		h.settle(t)
		require.Equal(t, slices.Repeat([]Event{{Producer: -1, Seq: -1}}, 5), kept)
		require.Equal(t, run(1, 1, 20), copied)
		h.close(t)
	})
}

// A sink that says it failed may still be read by what it left behind: the
// pipeline neither clears nor fills such a slice again, and does not run out of
// buffers.
func TestBuffersOfFailedBatchesAreForfeited(t *testing.T) {
	timeout := errors.New("timed out")
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		over := make(chan struct{})
		late := clocktest.NewRecorder[[]Event](w)
		h := newHouse(t, w, config{QueueSize: 64, BatchSize: 64}, stage.SinkFunc[Event](func(_ context.Context, events []Event) error {
			if events[0].Producer == 2 {
				return nil
			}
			go func() {
				<-over
				late.Add(slices.Clone(events)) // a data race, if anybody writes there
			}()
			if len(events)%2 == 0 {
				return timeout
			}
			return &stage.PartialError{Failed: []int{0}, Err: timeout}
		}))
		const batches = 100 // more than anybody has buffers
		want := 0
		for i := range batches {
			n := 64 - i%2
			h.offer(t, run(1, want+1, want+n)...)
			want += n
			_ = h.flush(t)                      // what is lost may have been so before the call
			h.offer(t, run(2, i*3+1, i*3+3)...) // the next user of a recycled buffer
			require.NoError(t, h.flush(t))
		}
		s := h.settle(t)
		require.EqualValues(t, batches/2*64+batches/2, s.Lost.Failed)
		close(over)
		w.Settle()
		require.Equal(t, batches, late.Len())
		seen := map[Event]bool{}
		for _, events := range late.Values() {
			for _, e := range events {
				seen[e] = true
			}
		}
		require.Len(t, seen, want, "each still has its own")
		h.close(t)
	})
}

// mapped is a house with one function as its stage.
func mapped(t *testing.T, w *clocktest.World, f func(ctx context.Context, events []Event) ([]Event, error)) (*house, *clocktest.Recorder[stage.Failure[Event]]) {
	t.Helper()
	failures := clocktest.NewRecorder[stage.Failure[Event]](w)
	return newHouse(t, w, config{
		BatchSize: 4,
		Stages:    []stage.Stage[Event]{stage.Map("mapper", f)},
		OnFailure: func(_ context.Context, f stage.Failure[Event]) { failures.Add(f) },
	}, nil), failures
}

func TestMapTransforms(t *testing.T) {
	for name, f := range map[string]func(context.Context, []Event) ([]Event, error){
		"in place": func(_ context.Context, events []Event) ([]Event, error) {
			for i := range events {
				events[i].Bytes = 2 * events[i].Seq
			}
			return events, nil
		},
		"into a slice of its own": func(_ context.Context, events []Event) ([]Event, error) {
			out := make([]Event, 0, 100)
			for _, e := range events {
				e.Bytes = 2 * e.Seq
				out = append(out, e)
			}
			return out, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				h, _ := mapped(t, w, f)
				h.offer(t, run(1, 1, 11)...)
				h.close(t)
				require.Equal(t, []int{4, 4, 3}, h.tap.sizes())
				for i, e := range h.tap.taken() {
					require.Equal(t, Event{Producer: 1, Seq: i + 1, Bytes: 2 * (i + 1)}, e)
				}
			})
		})
	}
}

func TestMapFilters(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		odd := newSieve(func(e Event) bool { return e.Seq%2 == 1 })
		none := newSieve(func(e Event) bool { return e.Producer != 2 })
		h := newHouse(t, w, config{BatchSize: 4, Stages: []stage.Stage[Event]{odd, none}}, nil)
		h.offer(t, run(1, 1, 10)...)
		h.offer(t, run(2, 1, 10)...)
		require.NoError(t, h.flush(t))
		s := h.settle(t)
		require.EqualValues(t, 15, s.Filtered)
		require.EqualValues(t, 5, s.Delivered)
		require.Zero(t, s.Buffered)
		require.Equal(t, []int{1, 3, 5, 7, 9}, seqs(h.tap.taken()))
		require.Equal(t, []int{2, 2, 1}, h.tap.sizes(), "the sink does not see the empty ones")
		h.close(t)
	})
}

// A function sees whole batches, in order, one at a time and never an empty
// one, with a context that knows the pipeline's clock.
func TestWhatMapIsGiven(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		seen := clocktest.NewRecorder[[]Event](w)
		h, _ := mapped(t, w, func(ctx context.Context, events []Event) ([]Event, error) {
			seen.Add(slices.Clone(events))
			if stage.Clock(ctx) != w.Clock() {
				t.Error("another clock")
			}
			return events, nil
		})
		require.NoError(t, h.flush(t))
		h.offer(t, run(1, 1, 6)...)
		require.NoError(t, h.flush(t))
		require.NoError(t, h.flush(t))
		h.close(t)
		require.Equal(t, [][]Event{run(1, 1, 4), run(1, 5, 6)}, seen.Values())
		require.Equal(t, seen.Values(), h.tap.calls.Values())
	})
}

func TestAFailingMapCostsItsBatchAlone(t *testing.T) {
	bad := errors.New("bad")
	type outcome struct {
		act  func(events []Event) ([]Event, error)
		lost pipeline.Lost
		is   func(error) bool
	}
	panicked := func(value any) func(error) bool {
		return func(err error) bool {
			var pe *stage.PanicError
			return errors.As(err, &pe) && pe.Value == value && len(pe.Stack) > 0
		}
	}
	for name, o := range map[string]outcome{
		"error": {
			func([]Event) ([]Event, error) { return nil, bad },
			pipeline.Lost{Failed: 4}, func(err error) bool { return err == bad },
		},
		"error beside events": {
			func(events []Event) ([]Event, error) { return events, bad },
			pipeline.Lost{Failed: 4}, func(err error) bool { return err == bad },
		},
		"more events": {
			func(events []Event) ([]Event, error) { return append(events, ev(9, 9)), nil },
			pipeline.Lost{Failed: 4}, func(err error) bool { return errors.Is(err, stage.ErrGrown) },
		},
		"panic": {
			func([]Event) ([]Event, error) { panic("boom") },
			pipeline.Lost{Panic: 4}, panicked("boom"),
		},
		"index out of range": {
			func(events []Event) ([]Event, error) { return events[:len(events)+100], nil },
			pipeline.Lost{Panic: 4}, func(err error) bool { var re runtime.Error; return errors.As(err, &re) },
		},
		"nil panic": {
			func([]Event) ([]Event, error) { panic(nil) },
			pipeline.Lost{Panic: 4}, func(err error) bool { var pe *runtime.PanicNilError; return errors.As(err, &pe) },
		},
		"goexit": {
			func([]Event) ([]Event, error) { runtime.Goexit(); return nil, nil },
			pipeline.Lost{Panic: 4}, panicked(nil),
		},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				h, failures := mapped(t, w, func(_ context.Context, events []Event) ([]Event, error) {
					if events[0].Seq == 5 {
						return o.act(events)
					}
					return events, nil
				})
				h.offer(t, run(1, 1, 14)...)
				s := h.settle(t)
				require.Equal(t, o.lost, s.Lost)
				require.EqualValues(t, 8, s.Delivered)
				require.Len(t, failures.Values(), 1)
				f := failures.Values()[0]
				require.True(t, o.is(f.Err), "%v", f.Err)
				require.Equal(t, "mapper", f.Stage)
				require.Equal(t, stage.Lost, f.Outcome)
				require.Zero(t, f.Attempts)
				require.Equal(t, run(1, 5, 8), f.Events)
				require.NoError(t, h.p.Err())
				h.close(t)
				require.Equal(t, append(run(1, 1, 4), run(1, 9, 14)...), h.tap.taken())
			})
		})
	}
}

// What a stage fails goes to the routes like what the sink fails.
func TestAFailingMapIsRerouted(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		route := newTap(w)
		h := newHouse(t, w, config{
			BatchSize: 4,
			Stages: []stage.Stage[Event]{stage.Map("mapper", func(_ context.Context, events []Event) ([]Event, error) {
				if events[0].Seq == 1 {
					return nil, errors.New("bad")
				}
				return events, nil
			})},
			Routes: []stage.Route[Event]{{To: route}},
		}, nil)
		h.offer(t, run(1, 1, 8)...)
		s := h.settle(t)
		require.EqualValues(t, 4, s.Rerouted)
		require.EqualValues(t, 4, s.Delivered)
		require.Equal(t, run(1, 1, 4), route.taken())
		h.close(t)
		require.Equal(t, 1, route.closes.Len())
	})
}

// stageFunc makes a stage of what it does with each batch.
type stageFunc func(b stage.Batch[Event], p stage.Ports[Event])

func (f stageFunc) Run(_ context.Context, p stage.Ports[Event]) error {
	for b := range p.In {
		f(b, p)
	}
	return nil
}

// A stage of one's own may take a batch apart.
func TestAStageKeepsAndFails(t *testing.T) {
	bad := errors.New("bad")
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var h *house
		h = newHouse(t, w, config{BatchSize: 6, Stages: []stage.Stage[Event]{
			stageFunc(func(b stage.Batch[Event], p stage.Ports[Event]) {
				if len(b.Events) == 6 {
					rest, f := b.Fail([]int{4, 1}, bad)
					p.Failed <- f
					h.o.Filter(rest.Events[0])
					b = rest.Keep(rest.Events[1:])
				}
				p.Out <- b
			}),
		}}, nil)
		h.offer(t, run(1, 1, 8)...)
		_ = h.flush(t) // what is lost may have been so before the call
		s := h.settle(t)
		require.Equal(t, pipeline.Lost{Failed: 2}, s.Lost)
		require.EqualValues(t, 1, s.Filtered)
		require.EqualValues(t, 5, s.Delivered)
		require.Zero(t, s.Misuse)
		require.Equal(t, []int{3, 4, 6, 7, 8}, seqs(h.tap.taken()))
		h.close(t)
	})
}

// A stage that cuts a batch's slice short instead of calling Keep has filtered
// the rest, all of it too.
func TestAStageThatCutsTheSliceShort(t *testing.T) {
	for _, keep := range []int{3, 1, 0} {
		t.Run(fmt.Sprint(keep), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				var h *house
				h = newHouse(t, w, config{BatchSize: 6, Stages: []stage.Stage[Event]{
					stageFunc(func(b stage.Batch[Event], p stage.Ports[Event]) {
						if len(b.Events) > keep {
							h.o.Filter(b.Events[keep:]...)
							b.Events = b.Events[:keep]
						}
						p.Out <- b
					}),
				}}, nil)
				h.offer(t, run(1, 1, 12)...)
				s := h.settle(t)
				require.EqualValues(t, 12-2*keep, s.Filtered)
				require.EqualValues(t, 2*keep, s.Delivered)
				h.close(t)
			})
		})
	}
}

// A batch is used up by sending it. Sent again, it is misuse, and changes
// nothing: not the books, and not what is delivered afterwards.
func TestABatchSentTwice(t *testing.T) {
	for name, emptied := range map[string]bool{"with its events": false, "emptied": true} {
		for _, size := range []int{4, 64} {
			t.Run(fmt.Sprint(name, " ", size), func(t *testing.T) {
				clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
					var h *house
					h = newHouse(t, w, config{QueueSize: 64, BatchSize: size, Overflow: stage.DropNewest, Stages: []stage.Stage[Event]{
						stageFunc(func(b stage.Batch[Event], p stage.Ports[Event]) {
							if len(b.Events) == size && b.Events[0].Producer == 1 {
								if emptied {
									h.o.Filter(b.Events...)
									b = b.Keep(nil)
								}
								p.Out <- b
							}
							p.Out <- b
						}),
					}}, nil)
					h.offer(t, run(1, 1, size)...)
					s := h.settle(t)
					require.EqualValues(t, 1, s.Misuse)
					require.Zero(t, s.Buffered)

					// Everybody has a buffer of his own: what fills while
					// others are held up is what they hold.
					h.tap.hold()
					var accepted []Event
					for _, e := range run(2, 1, 10*size) {
						if h.enqueue(e) == nil {
							accepted = append(accepted, e)
						}
						h.w.Settle()
					}
					h.tap.release()
					h.settle(t)
					require.EqualValues(t, 1, h.p.Stats().Misuse)
					h.close(t)
					taken := h.tap.taken()
					if !emptied {
						taken = taken[size:]
					}
					require.Equal(t, accepted, taken)
				})
			})
		}
	}
}

// A stage may hold batches back; Flush and Close make it let them go.
func TestAStageThatHoldsBack(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var held []stage.Batch[Event]
		h := newHouse(t, w, config{BatchSize: 2, Stages: []stage.Stage[Event]{
			stageFunc(func(b stage.Batch[Event], p stage.Ports[Event]) {
				if held = append(held, b); b.Trigger == stage.ByFlush || b.Trigger == stage.ByClose {
					for _, b := range held {
						p.Out <- b
					}
					held = nil
				}
			}),
		}}, nil)
		h.offer(t, run(1, 1, 10)...)
		w.Advance(time.Hour)
		s := h.settle(t)
		require.Zero(t, s.Delivered)
		require.EqualValues(t, 10, s.InFlight)
		require.NoError(t, h.flush(t))
		require.EqualValues(t, 10, h.settle(t).Delivered)
		h.offer(t, run(1, 11, 15)...)
		h.close(t)
		require.Equal(t, run(1, 1, 15), h.tap.taken())
	})
}

// A sink that has no name is known by its type.
func TestNames(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		for want, h := range map[string]*house{
			"tap":  newHouse(t, w, config{}, nil),
			"mine": newHouse(t, w, config{Name: "mine"}, nil),
			fmt.Sprintf("%T", stage.SinkFunc[Event](nil)): newHouse(t, w, config{}, stage.SinkFunc[Event](accepts)),
		} {
			require.Equal(t, want, h.p.Name())
			require.Equal(t, want, h.p.Stats().Name)
			h.close(t)
		}
	})
}
