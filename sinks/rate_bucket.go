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

// wait returns how long it is until n tokens may be taken. For more than a full
// bucket, a full one has to be there.
func (b *bucket) wait(now time.Time, n int) time.Duration {
	if b.perSecond == 0 {
		return 0
	}
	missing := max(b.full.Sub(now), 0)
	return max(missing-(b.cost(b.burst)-b.cost(min(n, b.burst))), 0)
}

// take takes n tokens. More than are there are owed: whoever comes next waits
// the longer.
func (b *bucket) take(now time.Time, n int) {
	if b.perSecond == 0 {
		return
	}
	if b.full.Before(now) {
		b.full = now
	}
	b.full = b.full.Add(b.cost(n))
}

// cost is the time in which n tokens come.
func (b *bucket) cost(n int) time.Duration {
	ns := math.Ceil(float64(n) / b.perSecond * float64(time.Second))
	return time.Duration(min(ns, float64(longest)))
}

// longest is a time that is never waited for, and that can be added to others
// many times.
const longest = 10 * 365 * 24 * time.Hour
