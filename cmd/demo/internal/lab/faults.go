package lab

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/stage"
)

// Faults are what is wrong with the sink. Of several that hit one call the
// stall comes first, then the latency, then the panic, then the failure.
type Faults struct {
	Latency   time.Duration `json:"latency_ns"` // of every call; it ends with the call's context
	FailRate  float64       `json:"fail_rate"`
	PanicRate float64       `json:"panic_rate"`
	// Stall hangs, once in Stall.At, one call for Stall.For. The call ignores
	// its context.
	Stall Span `json:"stall"`
	// Outage fails all calls for Outage.For, from Outage.At after the start on.
	Outage Span `json:"outage"`
}

// Check returns an error that names the flag and the value.
func (f *Faults) Check() error {
	switch {
	case f.Latency < 0:
		return fmt.Errorf("-latency is %v, want 0 or more", f.Latency)
	case !(f.FailRate >= 0 && f.FailRate <= 1):
		return fmt.Errorf("-fail-rate is %v, want 0 to 1", f.FailRate)
	case !(f.PanicRate >= 0 && f.PanicRate <= 1):
		return fmt.Errorf("-panic-rate is %v, want 0 to 1", f.PanicRate)
	case f.Stall.For > 0 && f.Stall.At <= 0:
		return errors.New("-stall happens every 0s, want more")
	}
	return nil
}

// Errors of the sink that faults are for.
var (
	errFailed = errors.New("the sink failed by chance")
	errOutage = errors.New("the sink is out of order")
)

// faulty is a sink with faults. Its faults may be changed at any time.
type faulty struct {
	stage.Sink[Event]
	name  string
	clk   clock.Clock
	start time.Time
	told  func(fate) // of each call that hangs or fails; may be nil
	life  context.Context
	end   context.CancelFunc // of life: calls that still hang return

	mu     sync.Mutex
	faults Faults
	rand   *rand.Rand
	stalls int           // that have happened, or were due when the faults were set
	held   chan struct{} // closed, and nil, when calls need not hang; hold does both
	took   uint64
}

// fate is what a call has to suffer.
type fate struct {
	held    <-chan struct{} // nil: it need not hang
	stall   time.Duration
	latency time.Duration
	panics  bool
	err     error
}

func newFaulty(name string, sink stage.Sink[Event], clk clock.Clock, f Faults, seed uint64, told func(fate)) *faulty {
	s := &faulty{Sink: sink, name: name, clk: clk, start: clk.Now(), told: told, faults: f, rand: rand.New(rand.NewPCG(seed, 0x6661756c74))}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// set changes the faults.
func (s *faulty) set(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
	if f.Stall.For > 0 {
		s.stalls = int(s.clk.Since(s.start) / f.Stall.At)
	}
}

func (s *faulty) get() (f Faults, held bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults, s.held != nil
}

// hold has all calls hang until they are let go.
func (s *faulty) hold(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case on && s.held == nil:
		s.held = make(chan struct{})
	case !on && s.held != nil:
		close(s.held)
		s.held = nil
	}
}

// draw decides one call. Chance is asked as often whatever the faults, so that
// with one worker the seed decides all calls alike.
func (s *faulty) draw() fate {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := fate{held: s.held, latency: s.faults.Latency, panics: s.rand.Float64() < s.faults.PanicRate}
	if s.rand.Float64() < s.faults.FailRate {
		f.err = errFailed
	}
	since := s.clk.Since(s.start)
	if st := s.faults.Stall; st.For > 0 {
		if due := int(since / st.At); due > s.stalls {
			s.stalls = due
			f.stall = st.For
		}
	}
	if out := s.faults.Outage; since >= out.At && since < out.At+out.For {
		f.err = errOutage
	}
	return f
}

// Write implements [stage.Sink].
func (s *faulty) Write(ctx context.Context, events []Event) error {
	f := s.draw()
	if s.told != nil {
		s.told(f)
	}
	if f.held != nil {
		<-f.held
	}
	if f.stall > 0 {
		_ = clockutil.Sleep(s.life, s.clk, f.stall)
	}
	if f.latency > 0 {
		if err := clockutil.Sleep(ctx, s.clk, f.latency); err != nil {
			return err
		}
	}
	if f.panics {
		panic("the sink panicked by chance")
	}
	err := f.err
	if err == nil {
		err = s.Sink.Write(ctx, events)
	}
	if err == nil {
		s.mu.Lock()
		s.took += uint64(len(events))
		s.mu.Unlock()
	}
	return err
}

// count is the number of events the sink took, counted here and not by the
// pipeline.
func (s *faulty) count() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.took
}

// Flush passes Flush on.
func (s *faulty) Flush(ctx context.Context) error { return stage.FlushSink(ctx, s.Sink) }

// Close passes Close on.
func (s *faulty) Close() error { return stage.CloseSink(s.Sink) }

// Report passes Report on.
func (s *faulty) Report(to *stage.SinkReport) { stage.ReportSink(s.Sink, to) }

// Name is used in errors.
func (s *faulty) Name() string { return s.name }
