package stage

import "sync"

// backoffLock is a mutex for critical sections of a few nanoseconds. A waiter
// tries for about ten microseconds before it parks: parking costs more than
// that, and a parked goroutine queues behind whole time slices. It tries no
// longer than that, because a holder may have been preempted, and because
// waiters that spin without a bound bring each other to a halt when there are
// more of them than processors.
type backoffLock struct{ sync.Mutex }

const (
	bareTries  = 16 // attempts in a row before the first pause
	pauseTries = 16 // attempts with a growing pause before each
	firstPause = 8  // empty loop turns
	maxPause   = 1024
)

func (l *backoffLock) lock() {
	if !l.TryLock() {
		l.lockSlow()
	}
}

//go:noinline
func (l *backoffLock) lockSlow() {
	for range bareTries {
		if l.TryLock() {
			return
		}
	}
	turns := firstPause
	for range pauseTries {
		pause(turns)
		if turns < maxPause {
			turns *= 2
		}
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
