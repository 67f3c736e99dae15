package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

var errQuit = errors.New("enough")

// mode is what a puppet does with batches.
type mode int

const (
	passes mode = iota // sends each on
	holds              // keeps them until a flush or the close
	hoards             // keeps every one
	deaf               // receives none
)

// puppet is a raw stage that does as told and dies on order.
type puppet struct {
	mode  mode
	order chan func() error // made in the bubble; Run returns what an order returns
}

func newPuppet(m mode) *puppet { return &puppet{mode: m, order: make(chan func() error)} }

func (s *puppet) Name() string { return "puppet" }

func (s *puppet) Run(_ context.Context, p stage.Ports[Event]) error {
	in := p.In
	if s.mode == deaf {
		in = nil
	}
	var held []stage.Batch[Event]
	for {
		select {
		case die := <-s.order:
			return die()
		case b, ok := <-in:
			switch {
			case !ok && s.mode == hoards:
				in = nil // only an order ends it now
			case !ok:
				return nil
			case s.mode == hoards, s.mode == holds && b.Trigger != stage.ByFlush && b.Trigger != stage.ByClose:
				held = append(held, b)
			default:
				for _, h := range held {
					p.Out <- h
				}
				held = nil
				p.Out <- b
			}
		}
	}
}

// fill offers events of producer 1 until nothing between the intake and what
// holds up the pipeline has room, and returns their number. The policy is
// DropNewest.
func fill(h *house) (offered int) {
	for refused := 0; refused < 2; offered++ {
		if h.enqueue(ev(1, offered+1)) != nil {
			refused++
		}
		h.w.Settle()
	}
	return offered
}

// deaths are the ways in which a stage can die, and what must be known of it.
var deaths = []struct {
	name string
	die  func() error
	says func(t *testing.T, err error)
}{
	{"panic", func() error { panic("burst") }, func(t *testing.T, err error) {
		var pe *stage.PanicError
		require.ErrorAs(t, err, &pe)
		require.Equal(t, "burst", pe.Value)
		require.Contains(t, pe.Stack, "puppet")
	}},
	{"goexit", func() error { runtime.Goexit(); return nil }, func(t *testing.T, err error) {
		require.ErrorContains(t, err, "Goexit")
	}},
	{"early return", func() error { return nil }, func(t *testing.T, err error) {
		require.ErrorContains(t, err, "returned before its input was closed")
	}},
	{"error return", func() error { return errQuit }, func(t *testing.T, err error) {
		require.ErrorIs(t, err, errQuit)
	}},
	{"fickle panic", func() error { panic(newFickle(0, turn)) }, func(t *testing.T, err error) {
		require.ErrorContains(t, err, "fickle")
		require.ErrorContains(t, err, "puppet")
	}},
	{"fickle return", func() error { return newFickle(0, turn) }, func(t *testing.T, err error) {
		require.ErrorContains(t, err, "fickle")
	}},
}

// The death of a raw stage, whenever and however it comes, is known at once and
// hangs nobody: events are refused, whoever waits is told, Close names the
// stage, and every event is counted.
func TestARawStageDies(t *testing.T) {
	moments := []struct {
		name string
		mode mode
		// before brings the house to the moment and returns the calls that must
		// end with the death.
		before func(t *testing.T, h *house) []*clocktest.Recorder[error]
		lost   uint64
	}{
		{"idle", passes, func(t *testing.T, h *house) []*clocktest.Recorder[error] {
			h.offer(t, run(1, 1, 4)...)
			return nil
		}, 0},
		{"never used", passes, func(*testing.T, *house) []*clocktest.Recorder[error] { return nil }, 0},
		{"holding batches", holds, func(t *testing.T, h *house) []*clocktest.Recorder[error] {
			h.offer(t, run(1, 1, 9)...)
			return nil
		}, 9},
		{"upstream full", deaf, func(t *testing.T, h *house) []*clocktest.Recorder[error] {
			fill(h)
			return nil
		}, 1 << 20},
		{"flush waits", hoards, func(t *testing.T, h *house) []*clocktest.Recorder[error] {
			h.offer(t, run(1, 1, 5)...)
			var calls []*clocktest.Recorder[error]
			for range 3 {
				calls = append(calls, h.start(func() error { return h.p.Flush(context.Background()) }))
			}
			return calls
		}, 5},
		{"callers wait for room", deaf, func(t *testing.T, h *house) []*clocktest.Recorder[error] {
			fill(h)
			var calls []*clocktest.Recorder[error]
			for seq := range 3 {
				calls = append(calls, h.wait(context.Background(), ev(2, seq+1)))
			}
			return calls
		}, 1 << 20},
	}
	for _, moment := range moments {
		for _, death := range deaths {
			t.Run(moment.name+"/"+death.name, func(t *testing.T) {
				clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
					s := newPuppet(moment.mode)
					h := newHouse(t, w, config{
						Name: "works", QueueSize: 16, BatchSize: 2, FlushInterval: time.Hour,
						Overflow: stage.DropNewest, Stages: []stage.Stage[Event]{s},
					}, nil)
					calls := moment.before(t, h)
					w.Settle()
					before := h.p.Stats()
					require.NoError(t, h.p.Err())
					for _, call := range calls {
						require.Zero(t, call.Len())
					}

					s.order <- death.die
					w.Settle()
					select {
					case <-h.p.Done():
					default:
						t.Error("Done is still open")
					}
					var dead *pipeline.DeadError
					require.ErrorAs(t, h.p.Err(), &dead)
					require.Equal(t, "works", dead.Pipeline)
					require.Equal(t, "puppet", dead.Actor)
					require.ErrorIs(t, dead, stage.ErrDead)
					death.says(t, dead)

					require.ErrorAs(t, h.enqueue(ev(3, 1)), &dead)
					require.ErrorAs(t, h.p.Flush(t.Context()), &dead)
					require.ErrorAs(t, h.o.EnqueueWait(t.Context(), h.p, ev(3, 2)), &dead)
					// To tell an early return from an end the supervisor looks at
					// the stage's input, which may let one more event in.
					granted := uint64(0)
					for _, call := range calls {
						require.Equal(t, 1, call.Len())
						if moment.mode == deaf && strings.HasSuffix(death.name, "return") && call.Values()[0] == nil {
							granted++
							continue
						}
						require.ErrorAs(t, call.Values()[0], &dead)
					}

					var loss *pipeline.LossError
					err := h.atOnce(t, h.p.Close)
					require.ErrorAs(t, err, &dead)
					require.Equal(t, "puppet", dead.Actor)
					require.ErrorAs(t, err, &loss)
					require.Empty(t, loss.Stuck)
					require.Equal(t, err, h.p.Err())

					after := h.closed(t)
					lost := min(moment.lost, before.Buffered) + granted
					require.Equal(t, pipeline.Lost{Dead: lost}, after.Lost)
					require.Equal(t, lost, loss.Lost)
					require.Equal(t, before.Delivered, after.Delivered)
					waiting := uint64(0)
					if moment.name == "callers wait for room" {
						waiting = uint64(len(calls))
					}
					require.Equal(t, 2+waiting-granted, after.Rejected.Dead)
					require.Zero(t, after.Misuse)
					require.Equal(t, 1, h.tap.closes.Len(), "the sink is closed all the same")
				})
			})
		}
	}
}

// A stage that dies while the pipeline closes: Close returns at once, and says
// so. One that returns nil has swallowed what it held; that is no death.
func TestARawStageDiesDuringClose(t *testing.T) {
	for _, death := range deaths {
		t.Run(death.name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				s := newPuppet(hoards)
				cfg := inPairs()
				cfg.Stages = []stage.Stage[Event]{s}
				h := newHouse(t, w, cfg, nil)
				h.offer(t, run(1, 1, 5)...)
				ctx, cancel := w.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				closing := h.start(func() error { return h.p.Close(ctx) })
				flushing := h.start(func() error { return h.p.Flush(ctx) })
				w.Settle()
				require.Zero(t, closing.Len())
				s.order <- death.die
				w.Settle()
				require.Equal(t, 1, closing.Len())
				require.Equal(t, closing.Values(), flushing.Values())
				err := closing.Values()[0]
				var loss *pipeline.LossError
				require.ErrorAs(t, err, &loss)
				require.EqualValues(t, 5, loss.Lost)
				if death.name != "early return" {
					var dead *pipeline.DeadError
					require.ErrorAs(t, err, &dead)
					require.Equal(t, "puppet", dead.Actor)
					require.ErrorIs(t, dead, stage.ErrDead)
				}
				require.Equal(t, pipeline.Lost{Dead: 5}, h.closed(t).Lost)
				require.Zero(t, h.p.Stats().Misuse, "the stage has used no batch twice")
			})
		})
	}
}

// What a dead stage would have received still reaches the routes, and what was
// past it still reaches the sink.
func TestADeadStagesInputIsRerouted(t *testing.T) {
	for _, death := range deaths {
		t.Run(death.name, func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				s, m := newPuppet(deaf), newMorgue(w)
				cfg := inPairs()
				cfg.Stages = []stage.Stage[Event]{s}
				cfg.Routes = []stage.Route[Event]{{Match: func(err error) bool { return errors.Is(err, stage.ErrDead) }, To: m}}
				h := newHouse(t, w, cfg, nil)
				h.offer(t, run(1, 1, 21)...)
				w.Settle()
				s.order <- death.die
				got := h.settle(t)
				require.EqualValues(t, 21, got.Rerouted)
				var seen []int
				for _, f := range m.failures.Values() {
					require.Equal(t, "puppet", f.Stage)
					seen = append(seen, seqs(f.Events)...)
				}
				slices.Sort(seen)
				require.Equal(t, count(1, 21), seen)
				var loss *pipeline.LossError
				require.ErrorAs(t, h.atOnce(t, h.p.Close), &loss)
				require.Zero(t, loss.Lost)
				h.closed(t)
			})
		})
	}
}

// A stage dies while the sink is busy with an earlier batch: that one is
// delivered, and Done does not wait for it.
func TestADeathDuringASlowWrite(t *testing.T) {
	for _, workers := range []int{1, 2} {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			s := newPuppet(passes)
			cfg := inPairs()
			cfg.Workers = workers
			cfg.Stages = []stage.Stage[Event]{s}
			h := newHouse(t, w, cfg, newTap(w).hold())
			h.offer(t, run(1, 1, 6)...)
			w.Settle()
			s.order <- func() error { return errQuit }
			w.Settle()
			var dead *pipeline.DeadError
			require.ErrorAs(t, h.p.Err(), &dead)
			require.ErrorAs(t, h.p.Flush(t.Context()), &dead)
			h.tap.release()
			require.EqualValues(t, 6, h.settle(t).Delivered)
			require.ErrorAs(t, h.atOnce(t, h.p.Close), &dead)
			h.closed(t)
		})
	}
}

// brittle is a clock that breaks when it is to measure a millisecond.
type brittle struct {
	clock.Clock
	broken atomic.Bool
}

func (c *brittle) AfterFunc(d time.Duration, f func()) *clock.Timer {
	if c.broken.Load() && d == time.Millisecond {
		panic("spring broken")
	}
	return c.Clock.AfterFunc(d, f)
}

// The enqueue actor dies as it goes to rest: what has reached the others is
// delivered, and what waits is lost, and reported.
func TestWhatWaitsForADeadEnqueueActorIsReported(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		c := &brittle{Clock: w.Clock()}
		cfg := config{QueueSize: 256, BatchSize: 64, Pace: time.Millisecond, Overflow: stage.DropNewest, Clock: c}
		told := reported(w, &cfg)
		h := newHouse(t, w, cfg, newTap(w).hold())
		offered := 0
		offer := func(n int) {
			h.offer(t, run(1, offered+1, offered+n)...)
			offered += n
			w.Settle()
		}
		for h.p.Depth() < 128 {
			offer(64)
		}
		offer(10)
		c.broken.Store(true)
		h.tap.release()
		w.Settle()

		var dead *pipeline.DeadError
		require.ErrorAs(t, h.p.Err(), &dead)
		require.Equal(t, "enqueue", dead.Actor)
		require.ErrorIs(t, h.atOnce(t, h.p.Close), dead)
		s := h.closed(t)
		require.Equal(t, uint64(offered-10), s.Delivered)
		require.Equal(t, pipeline.Lost{Dead: 10}, s.Lost)
		require.Equal(t, 1, told.Len())
		f := told.Values()[0]
		require.Equal(t, count(offered-9, offered), seqs(f.Events))
		require.Equal(t, stage.LossDead, f.Loss)
		require.ErrorIs(t, f.Err, dead)
	})
}

// Two stages die; the first death is the one that is told.
func TestTheFirstDeathIsTold(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		first, second := newPuppet(passes), newPuppet(hoards)
		cfg := inPairs()
		cfg.Stages = []stage.Stage[Event]{second, first}
		h := newHouse(t, w, cfg, nil)
		h.offer(t, run(1, 1, 3)...)
		w.Settle()
		first.order <- func() error { return errQuit }
		w.Settle()
		second.order <- func() error { return errDown }
		w.Settle()
		require.ErrorIs(t, h.p.Err(), errQuit)
		require.ErrorIs(t, h.atOnce(t, h.p.Close), errQuit)
		require.Equal(t, pipeline.Lost{Dead: 3}, h.closed(t).Lost)
	})
}

// A stage that dies as its input closes reports no misuse of batches.
func TestAnErrorAfterTheEndOfInput(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		cfg := inPairs()
		cfg.Stages = []stage.Stage[Event]{raw(func(_ context.Context, p stage.Ports[Event]) error {
			for b := range p.In {
				p.Out <- b
			}
			return errQuit
		})}
		h := newHouse(t, w, cfg, nil)
		h.offer(t, run(1, 1, 5)...)
		require.ErrorIs(t, h.atOnce(t, h.p.Close), errQuit)
		s := h.closed(t)
		require.EqualValues(t, 5, s.Delivered)
		require.Zero(t, s.Misuse)
	})
}

// raw makes a function a stage.
type raw func(ctx context.Context, p stage.Ports[Event]) error

func (f raw) Run(ctx context.Context, p stage.Ports[Event]) error { return f(ctx, p) }

func (raw) Name() string { return "raw" }

// each makes a stage that does something with each batch that has events, and
// passes on those that have none.
func each(do func(b stage.Batch[Event], p stage.Ports[Event])) stage.Stage[Event] {
	return raw(func(_ context.Context, p stage.Ports[Event]) error {
		for b := range p.In {
			if len(b.Events) == 0 {
				p.Out <- b
				continue
			}
			do(b, p)
		}
		return nil
	})
}

// Ill-behaved stages: the books stay exact, and what was done wrong is counted.
func TestStagesThatMisuseTheirBatches(t *testing.T) {
	type want struct {
		delivered []int
		filtered  uint64
		lost      pipeline.Lost
		misuse    uint64
		close     bool // Close reports a loss
	}
	tests := []struct {
		name  string
		stage func(h func() *house) stage.Stage[Event]
		want
	}{
		{"swallows a batch", func(func() *house) stage.Stage[Event] {
			return each(func(b stage.Batch[Event], p stage.Ports[Event]) {
				if b.Events[0].Seq != 3 {
					p.Out <- b
				}
			})
		}, want{delivered: []int{1, 2, 5, 6, 7}, lost: pipeline.Lost{Dead: 2}, close: true}},
		{"sends a batch twice", func(func() *house) stage.Stage[Event] {
			return each(func(b stage.Batch[Event], p stage.Ports[Event]) { p.Out <- b; p.Out <- b })
		}, want{delivered: count(1, 7), misuse: 4}},
		{"sends and fails a batch", func(func() *house) stage.Stage[Event] {
			return each(func(b stage.Batch[Event], p stage.Ports[Event]) {
				_, f := b.FailAll(errDown)
				p.Failed <- f
				p.Out <- b
			})
		}, want{lost: pipeline.Lost{Failed: 7}, misuse: 4, close: true}},
		{"makes up a batch", func(func() *house) stage.Stage[Event] {
			return each(func(b stage.Batch[Event], p stage.Ports[Event]) {
				p.Out <- stage.Batch[Event]{Events: run(8, 1, 2), Trigger: stage.BySize}
				p.Out <- b
			})
		}, want{delivered: count(1, 7), misuse: 4}},
		{"keeps more than it has", func(func() *house) stage.Stage[Event] {
			return each(func(b stage.Batch[Event], p stage.Ports[Event]) {
				p.Out <- b.Keep(append(slices.Clone(b.Events), ev(8, 1)))
			})
		}, want{delivered: count(1, 7), misuse: 4}},
		{"keeps twice from one batch", func(h func() *house) stage.Stage[Event] {
			return each(func(b stage.Batch[Event], p stage.Ports[Event]) {
				h().o.Filter(b.Events[1:]...)
				p.Out <- b.Keep(b.Events[:1])
				p.Out <- b.Keep(b.Events[1:])
			})
		}, want{delivered: []int{1, 3, 5, 7}, filtered: 3, misuse: 8}},
		{"cuts Events short", func(h func() *house) stage.Stage[Event] {
			return each(func(b stage.Batch[Event], p stage.Ports[Event]) {
				h().o.Filter(b.Events[1:]...)
				b.Events = b.Events[:1]
				p.Out <- b
			})
		}, want{delivered: []int{1, 3, 5, 7}, filtered: 3}},
		{"empties Events", func(h func() *house) stage.Stage[Event] {
			return each(func(b stage.Batch[Event], p stage.Ports[Event]) {
				if b.Events[0].Seq == 3 {
					h().o.Filter(b.Events...)
					b.Events = nil
				}
				p.Out <- b
			})
		}, want{delivered: []int{1, 2, 5, 6, 7}, filtered: 2}},
		{"replaces Events", func(func() *house) stage.Stage[Event] {
			return each(func(b stage.Batch[Event], p stage.Ports[Event]) {
				b.Events = slices.Clone(b.Events)
				p.Out <- b
			})
		}, want{delivered: count(1, 7)}},
		{"reorders events", func(func() *house) stage.Stage[Event] {
			return each(func(b stage.Batch[Event], p stage.Ports[Event]) {
				slices.Reverse(b.Events)
				p.Out <- b
			})
		}, want{delivered: []int{2, 1, 4, 3, 6, 5, 7}}},
		{"holds all until a flush", func(func() *house) stage.Stage[Event] { return newPuppet(holds) },
			want{delivered: count(1, 7)}},
		{"reorders batches", func(func() *house) stage.Stage[Event] {
			return raw(func(_ context.Context, p stage.Ports[Event]) error {
				var held []stage.Batch[Event]
				for b := range p.In {
					if b.Trigger != stage.ByFlush && b.Trigger != stage.ByClose {
						held = append(held, b)
						continue
					}
					for len(held) > 0 {
						p.Out <- held[len(held)-1]
						held = held[:len(held)-1]
					}
					p.Out <- b
				}
				return nil
			})
		}, want{delivered: []int{5, 6, 3, 4, 1, 2, 7}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				var h *house
				cfg := inPairs()
				cfg.Stages = []stage.Stage[Event]{tt.stage(func() *house { return h })}
				h = newHouse(t, w, cfg, nil)
				h.o.Unordered = true
				h.offer(t, run(1, 1, 7)...)
				h.settle(t)
				err := h.atOnce(t, h.p.Close)
				if tt.close {
					var loss *pipeline.LossError
					require.ErrorAs(t, err, &loss)
				} else {
					require.NoError(t, err)
				}
				s := h.closed(t)
				require.Equal(t, append([]int{}, tt.delivered...), seqs(h.tap.taken()))
				require.Equal(t, tt.filtered, s.Filtered)
				require.Equal(t, tt.lost, s.Lost)
				require.Equal(t, tt.misuse, s.Misuse)
			})
		})
	}
}

// A flush is over as soon as the holding stage has let go.
func TestFlushEmptiesHoldingStages(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		cfg := inPairs()
		cfg.Stages = []stage.Stage[Event]{newPuppet(holds), newPuppet(holds)}
		h := newHouse(t, w, cfg, nil)
		h.offer(t, run(1, 1, 5)...)
		h.settle(t)
		require.Empty(t, h.tap.taken())
		require.NoError(t, h.flush(t))
		require.Equal(t, count(1, 5), seqs(h.tap.taken()))
		h.offer(t, run(1, 6, 9)...)
		h.settle(t)
		h.close(t)
		require.Equal(t, count(1, 9), seqs(h.tap.taken()))
	})
}

// A batch that has more events than were accepted is refused as a whole, and
// goes where failures go.
func TestAStageThatAddsToEvents(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		cfg := inPairs()
		cfg.Stages = []stage.Stage[Event]{each(func(b stage.Batch[Event], p stage.Ports[Event]) {
			if b.Events[0].Seq == 1 {
				b.Events = append(slices.Clone(b.Events), ev(8, 1))
			}
			p.Out <- b
		})}
		told := clocktest.NewRecorder[stage.Failure[Event]](w)
		cfg.OnFailure = func(_ context.Context, f stage.Failure[Event]) { told.Add(f) }
		cfg.Clock = w.Clock()
		// The hook is shown an event that nobody offered, so the books are
		// checked against numbers here.
		sink := newTap(w)
		p, err := pipeline.New[Event](sink, cfg)
		require.NoError(t, err)
		_, err = p.EnqueueAll(run(1, 1, 4))
		require.NoError(t, err)
		w.Settle()
		s := p.Stats()
		require.Equal(t, pipeline.Lost{Failed: 2}, s.Lost)
		require.EqualValues(t, 2, s.Delivered)
		require.Equal(t, []int{3, 4}, seqs(sink.taken()))
		require.Equal(t, 1, told.Len())
		require.ErrorIs(t, told.Values()[0].Err, stage.ErrGrown)
		require.NoError(t, p.Close(t.Context()))
	})
}

// A batch that was emptied and sent twice must not put its buffer into use
// twice: two later batches would share it.
func TestAnEmptiedBatchSentTwiceHarmsNoOther(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		var h *house
		cfg := config{BatchSize: 64, FlushInterval: time.Hour}
		cfg.Stages = []stage.Stage[Event]{each(func(b stage.Batch[Event], p stage.Ports[Event]) {
			if b.Events[0].Producer == 1 {
				h.o.Filter(b.Events...)
				b = b.Keep(nil)
				p.Out <- b
			}
			p.Out <- b
		})}
		h = newHouse(t, w, cfg, newTap(w))
		h.offer(t, run(1, 1, 64)...)
		h.settle(t)
		h.tap.hold()
		for seq := 1; seq <= 640; seq += 64 {
			h.offer(t, run(2, seq, seq+63)...)
			w.Settle()
		}
		h.tap.release()
		s := h.settle(t)
		require.EqualValues(t, 1, s.Misuse)
		require.Equal(t, count(1, 640), seqs(h.tap.taken()))
		h.close(t)
	})
}

// Another pipeline's batch is no business of this one: it is refused, and its
// owner counts it as swallowed.
func TestAForeignBatch(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		smuggled := make(chan stage.Batch[Event], 8)
		theirs, ours := inPairs(), inPairs()
		theirs.Stages = []stage.Stage[Event]{each(func(b stage.Batch[Event], p stage.Ports[Event]) {
			if b.Events[0].Seq == 1 {
				smuggled <- b
			} else {
				p.Out <- b
			}
		})}
		ours.Stages = []stage.Stage[Event]{each(func(b stage.Batch[Event], p stage.Ports[Event]) {
			for len(smuggled) > 0 {
				p.Out <- <-smuggled
			}
			p.Out <- b
		})}
		a, b := newHouse(t, w, theirs, nil), newHouse(t, w, ours, nil)
		a.offer(t, run(1, 1, 4)...)
		a.settle(t)
		b.offer(t, run(2, 1, 4)...)
		s := b.settle(t)
		require.EqualValues(t, 4, s.Delivered)
		require.EqualValues(t, 1, s.Misuse)
		require.Equal(t, run(2, 1, 4), b.tap.taken())
		b.close(t)

		var loss *pipeline.LossError
		require.ErrorAs(t, a.atOnce(t, a.p.Close), &loss)
		require.EqualValues(t, 2, loss.Lost)
		s = a.closed(t)
		require.Equal(t, pipeline.Lost{Dead: 2}, s.Lost)
		require.Zero(t, s.Misuse)
	})
}

// A stage may fail a part of a batch and keep a part of the rest.
func TestAStageThatFailsAndKeeps(t *testing.T) {
	for _, route := range []bool{false, true} {
		t.Run(fmt.Sprintf("route=%v", route), func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				var h *house
				m := newMorgue(w)
				cfg := inOne(6)
				if route {
					cfg.Routes = []stage.Route[Event]{{To: m}}
				}
				cfg.Stages = []stage.Stage[Event]{each(func(b stage.Batch[Event], p stage.Ports[Event]) {
					b, f := b.Fail([]int{5, 0}, errDown)
					p.Failed <- f
					h.o.Filter(b.Events[0])
					p.Out <- b.Keep(b.Events[1:])
				})}
				h = newHouse(t, w, cfg, nil)
				h.offer(t, run(1, 1, 6)...)
				s := h.settle(t)
				require.Equal(t, []int{3, 4, 5}, seqs(h.tap.taken()))
				require.EqualValues(t, 1, s.Filtered)
				if route {
					require.EqualValues(t, 2, s.Rerouted)
					require.Equal(t, []int{1, 6}, seqs(m.failures.Values()[0].Events))
				} else {
					require.Equal(t, pipeline.Lost{Failed: 2}, s.Lost)
				}
				require.Zero(t, s.Misuse)
				h.close(t)
			})
		})
	}
}
