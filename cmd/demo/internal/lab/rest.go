package lab

import (
	"bytes"
	"errors"
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// errRestless is the error of a world that does not come to rest.
var errRestless = errors.New("the goroutines do not come to rest, so that nothing could be said for certain")

// patience is how long, of real time, to wait for rest.
const patience = 30 * time.Second

// watcher knows when all goroutines but the caller's wait for each other or for
// the caller, so that nothing more happens until the caller does something. If
// nobody can run at one moment, then nobody can at any later one.
//
// That is exact as long as nobody in the process waits for something outside,
// for a real timer, or is about other business; package testing/synctest would
// say it better, but works in tests alone.
type watcher interface{ atRest() bool }

// settle returns when everything is at rest.
func settle(w watcher) error {
	var began time.Time
	for tries := 1; ; tries++ {
		runtime.Gosched() // where there is one thread, all who can run do so now
		if w.atRest() {
			return nil
		}
		if tries%512 != 0 {
			continue
		}
		time.Sleep(50 * time.Microsecond)
		if began.IsZero() {
			began = time.Now()
		} else if time.Since(began) > patience {
			return errRestless
		}
	}
}

// newWatcher returns the fastest watcher that is exact. It wants to be alone,
// as by alone.
func newWatcher(s *Settings) watcher {
	// A call of the system that returns is in no queue for a moment.
	if files := s.Sink == File || s.Fallback == File; !files {
		if c := newCounts(); c != nil {
			return c
		}
	}
	return &dumps{}
}

// alone has the process run one goroutine at a time, and no collection of
// garbage beside it, until the function it returns is called.
func alone() (end func()) {
	threads, percent, limit := runtime.GOMAXPROCS(1), debug.SetGCPercent(-1), debug.SetMemoryLimit(math.MaxInt64)
	return func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
		runtime.GOMAXPROCS(threads)
	}
}

// counts reads how many goroutines wait in the scheduler's queues for their
// turn, which takes a ten-millionth of a second. The runtime calls the figure
// approximate, since the queues change while they are counted; but where one
// goroutine runs at a time, and that is the one that asks, nobody changes them.
// Only the collector has goroutines wait outside of the queues for work that it
// does itself, so it runs when all are at rest.
type counts struct {
	sample [1]metrics.Sample
	calls  int
}

// collectEvery is how many times of rest pass from one collection of garbage to
// the next; a few kilobytes each.
const collectEvery = 1 << 14

// newCounts returns nil before Go 1.26, whose runtime does not count.
func newCounts() *counts {
	c := &counts{sample: [1]metrics.Sample{{Name: "/sched/goroutines/runnable:goroutines"}}}
	metrics.Read(c.sample[:])
	if c.sample[0].Value.Kind() != metrics.KindUint64 {
		return nil
	}
	return c
}

func (c *counts) atRest() bool {
	metrics.Read(c.sample[:])
	if c.sample[0].Value.Uint64() > 0 {
		return false
	}
	if c.calls++; c.calls%collectEvery == 0 {
		runtime.GC()
		return false // it may have finalizers run
	}
	return true
}

// dumps reads the states of all goroutines from a dump of their stacks, for
// which the runtime stops the world. It needs nobody to be alone, and takes some
// hundred times as long as counts, nearly all of it for names and lines that
// nobody reads.
type dumps struct{ buf []byte }

var (
	heading   = []byte("goroutine ")
	separator = []byte("\n\n")

	// foreign are goroutines that have nothing to do with any pipeline.
	foreign = [][]byte{[]byte("\nos/signal."), []byte("\nruntime/pprof.")}
)

func (w *dumps) atRest() bool {
	n := runtime.Stack(w.buf, true)
	for n == len(w.buf) { // it may have been cut off
		w.buf = make([]byte, max(2*len(w.buf), 64<<10))
		n = runtime.Stack(w.buf, true)
	}
	_, rest, _ := bytes.Cut(w.buf[:n], separator) // the caller comes first
	for len(rest) > 0 {
		var one []byte
		one, rest, _ = bytes.Cut(rest, separator)
		if bytes.HasPrefix(one, heading) && !blocked(one) && !isForeign(one) {
			return false
		}
	}
	return true
}

func isForeign(stack []byte) bool {
	for _, f := range foreign {
		if bytes.Contains(stack, f) {
			return true
		}
	}
	return false
}

// blocked reports whether a goroutine's state is one that only another
// goroutine can end.
func blocked(stack []byte) bool {
	_, state, _ := bytes.Cut(stack, []byte("["))
	end := bytes.IndexAny(state, ",]")
	if end < 0 {
		return false
	}
	switch string(state[:end]) {
	case "select", "chan receive", "chan send", "select (no cases)", "chan receive (nil chan)", "chan send (nil chan)",
		"sync.Cond.Wait", "sync.WaitGroup.Wait", "sync.Mutex.Lock", "sync.RWMutex.Lock", "sync.RWMutex.RLock", "semacquire":
		return true
	}
	return false
}
