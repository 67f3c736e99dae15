package main

import "math/bits"

// histogram counts nanoseconds in buckets whose width is at most 1/32 of their
// value. It belongs to one goroutine.
type histogram struct {
	counts [buckets]uint64
	n      uint64
	top    int64 // the greatest, exactly
}

const (
	subBits = 5
	buckets = (64 - subBits) << subBits
)

func (h *histogram) record(ns int64) {
	v := uint64(max(ns, 0))
	shift := max(bits.Len64(v)-subBits-1, 0)
	h.counts[shift<<subBits+int(v>>shift)]++
	h.n++
	h.top = max(h.top, ns)
}

func (h *histogram) merge(o *histogram) {
	for i, c := range o.counts {
		h.counts[i] += c
	}
	h.n += o.n
	h.top = max(h.top, o.top)
}

// quantile returns a value that at least the share q of all did not exceed, up
// to 3 % too high; 0 if there are none.
func (h *histogram) quantile(q float64) int64 {
	rank := max(uint64(q*float64(h.n)+0.999999), 1)
	var seen uint64
	for i, c := range h.counts {
		if seen += c; seen >= rank {
			shift := max(i>>subBits-1, 0)
			return min(int64(uint64(i-shift<<subBits+1)<<shift-1), h.top)
		}
	}
	return h.top
}
