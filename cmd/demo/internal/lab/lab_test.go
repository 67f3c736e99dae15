package lab

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

// run runs an experiment to its end.
func run(t *testing.T, change func(*Settings)) Outcome {
	t.Helper()
	s := Defaults()
	s.Duration = 150 * time.Millisecond
	change(&s)
	l, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	<-l.Over()
	o := l.Stop()
	if o.Books != "" {
		t.Errorf("%s\n%+v", o.Books, o)
	}
	if again := l.Stop(); again.Verdict != o.Verdict {
		t.Errorf("another outcome: %s", again.Verdict)
	}
	return o
}

// TestBooksBalanceWithEverySinkAndPolicy ends each experiment after so many calls
// of the sink, however long a busy machine takes for them.
func TestBooksBalanceWithEverySinkAndPolicy(t *testing.T) {
	for _, kind := range sinkKinds {
		for _, policy := range overflows {
			s := Defaults()
			s.Duration = time.Hour
			s.Sink, s.Overflow, s.Dir, s.Rate = kind, policy, t.TempDir(), 20_000
			s.Queue, s.Batch, s.Workers, s.Fallback = 256, 32, 2, File
			var calls atomic.Int64
			enough := make(chan struct{})
			l, err := start(s, hooks{fate: func(fate) {
				if calls.Add(1) == 20 {
					close(enough)
				}
			}})
			if err != nil {
				t.Fatal(err)
			}
			<-enough
			o := l.Stop()
			if o.Stats.Delivered == 0 || o.Lost() > 0 || o.Books != "" {
				t.Errorf("%s, %s: %s", kind, policy, o.Verdict)
			}
		}
	}
}

func TestFaultsOfEveryKindLeaveTheBooksBalanced(t *testing.T) {
	o := run(t, func(s *Settings) {
		s.Duration, s.Batch, s.Interval = 400*time.Millisecond, 16, time.Millisecond
		s.FailRate, s.PanicRate, s.Latency = 0.2, 0.1, 100*time.Microsecond
		s.Stall = Span{At: 50 * time.Millisecond, For: 30 * time.Millisecond}
		s.Timeout, s.Retry, s.RetryWait, s.Breaker, s.CoolDown = 5*time.Millisecond, 2, time.Millisecond, 3, 10*time.Millisecond
		s.Fallback = Memory
	})
	if o.Stats.Rerouted == 0 || o.Lost() > 0 {
		t.Error(o.Verdict)
	}
	o = run(t, func(s *Settings) { s.FailRate, s.Rate = 1, 1000 })
	if o.Stats.Delivered > 0 || o.Stats.Lost.Failed == 0 {
		t.Error(o.Verdict)
	}
}

func TestFlatOutAndWaiting(t *testing.T) {
	o := run(t, func(s *Settings) { s.Rate, s.Overflow, s.Sink = 0, Wait, Slow })
	if o.Dropped() > 0 || o.Lost() > 0 || o.Stats.Delivered == 0 {
		t.Error(o.Verdict)
	}
}

func TestKnobsTurnWhileItRuns(t *testing.T) {
	s := Defaults()
	s.Rate, s.Duration = 1000, time.Hour
	l, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.SetFaults(Faults{FailRate: 1}); err != nil {
		t.Error(err)
	}
	if l.SetFaults(Faults{FailRate: 2}) == nil || l.SetRate(-1) == nil {
		t.Error("nonsense was accepted")
	}
	if err := l.SetRate(0); err != nil {
		t.Error(err)
	}
	if at := l.Snapshot(); at.Rate != 0 || at.Faults.FailRate != 1 || l.Settings().Rate != 1000 {
		t.Errorf("%+v", at)
	}
	o := l.Stop()
	<-l.Over()
	<-l.Died()
	if o.Books != "" || o.Produced > time.Minute {
		t.Error(o.Verdict)
	}
}

func TestProducersComeAndGo(t *testing.T) {
	s := Defaults()
	s.Producers, s.Rate, s.Overflow, s.Queue, s.Batch, s.Duration = 1, 50_000, Wait, 64, 16, time.Hour
	l, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{16, 2, 5, 1} {
		if err := l.SetProducers(n); err != nil {
			t.Error(err)
		}
		if at := l.Snapshot(); at.Producers != n {
			t.Errorf("%d producers, want %d", at.Producers, n)
		}
	}
	if l.SetProducers(0) == nil || l.SetProducers(maxProducers+1) == nil {
		t.Error("nonsense was accepted")
	}
	o := l.Stop()
	if o.Books != "" || o.Lost() > 0 {
		t.Error(o.Verdict)
	}
	if err := l.SetProducers(3); err != nil || l.Snapshot().Tally != o.Tally {
		t.Errorf("an experiment that is over produces: %v", err)
	}
}

func TestASinkThatHangsUntilItIsLetGo(t *testing.T) {
	s := Defaults()
	s.Producers, s.Rate, s.Overflow, s.Duration = 1, 0, DropNewest, 50*time.Millisecond
	l, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	l.SetStalled(true)
	l.SetStalled(true)
	if !l.Snapshot().Stalled {
		t.Error("not stalled")
	}
	<-l.Over()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := l.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("flushed into a sink that hangs: %v", err)
	}
	l.SetStalled(false)
	if err := l.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	l.Halt()
	if o := l.Stop(); o.Books != "" || o.Lost() > 0 || o.Stats.Delivered == 0 {
		t.Error(o.Verdict)
	}
}

func TestASinkThatHangsForGoodIsLetGoInTheEnd(t *testing.T) {
	s := Defaults()
	s.Batch, s.Drain, s.Duration = 1, 20*time.Millisecond, 100*time.Millisecond
	l, err := Start(s)
	if err != nil {
		t.Fatal(err)
	}
	l.SetStalled(true)
	<-l.Over()
	o := l.Stop()
	if o.Books != "" || o.Stats.Lost.InDoubt == 0 || o.Closing == "" {
		t.Errorf("%s; %s", o.Verdict, o.Closing)
	}
	if l.Snapshot().Stalled {
		t.Error("still stalled")
	}
}

func TestADrainThatIsCutOff(t *testing.T) {
	o := run(t, func(s *Settings) {
		s.Stall, s.Drain = Span{At: 10 * time.Millisecond, For: time.Hour}, 20*time.Millisecond
	})
	if o.Stats.Lost.InDoubt == 0 || o.Closing == "" {
		t.Error(o.Verdict)
	}
}
