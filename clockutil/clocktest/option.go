package clocktest

import "time"

// An Option changes how a body is run.
type Option func(*config)

type config struct {
	mock   bool
	seed   uint64
	stuck  time.Duration
	expire func(report string) // what the watchdog does; tests replace it
}

func newConfig(opts []Option) config {
	c := config{seed: 1, stuck: defaultStuckTimeout, expire: crash}
	for _, o := range opts {
		o(&c)
	}
	return c
}

// WithMock makes [World.Clock] a *clock.Mock instead of the system's clock. It
// starts where the mock starts, in 1970.
func WithMock() Option { return func(c *config) { c.mock = true } }

// WithSeed sets the seed of [World.Rand]; [Explore] starts counting there.
func WithSeed(n uint64) Option { return func(c *config) { c.seed = n } }

// WithStuckTimeout sets how much real time a bubble may take, 60 seconds unless
// told otherwise. A bubble in which time cannot move, because of a goroutine
// that waits for a mutex, for example, is not noticed by the runtime: it hangs. When
// the time is up, the stacks of all goroutines are printed and the test binary
// ends. Zero or less means no limit.
func WithStuckTimeout(d time.Duration) Option { return func(c *config) { c.stuck = d } }
