package sinks

import (
	"context"
	"errors"
	"io"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
)

func newBreaker(t *testing.T, sink stage.Sink[int], cfg BreakerConfig) *Breaker[int] {
	t.Helper()
	b, err := NewBreaker(sink, cfg)
	require.NoError(t, err)
	return b
}

// opened is a breaker that one failure has just opened. Its sink is healthy.
func opened(t *testing.T, w *clocktest.World, cfg BreakerConfig) (*Breaker[int], *Memory[int]) {
	t.Helper()
	cfg.Failures, cfg.CoolDown = 1, 10*time.Second
	s := &Memory[int]{}
	b := newBreaker(t, s, cfg)
	s.Fail = fails(errDown)
	require.ErrorIs(t, b.Write(at(w), []int{0}), errDown)
	s.Fail = nil
	s.Reset()
	require.Equal(t, stage.BreakerOpen, b.State())
	return b, s
}

func TestBreakerOpensProbesAndCloses(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		changes := clocktest.NewRecorder[string](w)
		s := newFlaky(w, errDown, nil, errDown, errDown, errDown, errDown)
		b := newBreaker(t, s, BreakerConfig{Failures: 3, CoolDown: 10 * time.Second, OnStateChange: func(_ context.Context, c BreakerChange) {
			changes.Add(c.From.String() + ">" + c.To.String())
			if !c.At.Equal(w.Clock().Now()) {
				t.Errorf("changed at %v", c.At)
			}
		}})
		write := func() error { return b.Write(at(w), []int{1}) }
		for _, want := range []error{errDown, nil, errDown, errDown} {
			require.Equal(t, want, write())
			require.Equal(t, stage.BreakerClosed, b.State())
		}
		w.Advance(time.Second)
		require.Equal(t, errDown, write(), "the third in a row")
		require.Equal(t, stage.BreakerOpen, b.State())

		w.Advance(9999 * time.Millisecond)
		err := write()
		require.ErrorIs(t, err, ErrOpen)
		require.NotErrorIs(t, err, errDown)
		require.False(t, stage.IsPermanent(err))
		require.Equal(t, time.Millisecond, retryAfter(err))
		require.Equal(t, 5, s.calls.Len(), "the sink is spared")
		w.Advance(time.Millisecond)
		require.Equal(t, stage.BreakerOpen, b.State(), "reading changes nothing")
		require.Equal(t, errDown, write(), "the probe")
		require.Equal(t, stage.BreakerOpen, b.State())
		w.Advance(10 * time.Second)
		require.NoError(t, write())
		require.Equal(t, stage.BreakerClosed, b.State())
		require.NoError(t, write())

		require.Equal(t, []string{
			"closed>open", "open>half_open", "half_open>open", "open>half_open", "half_open>closed",
		}, changes.Values())
		require.Equal(t, []time.Duration{
			time.Second, 11 * time.Second, 11 * time.Second, 21 * time.Second, 21 * time.Second,
		}, changes.Times())
		report := stage.SinkReport{Breaker: stage.BreakerHalfOpen}
		b.Report(&report)
		require.EqualValues(t, 2, report.Opened)
		require.Equal(t, stage.BreakerHalfOpen, report.Breaker, "the worse of two")
	})
}

// Failures while it is open, of calls that began before, do not extend the
// cool-down, and their successes do not close it.
func TestBreakerIgnoresEarlierGenerations(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		answers := map[int]chan error{}
		for i := 1; i <= 6; i++ {
			answers[i] = make(chan error)
		}
		s := stage.SinkFunc[int](func(_ context.Context, events []int) error { return <-answers[events[0]] })
		b := newBreaker(t, s, BreakerConfig{Failures: 1, CoolDown: 10 * time.Second})
		for i := 1; i <= 4; i++ {
			startWrite(w, at(w), b, i)
		}
		w.Settle()
		reply := func(i int, err error) { answers[i] <- err; w.Settle() }
		reply(1, errDown)
		require.Equal(t, stage.BreakerOpen, b.State())
		w.Advance(5 * time.Second)
		reply(2, nil)
		require.Equal(t, stage.BreakerOpen, b.State(), "a stale success")
		reply(3, errDown)
		w.Advance(5 * time.Second)
		startWrite(w, at(w), b, 5)
		w.Settle()
		require.Equal(t, stage.BreakerHalfOpen, b.State(), "a stale failure has not extended the cool-down")
		reply(4, errDown)
		require.Equal(t, stage.BreakerHalfOpen, b.State(), "a stale failure is not the probe's")
		require.ErrorIs(t, b.Write(at(w), []int{6}), ErrOpen)
		reply(5, nil)
		require.Equal(t, stage.BreakerClosed, b.State())
	})
}

func TestBreakerLetsOneProbeThrough(t *testing.T) {
	for name, cfg := range map[string]BreakerConfig{"refuse": {}, "hold": {Hold: true}, "three": {Probes: 3}} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				b, s := opened(t, w, cfg)
				w.Advance(10 * time.Second)
				s.Hold()
				outcomes := clocktest.NewRecorder[error](w)
				for i := range 100 {
					go func() { outcomes.Add(b.Write(at(w), []int{i})) }()
				}
				w.Settle()
				probes := max(cfg.Probes, 1)
				require.Equal(t, probes, s.Calls())
				require.Equal(t, stage.BreakerHalfOpen, b.State())
				s.Release()
				w.Settle()
				require.Equal(t, stage.BreakerClosed, b.State())
				refused := 0
				for _, err := range outcomes.Values() {
					if err != nil {
						require.ErrorIs(t, err, ErrOpen)
						refused++
					}
				}
				if cfg.Hold {
					require.Zero(t, refused)
					require.Equal(t, 100, s.Calls())
				} else {
					require.Equal(t, 100-probes, refused)
				}
			})
		})
	}
}

// However a probe ends, another can follow.
func TestBreakerProbeFreesItsSlot(t *testing.T) {
	canceled := func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	}
	for name, c := range map[string]struct {
		probe func(ctx context.Context) error
		state stage.BreakerState
	}{
		"panic":    {func(context.Context) error { panic(io.EOF) }, stage.BreakerOpen},
		"goexit":   {func(context.Context) error { runtime.Goexit(); return nil }, stage.BreakerOpen},
		"timeout":  {func(ctx context.Context) error { return canceled(ctx) }, stage.BreakerOpen},
		"canceled": {func(ctx context.Context) error { return canceled(ctx) }, stage.BreakerHalfOpen},
		"failed":   {func(context.Context) error { return errDown }, stage.BreakerOpen},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				first := true
				b, s := opened(t, w, BreakerConfig{})
				ctx, cancel := w.WithTimeout(at(w), 11*time.Second)
				defer cancel()
				s.Fail = func(int, []int) error {
					if !first {
						return nil
					}
					first = false
					return c.probe(ctx)
				}
				w.Advance(10 * time.Second)
				go func() {
					defer func() { _ = recover() }()
					_ = b.Write(ctx, []int{1})
				}()
				w.Settle()
				if name == "canceled" {
					cancel()
				}
				w.Advance(time.Second)
				require.Equal(t, c.state, b.State())
				w.Advance(10 * time.Second)
				require.NoError(t, b.Write(at(w), []int{2}))
				require.Equal(t, stage.BreakerClosed, b.State())
			})
		})
	}
}

// A probe that ignores its context is over when that ends. What it says later
// is not listened to.
func TestBreakerDoesNotWaitForAnAbandonedProbe(t *testing.T) {
	for name, cancels := range map[string]bool{"timeout": false, "canceled": true} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				changes := clocktest.NewRecorder[stage.BreakerState](w)
				b, s := opened(t, w, BreakerConfig{Hold: true, OnStateChange: func(_ context.Context, c BreakerChange) {
					changes.Add(c.To)
					panic("contained")
				}})
				w.Advance(10 * time.Second)
				ctx, cancel := w.WithTimeout(at(w), time.Second)
				defer cancel()
				deaf := make(chan error)
				s.Fail = func(call int, _ []int) error {
					if call == 1 {
						return <-deaf
					}
					return nil
				}
				probe := startWrite(w, ctx, b, 1)
				w.Settle()
				next := startWrite(w, at(w), b, 2)
				if cancels {
					cancel()
				}
				w.Advance(11 * time.Second)
				require.Equal(t, []error{nil}, next.Values())
				require.Equal(t, stage.BreakerClosed, b.State())
				require.Zero(t, probe.Len())
				deaf <- errDown
				w.Settle()
				require.Equal(t, 1, probe.Len())
				require.Equal(t, stage.BreakerClosed, b.State())
				want := []stage.BreakerState{stage.BreakerOpen, stage.BreakerHalfOpen, stage.BreakerOpen, stage.BreakerHalfOpen, stage.BreakerClosed}
				if cancels {
					want = []stage.BreakerState{stage.BreakerOpen, stage.BreakerHalfOpen, stage.BreakerClosed}
				}
				require.Equal(t, want, changes.Values())
			})
		})
	}
}

func TestBreakerHolds(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		b, s := opened(t, w, BreakerConfig{Hold: true})
		first := startWrite(w, at(w), b, 1)
		w.Advance(10*time.Second - 1)
		require.Zero(t, s.Calls())
		w.Advance(1)
		require.Equal(t, []error{nil}, first.Values())

		// The end of a context.
		b, s = opened(t, w, BreakerConfig{Hold: true})
		ctx, cancel := context.WithCancelCause(at(w))
		first = startWrite(w, ctx, b, 1)
		w.Settle()
		cancel(io.EOF)
		w.Settle()
		require.ErrorIs(t, first.Values()[0], ErrOpen)
		require.ErrorIs(t, first.Values()[0], io.EOF)

		// The beginning of Close.
		ctx, begin := closing(w)
		first = startWrite(w, ctx, b, 1)
		w.Advance(time.Second)
		require.Zero(t, first.Len())
		begin()
		w.Settle()
		require.Equal(t, []error{ErrOpen}, first.Values())
		require.Equal(t, ErrOpen, b.Write(ctx, []int{2}))
		require.Zero(t, s.Calls())
	})
}

// The failures that are none of the sink's.
func TestBreakerJudgesErrors(t *testing.T) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	onlyEOF := func(err error) bool { return errors.Is(err, io.EOF) }
	for name, c := range map[string]struct {
		err   error
		ctx   context.Context
		trips func(error) bool
		want  stage.BreakerState
	}{
		"error":                   {err: errDown, want: stage.BreakerOpen},
		"permanent":               {err: stage.Permanent(errDown), want: stage.BreakerClosed},
		"partial":                 {err: partial(1), want: stage.BreakerClosed},
		"partial, all":            {err: partial(1, 0), want: stage.BreakerOpen},
		"partial, nonsense":       {err: partial(7), want: stage.BreakerOpen},
		"half permanent":          {err: errors.Join(stage.Permanent(errDown), errDown), want: stage.BreakerOpen},
		"a panic's error":         {err: &stage.PanicError{Value: 1}, want: stage.BreakerOpen},
		"told to":                 {err: stage.Permanent(io.EOF), trips: onlyEOF, want: stage.BreakerOpen},
		"told not to":             {err: errDown, trips: onlyEOF, want: stage.BreakerClosed},
		"the caller has given up": {err: errDown, ctx: over, want: stage.BreakerClosed},
	} {
		t.Run(name, func(t *testing.T) {
			if c.ctx == nil {
				c.ctx = t.Context()
			}
			b := newBreaker(t, &Memory[int]{Fail: fails(c.err)}, BreakerConfig{Failures: 1, Trips: c.trips})
			require.Equal(t, c.err, b.Write(c.ctx, []int{1, 2}))
			require.Equal(t, c.want, b.State())
		})
	}
	b := newBreaker(t, &Memory[int]{Fail: fails(errDown)}, BreakerConfig{Failures: 1, Trips: func(error) bool { panic(io.EOF) }})
	require.Panics(t, func() { _ = b.Write(t.Context(), []int{1}) })
	require.Equal(t, stage.BreakerOpen, b.State())
}

func TestBreakerByRate(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var answer error
		s := &Memory[int]{Fail: func(int, []int) error { return answer }}
		write := func(b *Breaker[int], err error) stage.BreakerState {
			answer = err
			require.Equal(t, err, b.Write(at(w), []int{1}))
			return b.State()
		}
		calls := newBreaker(t, s, BreakerConfig{Rate: 0.5, WindowCalls: 4, MinCalls: 3})
		for _, err := range []error{errDown, errDown, nil, nil, nil, errDown} {
			require.Equal(t, stage.BreakerClosed, write(calls, err))
		}
		require.Equal(t, stage.BreakerOpen, write(calls, errDown), "two of the latest four")

		window := newBreaker(t, s, BreakerConfig{Rate: 0.5, Window: time.Minute, MinCalls: 3})
		require.Equal(t, stage.BreakerClosed, write(window, errDown))
		require.Equal(t, stage.BreakerClosed, write(window, errDown))
		w.Advance(time.Minute)
		require.Equal(t, stage.BreakerClosed, write(window, errDown), "alone in its minute")
		w.Advance(30 * time.Second)
		require.Equal(t, stage.BreakerClosed, write(window, nil))
		require.Equal(t, stage.BreakerOpen, write(window, errDown))
	})
}

// A hook may call the breaker. It is called outside the lock, and the changes
// it brings about are told after it.
func TestBreakerHookMayCallTheBreaker(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		changes := clocktest.NewRecorder[stage.BreakerState](w)
		var inside atomic.Int32
		var b *Breaker[int]
		s := newFlaky(w, errDown)
		b = newBreaker(t, s, BreakerConfig{Failures: 1, CoolDown: time.Second, OnStateChange: func(ctx context.Context, c BreakerChange) {
			if inside.Add(1) > 1 {
				t.Error("two at a time")
			}
			changes.Add(c.To)
			if c.To == stage.BreakerOpen {
				if b.State() != stage.BreakerOpen {
					t.Error(b.State())
				}
				w.Clock().Sleep(time.Second)
				if err := b.Write(ctx, []int{9}); err != nil {
					t.Error(err)
				}
			}
			inside.Add(-1)
		}})
		outcome := startWrite(w, at(w), b, 1)
		w.Advance(time.Minute)
		require.Equal(t, []error{errDown}, outcome.Values())
		require.Equal(t, []stage.BreakerState{stage.BreakerOpen, stage.BreakerHalfOpen, stage.BreakerClosed}, changes.Values())
	})
}

// A retry around a breaker waits for the cool-down and makes the probe.
func TestRetryAroundABreaker(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newFlaky(w, errDown, errDown)
		r := newRetry(t, newBreaker(t, s, BreakerConfig{Failures: 2, CoolDown: 20 * time.Second}), steady)
		outcome := startWrite(w, at(w), r, 1)
		w.Advance(time.Minute)
		require.Equal(t, []error{nil}, outcome.Values())
		require.Equal(t, []time.Duration{0, time.Second, 21 * time.Second}, s.calls.Times())
	})
}

// Many callers, all kinds of answers: no more than the probes are ever inside
// while it is half open, and nobody is left waiting.
func TestBreakerUnderLoad(t *testing.T) {
	clocktest.ExploreBoth(t, 30, func(t *testing.T, w *clocktest.World) {
		r := w.Rand("config")
		cfg := BreakerConfig{Failures: 1 + r.IntN(3), CoolDown: time.Second, Probes: 1 + r.IntN(2), Hold: r.IntN(2) == 0}
		if r.IntN(2) == 0 {
			cfg.Failures, cfg.Rate, cfg.MinCalls = 0, 0.3, 2
		}
		var mu sync.Mutex
		chance := w.Rand("sink")
		var b *Breaker[int]
		var probing atomic.Int32
		s := stage.SinkFunc[int](func(ctx context.Context, _ []int) error {
			if b.State() == stage.BreakerHalfOpen {
				if n := probing.Add(1); int(n) > cfg.Probes {
					t.Errorf("%d probes", n)
				}
				defer probing.Add(-1)
			}
			mu.Lock()
			d, kind := time.Duration(chance.Int64N(int64(time.Second))), chance.IntN(4)
			mu.Unlock()
			w.Clock().Sleep(d)
			switch kind {
			case 0:
				return errDown
			case 1:
				panic(errDown)
			}
			return nil
		})
		b = newBreaker(t, s, cfg)
		var wg sync.WaitGroup
		for id := range 8 {
			pause := w.Rand("caller" + string(rune('a'+id)))
			wg.Go(func() {
				for range 10 {
					w.Clock().Sleep(clocktest.Jitter(pause, 50*time.Millisecond))
					func() {
						defer func() { _ = recover() }()
						_ = b.Write(at(w), []int{1})
					}()
				}
			})
		}
		w.Advance(10 * time.Minute)
		wg.Wait()
	})
}

func TestBreakerRefusesBadConfig(t *testing.T) {
	for want, cfg := range map[string]BreakerConfig{
		"BreakerConfig.Failures is -1, want 0 or more":               {Failures: -1},
		"BreakerConfig.Failures is 2, want 0 with Rate":              {Failures: 2, Rate: 0.5},
		"BreakerConfig.Rate is 1.5, want 0 to 1":                     {Rate: 1.5},
		"BreakerConfig.Rate is NaN, want 0 to 1":                     {Rate: math.NaN()},
		"BreakerConfig.WindowCalls is -1, want 0 or more":            {Rate: 1, WindowCalls: -1},
		"BreakerConfig.WindowCalls is 5, want 0 with Window":         {Rate: 1, WindowCalls: 5, Window: time.Second},
		"BreakerConfig.WindowCalls is 5, want 0 without Rate":        {WindowCalls: 5},
		"BreakerConfig.Window is 9ns, want 0, or 10ns or more":       {Rate: 1, Window: 9},
		"BreakerConfig.Window is 1s, want 0 without Rate":            {Window: time.Second},
		"BreakerConfig.MinCalls is -1, want 0 or more":               {Rate: 1, MinCalls: -1},
		"BreakerConfig.MinCalls is 3, want 0 without Rate":           {MinCalls: 3},
		"BreakerConfig.MinCalls is 6, want no more than WindowCalls": {Rate: 1, MinCalls: 6, WindowCalls: 5},
		"BreakerConfig.CoolDown is -1s, want 0 or more":              {CoolDown: -time.Second},
		"BreakerConfig.Probes is -1, want 0 or more":                 {Probes: -1},
	} {
		_, err := NewBreaker[int](&Memory[int]{}, cfg)
		require.EqualError(t, err, "penstock: "+want)
	}
	_, err := NewBreaker[int](nil, BreakerConfig{})
	require.ErrorContains(t, err, "NewBreaker's sink is <nil>")

	for name, c := range map[string]struct {
		cfg  BreakerConfig
		want circuit
	}{
		"zero":  {BreakerConfig{}, circuit{tally: &inARow{limit: 5}, coolDown: 5 * time.Second, probes: 1, state: stage.BreakerClosed}},
		"calls": {BreakerConfig{Rate: 1, CoolDown: time.Second}, circuit{tally: &latestCalls{share: share{1, 10}, ring: make([]bool, 100)}, coolDown: time.Second, probes: 1, state: stage.BreakerClosed}},
		"few":   {BreakerConfig{Rate: 1, WindowCalls: 4, Probes: 2}, circuit{tally: &latestCalls{share: share{1, 4}, ring: make([]bool, 4)}, coolDown: 5 * time.Second, probes: 2, state: stage.BreakerClosed}},
		"time":  {BreakerConfig{Rate: 1, Window: time.Second}, circuit{tally: &latestTime{share: share{1, 10}, slot: 100 * time.Millisecond}, coolDown: 5 * time.Second, probes: 1, state: stage.BreakerClosed}},
	} {
		got, err := c.cfg.circuit()
		require.NoError(t, err)
		require.Equal(t, c.want, got, name)
	}
}
