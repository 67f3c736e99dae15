package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

var (
	errDown  = errors.New("the sink is down")
	errAside = errors.New("the route is down")
)

// outfall is a tap with a name of its own, for routes and second outputs.
type outfall struct {
	*tap
	name string
}

func newOutfall(w *clocktest.World, name string) *outfall { return &outfall{newTap(w), name} }

func (s *outfall) Name() string { return s.name }

// morgue is a route that asks for the cause with the events.
type morgue struct {
	*outfall
	failures *clocktest.Recorder[stage.Failure[Event]]
	refuse   func(n int) error // what WriteFailure answers; nil: it takes everything
}

func newMorgue(w *clocktest.World) *morgue {
	return &morgue{outfall: newOutfall(w, "morgue"), failures: clocktest.NewRecorder[stage.Failure[Event]](w)}
}

func (m *morgue) WriteFailure(_ context.Context, f stage.Failure[Event]) error {
	f.Events = slices.Clone(f.Events)
	m.failures.Add(f)
	if m.refuse != nil {
		return m.refuse(len(f.Events))
	}
	return nil
}

// partly is the error of a sink that failed the events at indexes.
func partly(indexes ...int) error { return &stage.PartialError{Failed: indexes, Err: errDown} }

// reported has a config's failure hook note what it is told.
func reported(w *clocktest.World, cfg *config) *clocktest.Recorder[stage.Failure[Event]] {
	failures := clocktest.NewRecorder[stage.Failure[Event]](w)
	cfg.OnFailure = func(_ context.Context, f stage.Failure[Event]) { failures.Add(f) }
	return failures
}

// inPairs is a config whose batches are cut by size alone, two events each.
func inPairs() config { return config{BatchSize: 2, FlushInterval: time.Hour} }

// inOne is a config in which n events make one batch.
func inOne(n int) config { return config{BatchSize: n, FlushInterval: time.Hour} }

func TestOnlyTheNamedItemsAreRerouted(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		aside := newOutfall(w, "aside")
		cfg := inOne(6)
		cfg.Routes = []stage.Route[Event]{{To: aside}}
		failures := reported(w, &cfg)
		h := newHouse(t, w, cfg, newTap(w).then(fails(fmt.Errorf("bulk: %w", partly(4, 2)))))
		h.offer(t, run(1, 1, 6)...)
		s := h.settle(t)
		require.Equal(t, []int{3, 5}, seqs(aside.taken()), "in the batch's order, whatever the error's")
		require.EqualValues(t, 4, s.Delivered)
		require.EqualValues(t, 2, s.Rerouted)
		require.Zero(t, s.Lost)
		require.Equal(t, 1, failures.Len())
		f := failures.Values()[0]
		require.ErrorIs(t, f.Err, errDown)
		require.Equal(t, stage.Rerouted, f.Outcome)
		require.Equal(t, "tap", f.Stage)
		require.Equal(t, 2, f.Attempts, "one by the sink, one by the route")
		h.close(t)
	})
}

func TestBadIndexesFailTheWholeBatchOnce(t *testing.T) {
	for name, indexes := range map[string][]int{
		"none":            {},
		"nil":             nil,
		"duplicate":       {1, 1},
		"negative":        {0, -1},
		"past the end":    {4},
		"more than there": {0, 1, 2, 3, 0},
		"huge":            {math.MaxInt},
	} {
		for _, rerouted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/route=%v", name, rerouted), func(t *testing.T) {
				clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
					aside := newOutfall(w, "aside")
					cfg := inOne(4)
					if rerouted {
						cfg.Routes = []stage.Route[Event]{{To: aside}}
					}
					failures := reported(w, &cfg)
					h := newHouse(t, w, cfg, newTap(w).then(fails(partly(indexes...))))
					h.offer(t, run(1, 1, 4)...)
					s := h.settle(t)
					require.Zero(t, s.Delivered)
					if rerouted {
						require.EqualValues(t, 4, s.Rerouted)
						require.Equal(t, count(1, 4), seqs(aside.taken()))
					} else {
						require.Equal(t, pipeline.Lost{Failed: 4}, s.Lost)
					}
					require.Equal(t, 1, failures.Len())
					require.Len(t, failures.Values()[0].Events, 4)
					h.offer(t, run(1, 5, 8)...)
					require.EqualValues(t, 4, h.settle(t).Delivered)
					h.close(t)
				})
			})
		}
	}
}

// All indexes named is the whole batch, too.
func TestAPartialErrorThatNamesEveryItem(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, inOne(3), newTap(w).then(fails(partly(2, 0, 1))))
		h.offer(t, run(1, 1, 3)...)
		require.Equal(t, pipeline.Lost{Failed: 3}, h.settle(t).Lost)
		h.close(t)
	})
}

func TestBadIndexesFromARouteLeaveTheFailureWhole(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		bad, good := newOutfall(w, "bad"), newOutfall(w, "good")
		bad.then(fails(partly(0, 0)), fails(partly(7)))
		cfg := inPairs()
		cfg.Routes = []stage.Route[Event]{{To: bad}, {To: good}}
		h := newHouse(t, w, cfg, newTap(w).then(fails(errDown), fails(errDown)))
		h.offer(t, run(1, 1, 4)...)
		s := h.settle(t)
		require.EqualValues(t, 4, s.Rerouted)
		require.Equal(t, count(1, 4), seqs(good.taken()))
		h.close(t)
	})
}

func TestAFallbackThatFailsEndsInOneFinalFailure(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		aside := newOutfall(w, "aside")
		aside.then(fails(errAside))
		cfg := inOne(4)
		cfg.Routes = []stage.Route[Event]{{To: aside}}
		failures := reported(w, &cfg)
		h := newHouse(t, w, cfg, newTap(w).then(fails(partly(1, 3))))
		h.offer(t, run(1, 1, 4)...)
		s := h.settle(t)
		require.Equal(t, []int{2, 4}, seqs(aside.taken()), "the fallback gets what failed and no more")
		require.Equal(t, pipeline.Lost{Failed: 2}, s.Lost)
		require.EqualValues(t, 2, s.Delivered)
		require.Equal(t, 1, failures.Len(), "the hook is called once, not per attempt")
		f := failures.Values()[0]
		require.Equal(t, stage.Lost, f.Outcome)
		require.ErrorIs(t, f.Err, errDown)
		require.ErrorIs(t, f.Err, errAside)
		require.Equal(t, []int{2, 4}, seqs(f.Events))
		require.Equal(t, 2, f.Attempts)
		h.close(t)
	})
}

// Each route of the chain takes some of what the one before left, and the hook
// hears of every event once.
func TestAChainOfRoutesThatEachTakeAPart(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		first, deaf, second := newOutfall(w, "first"), newOutfall(w, "deaf"), newOutfall(w, "second")
		third := newMorgue(w)
		first.then(fails(partly(0, 2, 4, 5))) // of 1..6: leaves 1, 3, 5, 6
		second.then(fails(partly(1, 3)))      // leaves 3, 6
		third.refuse = func(n int) error {    // leaves 6
			return &stage.PartialError{Failed: []int{n - 1}, Err: errAside}
		}
		asked := clocktest.NewRecorder[error](w)
		cfg := inOne(6)
		cfg.Routes = []stage.Route[Event]{
			{To: first},
			{Match: func(err error) bool { asked.Add(err); return false }, To: deaf},
			{Match: func(err error) bool { return errors.Is(err, errDown) }, To: second},
			{To: third},
		}
		failures := reported(w, &cfg)
		h := newHouse(t, w, cfg, newTap(w).then(fails(errDown)))
		h.offer(t, run(1, 1, 6)...)
		s := h.settle(t)
		require.Equal(t, count(1, 6), seqs(first.taken()))
		require.Empty(t, deaf.taken())
		require.Equal(t, 1, asked.Len())
		require.Equal(t, []int{1, 3, 5, 6}, seqs(second.taken()))
		require.Equal(t, []int{3, 6}, seqs(third.failures.Values()[0].Events))
		require.Empty(t, third.taken(), "WriteFailure is preferred")
		require.EqualValues(t, 5, s.Rerouted)
		require.Equal(t, pipeline.Lost{Failed: 1}, s.Lost)

		var told []int
		for _, f := range failures.Values() {
			told = append(told, seqs(f.Events)...)
			require.Equal(t, slices.Equal(seqs(f.Events), []int{6}), f.Outcome == stage.Lost)
		}
		require.Equal(t, []int{2, 4, 1, 5, 3, 6}, told)
		last := failures.Values()[failures.Len()-1]
		require.ErrorIs(t, last.Err, errAside)
		require.Equal(t, 4, last.Attempts)
		h.close(t)
	})
}

func TestAFailureSinkGetsTheCause(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		m := newMorgue(w)
		cfg := inPairs()
		cfg.Routes = []stage.Route[Event]{{To: m}}
		slow := func(ctx context.Context, _ []Event) error {
			stage.Clock(ctx).Sleep(time.Second)
			return errDown
		}
		h := newHouse(t, w, cfg, newTap(w).then(slow))
		begin := w.Clock().Now()
		h.offer(t, run(1, 1, 2)...)
		w.Advance(time.Second)
		h.settle(t)
		require.Equal(t, 1, m.failures.Len())
		f := m.failures.Values()[0]
		require.Equal(t, []int{1, 2}, seqs(f.Events))
		require.ErrorIs(t, f.Err, errDown)
		require.Equal(t, stage.Pending, f.Outcome)
		require.Equal(t, 1, f.Attempts, "the sink's")
		require.True(t, f.First.Equal(begin))
		require.Equal(t, time.Second, f.Last.Sub(f.First))
		require.Empty(t, m.taken())
		h.close(t)
		require.Equal(t, 1, m.closes.Len())
	})
}

// A predicate that panics does not match; the next route gets the events and
// the panic joins the cause.
func TestAPredicateThatPanics(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		never, aside := newOutfall(w, "never"), newMorgue(w)
		cfg := inPairs()
		cfg.Routes = []stage.Route[Event]{
			{Match: func(error) bool { panic("no idea") }, To: never},
			{To: aside},
		}
		h := newHouse(t, w, cfg, newTap(w).then(fails(errDown)))
		h.offer(t, run(1, 1, 4)...)
		s := h.settle(t)
		require.EqualValues(t, 2, s.Rerouted)
		require.EqualValues(t, 2, s.Delivered)
		require.Empty(t, never.taken())
		f := aside.failures.Values()[0]
		var pe *stage.PanicError
		require.ErrorAs(t, f.Err, &pe)
		require.Equal(t, "no idea", pe.Value)
		require.ErrorIs(t, f.Err, errDown)
		h.close(t)
	})
}

// Every end has a counter of its own, and a failure counts once however many
// tried.
func TestEveryEndIsCountedApart(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		picky, aside := newOutfall(w, "picky"), newOutfall(w, "aside")
		picky.then(fails(errAside), fails(errAside), fails(errAside))
		aside.then(accepts, fails(errAside), fails(errAside))
		cfg := inOne(4)
		cfg.Overflow = stage.DropNewest
		cfg.Routes = []stage.Route[Event]{{To: picky}, {To: aside}}
		var h *house
		cfg.Stages = []stage.Stage[Event]{stage.Map("odd", func(_ context.Context, events []Event) ([]Event, error) {
			var odd, even []Event
			for _, e := range events {
				if e.Producer == 2 && e.Seq%2 == 0 {
					even = append(even, e)
				} else {
					odd = append(odd, e)
				}
			}
			h.o.Filter(even...)
			return odd, nil
		})}
		failures := reported(w, &cfg)
		panicking := func(context.Context, []Event) error { panic("torn") }
		h = newHouse(t, w, cfg, newTap(w).then(fails(errDown), fails(errDown), panicking, fails(partly(0))))
		h.offer(t, run(1, 1, 4)...)  // rerouted by aside
		h.offer(t, run(1, 5, 8)...)  // lost
		h.offer(t, run(1, 9, 12)...) // lost in a panic
		h.offer(t, run(2, 1, 4)...)  // two filtered, one delivered, one rerouted by picky
		s := h.settle(t)
		require.EqualValues(t, 16, s.Accepted)
		require.EqualValues(t, 1, s.Delivered)
		require.EqualValues(t, 5, s.Rerouted)
		require.EqualValues(t, 2, s.Filtered)
		require.Equal(t, pipeline.Lost{Failed: 4, Panic: 4}, s.Lost)
		require.Equal(t, 4, failures.Len())
		require.NoError(t, h.atOnce(t, h.p.Close), "earlier losses are no part of Close's verdict")
		h.closed(t)
		require.ErrorIs(t, h.enqueue(ev(3, 1)), stage.ErrClosed)
		require.Equal(t, pipeline.Rejected{Closed: 1}, h.closed(t).Rejected)
	})
}

// A blow is what user code does to the goroutine it was called on.
var blows = map[string]func(){
	"panic":       func() { panic("blow") },
	"panic error": func() { panic(errDown) },
	"goexit":      func() { runtime.Goexit() },
}

// once makes a function that deals its blow at the first call only.
func once(deal func()) func() {
	dealt := make(chan struct{}, 1)
	return func() {
		select {
		case dealt <- struct{}{}:
			deal()
		default:
		}
	}
}

// frail is a sink whose methods may end badly. nil: they do not.
type frail struct {
	*outfall
	write, flush, close func()
}

func (s *frail) Write(ctx context.Context, events []Event) error {
	if s.write != nil {
		s.write()
	}
	return s.outfall.Write(ctx, events)
}

func (s *frail) Flush(ctx context.Context) error {
	if s.flush != nil {
		s.flush()
	}
	return s.outfall.Flush(ctx)
}

func (s *frail) Close() error {
	if s.close != nil {
		s.close()
	}
	return s.outfall.Close()
}

// User code that panics or ends its goroutine, wherever it is called, costs at
// most its own batch: the pipeline lives and the next batch is delivered.
func TestUserCodeThatEndsBadly(t *testing.T) {
	type scene struct {
		cfg         config
		main, aside *frail
	}
	places := []struct {
		name  string
		set   func(sc *scene, strike func())
		lost  uint64 // of the first batch, by panic
		took  uint64 // of the first batch, by the route
		hook  bool
		flush bool // Flush reports it
		close bool // Close reports it
	}{
		{name: "sink Write", set: func(sc *scene, strike func()) { sc.main.write = strike }, took: 2},
		{name: "sink Write, no route", set: func(sc *scene, strike func()) { sc.main.write, sc.cfg.Routes = strike, nil }, lost: 2},
		{name: "sink Write, four workers", set: func(sc *scene, strike func()) { sc.main.write, sc.cfg.Workers = strike, 4 }, took: 2},
		{name: "sink Flush", set: func(sc *scene, strike func()) { sc.main.flush = strike }, flush: true},
		{name: "sink Flush, four workers", set: func(sc *scene, strike func()) { sc.main.flush, sc.cfg.Workers = strike, 4 }, flush: true},
		{name: "sink Close", set: func(sc *scene, strike func()) { sc.main.close = strike }, close: true},
		{name: "route Write", set: func(sc *scene, strike func()) {
			sc.main.then(fails(errDown))
			sc.aside.write = strike
		}, lost: 2},
		{name: "route Flush", set: func(sc *scene, strike func()) { sc.aside.flush = strike }, flush: true},
		{name: "route Close", set: func(sc *scene, strike func()) { sc.aside.close = strike }, close: true},
		{name: "match", set: func(sc *scene, strike func()) {
			sc.main.then(fails(errDown))
			sc.cfg.Routes[0].Match = func(error) bool { strike(); return true }
		}, lost: 2},
		{name: "map", set: func(sc *scene, strike func()) {
			sc.cfg.Stages = []stage.Stage[Event]{stage.Map("map", func(_ context.Context, events []Event) ([]Event, error) {
				strike()
				return events, nil
			})}
		}, took: 2},
		{name: "failure hook", set: func(sc *scene, strike func()) {
			sc.main.then(fails(errDown))
			sc.cfg.OnFailure = func(context.Context, stage.Failure[Event]) { strike() }
		}, took: 2, hook: true},
	}
	for _, place := range places {
		for blow, deal := range blows {
			t.Run(place.name+"/"+blow, func(t *testing.T) {
				clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
					sc := scene{cfg: inPairs(), main: &frail{outfall: newOutfall(w, "main")}, aside: &frail{outfall: newOutfall(w, "aside")}}
					sc.cfg.Routes = []stage.Route[Event]{{To: sc.aside}}
					failures := reported(w, &sc.cfg)
					place.set(&sc, once(deal))
					h := newHouse(t, w, sc.cfg, sc.main)
					h.offer(t, run(1, 1, 2)...)
					s := h.settle(t)
					require.Equal(t, place.lost, s.Lost.Panic)
					require.Equal(t, place.lost, s.Lost.Total())
					require.Equal(t, place.took, s.Rerouted)
					require.Equal(t, place.hook, s.HookPanics == 1)
					leads := func(err error) { // to the line that struck
						t.Helper()
						var pe *stage.PanicError
						require.ErrorAs(t, err, &pe)
						require.Contains(t, pe.Stack, "failure_test.go")
					}
					require.Equal(t, place.lost+place.took > 0 && !place.hook, failures.Len() > 0)
					for _, f := range failures.Values() {
						leads(f.Err)
					}

					err := h.flush(t)
					var pe *stage.PanicError
					require.Equal(t, place.flush, errors.As(err, &pe), "%v", err)
					if place.flush {
						leads(err)
					}
					require.NoError(t, h.flush(t), "the blow is dealt once")

					h.offer(t, run(1, 3, 4)...)
					require.GreaterOrEqual(t, h.settle(t).Delivered, uint64(2), "the next batch is delivered")
					require.NoError(t, h.p.Err())

					err = h.atOnce(t, h.p.Close)
					require.Equal(t, place.close, errors.As(err, &pe), "%v", err)
					if place.close {
						leads(err)
					} else {
						require.NoError(t, err)
					}
					s = h.closed(t)
					require.EqualValues(t, 4, s.Delivered+s.Rerouted+s.Lost.Total())
					require.Zero(t, s.Misuse)
				})
			})
		}
	}
}

// A route that ends its goroutine has failed like any other: what it did not
// take goes on to the next.
func TestARouteThatEndsItsGoroutineHandsOn(t *testing.T) {
	for blow, deal := range blows {
		t.Run(blow, func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				bad, good := &frail{outfall: newOutfall(w, "bad"), write: once(deal)}, newOutfall(w, "good")
				cfg := inPairs()
				cfg.Routes = []stage.Route[Event]{{To: bad}, {To: good}}
				h := newHouse(t, w, cfg, newTap(w).then(fails(errDown)))
				h.offer(t, run(1, 1, 2)...)
				h.settle(t)
				h.close(t)
				require.Equal(t, []int{1, 2}, seqs(good.taken()))
			})
		})
	}
}

// The stack of a caught panic leads to the line that panicked.
func TestAFailureCarriesTheStack(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		cfg := inPairs()
		failures := reported(w, &cfg)
		h := newHouse(t, w, cfg, newTap(w).then(burstPipe, func(context.Context, []Event) error { panic(errDown) }))
		h.offer(t, run(1, 1, 6)...)
		s := h.settle(t)
		require.Equal(t, pipeline.Lost{Panic: 4}, s.Lost)
		require.EqualValues(t, 2, s.Delivered)
		var pe *stage.PanicError
		require.ErrorAs(t, failures.Values()[0].Err, &pe)
		require.Contains(t, pe.Stack, "burstPipe")
		require.ErrorIs(t, failures.Values()[1].Err, errDown, "a panic with an error wraps it")
		h.close(t)
	})
}

func burstPipe(context.Context, []Event) error { panic("burst") }

// fickle is an error that answers so many questions, and then does something else.
type fickle struct {
	answers atomic.Int32
	then    func()
}

func newFickle(answers int, then func()) error {
	e := &fickle{then: then}
	e.answers.Store(int32(answers))
	return e
}

func (e *fickle) Error() string { return "fickle" }

func (e *fickle) asked() {
	if e.answers.Add(-1) < 0 {
		e.then()
	}
}

// turn is what a fickle error may do.
func turn() { panic("turned") }

func (e *fickle) Is(error) bool { e.asked(); return false }
func (e *fickle) As(any) bool   { e.asked(); return false }
func (e *fickle) Unwrap() error { e.asked(); return nil }

// An error's methods are user code. One that turns on whoever asks it, at
// whatever question, may cost an actor its life, and the actors that bury that
// one, but every event is accounted for, and nobody is left waiting. At the first
// question it costs its batch alone.
func TestAnErrorThatTurnsOnWhoeverAsks(t *testing.T) {
	for name, then := range map[string]func(){"panic": turn, "goexit": runtime.Goexit} {
		for _, workers := range []int{1, 2} {
			t.Run(fmt.Sprintf("%s/workers=%d", name, workers), func(t *testing.T) {
				deaths := 0
				for answers := range 80 {
					clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
						h := newHouse(t, w, config{BatchSize: 1, Workers: workers}, stage.SinkFunc[Event](func(context.Context, []Event) error {
							return newFickle(answers, then)
						}))
						for _, e := range run(1, 1, 12) {
							_ = h.enqueue(e)
						}
						w.Settle()
						death := h.p.Err()
						require.ErrorIs(t, h.atOnce(t, h.p.Close), death)
						if death != nil {
							deaths++
							require.NotZero(t, answers, "an error is asked where it comes from")
						}
						s := h.closed(t)
						require.Equal(t, s.Accepted, s.Lost.Total())
						require.Zero(t, s.Misuse)
					})
				}
				require.Positive(t, deaths, "80 answers are enough to see one turn everywhere")
			})
		}
	}
}

// Close's context may have such an error for its cause.
func TestCloseWhoseContextHasAFickleCause(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		cfg := inPairs()
		cfg.Stages = []stage.Stage[Event]{newSieve(func(Event) bool { return true })}
		h := newHouse(t, w, cfg, newTap(w).hold())
		h.offer(t, run(1, 1, 60)...)
		w.Settle()
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(newFickle(0, turn))
		err := h.p.Close(ctx)
		var loss *pipeline.LossError
		require.ErrorAs(t, err, &loss)
		require.ErrorIs(t, err, stage.ErrAbandoned)
		require.ErrorContains(t, err, "fickle")
		require.Equal(t, pipeline.Lost{InDoubt: 2, Deadline: 58}, h.closed(t).Lost)
	})
}

// No lock is held while an error is asked.
func TestAnErrorThatAsksForStats(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		var h *house
		nosy := newFickle(0, func() { h.p.Stats() })
		m := newMorgue(w)
		m.refuse = func(int) error { return nosy }
		cfg := inPairs()
		cfg.Routes = []stage.Route[Event]{{To: m}}
		h = newHouse(t, w, cfg, newTap(w).then(fails(nosy)))
		h.offer(t, run(1, 1, 4)...)
		s := h.settle(t)
		require.Equal(t, pipeline.Lost{Failed: 2}, s.Lost)
		require.EqualValues(t, 2, s.Delivered)
		h.close(t)
	})
}

// A function that returns more than it was given has failed; the events go
// where failures go.
func TestAMapFunctionThatGrows(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m := newMorgue(w)
		cfg := inPairs()
		cfg.Routes = []stage.Route[Event]{{To: m}}
		cfg.Stages = []stage.Stage[Event]{
			stage.Map("grow", func(_ context.Context, events []Event) ([]Event, error) {
				if events[0].Seq > 1 {
					return events, nil
				}
				return append(slices.Clone(events), ev(9, 9)), nil
			}),
			stage.Map("refuse", func(_ context.Context, events []Event) ([]Event, error) {
				if events[0].Seq == 3 {
					return nil, errDown
				}
				return events, nil
			}),
		}
		h := newHouse(t, w, cfg, nil)
		h.offer(t, run(1, 1, 6)...)
		s := h.settle(t)
		require.EqualValues(t, 4, s.Rerouted)
		require.EqualValues(t, 2, s.Delivered)
		got := m.failures.Values()
		require.ErrorIs(t, got[0].Err, stage.ErrGrown)
		require.Equal(t, "grow", got[0].Stage)
		require.ErrorIs(t, got[1].Err, errDown)
		require.Equal(t, "refuse", got[1].Stage)
		h.close(t)
	})
}
