package clocktest

import (
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func numbers(r *rand.Rand) (ns [8]uint64) {
	for i := range ns {
		ns[i] = r.Uint64()
	}
	return ns
}

// world returns one that is good for drawing numbers only.
func world(seed uint64) *World { return &World{seed: seed} }

func TestRandDependsOnSeedAndNameAlone(t *testing.T) {
	seen := map[[8]uint64]bool{}
	for seed := range uint64(100) {
		forth, back := world(seed), world(seed)
		a, b := numbers(forth.Rand("a")), numbers(forth.Rand("b"))
		require.Equal(t, b, numbers(back.Rand("b")))
		require.Equal(t, a, numbers(back.Rand("a")))
		require.NotEqual(t, a, numbers(back.Rand("a")), "the stream goes on")
		require.Same(t, back.Rand("a"), back.Rand("a"))
		require.False(t, seen[a] || seen[b] || a == b)
		seen[a], seen[b] = true, true
	}
}

// The numbers must not change, or seeds that people have kept lose their worth.
func TestRandIsForEver(t *testing.T) {
	require.Equal(t, [8]uint64{
		0x29af750e16a451c5, 0xfffed4031c5c13ff, 0xd921e053d06c2b94, 0x504ddc04facb6339,
		0x50e2326d0f93c80c, 0xaa970b0e376c0a9d, 0x781afb2254d8a3fd, 0x90d6da17916cf01b,
	}, numbers(world(1).Rand("producer")))
}

func TestRandIsSafeForConcurrentUse(t *testing.T) {
	w := world(1)
	var wg sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		want := numbers(world(1).Rand(name))
		wg.Go(func() {
			if got := numbers(w.Rand(name)); got != want {
				t.Errorf("%s drew %v, want %v", name, got, want)
			}
		})
	}
	wg.Wait()
}

func TestJitter(t *testing.T) {
	r := world(1).Rand("jitter")
	seen := map[time.Duration]bool{}
	for range 1000 {
		d := Jitter(r, time.Second)
		require.GreaterOrEqual(t, d, time.Second)
		require.Less(t, d, time.Second+time.Millisecond)
		seen[d] = true
	}
	require.Greater(t, len(seen), 990)
}
