package main

import "time"

var epoch = time.Now()

// now is one reading of the monotonic clock.
func now() int64 { return int64(time.Since(epoch)) }

// clockCost is what two readings add to a latency.
func clockCost() int64 {
	var h histogram
	for range 10_000 {
		t := now()
		h.record(now() - t)
	}
	return h.quantile(0.5)
}
