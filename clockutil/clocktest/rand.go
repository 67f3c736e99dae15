package clocktest

import (
	"hash/fnv"
	"io"
	"math/rand/v2"
	"time"
)

// Seed returns the seed that [World.Rand] derives its streams from.
func (w *World) Seed() uint64 { return w.seed }

// Rand returns the actor's stream of random numbers, the same one at each call.
// It depends on the seed and the name alone, so that an actor draws the same
// numbers whatever the others draw and whenever they run. Rand is safe for
// concurrent use, a stream is not: give each goroutine a name of its own.
func (w *World) Rand(actor string) *rand.Rand {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.streams[actor]
	if !ok {
		h := fnv.New64a()
		_, _ = io.WriteString(h, actor) // a hash never fails
		r = rand.New(rand.NewPCG(w.seed, h.Sum64()))
		if w.streams == nil {
			w.streams = make(map[string]*rand.Rand)
		}
		w.streams[actor] = r
	}
	return r
}

// Jitter returns d plus up to a millisecond drawn from r. Planned instants that
// went through it practically never coincide, and what happens at distinct
// instants has one order only, so that it replays.
func Jitter(r *rand.Rand, d time.Duration) time.Duration {
	return d + time.Duration(r.Int64N(int64(time.Millisecond)))
}
