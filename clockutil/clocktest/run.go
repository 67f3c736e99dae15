package clocktest

import (
	"testing"
	"testing/synctest"
	"time"
)

// Run runs f once, in a bubble of its own, and returns when f and everything f
// started have ended. The t that f gets belongs to the bubble; its cleanups run
// there. Without [WithSeed] the seed is 1.
//
// Run must not be called inside a bubble.
func Run(t *testing.T, f func(t *testing.T, w *World), opts ...Option) {
	t.Helper()
	newConfig(opts).run(t, f)
}

// Both runs f as two subtests: clock=real, where World's clock is the system's
// under the bubble's time, and clock=mock, as with [WithMock].
func Both(t *testing.T, f func(t *testing.T, w *World), opts ...Option) {
	t.Helper()
	onBoth(t, opts, func(t *testing.T, c config) { c.run(t, f) })
}

// onBoth calls f in a subtest for each kind of clock.
func onBoth(t *testing.T, opts []Option, f func(t *testing.T, c config)) {
	t.Helper()
	c := newConfig(opts)
	for _, kind := range []struct {
		name string
		mock bool
	}{{"clock=real", false}, {"clock=mock", true}} {
		c.mock = kind.mock
		t.Run(kind.name, func(t *testing.T) { f(t, c) })
	}
}

// run is Run, configured.
func (c config) run(t *testing.T, f func(t *testing.T, w *World)) {
	t.Helper()
	// Armed out here, the watchdog is on real time.
	defer c.watch(t.Name())()
	synctest.Test(t, func(t *testing.T) { f(t, newWorld(t, c)) })
}

// defaultStuckTimeout is generous: the slowest bubble on the busiest machine
// finishes in a fraction of it.
const defaultStuckTimeout = time.Minute
