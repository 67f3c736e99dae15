package clocktest

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/clockutil"
)

// A World is what one run of a body is played in: a clock, the hand that moves
// it, and the chance that the seed decides.
//
// Settle and Advance are for the goroutine of the body, one call at a time; the
// other methods are safe for concurrent use.
type World struct {
	t     *testing.T
	clk   clock.Clock
	mock  *clock.Mock // clk, if that is a mock
	start time.Time
	seed  uint64

	mu      sync.Mutex
	streams map[string]*rand.Rand
}

func newWorld(t *testing.T, c config) *World {
	w := &World{t: t, seed: c.seed}
	if c.mock {
		w.mock = clock.NewMock()
		w.clk = w.mock
	} else {
		w.clk = clock.New()
	}
	w.start = w.clk.Now()
	return w
}

// Clock returns the clock to inject: the system's clock, whose time is the
// bubble's, or a *clock.Mock under [WithMock].
func (w *World) Clock() clock.Clock { return w.clk }

// Settle waits until every other goroutine of the bubble is blocked for good,
// that is, until everything that can happen at this instant has happened.
func (w *World) Settle() { synctest.Wait() }

// Advance settles, moves time forward by d, and settles again. On the way time
// stops at each instant at which a timer is due, until everything has happened
// there. Advance(0) lets what is due now happen. A negative d fails the test.
func (w *World) Advance(d time.Duration) {
	w.t.Helper()
	if d < 0 {
		w.t.Fatalf("clocktest: Advance(%v): time runs forward only", d)
	}
	w.Settle()
	if w.mock != nil {
		w.mock.Add(d)
	} else {
		time.Sleep(d)
	}
	w.Settle()
}

// Elapsed returns how far the clock has moved since the body began.
func (w *World) Elapsed() time.Duration { return w.clk.Since(w.start) }

// WithTimeout is [clockutil.WithTimeout] on the world's clock: the one source of
// deadlines in a body.
func (w *World) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return clockutil.WithTimeout(ctx, w.clk, d)
}
