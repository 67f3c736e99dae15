package stage

import (
	"runtime"
	"sync"
)

// backoffLock is a mutex for critical sections of a few nanoseconds.
//
// A waiter stays away for microseconds before it tries again. Whoever has the
// lock's cache line meanwhile goes through a hundred sections undisturbed,
// where two cores that look at the line all the time would spend most of theirs
// on passing it to and fro. After some pauses a waiter parks: the holder may have
// been preempted, and waiters that spin without a bound bring each other to a
// halt when there are more of them than processors. It does not park earlier,
// because a parked goroutine queues behind whole time slices.
type backoffLock struct{ sync.Mutex }

// pauses are how long a waiter stays away after each try, in empty loop turns.
var pauses = backoff(min(runtime.GOMAXPROCS(0), runtime.NumCPU()))

const (
	firstPause = 8192  // 2 µs at four turns a nanosecond
	maxPause   = 16384 // for up to four cores
	lastTries  = 3     // after the longest pause
)

// backoff returns the pauses for so many cores. Every try takes the line away
// from the holder, so the more cores may wait, the longer they stay away in the
// end; but the first pause is short for all of them, since mostly the lock is
// free by then.
func backoff(cores int) (pauses []int) {
	longest := maxPause * max(cores, 4) / 4
	for turns := firstPause; turns < longest; turns *= 4 {
		pauses = append(pauses, turns)
	}
	for range lastTries {
		pauses = append(pauses, longest)
	}
	return pauses
}

func (l *backoffLock) lock() {
	if !l.TryLock() {
		l.lockSlow()
	}
}

//go:noinline
func (l *backoffLock) lockSlow() {
	for _, turns := range pauses {
		pause(turns)
		if l.TryLock() {
			return
		}
	}
	l.Lock()
}

// pause burns turns loop iterations without touching memory.
//
//go:noinline
func pause(turns int) {
	for range turns {
	}
}
