package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// inside are the places in a pipeline from which user code calls it: each puts
// call into a config or its sink, to be made for event 1.
var inside = map[string]func(w *clocktest.World, cfg *config, main *outfall, call func(ctx context.Context)){
	"sink": func(_ *clocktest.World, _ *config, main *outfall, call func(context.Context)) {
		main.then(func(ctx context.Context, _ []Event) error { call(ctx); return nil })
	},
	"raw stage": func(_ *clocktest.World, cfg *config, _ *outfall, call func(context.Context)) {
		cfg.Stages = []stage.Stage[Event]{raw(func(ctx context.Context, p stage.Ports[Event]) error {
			for b := range p.In {
				if len(b.Events) > 0 && b.Events[0] == ev(1, 1) {
					call(ctx)
				}
				p.Out <- b
			}
			return nil
		})}
	},
	"map": func(_ *clocktest.World, cfg *config, _ *outfall, call func(context.Context)) {
		cfg.Stages = []stage.Stage[Event]{stage.Map("map", func(ctx context.Context, events []Event) ([]Event, error) {
			if events[0] == ev(1, 1) {
				call(ctx)
			}
			return events, nil
		})}
	},
	"hook": func(_ *clocktest.World, cfg *config, main *outfall, call func(context.Context)) {
		main.then(fails(errDown))
		cfg.OnFailure = func(ctx context.Context, f stage.Failure[Event]) {
			if f.Events[0] == ev(1, 1) {
				call(ctx)
			}
		}
	},
	"route": func(w *clocktest.World, cfg *config, main *outfall, call func(context.Context)) {
		main.then(fails(errDown))
		aside := newOutfall(w, "aside")
		aside.then(func(ctx context.Context, _ []Event) error { call(ctx); return nil })
		cfg.Routes = []stage.Route[Event]{{To: aside}}
	},
}

// From inside, with the context given there, nothing blocks: Enqueue works, the
// others return ErrReentrant at once.
func TestCallsFromInside(t *testing.T) {
	type key struct{}
	for place, put := range inside {
		t.Run(place, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				var h *house
				cfg, main := inPairs(), newOutfall(w, "main")
				cfg.QueueSize = 4
				errs := clocktest.NewRecorder[error](w)
				put(w, &cfg, main, func(ctx context.Context) {
					derived, cancel := context.WithCancel(context.WithValue(ctx, key{}, 1))
					defer cancel()
					errs.Add(h.enqueue(ev(2, 1)))
					errs.Add(h.p.EnqueueWait(derived, ev(3, 1)))
					errs.Add(h.p.Flush(derived))
					errs.Add(h.enqueue(ev(2, 2)))
				})
				h = newHouse(t, w, cfg, main)
				h.offer(t, run(1, 1, 2)...)
				s := h.settle(t)
				require.Equal(t, []error{nil, pipeline.ErrReentrant, pipeline.ErrReentrant, nil}, errs.Values())
				require.Zero(t, w.Elapsed())
				require.EqualValues(t, 4, s.Offered)
				require.NoError(t, h.flush(t))
				h.close(t)
				require.EqualValues(t, 4, h.p.Stats().Accepted)
			})
		})
	}
}

// Close from inside seals the intake and returns; the draining goes on, also
// if nobody calls Close again.
func TestCloseFromInside(t *testing.T) {
	for place, put := range inside {
		t.Run(place, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				var h *house
				cfg, main := inPairs(), newOutfall(w, "main")
				errs := clocktest.NewRecorder[error](w)
				ready := make(chan struct{})
				put(w, &cfg, main, func(ctx context.Context) {
					<-ready
					errs.Add(h.p.Close(ctx))
					errs.Add(h.enqueue(ev(2, 1)))
					errs.Add(h.p.Close(ctx))
				})
				h = newHouse(t, w, cfg, main)
				h.offer(t, run(1, 1, 7)...)
				close(ready)
				w.Settle()
				got := errs.Values()
				require.Len(t, got, 3)
				require.Equal(t, pipeline.ErrReentrant, got[0])
				require.ErrorIs(t, got[1], stage.ErrClosed)
				require.Equal(t, pipeline.ErrReentrant, got[2])
				select {
				case <-h.p.Done():
				default:
					t.Error("the pipeline has not ended by itself")
				}
				require.Equal(t, 1, main.closes.Len())
				require.Equal(t, h.p.Err(), h.p.Close(t.Context()))
				h.closed(t)
			})
		})
	}
}

// With a context from elsewhere the calls cannot be recognized. They end when
// it ends, and the pipeline is none the worse.
func TestCallsFromInsideWithAForeignContext(t *testing.T) {
	calls := map[string]func(h *house, ctx context.Context) error{
		"Flush": func(h *house, ctx context.Context) error { return h.p.Flush(ctx) },
		"EnqueueWait": func(h *house, ctx context.Context) error {
			// Only the sink holds the pipeline up for good; elsewhere there may
			// be room.
			return h.o.EnqueueWait(ctx, h.p, ev(3, 1))
		},
		"Close": func(h *house, ctx context.Context) error { return h.p.Close(ctx) },
	}
	for place, put := range inside {
		for name, call := range calls {
			t.Run(place+"/"+name, func(t *testing.T) {
				clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
					var h *house
					cfg, main := inPairs(), newOutfall(w, "main")
					cfg.QueueSize, cfg.Overflow = 4, stage.DropNewest
					errs := clocktest.NewRecorder[error](w)
					ready := make(chan struct{})
					put(w, &cfg, main, func(context.Context) {
						<-ready
						ctx, cancel := w.WithTimeout(context.Background(), time.Second)
						defer cancel()
						errs.Add(call(h, ctx))
					})
					h = newHouse(t, w, cfg, main)
					h.offer(t, run(1, 1, 2)...)
					h.settle(t)
					if place == "hook" {
						h.offer(t, run(1, 3, 4)...)
						h.settle(t)
					} else if name == "EnqueueWait" && place != "route" {
						for seq := 3; h.enqueue(ev(1, seq)) == nil; seq++ {
							w.Settle()
						}
					}
					close(ready)
					w.Advance(time.Second)
					require.Equal(t, 1, errs.Len(), "the call ends with its context")
					switch err := errs.Values()[0]; {
					case name == "Close" || name == "EnqueueWait" && place != "hook" && place != "route", place != "hook" && place != "route":
						require.ErrorIs(t, err, context.DeadlineExceeded)
						require.Equal(t, []time.Duration{time.Second}, errs.Times())
					}
					if name == "Close" {
						require.Equal(t, errs.Values()[0], h.p.Close(t.Context()))
						h.closed(t)
						return
					}
					h.settle(t)
					require.NoError(t, h.flush(t))
					h.close(t)
				})
			})
		}
	}
}

// Two pipelines in a row: what one is called from does not bar the other.
func TestAPipelineInsideAPipelinesSink(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		inner := newHouse(t, w, inOne(100), nil)
		sink := newOutfall(w, "outer")
		sink.then(func(ctx context.Context, events []Event) error {
			for _, e := range events {
				if err := inner.o.EnqueueWait(ctx, inner.p, e); err != nil {
					return err
				}
			}
			return inner.p.Flush(ctx)
		})
		outer := newHouse(t, w, inPairs(), sink)
		outer.offer(t, run(1, 1, 2)...)
		require.EqualValues(t, 2, outer.settle(t).Delivered)
		require.EqualValues(t, 2, inner.settle(t).Delivered)
		outer.close(t)
		inner.close(t)
	})
}
