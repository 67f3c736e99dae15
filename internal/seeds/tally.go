package seeds

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// tally adds up what the scenarios had in them. Safe for concurrent use.
type tally struct {
	names  []string
	begun  time.Time
	played atomic.Uint64
	had    []atomic.Uint64 // by feature
	failed atomic.Pointer[failure]
}

type failure struct {
	seed uint64
	Scenario
}

func newTally(names []string) *tally {
	return &tally{names: names, begun: time.Now(), had: make([]atomic.Uint64, len(names))}
}

func (w *tally) add(seed uint64, sc Scenario) {
	if sc.Err != nil {
		w.failed.CompareAndSwap(nil, &failure{seed, sc})
		return
	}
	w.played.Add(1)
	for i := range w.had {
		if sc.Has&(1<<i) != 0 {
			w.had[i].Add(1)
		}
	}
}

func (w *tally) share(i int) float64 {
	return float64(w.had[i].Load()) / float64(max(1, w.played.Load()))
}

// rare returns the features that less than a share of the scenarios had.
func (w *tally) rare(least float64) (names []string) {
	for i, name := range w.names {
		if w.share(i) < least {
			names = append(names, name)
		}
	}
	return names
}

func (w *tally) speed() string {
	n, took := w.played.Load(), time.Since(w.begun)
	return fmt.Sprintf("%d scenarios in %.1f s, %.0f a second", n, took.Seconds(), float64(n)/took.Seconds())
}

// shares is a table of the features.
func (w *tally) shares() string {
	var b strings.Builder
	for i, name := range w.names {
		fmt.Fprintf(&b, "  %5.1f %%  %s\n", 100*w.share(i), name)
	}
	return b.String()
}

// watch shows how far n seeds have come: on a terminal twice a second, in one
// line that is written over; with -v every ten seconds, in a line of its own.
func (w *tally) watch(t *testing.T, n int) (stop func()) {
	show, every := func() {}, 10*time.Second
	info, err := os.Stderr.Stat()
	switch live := err == nil && info.Mode()&os.ModeCharDevice != 0; {
	case live:
		every = time.Second / 2
		show = func() { fmt.Fprintf(os.Stderr, "\r\x1b[K%d of %d seeds: %s", w.played.Load(), n, w.speed()) }
	case testing.Verbose():
		show = func() { t.Logf("of %d seeds: %s", n, w.speed()) }
	}
	tick, done := time.NewTicker(every), make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-tick.C:
				show()
			case <-done:
				return
			}
		}
	}()
	return func() {
		tick.Stop()
		close(done)
		<-ended
		if info != nil && info.Mode()&os.ModeCharDevice != 0 {
			fmt.Fprint(os.Stderr, "\r\x1b[K")
		}
	}
}
