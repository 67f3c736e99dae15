package main

import (
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/hist"
)

// clockCost returns what reading the clock adds to every latency.
func clockCost() time.Duration {
	var h hist.Histogram
	for range 10_000 {
		h.Record(time.Since(time.Now()))
	}
	return h.Quantile(0.5)
}
