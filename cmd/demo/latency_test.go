package main

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
	var h, even, odd histogram
	var all []time.Duration
	for i := range 10_001 {
		d := time.Duration(r.ExpFloat64() * 5_000)
		all = append(all, d)
		if i%2 == 0 {
			even.record(d)
		} else {
			odd.record(d)
		}
	}
	h.merge(&even)
	h.merge(&odd)
	slices.Sort(all)
	for _, q := range []float64{0, 0.5, 0.99, 0.999, 1} {
		exact := all[max(int(q*10_001+0.999999)-1, 0)]
		if got := h.quantile(q); got < exact || float64(got-exact) > float64(exact)/32 {
			t.Errorf("quantile %v is %v, exactly %v", q, got, exact)
		}
	}
	if h.top != all[len(all)-1] || h.n != 10_001 {
		t.Errorf("top %v of %d", h.top, h.n)
	}
	var none histogram
	if none.quantile(0.5) != 0 || none.mean() != 0 {
		t.Error("an empty histogram has a quantile")
	}
}

func TestFormats(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0ns", 999: "999ns", 1000: "1.00µs", 9_994: "9.99µs", 12_345: "12.3µs", 123_456: "123µs",
		2_500_000: "2.50ms", 1_250_000_000: "1.25s", 90 * time.Second: "90.0s",
	} {
		if got := brief(d); got != want {
			t.Errorf("%d: %s, want %s", int64(d), got, want)
		}
	}
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -4321: "-4,321"} {
		if got := signed(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if got := wrap("aa bb  cc dddddd e", 5); got != "aa bb\ncc\ndddddd\ne" {
		t.Errorf("%q", got)
	}
}
