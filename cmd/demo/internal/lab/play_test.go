package lab

import (
	"context"
	"encoding/json"
	"runtime"
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

// TestTheSameSettingsHaveTheSameStory plays with one thread and with four.
func TestTheSameSettingsHaveTheSameStory(t *testing.T) {
	play := func(s Settings, threads int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		story, err := Play(t.Context(), s)
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
	for _, policy := range overflows {
		s := eventful()
		s.Overflow = policy
		if policy == DropNewest {
			s.Timeout = 0
		}
		if one, four := play(s, 1), play(s, 4); one != four {
			t.Errorf("%s: two stories:\n%s\n%s", policy, one, four)
		}
	}
	other := eventful()
	other.Seed++
	if play(eventful(), 2) == play(other, 2) {
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
	var w watcher
	if err := w.settle(); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for !stop.Load() { // runs, and waits for nothing
		}
	}()
	if w.atRest() {
		t.Error("a goroutine that runs was overlooked")
	}
	stop.Store(true)
	<-stopped
	if err := w.settle(); err != nil {
		t.Error(err)
	}
}
