package stage

import (
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// errorBound is how far from the truth a quantile may be.
func errorBound(v time.Duration) time.Duration { return v / 32 }

// nearestRank is the definition, on a sorted slice.
func nearestRank(sorted []time.Duration, percent float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(math.Ceil(percent/100*float64(len(sorted))))-1]
}

// truth is what Quantiles would be without any error.
func truth(ds []time.Duration) (q Quantiles) {
	sorted := make([]time.Duration, 0, len(ds))
	for _, d := range ds {
		d = min(max(d, 0), MaxDuration)
		sorted = append(sorted, d)
		q.Sum += d
	}
	slices.Sort(sorted)
	q.Count = uint64(len(ds))
	q.P50, q.P95, q.P99 = nearestRank(sorted, 50), nearestRank(sorted, 95), nearestRank(sorted, 99)
	q.Max = nearestRank(sorted, 100)
	return q
}

func within(want, got time.Duration) bool {
	return (got - want).Abs() <= errorBound(want)
}

// TB is *testing.T or *rapid.T.
type TB interface {
	require.TestingT
	Helper()
}

// check holds got against what it should be.
func check(t TB, want, got Quantiles) {
	t.Helper()
	require.Equal(t, want.Count, got.Count)
	require.Equal(t, want.Sum, got.Sum)
	require.Equal(t, want.Max, got.Max)
	require.True(t, within(want.P50, got.P50), "p50 %d for %d", got.P50, want.P50)
	require.True(t, within(want.P95, got.P95), "p95 %d for %d", got.P95, want.P95)
	require.True(t, within(want.P99, got.P99), "p99 %d for %d", got.P99, want.P99)
	require.True(t, 0 <= got.P50 && got.P50 <= got.P95 && got.P95 <= got.P99 && got.P99 <= got.Max, "%+v", got)
}

func TestHistogramQuantiles(t *testing.T) {
	for _, unit := range []time.Duration{1, time.Microsecond, time.Millisecond, time.Minute} {
		var h Histogram
		for i := range 20 {
			h.Record(time.Duration(20-i) * unit)
		}
		q := h.Quantiles()
		require.True(t, within(10*unit, q.P50), "p50 of 1 to 20 is 10, not %d", q.P50)
		require.True(t, within(19*unit, q.P95), "p95 of 1 to 20 is 19, not %d", q.P95)
		require.True(t, within(20*unit, q.P99))
		require.Equal(t, 20*unit, q.Max)
		require.Equal(t, 21*unit/2, q.Mean())
		require.EqualValues(t, 20, q.Count)
		require.Equal(t, 210*unit, q.Sum)
	}
	var h Histogram
	for i := range 20 {
		h.Record(time.Duration(i + 1))
	}
	require.Equal(t, Quantiles{Count: 20, Sum: 210, P50: 10, P95: 19, P99: 20, Max: 20}, h.Quantiles(), "small ones are exact")
}

func TestHistogramWithoutDurations(t *testing.T) {
	var h Histogram
	require.Zero(t, h.Quantiles())
	require.Zero(t, h.Quantiles().Mean())
	h.Merge(&Histogram{})
	require.Zero(t, h.Quantiles())
}

func TestHistogramOfAbsurdDurations(t *testing.T) {
	var h Histogram
	h.Record(math.MinInt64)
	h.Record(-1)
	require.Equal(t, Quantiles{Count: 2}, h.Quantiles(), "a clock that was set back")
	h.Record(math.MaxInt64)
	h.Record(MaxDuration)
	h.Record(MaxDuration + 1)
	q := h.Quantiles()
	check(t, Quantiles{Count: 5, Sum: 3 * MaxDuration, P50: MaxDuration, P95: MaxDuration, P99: MaxDuration, Max: MaxDuration}, q)
	h.sum.Store(math.MaxUint64)
	require.GreaterOrEqual(t, h.Quantiles().Sum, time.Duration(0), "never negative")
}

// Buckets leave no gap, do not overlap, and are as narrow as promised.
func TestHistogramBuckets(t *testing.T) {
	require.Equal(t, 0, bucketOf(0))
	require.Equal(t, numBuckets-1, bucketOf(uint64(MaxDuration)))
	first := time.Duration(0)
	for i := range numBuckets {
		require.Equal(t, i, bucketOf(uint64(first)), "the first of bucket %d", i)
		middle := middleOf(i)
		require.Equal(t, i, bucketOf(uint64(middle)))
		last := 2*middle - first // the middle is rounded down
		if bucketOf(uint64(last)+1) == i {
			last++
		}
		require.True(t, within(first, middle), "bucket %d", i)
		require.True(t, within(last, middle), "bucket %d", i)
		first = last + 1
	}
	require.Equal(t, MaxDuration, first-1)
}

// durations are of all magnitudes, absurd ones among them.
func durations() *rapid.Generator[[]time.Duration] {
	one := rapid.Custom(func(t *rapid.T) time.Duration {
		d := rapid.Int64().Draw(t, "d") >> rapid.IntRange(0, 63).Draw(t, "shift")
		return time.Duration(d)
	})
	return rapid.SliceOfN(one, 0, 300)
}

func TestHistogramAgainstSortedSlices(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h, parts, other Histogram
		ds := durations().Draw(t, "durations")
		cut := rapid.IntRange(0, len(ds)).Draw(t, "cut")
		for i, d := range ds {
			h.Record(d)
			if i < cut {
				parts.Record(d)
			} else {
				other.Record(d)
			}
		}
		check(t, truth(ds), h.Quantiles())
		parts.Merge(&other)
		require.Equal(t, h.Quantiles(), parts.Quantiles(), "merged, it is as if one had counted all")
	})
}

func TestRankIsTheNearest(t *testing.T) {
	for n := uint64(1); n < 1000; n++ {
		for _, percent := range []uint64{50, 95, 99} {
			require.Equal(t, (n*percent+99)/100, rankOf(percent, n))
		}
	}
	require.Equal(t, uint64(1<<63), rankOf(50, math.MaxUint64))
}

// Nothing is lost among those who record, and no reader sees what cannot be.
func TestHistogramConcurrently(t *testing.T) {
	const writers, each = 4, 5000
	var h, merged Histogram
	var wg sync.WaitGroup
	over := make(chan struct{})
	read := make(chan Quantiles, 1)
	go func() {
		var last Quantiles
		for {
			q := h.Quantiles()
			if q.Count < last.Count || q.Sum < last.Sum || q.Max < last.Max || q.P99 > q.Max || q.P50 > q.P95 {
				t.Errorf("%+v, then %+v", last, q)
			}
			last = q
			select {
			case <-over:
				read <- h.Quantiles()
				return
			default:
			}
		}
	}()
	for k := range writers {
		wg.Go(func() {
			for i := range each {
				h.Record(time.Duration(i*writers + k))
			}
		})
	}
	wg.Wait()
	close(over)
	n := time.Duration(writers * each)
	want := Quantiles{Count: uint64(n), Sum: n * (n - 1) / 2, P50: n/2 - 1, P95: n/100*95 - 1, P99: n/100*99 - 1, Max: n - 1}
	check(t, want, <-read)
	merged.Merge(&h)
	check(t, want, merged.Quantiles())
}

func TestRecordingDoesNotAllocate(t *testing.T) {
	var h, other Histogram
	d := time.Duration(1)
	require.Zero(t, testing.AllocsPerRun(1000, func() { d += d / 3; h.Record(d); d++ }))
	require.Zero(t, testing.AllocsPerRun(10, func() { _ = h.Quantiles() }))
	require.Zero(t, testing.AllocsPerRun(10, func() { other.Merge(&h) }))
}

func BenchmarkHistogramRecord(b *testing.B) {
	var h Histogram
	b.ReportAllocs()
	d := time.Duration(0)
	for b.Loop() {
		d = (d*5 + 1) & (1<<22 - 1) // up to 4 ms, in no order
		h.Record(d)
	}
	if q := h.Quantiles(); q.Count != uint64(b.N) {
		b.Fatalf("counted %d of %d", q.Count, b.N)
	}
}

func BenchmarkHistogramRecordParallel(b *testing.B) {
	var h Histogram
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		d := time.Duration(0)
		for pb.Next() {
			d = (d*5 + 1) & (1<<22 - 1)
			h.Record(d)
		}
	})
	if q := h.Quantiles(); q.Count != uint64(b.N) {
		b.Fatalf("counted %d of %d", q.Count, b.N)
	}
}

func BenchmarkHistogramQuantiles(b *testing.B) {
	var h Histogram
	for d := range time.Duration(10_000) {
		h.Record(d * time.Microsecond)
	}
	b.ReportAllocs()
	for b.Loop() {
		if q := h.Quantiles(); q.Count != 10_000 {
			b.Fatal(q)
		}
	}
}
