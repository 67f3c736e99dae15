// Package hist counts durations, so that quantiles can be told. Experiments ask
// for what [stage.Histogram] has no answer to: the 99.9th percentile, and what
// was recorded between two moments. It belongs to one goroutine, so that a
// producer that times each of its calls pays no atomic operations for it.
//
// [stage.Histogram]: https://pkg.go.dev/github.com/penstock-go/penstock/stage#Histogram
package hist

import (
	"math/bits"
	"time"
)

// Histogram counts durations in buckets whose width is at most 1/32 of their
// value, so that a quantile is at most 3 % too high. Recording costs a few
// nanoseconds and no memory. It belongs to one goroutine.
type Histogram struct {
	counts [buckets]uint64
	N      uint64 // recorded
	sum    time.Duration
	Top    time.Duration // the greatest, exactly
}

const (
	subBits = 5
	buckets = (64 - subBits) << subBits
)

// bucketOf returns the bucket of v: below 64 each value has its own, above
// there are 32 for every power of two.
func bucketOf(v uint64) int {
	shift := max(bits.Len64(v)-subBits-1, 0)
	return shift<<subBits + int(v>>shift)
}

// bucketTop returns the greatest value in bucket i.
func bucketTop(i int) uint64 {
	shift := max(i>>subBits-1, 0)
	return uint64(i-shift<<subBits+1)<<shift - 1
}

func (h *Histogram) Record(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(uint64(d))]++
	h.N++
	h.sum += d
	h.Top = max(h.Top, d)
}

func (h *Histogram) Merge(o *Histogram) {
	for i, c := range o.counts {
		h.counts[i] += c
	}
	h.N += o.N
	h.sum += o.sum
	h.Top = max(h.Top, o.Top)
}

// Mean returns 0 if nothing was recorded.
func (h *Histogram) Mean() time.Duration { return h.sum / time.Duration(max(h.N, 1)) }

// Quantile returns a duration that at least the share q of all recorded ones
// did not exceed; 0 if there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.N))
	if float64(rank) < q*float64(h.N) {
		rank++
	}
	rank = max(rank, 1)
	var seen uint64
	for i, c := range h.counts {
		if seen += c; seen >= rank {
			return min(time.Duration(bucketTop(i)), h.Top)
		}
	}
	return h.Top
}

// Since returns what was recorded after old, an earlier copy of h. Its Top is
// that of its highest bucket, and never above h's.
func (h *Histogram) Since(old *Histogram) *Histogram {
	d := &Histogram{N: h.N - old.N, sum: h.sum - old.sum}
	for i := range h.counts {
		if d.counts[i] = h.counts[i] - old.counts[i]; d.counts[i] > 0 {
			d.Top = min(time.Duration(bucketTop(i)), h.Top)
		}
	}
	return d
}
