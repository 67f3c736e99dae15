package sinks

import (
	"context"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
)

func newRateLimit(t *testing.T, sink stage.Sink[int], cfg RateLimitConfig) *RateLimit[int] {
	t.Helper()
	r, err := NewRateLimit(sink, cfg)
	require.NoError(t, err)
	return r
}

func throttled(s interface{ Report(*stage.SinkReport) }) uint64 {
	var r stage.SinkReport
	s.Report(&r)
	return r.Throttled
}

func TestRateLimitWaitsForItsRate(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newFlaky(w, nil, nil, errDown)
		r := newRateLimit(t, s, RateLimitConfig{Events: 10, Burst: 5})
		write := func(n int) {
			startWrite(w, at(w), r, make([]int, n)...)
			w.Settle()
		}
		write(3)
		write(2) // the burst is used up
		write(1) // 100ms, and fails, and counts
		write(2) // 300ms
		w.Advance(5 * time.Second)
		write(12) // more than the burst, after a rest
		write(1)  // and what follows pays: 700ms owed, and one more
		w.Advance(5 * time.Second)
		ms := time.Millisecond
		require.Equal(t, []time.Duration{0, 0, 100 * ms, 300 * ms, 5000 * ms, 5800 * ms}, s.calls.Times())
		require.EqualValues(t, 3, throttled(r))
		require.NoError(t, r.Write(at(w), nil), "an empty batch is free")
	})
}

func TestRateLimitOfBatches(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newFlaky(w)
		r := newRateLimit(t, s, RateLimitConfig{Batches: 2, BatchBurst: 1, Events: 1000})
		outcome := clocktest.NewRecorder[error](w)
		go func() {
			for range 3 {
				outcome.Add(r.Write(at(w), make([]int, 100)))
			}
			for range 2 { // now the events are what is short
				outcome.Add(r.Write(at(w), make([]int, 3000)))
			}
		}()
		w.Advance(time.Hour)
		require.Equal(t, []time.Duration{0, 500 * time.Millisecond, time.Second, 1500 * time.Millisecond, 4500 * time.Millisecond}, outcome.Times())
	})
}

func TestRateLimitAtClose(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		ctx, begin := closing(w)
		s := newFlaky(w)
		r := newRateLimit(t, s, RateLimitConfig{Events: 0.001})
		require.NoError(t, r.Write(ctx, []int{1}))
		outcome := startWrite(w, ctx, r, 2)
		w.Settle()
		behind := startWrite(w, ctx, r, 2)
		w.Advance(time.Second)
		require.Zero(t, outcome.Len())
		begin()
		w.Settle()
		require.Equal(t, []error{nil}, outcome.Values())
		require.Equal(t, []error{nil}, behind.Values())
		require.NoError(t, r.Write(ctx, []int{3}))
		require.Equal(t, time.Second, w.Elapsed())
		require.Equal(t, []int{1, 2, 2, 3}, s.Events())
		require.EqualValues(t, 1, throttled(r))
	})
}

// A caller that gives up has taken nothing, whether it waited for the bucket or
// behind another.
func TestRateLimitEndsWithTheContext(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newFlaky(w)
		r := newRateLimit(t, s, RateLimitConfig{Events: 1, Batches: 1})
		require.NoError(t, r.Write(at(w), []int{1}))
		ctx, cancel := context.WithCancel(at(w))
		outcome := startWrite(w, ctx, r, make([]int, 100)...)
		w.Settle()
		behind := startWrite(w, ctx, r, make([]int, 100)...)
		w.Advance(500 * time.Millisecond)
		cancel()
		w.Settle()
		require.Equal(t, []error{context.Canceled}, outcome.Values())
		require.Equal(t, []error{context.Canceled}, behind.Values())
		require.Equal(t, 1, s.calls.Len())
		outcome = startWrite(w, at(w), r, 2)
		w.Advance(time.Minute)
		require.Equal(t, []time.Duration{time.Second}, outcome.Times())
	})
}

// The bucket against tokens counted in fractions, which lose nothing.
func TestBucketModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rate := rapid.SampledFrom([]int64{1, 3, 7, 10, 1000, 99991, 1e6}).Draw(t, "rate")
		burst := rapid.IntRange(1, 50).Draw(t, "burst")
		b := newBucket(float64(rate), burst)
		now := time.Unix(1000, 0)
		level, asOf := big.NewRat(int64(burst), 1), now // tokens there; below 0: owed
		rounds := int64(0)
		for range rapid.IntRange(1, 40).Draw(t, "calls") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(20*time.Second)).Draw(t, "pause")))
			n := rapid.IntRange(0, 3*burst).Draw(t, "events")
			gone := rapid.IntRange(0, 5).Draw(t, "gives up") == 0

			level.Add(level, big.NewRat(now.Sub(asOf).Nanoseconds()*rate, 1e9))
			asOf = now
			if full := big.NewRat(int64(burst), 1); level.Cmp(full) > 0 {
				level = full
			}
			missing := new(big.Rat).Sub(big.NewRat(int64(min(n, burst)), 1), level)
			want, _ := missing.Mul(missing, big.NewRat(1e9, rate)).Float64()

			wait := b.wait(now, n)
			rounds++
			if diff := float64(wait) - max(want, 0); math.Abs(diff) > float64(3*rounds) {
				t.Fatalf("%d events at %v: wait %v, want %v", n, now, wait, time.Duration(want))
			}
			if gone {
				continue
			}
			// A mix of those that wait and, at the end, those that do not.
			if rapid.IntRange(0, 5).Draw(t, "waits") > 0 {
				now = now.Add(wait)
				level.Add(level, big.NewRat(now.Sub(asOf).Nanoseconds()*rate, 1e9))
				asOf = now
				if full := big.NewRat(int64(burst), 1); level.Cmp(full) > 0 {
					level = full
				}
			}
			b.take(now, n)
			level.Sub(level, big.NewRat(int64(n), 1))
		}
	})
}

// No rate is too small to be counted with.
func TestBucketOfAnOddRate(t *testing.T) {
	now := time.Unix(1000, 0)
	slow := newBucket(math.SmallestNonzeroFloat64, 0)
	require.Zero(t, slow.wait(now, 1))
	slow.take(now, 1)
	require.Equal(t, longest, slow.wait(now, 1))
	slow.take(now, 1)
	require.Equal(t, 2*longest, slow.wait(now, 1))
	fast := newBucket(math.MaxFloat64, 0)
	require.Equal(t, math.MaxInt32, fast.burst)
	fast.take(now, 1<<30)
	require.LessOrEqual(t, fast.wait(now, 1<<30), time.Duration(1), "it counts in whole nanoseconds")
	none := newBucket(0, 0)
	none.take(now, 1<<30)
	require.Zero(t, none.wait(now, 1<<30))
	require.True(t, none.full.IsZero())
}

func TestRateLimitRefusesBadConfig(t *testing.T) {
	for want, cfg := range map[string]RateLimitConfig{
		"RateLimitConfig.Events is -1, want 0 or more":                            {Events: -1},
		"RateLimitConfig.Events is NaN, want 0 or more":                           {Events: math.NaN()},
		"RateLimitConfig.Events is +Inf, want 0 or more":                          {Events: math.Inf(1)},
		"RateLimitConfig.Events is 0, want a rate, or one in Batches":             {},
		"RateLimitConfig.Batches is -1, want 0 or more":                           {Batches: -1},
		"RateLimitConfig.Burst is -1, want 0 or more, and 0 without Events":       {Events: 1, Burst: -1},
		"RateLimitConfig.Burst is 1, want 0 or more, and 0 without Events":        {Batches: 1, Burst: 1},
		"RateLimitConfig.BatchBurst is -1, want 0 or more, and 0 without Batches": {Batches: 1, BatchBurst: -1},
		"RateLimitConfig.BatchBurst is 1, want 0 or more, and 0 without Batches":  {Events: 1, BatchBurst: 1},
	} {
		_, err := NewRateLimit[int](&Memory[int]{}, cfg)
		require.EqualError(t, err, "penstock: "+want)
	}
	_, err := NewRateLimit[int](nil, RateLimitConfig{Events: 1})
	require.ErrorContains(t, err, "NewRateLimit's sink is <nil>")
	require.Equal(t, 1, newRateLimit(t, &Memory[int]{}, RateLimitConfig{Events: 0.1}).events.burst)
	require.Equal(t, 250, newRateLimit(t, &Memory[int]{}, RateLimitConfig{Events: 250}).events.burst)
}
