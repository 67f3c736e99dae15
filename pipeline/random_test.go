package pipeline_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// Sixteen producers, a sink and routes that do the worst they can, and Close at
// a random moment with a random deadline: every event is accounted for, order
// holds, Close meets its deadline to the nanosecond, and nothing is left.
func TestCloseAtARandomMoment(t *testing.T) {
	clocktest.Explore(t, randomSeeds, weather)
}

func TestCloseAtARandomMomentOnAMock(t *testing.T) {
	clocktest.Explore(t, randomSeeds/20, weather, clocktest.WithMock())
}

const (
	producers = 16
	longest   = 40 * time.Millisecond // that anything takes
)

func weather(t *testing.T, w *clocktest.World) {
	r := w.Rand("plan")
	// In a world of ties everything happens on whole milliseconds, so that what
	// coincides is many things; else nothing does.
	ties := r.IntN(3) == 0
	span := func(r *rand.Rand, most time.Duration) time.Duration {
		if ties {
			return time.Duration(1+r.Int64N(int64(most/time.Millisecond))) * time.Millisecond
		}
		return 1 + time.Duration(r.Int64N(int64(most)))
	}
	deadline := span(r, longest/2)
	switch r.IntN(8) {
	case 0:
		deadline = 0
	case 1:
		deadline = 30 * longest * producers // long enough for all
	}
	cfg := config{
		QueueSize:     []int{8, 16, 32}[r.IntN(3)],
		BatchSize:     1 + r.IntN(8),
		FlushInterval: span(r, longest/4),
		Overflow:      stage.Overflow(r.IntN(2)),
		Workers:       1 + r.IntN(3),
	}
	if ties {
		cfg.QueueSize = 3 * producers // the drop hook keeps up with one instant
	}
	if r.IntN(3) == 0 {
		cfg.SizeOf, cfg.QueueBytes, cfg.BatchBytes = oracle.SizeOf, 400, 60
	}
	if r.IntN(3) == 0 {
		cfg.Important, cfg.Reserve = fourth, []float64{0, 0.1, 0.6}[r.IntN(3)]
	}
	var h *house
	if r.IntN(3) == 0 {
		cfg.Stages = append(cfg.Stages, &puppet{mode: holds})
	}
	if r.IntN(3) == 0 {
		sieve := !ties && deadline > 0 // what it removes in the instant of the deadline is lost and filtered
		cfg.Stages = append(cfg.Stages, stage.Map("sieve", func(ctx context.Context, events []Event) ([]Event, error) {
			if events[0].Seq%7 == 0 {
				panic("sieve")
			}
			if !sieve || ctx.Err() != nil {
				return events, nil
			}
			kept := make([]Event, 0, len(events))
			for _, e := range events {
				if e.Seq%3 == 0 {
					h.o.Filter(e)
				} else {
					kept = append(kept, e)
				}
			}
			return kept, nil
		}))
	}
	var gauges []*gauge
	fickle := func(name string) *gauge {
		s := newGauge(w, name, span)
		gauges = append(gauges, s)
		return s
	}
	main := fickle("main")
	for range r.IntN(3) {
		route := stage.Route[Event]{To: fickle([]string{"main", "left", "right"}[len(gauges)])}
		if r.IntN(2) == 0 {
			route.Match = func(err error) bool { return !errors.Is(err, errDown) }
		}
		cfg.Routes = append(cfg.Routes, route)
	}
	hook := w.Rand("hook")
	cfg.OnFailure = func(context.Context, stage.Failure[Event]) {
		switch hook.IntN(40) {
		case 0:
			panic("hook")
		case 1:
			runtime.Goexit()
		}
	}
	h = newHouse(t, w, cfg, main)

	var busy sync.WaitGroup
	for k := range producers {
		r := rand.New(rand.NewPCG(w.Seed(), uint64(k)))
		busy.Go(func() {
			for seq := 1; seq <= 5; seq++ {
				w.Clock().Sleep(span(r, longest/4))
				e := Event{Producer: k, Seq: seq, Bytes: r.IntN(80)}
				switch r.IntN(5) {
				case 0:
					ctx, cancel := w.WithTimeout(t.Context(), span(r, longest/4))
					_ = h.o.EnqueueWait(ctx, h.p, e)
					cancel()
				case 1:
					seq += 2
					_, _ = h.o.EnqueueAll(h.p, []Event{e, {Producer: k, Seq: seq - 1}, {Producer: k, Seq: seq, Bytes: 500}})
				default:
					_ = h.o.Enqueue(h.p, e)
				}
			}
		})
	}
	for _, at := range []time.Duration{span(r, longest), span(r, longest)} {
		patience := span(r, longest)
		busy.Go(func() {
			w.Clock().Sleep(at)
			ctx, cancel := w.WithTimeout(t.Context(), patience)
			defer cancel()
			_ = h.p.Flush(ctx)
			if errs := oracle.Identities(h.p.Stats()); len(errs) > 0 {
				t.Error(errs)
			}
		})
	}

	w.Advance(span(r, longest*3/2))
	before := h.p.Stats()
	ctx, cancel := w.WithTimeout(t.Context(), deadline)
	defer cancel()
	begin := w.Elapsed()
	closing := clocktest.NewRecorder[Stats](w)
	verdict := h.start(func() error {
		err := h.p.Close(ctx)
		closing.Add(h.p.Stats())
		return err
	})
	w.Advance(deadline)
	if verdict.Len() != 1 {
		t.Errorf("Close has not returned after %v", deadline)
		w.Advance(100 * longest * producers)
		return
	}
	err, took := verdict.Values()[0], verdict.Times()[0]-begin
	if forced := errors.Is(err, context.DeadlineExceeded); forced && took != deadline {
		t.Errorf("Close ended by its deadline of %v took %v", deadline, took)
	}
	w.Advance(20 * longest) // stuck calls return
	busy.Wait()
	after := h.closed(t)

	var loss *pipeline.LossError
	lost := after.Lost.Total() - before.Lost.Total()
	switch {
	case err == nil && lost > 0:
		t.Errorf("%d lost, and Close says nil", lost)
	case err != nil && !errors.As(err, &loss):
		t.Errorf("no LossError: %v", err)
	case loss != nil && (loss.Lost != lost || loss.InDoubt != after.Lost.InDoubt):
		t.Errorf("%d lost, %d in doubt: %v", lost, after.Lost.InDoubt, err)
	}
	late, end := closing.Values()[0], after
	late.Offered, late.Rejected, late.HookPanics = end.Offered, end.Rejected, end.HookPanics
	require.Equal(t, late, end, "the verdict's books are the last")
	require.Zero(t, end.Misuse)
	for i, s := range gauges {
		workers := 1
		if i == 0 {
			workers = cfg.Workers
		}
		s.check(t, workers)
	}
}

// gauge is a sink with moods that checks how it is called.
type gauge struct {
	w    *clocktest.World
	name string
	span func(*rand.Rand, time.Duration) time.Duration

	mu      sync.Mutex
	r       *rand.Rand
	inside  int
	most    int
	flushed int
	closed  int
	faults  []string
}

func newGauge(w *clocktest.World, name string, span func(*rand.Rand, time.Duration) time.Duration) *gauge {
	return &gauge{w: w, name: name, span: span, r: w.Rand(name)}
}

func (s *gauge) Name() string { return s.name }

// draw decides what a call does: how long it takes, whether it heeds its
// context meanwhile, and how it ends.
func (s *gauge) draw(n int) (d time.Duration, heeds bool, end func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inside++
	s.most = max(s.most, s.inside)
	if s.closed > 0 {
		s.faults = append(s.faults, "called after Close")
	}
	if s.r.IntN(2) == 0 {
		most := 2 * time.Millisecond
		if s.r.IntN(6) == 0 {
			most = longest
		}
		d = s.span(s.r, most)
	}
	heeds = s.r.IntN(2) == 0
	failed := []int{}
	for i := range n {
		if s.r.IntN(3) == 0 {
			failed = append(failed, i)
		}
	}
	ends := []func() error{
		func() error { return errDown },
		func() error { return errAside },
		func() error { return &stage.PartialError{Failed: failed, Err: errAside} },
		func() error { return &stage.PartialError{Failed: []int{n}, Err: errAside} },
		func() error { panic("gauge") },
		func() error { runtime.Goexit(); return nil },
	}
	if k := s.r.IntN(12); k < len(ends) {
		return d, heeds, ends[k]
	}
	return d, heeds, func() error { return nil }
}

func (s *gauge) Write(ctx context.Context, events []Event) error {
	d, heeds, end := s.draw(len(events))
	defer s.leave()
	switch {
	case d == 0:
	case heeds:
		if err := clockutil.Sleep(ctx, stage.Clock(ctx), d); err != nil {
			return err
		}
	default:
		stage.Clock(ctx).Sleep(d)
	}
	return end()
}

func (s *gauge) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inside--
}

func (s *gauge) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.flushed++
	if s.inside > 0 || s.closed > 0 {
		s.faults = append(s.faults, "flushed during a Write or after Close")
	}
	return nil
}

func (s *gauge) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	if s.inside > 0 || s.flushed == 0 {
		s.faults = append(s.faults, "closed during a Write or before a Flush")
	}
	return nil
}

func (s *gauge) check(t *testing.T, workers int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults) > 0 || s.closed != 1 || s.most > workers || s.inside != 0 {
		t.Errorf("sink %s: %v, closed %d times, %d calls at a time, %d left", s.name, s.faults, s.closed, s.most, s.inside)
	}
}
