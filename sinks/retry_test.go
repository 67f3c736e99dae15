package sinks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
)

// attempt is one call that a fake has got.
type attempt struct {
	At     time.Duration
	Events []int
}

// flaky is a sink that notes its calls and answers them by script; after its
// end it accepts.
type flaky struct {
	Memory[int]
	calls *clocktest.Recorder[[]int]
}

func newFlaky(w *clocktest.World, answers ...error) *flaky {
	s := &flaky{calls: clocktest.NewRecorder[[]int](w)}
	s.Fail = func(_ int, events []int) error {
		n := s.calls.Add(slices.Clone(events))
		if n > len(answers) {
			return nil
		}
		return answers[n-1]
	}
	return s
}

func (s *flaky) attempts() (all []attempt) {
	times := s.calls.Times()
	for i, events := range s.calls.Values() {
		all = append(all, attempt{times[i], events})
	}
	return all
}

func newRetry(t *testing.T, sink stage.Sink[int], cfg RetryConfig) *Retry[int] {
	t.Helper()
	r, err := NewRetry(sink, cfg)
	require.NoError(t, err)
	return r
}

// startWrite writes in a goroutine and returns where the outcome will be.
func startWrite(w *clocktest.World, ctx context.Context, s stage.Sink[int], events ...int) *clocktest.Recorder[error] {
	outcome := clocktest.NewRecorder[error](w)
	go func() { outcome.Add(s.Write(ctx, events)) }()
	return outcome
}

// closing is a context of a pipeline on w's clock, and what makes it close.
func closing(w *clocktest.World) (ctx context.Context, begin func()) {
	drain := make(chan struct{})
	return stage.WithScope(context.Background(), stage.Scope{Clock: w.Clock(), Draining: drain}), func() { close(drain) }
}

func partial(failed ...int) error { return &stage.PartialError{Failed: failed, Err: errDown} }

var steady = RetryConfig{Initial: time.Second, Max: 5 * time.Second, Jitter: JitterNone}

func TestRetryDeliversOnceAtTheTimesOfTheBackoff(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		told := clocktest.NewRecorder[Retrying](w)
		cfg := steady
		cfg.OnRetry = func(_ context.Context, r Retrying) { told.Add(r) }
		s := newFlaky(w, errDown, errDown, errDown, errDown)
		r := newRetry(t, s, cfg)
		outcome := startWrite(w, at(w), r, 1, 2)
		w.Advance(time.Minute)
		require.Equal(t, []error{nil}, outcome.Values())
		require.Equal(t, []attempt{
			{0, []int{1, 2}}, {time.Second, []int{1, 2}}, {3 * time.Second, []int{1, 2}},
			{7 * time.Second, []int{1, 2}}, {12 * time.Second, []int{1, 2}},
		}, s.attempts())
		require.Equal(t, []int{1, 2}, s.Events())
		require.Equal(t, []time.Duration{12 * time.Second}, outcome.Times())
		require.Equal(t, []Retrying{
			{1, 2, time.Second, errDown}, {2, 2, 2 * time.Second, errDown},
			{3, 2, 4 * time.Second, errDown}, {4, 2, 5 * time.Second, errDown},
		}, told.Values())
		var report stage.SinkReport
		r.Report(&report)
		require.EqualValues(t, 4, report.Retries)
	})
}

func TestRetryWritesOnlyWhatFailed(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newFlaky(w, partial(4, 1, 2), fmt.Errorf("wrapped: %w", partial(0, 2)), errDown, partial(7), partial(0, 1), stage.Permanent(partial(1)))
		r := newRetry(t, s, steady)
		events := []int{10, 11, 12, 13, 14}
		var err error
		done := make(chan struct{})
		go func() { defer close(done); err = r.Write(at(w), events) }()
		w.Advance(time.Minute)
		<-done
		require.Equal(t, [][]int{{10, 11, 12, 13, 14}, {11, 12, 14}, {11, 14}, {11, 14}, {11, 14}, {11, 14}}, s.calls.Values())
		require.Equal(t, []int{10, 11, 12, 13, 14}, events, "the slice is the caller's")
		require.Equal(t, []int{4}, stage.FailedIndexes(err, 5))
		require.True(t, stage.IsPermanent(err))
		require.NotErrorIs(t, err, ErrExhausted)
		var re *RetryError
		require.ErrorAs(t, err, &re)
		require.Equal(t, 6, re.Attempts)
		require.Equal(t, []int{10, 13, 12, 11}, s.Events())
	})
}

func TestRetryGivesUp(t *testing.T) {
	hook := func(context.Context, Retrying) {}
	limits := func(attempts int, elapsed time.Duration) RetryConfig {
		cfg := steady
		cfg.MaxAttempts, cfg.MaxElapsed, cfg.OnRetry = attempts, elapsed, hook
		return cfg
	}
	panics := &stage.PanicError{Value: "oh"}
	for name, c := range map[string]struct {
		cfg       RetryConfig
		errs      []error
		attempts  int
		after     time.Duration
		exhausted bool
	}{
		"attempts":                {limits(3, 0), []error{errDown, errDown, errDown}, 3, 3 * time.Second, true},
		"one attempt":             {limits(1, 0), []error{errDown}, 1, 0, true},
		"time, exactly":           {limits(0, 7*time.Second), []error{errDown, errDown, errDown, errDown}, 4, 7 * time.Second, true},
		"time":                    {limits(0, 7*time.Second-1), []error{errDown, errDown, errDown}, 3, 3 * time.Second, true},
		"a minute by default":     {steady, slices.Repeat([]error{errDown}, 20), 14, 57 * time.Second, true},
		"permanent":               {steady, []error{stage.Permanent(errDown)}, 1, 0, false},
		"permanent, later":        {steady, []error{errDown, stage.Permanent(errDown)}, 2, time.Second, false},
		"a panic's error":         {steady, []error{fmt.Errorf("inner: %w", panics)}, 1, 0, false},
		"panics and permanents":   {steady, []error{errors.Join(panics, stage.Permanent(errDown))}, 1, 0, false},
		"one of two is transient": {limits(2, 0), []error{errors.Join(panics, errDown), errDown}, 2, time.Second, true},
		"a hint too far":          {steady, []error{RetryAfter(errDown, time.Hour)}, 1, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				s := newFlaky(w, c.errs...)
				outcome := startWrite(w, at(w), newRetry(t, s, c.cfg), 1)
				w.Advance(time.Hour)
				require.Equal(t, []time.Duration{c.after}, outcome.Times())
				require.Equal(t, c.attempts, s.calls.Len())
				err := outcome.Values()[0]
				require.Equal(t, c.exhausted, errors.Is(err, ErrExhausted))
				require.ErrorIs(t, err, c.errs[c.attempts-1])
				var re *RetryError
				require.ErrorAs(t, err, &re)
				require.Equal(t, c.attempts, re.Attempts)
				require.Nil(t, stage.FailedIndexes(err, 1))
				word := "attempts"
				if c.attempts == 1 {
					word = "attempt"
				}
				require.ErrorContains(t, err, fmt.Sprintf("given up after %d %s: ", c.attempts, word))
			})
		})
	}
}

// A panic costs what is left of the batch, not what was delivered before it.
func TestRetryContainsAPanic(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		s := &Memory[int]{Fail: func(call int, _ []int) error {
			if call == 1 {
				return partial(1)
			}
			panic(io.ErrClosedPipe)
		}}
		outcome := startWrite(w, at(w), newRetry(t, s, steady), 1, 2, 3)
		w.Advance(time.Hour)
		require.Equal(t, []time.Duration{time.Second}, outcome.Times())
		err := outcome.Values()[0]
		requireFailed(t, err, 1)
		require.ErrorIs(t, err, io.ErrClosedPipe)
		var p *stage.PanicError
		require.ErrorAs(t, err, &p)
		require.Contains(t, p.Stack, "TestRetryContainsAPanic")
		require.NotErrorIs(t, err, ErrExhausted)
	})
}

func TestRetryLetsAGoexitPass(t *testing.T) {
	s := &Memory[int]{Fail: func(int, []int) error { runtime.Goexit(); return nil }}
	r := newRetry(t, s, steady)
	ended, returned := make(chan struct{}), false
	go func() {
		defer close(ended)
		_ = r.Write(context.Background(), []int{1})
		returned = true
	}()
	<-ended
	require.False(t, returned)
	require.Equal(t, 1, s.Calls())
}

func TestRetryHeedsWhatTheSinkAsks(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newFlaky(w,
			RetryAfter(errDown, 20*time.Second), // longer than Max
			RetryAfter(errDown, time.Millisecond),
			errors.Join(RetryAfter(errDown, 8*time.Second), fmt.Errorf("x: %w", RetryAfter(errDown, 9*time.Second)), errDown),
		)
		outcome := startWrite(w, at(w), newRetry(t, s, steady), 1)
		w.Advance(time.Hour)
		require.Equal(t, []error{nil}, outcome.Values())
		require.Equal(t, []time.Duration{0, 20 * time.Second, 22 * time.Second, 31 * time.Second}, s.calls.Times())
	})
	require.NoError(t, RetryAfter(nil, time.Second))
	require.ErrorIs(t, RetryAfter(errDown, time.Second), errDown)
	require.Zero(t, retryAfter(errDown))
}

// The waits are the same without a hook, with one, and with one that misbehaves.
func TestRetryHooksChangeNoWait(t *testing.T) {
	times := func(t *testing.T, hook func(w *clocktest.World) func(context.Context, Retrying)) (calls []time.Duration) {
		clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
			s := newFlaky(w, slices.Repeat([]error{errDown}, 6)...)
			outcome := startWrite(w, at(w), newRetry(t, s, RetryConfig{Initial: time.Second, Seed: 7, OnRetry: hook(w)}), 1)
			w.Advance(time.Hour)
			require.Equal(t, []error{nil}, outcome.Values())
			calls = s.calls.Times()
		})
		return calls
	}
	want := times(t, func(*clocktest.World) func(context.Context, Retrying) { return nil })
	require.Len(t, want, 7)
	for name, hook := range map[string]func(w *clocktest.World) func(context.Context, Retrying){
		"idle": func(*clocktest.World) func(context.Context, Retrying) { return func(context.Context, Retrying) {} },
		"panics": func(*clocktest.World) func(context.Context, Retrying) {
			return func(context.Context, Retrying) { panic("hook") }
		},
		"sleeps": func(w *clocktest.World) func(context.Context, Retrying) {
			return func(ctx context.Context, r Retrying) { _ = clockutil.Sleep(ctx, stage.Clock(ctx), r.Wait/2) }
		},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, want, times(t, hook)) })
	}
}

func TestRetryAtClose(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		ctx, begin := closing(w)
		s := newFlaky(w, slices.Repeat([]error{errDown}, 3)...)
		r := newRetry(t, s, RetryConfig{Initial: 5 * time.Minute, Jitter: JitterNone, MaxAttempts: 9})
		outcome := startWrite(w, ctx, r, 1)
		w.Advance(time.Second)
		begin()
		w.Settle()
		require.Equal(t, []time.Duration{0, time.Second}, s.calls.Times(), "one last attempt, at once")
		require.Equal(t, []time.Duration{time.Second}, outcome.Times())
		require.ErrorIs(t, outcome.Values()[0], ErrExhausted)

		require.ErrorIs(t, r.Write(ctx, []int{2}), ErrExhausted)
		require.Equal(t, 3, s.calls.Len(), "one attempt for what comes later")
		require.NoError(t, r.Write(ctx, []int{3}))
	})
}

func TestRetryEndsWithTheContext(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(at(w))
		s := newFlaky(w, errDown, partial(0), errDown)
		r := newRetry(t, s, steady)
		outcome := startWrite(w, ctx, r, 1, 2)
		w.Advance(1500 * time.Millisecond)
		cancel(cause)
		w.Settle()
		require.Equal(t, 2, s.calls.Len())
		require.Equal(t, []time.Duration{1500 * time.Millisecond}, outcome.Times())
		err := outcome.Values()[0]
		requireFailed(t, err, 0)
		require.ErrorIs(t, err, cause)
		require.ErrorIs(t, err, errDown)
		require.ErrorIs(t, err, ErrExhausted)
		require.Error(t, r.Write(ctx, []int{3}))
		require.Equal(t, 3, s.calls.Len(), "no wait is begun")

		// A deadline that comes before the wait would end.
		limited, done := w.WithTimeout(at(w), time.Second)
		defer done()
		s = newFlaky(w, errDown)
		begun := w.Elapsed()
		require.ErrorIs(t, newRetry(t, s, steady).Write(limited, []int{1}), ErrExhausted)
		require.Equal(t, begun, w.Elapsed())
	})
}

// Waits that are drawn concurrently are all within their bounds.
func TestRetryJitter(t *testing.T) {
	for _, c := range []struct {
		cfg         RetryConfig
		least, most time.Duration
	}{
		{RetryConfig{}, 0, time.Second},
		{RetryConfig{Jitter: JitterBounded}, 500 * time.Millisecond, time.Second},
		{RetryConfig{Jitter: JitterBounded, JitterShare: 0.1}, 900 * time.Millisecond, time.Second},
		{RetryConfig{Jitter: JitterNone}, time.Second, time.Second},
	} {
		t.Run(fmt.Sprint(c.cfg.Jitter, c.cfg.JitterShare), func(t *testing.T) {
			waits := func(seed uint64) (all []time.Duration) {
				clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
					told := clocktest.NewRecorder[time.Duration](w)
					c.cfg.Initial, c.cfg.Seed, c.cfg.MaxAttempts = time.Second, seed, 2
					c.cfg.OnRetry = func(_ context.Context, r Retrying) { told.Add(r.Wait) }
					r := newRetry(t, &Memory[int]{Fail: fails(errDown)}, c.cfg)
					var wg sync.WaitGroup
					for range 50 {
						wg.Go(func() { _ = r.Write(at(w), []int{1}) })
					}
					wg.Wait()
					all = told.Values()
				})
				slices.Sort(all)
				return all
			}
			first := waits(3)
			require.GreaterOrEqual(t, first[0], c.least)
			require.LessOrEqual(t, first[49], c.most)
			require.Equal(t, first, waits(3), "a seed repeats them")
			if c.cfg.Jitter != JitterNone {
				require.Greater(t, first[49]-first[0], (c.most-c.least)/2)
				require.NotEqual(t, waits(0), waits(0))
			}
		})
	}
}

// The backoff against one that is computed anew each time, by a power. What it
// loses by counting in whole nanoseconds is bounded.
func TestBackoffModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		initial := time.Duration(rapid.Int64Range(int64(time.Millisecond), int64(time.Hour)).Draw(t, "initial"))
		b := backoff{
			initial:    initial,
			max:        initial + time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "max")),
			multiplier: rapid.Float64Range(1, 10).Draw(t, "multiplier"),
			chance:     rapid.SampledFrom([]float64{0, 0.3, 1}).Draw(t, "chance"),
			attempts:   rapid.IntRange(0, 10).Draw(t, "attempts"),
			elapsed:    time.Duration(rapid.Int64Range(1, math.MaxInt64).Draw(t, "elapsed")),
		}
		began := time.Unix(rapid.Int64Range(0, 1<<33).Draw(t, "began"), 0)
		tr := tries{began: began}
		now := began
		for n := 1; n <= 12; n++ {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "attempt")))
			draw := rapid.Float64Range(0, 0.999999).Draw(t, "draw")
			hint := time.Duration(rapid.SampledFrom([]int64{0, 0, int64(time.Minute), math.MaxInt64}).Draw(t, "hint"))
			wait, again := b.failed(&tr, now, hint, draw)

			full := math.Min(float64(initial)*math.Pow(b.multiplier, float64(n-1)), float64(b.max))
			want := math.Max(full*(1-draw*b.chance), float64(hint))
			// Each of the n waits is rounded to a nanosecond, a millionth of the
			// least initial one, and the next is a multiple of what is left.
			if math.Abs(float64(wait)-want) > float64(n)*1e-6*want+20 {
				t.Fatalf("wait %d is %v, want %v", n, wait, time.Duration(want))
			}
			if wait < hint || wait < 0 {
				t.Fatalf("wait %v, hint %v", wait, hint)
			}
			late := float64(now.Sub(began))+float64(wait) > float64(b.elapsed)
			if b.attempts > 0 && n >= b.attempts {
				late = true
			}
			if again == late && math.Abs(float64(now.Sub(began))+float64(wait)-float64(b.elapsed)) > 1e4 {
				t.Fatalf("again %v after %d attempts at %v, wait %v", again, n, now.Sub(began), wait)
			}
			if hint < math.MaxInt64 {
				now = now.Add(wait)
			}
		}
	})
}

func TestRetryRefusesBadConfig(t *testing.T) {
	for want, cfg := range map[string]RetryConfig{
		"RetryConfig.Initial is -1s, want 0 or more":                                    {Initial: -time.Second},
		"RetryConfig.Multiplier is 0.5, want 1 or more":                                 {Multiplier: 0.5},
		"RetryConfig.Multiplier is NaN, want 1 or more":                                 {Multiplier: math.NaN()},
		"RetryConfig.Multiplier is +Inf, want 1 or more":                                {Multiplier: math.Inf(1)},
		"RetryConfig.Max is -1s, want 0 or more":                                        {Max: -time.Second},
		"RetryConfig.Max is 1s, want Initial, which is 2s, or more":                     {Initial: 2 * time.Second, Max: time.Second},
		"RetryConfig.Jitter is Jitter(3), want JitterFull, JitterBounded or JitterNone": {Jitter: 3},
		"RetryConfig.JitterShare is 0.5, want 0 without JitterBounded":                  {JitterShare: 0.5},
		"RetryConfig.JitterShare is 1.5, want 0 to 1":                                   {JitterShare: 1.5, Jitter: JitterBounded},
		"RetryConfig.JitterShare is NaN, want 0 to 1":                                   {JitterShare: math.NaN(), Jitter: JitterBounded},
		"RetryConfig.MaxAttempts is -1, want 0 or more":                                 {MaxAttempts: -1},
		"RetryConfig.MaxElapsed is -1s, want 0 or more":                                 {MaxElapsed: -time.Second},
	} {
		_, err := NewRetry[int](&Memory[int]{}, cfg)
		require.EqualError(t, err, "penstock: "+want)
	}
	_, err := NewRetry[int](nil, RetryConfig{})
	require.ErrorContains(t, err, "NewRetry's sink is <nil>")

	b, err := RetryConfig{}.backoff()
	require.NoError(t, err)
	require.Equal(t, backoff{initial: 100 * time.Millisecond, max: 30 * time.Second, multiplier: 2, chance: 1, elapsed: time.Minute}, b)
	b, err = RetryConfig{Max: time.Millisecond, MaxAttempts: 2}.backoff()
	require.NoError(t, err)
	require.Equal(t, backoff{initial: time.Millisecond, max: time.Millisecond, multiplier: 2, chance: 1, attempts: 2, elapsed: math.MaxInt64}, b)
	require.Equal(t, []string{"full", "bounded", "none"}, []string{JitterFull.String(), JitterBounded.String(), JitterNone.String()})
}
