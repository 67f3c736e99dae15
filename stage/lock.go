package stage

import "sync"

// backoffLock is a mutex for critical sections of a few nanoseconds.
//
// A waiter stays away for microseconds before it tries again. Whoever has the
// lock's cache line meanwhile goes through a hundred sections undisturbed,
// where two cores that look at the line all the time would spend most of theirs
// on passing it to and fro. After about fifteen microseconds a waiter parks:
// the holder may have been preempted, and waiters that spin without a bound
// bring each other to a halt when there are more of them than processors. It
// does not park earlier, because a parked goroutine queues behind whole time
// slices.
type backoffLock struct{ sync.Mutex }

const (
	backoffTries = 4
	firstPause   = 8192 // empty loop turns: 2 µs at four turns a nanosecond
	maxPause     = 16384
)

func (l *backoffLock) lock() {
	if !l.TryLock() {
		l.lockSlow()
	}
}

//go:noinline
func (l *backoffLock) lockSlow() {
	turns := firstPause
	for range backoffTries {
		pause(turns)
		if l.TryLock() {
			return
		}
		turns = min(2*turns, maxPause)
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
