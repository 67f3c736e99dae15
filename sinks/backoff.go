package sinks

import "time"

// backoff decides whether and when there is another attempt. It has neither a
// clock nor chance of its own: both are passed in.
type backoff struct {
	initial    time.Duration
	max        time.Duration
	multiplier float64
	chance     float64       // share of a wait that is drawn
	attempts   int           // 0: any number
	elapsed    time.Duration // no attempt begins later than this after the first
}

// tries is how far one batch has come.
type tries struct {
	began time.Time     // the first attempt
	made  int           // attempts that have failed
	wait  time.Duration // the latest, before chance came in
}

// failed notes that an attempt failed at now. wait is the time to the next one:
// what the backoff says, less the drawn part of it, and never less than
// atLeast. draw is in [0, 1). again is false if there is to be no other.
func (b *backoff) failed(t *tries, now time.Time, atLeast time.Duration, draw float64) (wait time.Duration, again bool) {
	t.wait = b.grown(t)
	t.made++
	wait = max(t.wait-time.Duration(draw*b.chance*float64(t.wait)), atLeast)
	inTime := now.Sub(t.began) <= b.elapsed-wait // wait is not negative: no overflow
	return wait, inTime && (b.attempts == 0 || t.made < b.attempts)
}

// grown is the wait after t's.
func (b *backoff) grown(t *tries) time.Duration {
	if t.made == 0 {
		return b.initial
	}
	if next := float64(t.wait) * b.multiplier; next < float64(b.max) {
		return time.Duration(next)
	}
	return b.max
}
