package lab

import (
	"bytes"
	"errors"
	"runtime"
	"time"
)

// errRestless is the error of a world that does not come to rest.
var errRestless = errors.New("the goroutines do not come to rest, so that nothing could be said for certain")

// patience is how long, of real time, to wait for rest.
const patience = 30 * time.Second

// watcher knows when all goroutines but the caller's wait for each other or for
// the caller, so that nothing more happens until the caller does something.
//
// It reads their states from a dump of all stacks, for which the runtime stops
// the world: it is one moment's truth, and if nobody can run at one moment, then
// nobody can at any later one. That is exact as long as nobody in the process
// waits for something outside, for a real timer, or is about other business;
// package testing/synctest would say it better, but works in tests alone.
type watcher struct{ buf []byte }

// settle returns when everything is at rest.
func (w *watcher) settle() error {
	began := time.Now()
	for tries := 0; ; tries++ {
		for range 4 {
			runtime.Gosched()
		}
		if w.atRest() {
			return nil
		}
		if tries > 100 {
			time.Sleep(50 * time.Microsecond)
			if time.Since(began) > patience {
				return errRestless
			}
		}
	}
}

var (
	heading   = []byte("goroutine ")
	separator = []byte("\n\n")

	// foreign are goroutines that have nothing to do with any pipeline.
	foreign = [][]byte{[]byte("\nos/signal."), []byte("\nruntime/pprof.")}
)

// atRest reports whether all goroutines but the caller's are blocked.
func (w *watcher) atRest() bool {
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
