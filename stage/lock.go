package stage

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// backoffLock is a mutex for critical sections of a few nanoseconds. Who finds
// it taken does one of two things, and heat says which.
//
// Mostly the other one is done in a moment. Then the waiter looks again after
// some tens of nanoseconds, and again after twice as long.
//
// If several cores want the lock all the time, looking again soon is the worst
// one can do: both would spend their time on passing the lock's cache line to and
// fro, and the events' lines with it. Then the waiter stays away for
// microseconds, in which the other goes through hundreds of sections
// undisturbed.
//
// Who is no producer (an actor, Stats, Flush) only visits: it is gone in a moment and
// does not come back at once, so for a visitor nobody stays away, and a visitor does
// not stay away for anybody.
//
// In the end a waiter parks: the holder may have been preempted, and waiters that
// spin without a bound bring each other to a halt when there are more of them than
// processors. It does not park earlier, because a parked goroutine queues behind
// whole time slices.
type backoffLock struct {
	sync.Mutex
	// heat is how many of the next waiters take it for granted that the lock is
	// wanted all the time. It is set when somebody was still kept out after some
	// tries. Waiters read it, and only who has the lock writes it.
	heat atomic.Int32
	// visited says that a visitor has it.
	visited atomic.Bool
}

// Pauses are in empty loop turns, about four a nanosecond.
const (
	briefPause = 256 // the first; each is twice the one before
	briefTries = 4
	longPause  = 32768 // for up to four cores
	longTries  = 2
	longHeat   = 32

	visitTries  = 12 // of the first pause for a visitor, and of growing ones by a visitor
	visitGrowth = 4  // times that these grow
)

var stayAway = backoff(min(runtime.GOMAXPROCS(0), runtime.NumCPU()))

// backoff returns the long pause for so many cores. Every try takes the line away
// from the holder, so the more cores may wait, the longer they stay away.
func backoff(cores int) int { return longPause * max(cores, 4) / 4 }

func (l *backoffLock) lock() {
	if !l.TryLock() {
		l.lockSlow()
	}
}

//go:noinline
func (l *backoffLock) lockSlow() {
	if l.visited.Load() {
		for range visitTries {
			pause(briefPause)
			if l.TryLock() {
				return
			}
		}
	}
	left := l.heat.Load() - 1 // what it will be once the lock is ours
	if left < 0 {
		for i := range briefTries {
			pause(briefPause << i)
			if l.TryLock() {
				return
			}
		}
		left = longHeat
	}
	for range longTries {
		pause(stayAway)
		if l.TryLock() {
			l.heat.Store(left)
			return
		}
		left = longHeat
	}
	l.Lock()
	l.heat.Store(left)
}

// visit is lock for who is no producer; leave undoes it.
func (l *backoffLock) visit() {
	if !l.TryLock() {
		l.visitSlow()
	}
	l.visited.Store(true)
}

func (l *backoffLock) visitSlow() {
	for i := range visitTries {
		pause(briefPause << min(i, visitGrowth))
		if l.TryLock() {
			return
		}
	}
	l.Lock()
}

// leave unlocks, whether it was locked or visited.
func (l *backoffLock) leave() {
	if l.visited.Load() {
		l.visited.Store(false)
	}
	l.Unlock()
}

// pause burns turns loop iterations without touching memory.
//
//go:noinline
func pause(turns int) {
	for range turns {
	}
}
