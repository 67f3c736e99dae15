package lab

import (
	"context"
	"encoding/json"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// eventful are settings with everything that can go wrong.
func eventful() Settings {
	s := Defaults()
	s.Producers, s.Rate, s.Queue, s.Batch, s.Interval = 3, 20, 32, 8, 2*time.Second
	s.Duration, s.Drain = 100*time.Second, time.Minute
	s.Latency, s.FailRate, s.PanicRate = 100*time.Millisecond, 0.05, 0.02
	s.Stall, s.Outage = Span{30 * time.Second, 15 * time.Second}, Span{40 * time.Second, 20 * time.Second}
	s.Retry, s.RetryWait, s.Breaker, s.CoolDown, s.Timeout = 3, 200*time.Millisecond, 3, 5*time.Second, 4*time.Second
	s.Fallback = Memory
	return s
}

// TestTheSameSettingsHaveTheSameStory plays by the runtime's counts, and beside
// that by dumps of all stacks, with one thread and with four.
func TestTheSameSettingsHaveTheSameStory(t *testing.T) {
	told := func(s Settings, story *Story, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if o := &story.Outcome; o.Books != "" || o.Stats.Rerouted == 0 || o.Stats.Delivered == 0 {
			t.Errorf("%s: %s", s.Overflow, o.Verdict)
		}
		text, err := json.Marshal(story)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	quick := func(s Settings) string {
		t.Helper()
		story, err := Play(t.Context(), s)
		return told(s, story, err)
	}
	slow := func(s Settings, threads int) string {
		t.Helper()
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		story, err := play(t.Context(), s, &dumps{})
		return told(s, story, err)
	}
	for _, policy := range overflows {
		s := eventful()
		s.Overflow = policy
		if policy == DropNewest {
			s.Timeout = 0
		}
		first := quick(s)
		for i, again := range []string{quick(s), slow(s, 1), slow(s, 4)} {
			if again != first {
				t.Errorf("%s: another story the time after %d:\n%s\n%s", policy, i+1, first, again)
			}
		}
	}
	other := eventful()
	other.Seed++
	if quick(eventful()) == quick(other) {
		t.Error("the seed does not matter")
	}
}

func TestPlayRefusesWhatItCannotDecide(t *testing.T) {
	for name, value := range map[string]string{"rate": "0", "workers": "2", "duration": "10000h"} {
		s := Defaults()
		if err := s.Set(name, value); err != nil {
			t.Fatal(err)
		}
		if _, err := Play(t.Context(), s); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("-%s %s: %v", name, value, err)
		}
	}
}

func TestAPlayThatIsInterruptedDrains(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	story, err := Play(ctx, eventful())
	if err != nil || story.Outcome.Books != "" || story.Outcome.Produced > 0 {
		t.Errorf("%+v, %v", story, err)
	}
}

func TestWhatMovesIsNotAtRest(t *testing.T) {
	defer alone()()
	watchers := []watcher{&dumps{}}
	if c := newCounts(); c != nil {
		c.calls = collectEvery - 2 // collects garbage the second time
		watchers = append(watchers, c)
	}
	for _, w := range watchers {
		if err := settle(w); err != nil {
			t.Fatal(err)
		}
		var stop atomic.Bool
		begun, stopped := make(chan struct{}), make(chan struct{})
		there, back := make(chan struct{}), make(chan struct{})
		go func() { // one of the two can always run
			defer close(stopped)
			for round := 0; !stop.Load(); round++ {
				there <- struct{}{}
				<-back
				if round == 0 {
					close(begun)
				}
			}
			close(there)
		}()
		go func() {
			for range there {
				back <- struct{}{}
			}
		}()
		if w.atRest() {
			t.Errorf("%T overlooked goroutines that have not begun", w)
		}
		<-begun
		if w.atRest() {
			t.Errorf("%T overlooked goroutines that run", w)
		}
		stop.Store(true)
		<-stopped
		if err := settle(w); err != nil {
			t.Error(err)
		}
	}
}

func TestPlayLeavesTheProcessAsItWas(t *testing.T) {
	look := func() [3]int64 {
		percent := debug.SetGCPercent(-1)
		debug.SetGCPercent(percent)
		return [3]int64{int64(runtime.GOMAXPROCS(0)), int64(percent), debug.SetMemoryLimit(-1)}
	}
	before := look()
	if _, err := Play(t.Context(), eventful()); err != nil {
		t.Fatal(err)
	}
	if after := look(); after != before {
		t.Errorf("before %v, after %v", before, after)
	}
}

func TestPlayWithFiles(t *testing.T) {
	s := eventful()
	s.Sink, s.Dir, s.Duration, s.Stall, s.Outage = File, t.TempDir(), 10*time.Second, Span{}, Span{}
	story, err := Play(t.Context(), s)
	if err != nil || story.Outcome.Books != "" || story.Outcome.Stats.Delivered == 0 {
		t.Errorf("%+v, %v", story, err)
	}
}

// BenchmarkPlay plays an hour, with everything that can go wrong.
func BenchmarkPlay(b *testing.B) {
	s := eventful()
	s.Rate, s.Interval, s.Duration = 1, 30*time.Second, time.Hour
	for b.Loop() {
		if story, err := Play(b.Context(), s); err != nil || story.Outcome.Books != "" {
			b.Fatal(story, err)
		}
	}
}
