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
			for range turns {
				mu.lock()
				inside++
				if inside != 1 {
					t.Errorf("%d goroutines hold the lock", inside)
				}
				pause(100)
				sum++
				inside--
				mu.Unlock()
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

// Up to four cores wait as they were measured to; more of them wait longer in
// the end, and all of them are quick to come back once.
func TestBackoff(t *testing.T) {
	for _, cores := range []int{1, 2, 4} {
		require.Equal(t, []int{8192, 16384, 16384, 16384}, backoff(cores))
	}
	require.Equal(t, []int{8192, 32768, 32768, 32768}, backoff(8))
	require.Equal(t, []int{8192, 32768, 131072, 262144, 262144, 262144}, backoff(64))
}
