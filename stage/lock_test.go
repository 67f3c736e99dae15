package stage

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLockExcludes(t *testing.T) {
	const goroutines, turns = 8, 500
	var (
		mu     backoffLock
		inside int // guarded by mu
		sum    int // guarded by mu
		wg     sync.WaitGroup
	)
	for range goroutines {
		wg.Go(func() {
			for i := range turns {
				if i%3 == 0 {
					mu.visit()
				} else {
					mu.lock()
				}
				inside++
				if inside != 1 {
					t.Errorf("%d goroutines hold the lock", inside)
				}
				pause(100)
				sum++
				inside--
				mu.leave()
			}
		})
	}
	wg.Wait()
	require.Equal(t, goroutines*turns, sum)
	require.True(t, mu.TryLock(), "it was left locked")
	mu.Unlock()
}

// However long the holder takes, a waiter gets its turn.
func TestLockWaitsForASlowHolder(t *testing.T) {
	var mu backoffLock
	mu.lock()
	held, got := 0, make(chan int)
	go func() {
		mu.lock()
		defer mu.Unlock()
		got <- held
	}()
	for range 100 {
		held++
		pause(1 << 14)
	}
	mu.Unlock()
	require.Equal(t, 100, <-got)
}

// A lock that was free again at once stays cold, and one that is fought over
// cools down with each waiter that gets it at the first try.
func TestLockHeat(t *testing.T) {
	var mu backoffLock
	mu.lockSlow()
	require.Zero(t, mu.heat.Load())
	mu.Unlock()
	for heat := int32(2); heat > 0; heat-- {
		mu.heat.Store(heat)
		mu.lockSlow()
		require.Equal(t, heat-1, mu.heat.Load())
		mu.Unlock()
	}
}

// For a visitor nobody stays away, and it leaves no heat.
func TestLockVisited(t *testing.T) {
	var mu backoffLock
	mu.visit()
	require.False(t, mu.TryLock())
	require.True(t, mu.visited.Load())
	mu.leave()
	require.False(t, mu.visited.Load())

	mu.heat.Store(5)
	mu.visited.Store(true) // as one sees it who comes a moment before the visitor leaves
	mu.lockSlow()
	require.EqualValues(t, 5, mu.heat.Load(), "a long pause was taken")
	mu.leave()
	require.True(t, mu.TryLock())
}

// Up to four cores wait as they were measured to; more of them wait longer.
func TestBackoff(t *testing.T) {
	for cores, want := range map[int]int{1: 32768, 2: 32768, 4: 32768, 8: 65536, 64: 524288} {
		require.Equal(t, want, backoff(cores), "%d cores", cores)
	}
}
