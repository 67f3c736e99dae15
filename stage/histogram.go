package stage

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Histogram counts durations. The zero value is empty and ready. It takes 5.3
// KiB, whatever it counts; recording costs two atomic additions and never
// allocates or waits. Safe for concurrent use; reading never holds up those
// who record.
//
// Durations below 32 ns are counted exactly. Above, there are 16 buckets of
// equal width for every power of two, and what a bucket holds is taken for the
// middle of it, so that a quantile is off by at most 1/32 of its value. A
// negative duration, as a clock that was set back makes one, counts as 0, and
// one above [MaxDuration] as MaxDuration.
type Histogram struct {
	counts [numBuckets]atomic.Uint64
	sum    atomic.Uint64
	top    atomic.Int64
}

// MaxDuration is the greatest duration that a [Histogram] tells from longer
// ones, about 9.8 hours.
const MaxDuration time.Duration = 1<<durationBits - 1

const (
	durationBits = 45
	subBits      = 4 // of a value's bits after the first, those that choose its bucket
	numBuckets   = (durationBits - subBits + 1) << subBits
)

// bucketOf returns the bucket of v.
func bucketOf(v uint64) int {
	shift := max(bits.Len64(v)-subBits-1, 0)
	return shift<<subBits + int(v>>shift)
}

// middleOf returns the middle of bucket i.
func middleOf(i int) time.Duration {
	shift := max(i>>subBits-1, 0)
	first := uint64(i-shift<<subBits) << shift
	return time.Duration(first + (1<<shift-1)/2)
}

// Record counts d.
func (h *Histogram) Record(d time.Duration) {
	d = min(max(d, 0), MaxDuration)
	h.raise(int64(d)) // first: a reader that finds d counted finds it no greater than the greatest
	h.sum.Add(uint64(d))
	h.counts[bucketOf(uint64(d))].Add(1)
}

// raise makes top at least d.
func (h *Histogram) raise(d int64) {
	for {
		top := h.top.Load()
		if d <= top || h.top.CompareAndSwap(top, d) {
			return
		}
	}
}

// Merge adds to h what other has counted so far.
func (h *Histogram) Merge(other *Histogram) {
	h.raise(other.top.Load())
	h.sum.Add(other.sum.Load())
	for i := range other.counts {
		if n := other.counts[i].Load(); n > 0 {
			h.counts[i].Add(n)
		}
	}
}

// Quantiles returns what was counted so far. While others record, what they
// are recording may be in one of its figures and not yet in another.
func (h *Histogram) Quantiles() Quantiles {
	q := Quantiles{Max: time.Duration(h.top.Load())}
	for i := range bucketOf(uint64(q.Max)) + 1 {
		q.Count += h.counts[i].Load()
	}
	if q.Count == 0 {
		return Quantiles{}
	}
	q.Sum = time.Duration(h.sum.Load() &^ (1 << 63))
	// No bucket shrinks, so every rank is reached where the first loop ended at
	// the latest.
	i, seen := 0, h.counts[0].Load()
	for _, p := range [...]struct {
		percent uint64
		at      *time.Duration
	}{{50, &q.P50}, {95, &q.P95}, {99, &q.P99}} {
		for r := rankOf(p.percent, q.Count); seen < r; seen += h.counts[i].Load() {
			i++
		}
		*p.at = min(middleOf(i), q.Max)
	}
	return q
}

// rankOf is the nearest rank of a percentile among n > 0, from 1: the least k
// such that k of n are at least percent in a hundred.
func rankOf(percent, n uint64) uint64 {
	rest := 100 - percent
	return n - (n/100*rest + n%100*rest/100)
}

// Quantiles are what a [Histogram] makes of the durations it counted: of the
// quantiles each is off by at most 1/32, Count, Sum and Max are exact. All are
// 0 if nothing was counted.
type Quantiles struct {
	Count uint64        `json:"count"`
	Sum   time.Duration `json:"sum_ns"` // wraps to 0 after 292 years
	P50   time.Duration `json:"p50_ns"` // half of all are no longer
	P95   time.Duration `json:"p95_ns"`
	P99   time.Duration `json:"p99_ns"`
	Max   time.Duration `json:"max_ns"`
}

// Mean is Sum for each of Count; 0 if there are none.
func (q Quantiles) Mean() time.Duration {
	return q.Sum / time.Duration(max(q.Count, 1))
}
