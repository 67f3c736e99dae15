package sinks

import (
	"math"
	"time"
)

// bucket is a token bucket. In place of tokens it counts the time they take to
// come: full is when the bucket will be, or was, full again. It has no clock:
// instants are passed in.
type bucket struct {
	perSecond float64 // tokens; 0: no limit
	burst     int     // tokens in a full bucket
	full      time.Time
}

// take takes n tokens and returns how long to wait until they are there. For
// more than a full bucket, a full one has to be there, and the rest is owed:
// whoever comes next waits the longer.
func (b *bucket) take(now time.Time, n int) (wait time.Duration) {
	if b.perSecond == 0 {
		return 0
	}
	if b.full.Before(now) {
		b.full = now
	}
	needed := b.cost(b.burst) - b.cost(min(n, b.burst)) // what may be missing
	wait = max(b.full.Sub(now)-needed, 0)
	b.full = b.full.Add(b.cost(n))
	return wait
}

// give puts n tokens back that were taken and not used.
func (b *bucket) give(n int) {
	if b.perSecond != 0 {
		b.full = b.full.Add(-b.cost(n))
	}
}

// cost is the time in which n tokens come.
func (b *bucket) cost(n int) time.Duration {
	ns := math.Ceil(float64(n) / b.perSecond * float64(time.Second))
	return time.Duration(min(ns, float64(longest)))
}

// longest is a time that is never waited for, and that can be added to others
// many times.
const longest = 10 * 365 * 24 * time.Hour
