package lab

import (
	"container/heap"
	"sync"
	"time"

	"github.com/benbjohnson/clock"
)

// vclock is a clock whose time moves when it is told to. penstock waits by
// AfterFunc alone, so that and telling the time is all it does. What else a
// [clock.Clock] has is that of a mock that nobody moves.
//
// The library's own mock would do, but it sleeps a millisecond of real time at
// every step, and does not say when its next timer is due.
type vclock struct {
	*clock.Mock

	mu     sync.Mutex
	now    time.Time
	alarms alarms
	armed  int // so far
}

// never is longer than any process runs.
const never = 1<<63 - 1

// alarm is one timer. One that its owner has stopped stays in the heap for a
// while.
type alarm struct {
	due  time.Time
	nth  int
	f    func()
	real *clock.Timer // what the caller stops; never fires
}

func newVClock() *vclock {
	m := clock.NewMock()
	return &vclock{Mock: m, now: m.Now()}
}

// Now implements [clock.Clock].
func (c *vclock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Since implements [clock.Clock].
func (c *vclock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Until implements [clock.Clock].
func (c *vclock) Until(t time.Time) time.Duration { return t.Sub(c.Now()) }

// AfterFunc implements [clock.Clock]. f runs in the goroutine that moves time.
func (c *vclock) AfterFunc(d time.Duration, f func()) *clock.Timer {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := alarm{due: c.now.Add(max(d, 0)), nth: c.armed, f: f, real: clock.New().AfterFunc(never, func() {})}
	c.armed++
	heap.Push(&c.alarms, a)
	return a.real
}

// next returns the instant of the earliest timer that has not been stopped. It
// is called at rest.
func (c *vclock) next() (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.alarms) > 0 {
		if a := c.alarms[0]; a.real.Stop() {
			a.real.Reset(never)
			return a.due, true
		}
		heap.Pop(&c.alarms)
	}
	return time.Time{}, false
}

// moveTo moves time forward to t.
func (c *vclock) moveTo(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.After(c.now) {
		c.now = t
	}
}

// fire fires the earliest timer that is due, the one armed first if there are
// several, and reports whether there was one.
func (c *vclock) fire() bool {
	c.mu.Lock()
	if len(c.alarms) == 0 || c.alarms[0].due.After(c.now) {
		c.mu.Unlock()
		return false
	}
	a := heap.Pop(&c.alarms).(alarm)
	c.mu.Unlock()
	if a.real.Stop() {
		a.f()
	}
	return true
}

// alarms is a heap, the earliest first.
type alarms []alarm

func (a alarms) Len() int { return len(a) }
func (a alarms) Less(i, j int) bool {
	if !a[i].due.Equal(a[j].due) {
		return a[i].due.Before(a[j].due)
	}
	return a[i].nth < a[j].nth
}
func (a alarms) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *alarms) Push(x any)   { *a = append(*a, x.(alarm)) }
func (a *alarms) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = alarm{}
	*a = (*a)[:last]
	return x
}
