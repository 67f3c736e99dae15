package sinks

import (
	"context"
	"fmt"
	"math"
	"time"
)

// RetryConfig configures a [Retry]. Every zero value is a default.
type RetryConfig struct {
	// Initial is the wait after the first failed attempt; default 100ms.
	Initial time.Duration
	// Multiplier is what each wait is multiplied by to get the next; default 2.
	// 1 makes all waits equal.
	Multiplier float64
	// Max is the longest wait; default 30s, or Initial if that is longer. A
	// sink that asks by [RetryAfter] for a longer one gets it.
	Max time.Duration

	// Jitter says which part of each wait is left to chance; default JitterFull.
	Jitter Jitter
	// JitterShare is, with JitterBounded, that part as a share of the wait,
	// above 0 and up to 1; default 0.5.
	JitterShare float64
	// Seed makes the waits repeatable. 0: every Retry has waits of its own.
	Seed uint64

	// MaxAttempts is the number of attempts, the first one included. 0: any.
	MaxAttempts int
	// MaxElapsed is the time from the beginning of the first attempt after
	// which none begins. A wait that would end later is not begun. 0: a minute,
	// or without limit if MaxAttempts is set; [math.MaxInt64] is without limit.
	MaxElapsed time.Duration

	// OnRetry is told of every wait before it begins, in the goroutine that
	// called Write, with a ctx derived from Write's. What it does changes no
	// wait, unless it takes longer than that. A panic in it is contained.
	OnRetry func(ctx context.Context, r Retrying)
}

// Retrying is what RetryConfig.OnRetry is told.
type Retrying struct {
	Attempts int           // that have failed so far
	Events   int           // that will be tried again
	Wait     time.Duration // until then
	Err      error         // of the latest attempt
}

// Jitter says how chance spreads attempts that would otherwise coincide. It
// only ever makes a wait shorter.
type Jitter uint8

// The kinds of jitter.
const (
	JitterFull    Jitter = iota // a wait is drawn from all up to its full length
	JitterBounded               // only the share JitterShare of it is
	JitterNone                  // a wait has its full length

	numJitter
)

var jitterNames = [numJitter]string{"full", "bounded", "none"}

// String returns the lower-case name.
func (j Jitter) String() string {
	if j < numJitter {
		return jitterNames[j]
	}
	return fmt.Sprintf("Jitter(%d)", uint8(j))
}

// backoff checks c and returns it with its defaults.
func (c RetryConfig) backoff() (backoff, error) {
	b := backoff{
		initial: c.Initial, max: c.Max, multiplier: c.Multiplier,
		chance: c.JitterShare, attempts: c.MaxAttempts, elapsed: c.MaxElapsed,
	}
	switch {
	case c.Initial < 0:
		return b, bad("RetryConfig.Initial", c.Initial, "0 or more")
	case c.Multiplier != 0 && !(c.Multiplier >= 1 && c.Multiplier <= math.MaxFloat64):
		return b, bad("RetryConfig.Multiplier", c.Multiplier, "1 or more")
	case c.Max < 0:
		return b, bad("RetryConfig.Max", c.Max, "0 or more")
	case c.Jitter >= numJitter:
		return b, bad("RetryConfig.Jitter", c.Jitter, "JitterFull, JitterBounded or JitterNone")
	case c.JitterShare != 0 && c.Jitter != JitterBounded:
		return b, bad("RetryConfig.JitterShare", c.JitterShare, "0 without JitterBounded")
	case !(c.JitterShare >= 0 && c.JitterShare <= 1):
		return b, bad("RetryConfig.JitterShare", c.JitterShare, "0 to 1")
	case c.MaxAttempts < 0:
		return b, bad("RetryConfig.MaxAttempts", c.MaxAttempts, "0 or more")
	case c.MaxElapsed < 0:
		return b, bad("RetryConfig.MaxElapsed", c.MaxElapsed, "0 or more")
	}
	if b.initial == 0 {
		b.initial = 100 * time.Millisecond
		if c.Max > 0 {
			b.initial = min(b.initial, c.Max)
		}
	}
	switch {
	case c.Max == 0:
		b.max = max(30*time.Second, b.initial)
	case c.Max < b.initial:
		return b, bad("RetryConfig.Max", c.Max, fmt.Sprintf("Initial, which is %v, or more", b.initial))
	}
	if b.multiplier == 0 {
		b.multiplier = 2
	}
	switch {
	case c.Jitter == JitterFull:
		b.chance = 1
	case c.Jitter == JitterBounded && b.chance == 0:
		b.chance = 0.5
	}
	switch {
	case b.elapsed == 0 && b.attempts == 0:
		b.elapsed = time.Minute
	case b.elapsed == 0:
		b.elapsed = math.MaxInt64
	}
	return b, nil
}
