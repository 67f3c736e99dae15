package hist

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBucketsCoverEveryValue(t *testing.T) {
	values := []uint64{0, 1, 31, 32, 63, 64, 65, 127, 128, 1<<63 - 1, 1 << 62}
	r := rand.New(rand.NewPCG(5, 6))
	for range 100_000 {
		values = append(values, r.Uint64()>>(1+r.IntN(63)))
	}
	for _, v := range values {
		i := bucketOf(v)
		top := bucketTop(i)
		if i < 0 || i >= buckets || v > top || float64(top-v) > float64(v)/32 {
			t.Fatalf("%d is in bucket %d, which ends at %d", v, i, top)
		}
		if i > 0 && bucketTop(i-1) >= v {
			t.Fatalf("%d is in bucket %d, and in the one before", v, i)
		}
	}
}

func TestQuantilesAgainstASort(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var h, even, odd Histogram
	var all []time.Duration
	for i := range 10_001 {
		d := time.Duration(r.ExpFloat64() * 5_000)
		all = append(all, d)
		if i%2 == 0 {
			even.Record(d)
		} else {
			odd.Record(d)
		}
	}
	h.Merge(&even)
	h.Merge(&odd)
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.99, 0.999, 1} {
		exact := all[max(int(q*10_001+0.999999)-1, 0)]
		if got := h.Quantile(q); got < exact || float64(got-exact) > float64(exact)/32 {
			t.Errorf("quantile %v is %v, exactly %v", q, got, exact)
		}
	}
	if h.Top != all[len(all)-1] || h.N != 10_001 {
		t.Errorf("top %v of %d", h.Top, h.N)
	}
	var none Histogram
	if none.Quantile(0.5) != 0 || none.Mean() != 0 {
		t.Error("an empty histogram has a quantile")
	}
}

func TestSinceIsWhatCameAfter(t *testing.T) {
	var h Histogram
	for range 50 {
		h.Record(time.Second)
	}
	old := h
	for i := range 10 {
		h.Record(time.Duration(i))
	}
	d := h.Since(&old)
	if d.N != 10 || d.Top != 9 || d.Mean() != 4 || d.Quantile(0.5) != 4 {
		t.Errorf("%d recorded, top %v, mean %v, median %v", d.N, d.Top, d.Mean(), d.Quantile(0.5))
	}
	if none := h.Since(&h); none.N != 0 || none.Top != 0 {
		t.Errorf("%d recorded, top %v", none.N, none.Top)
	}
}
