package lab

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"

	"github.com/benbjohnson/clock"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// rig is a pipeline with all that hangs on it.
type rig struct {
	p        *pipeline.Pipeline[Event]
	sink     *faulty
	fallback *faulty // nil: there is none
	dir      string  // of files; "": none

	evicted, failed, rescued atomic.Uint64 // events the hooks were told of
}

// hooks tell of what happens, for who wants to know. Any may be nil.
type hooks struct {
	fate     func(fate)
	retrying func(sinks.Retrying)
	breaker  func(sinks.BreakerChange)
	dropped  func(n uint64)
	failure  func(stage.Failure[Event])
	sink     func(stage.Sink[Event]) stage.Sink[Event] // goes around all decorators
	stages   []stage.Stage[Event]
}

// newRig starts a pipeline as s says. A nil clock is the system's.
func newRig(s *Settings, clk clock.Clock, h hooks) (_ *rig, err error) {
	r := &rig{}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.remove())
		}
	}()
	injected := clk
	if clk == nil {
		clk = clock.New()
	}
	if s.Sink == File || s.Fallback == File {
		if r.dir, err = os.MkdirTemp(s.Dir, "penstock-run-"); err != nil {
			return nil, err
		}
	}
	faults := s.faults()
	dest, err := newDestination(s.Sink, r.dir+"/sink.log")
	if err != nil {
		return nil, err
	}
	r.sink = newFaulty("the sink "+s.Sink, dest, clk, faults, s.Seed, h.fate)
	sink, err := s.decorate(r.sink, h)
	if err != nil {
		return nil, err
	}
	cfg := pipeline.Config[Event]{
		Name: "experiment", QueueSize: s.Queue, BatchSize: s.Batch, FlushInterval: s.Interval,
		Workers: s.Workers, Stages: h.stages, Clock: injected,
		OnDrop: func(_ context.Context, d stage.Dropped[Event]) {
			r.evicted.Add(d.Count)
			if h.dropped != nil {
				h.dropped(d.Count)
			}
		},
		OnFailure: func(_ context.Context, f stage.Failure[Event]) {
			to := &r.rescued
			if f.Outcome == stage.Lost {
				to = &r.failed
			}
			to.Add(uint64(len(f.Events)))
			if h.failure != nil {
				h.failure(f)
			}
		},
	}
	if s.Overflow == DropNewest {
		cfg.Overflow = stage.DropNewest
	}
	if s.Fallback != None {
		dest, err := newDestination(s.Fallback, r.dir+"/fallback.log")
		if err != nil {
			return nil, err
		}
		r.fallback = newFaulty("the fallback "+s.Fallback, dest, clk, Faults{}, 0, nil)
		cfg.Routes = []stage.Route[Event]{{To: r.fallback}}
	}
	r.p, err = pipeline.New(sink, cfg)
	return r, err
}

// faults are the settings' faults, with those that come with the sink.
func (s *Settings) faults() Faults {
	f := s.Faults
	switch {
	case s.Sink == Slow && f.Latency == 0:
		f.Latency = slowLatency
	case s.Sink == Flaky && f.FailRate == 0:
		f.FailRate = flakyRate
	}
	return f
}

// decorate puts the decorators around a sink. The breaker stands outside the
// retry: when it is open, events go to the fallback at once instead of waiting
// for an attempt that it would not let through.
func (s *Settings) decorate(sink stage.Sink[Event], h hooks) (stage.Sink[Event], error) {
	if s.Timeout > 0 {
		t, err := sinks.NewTimeout(sink, sinks.TimeoutConfig{Limit: s.Timeout})
		if err != nil {
			return nil, err
		}
		sink = t
	}
	if s.Retry > 1 {
		cfg := sinks.RetryConfig{Initial: s.RetryWait, MaxAttempts: s.Retry, Jitter: sinks.JitterBounded, Seed: s.Seed | 1<<63}
		if h.retrying != nil {
			cfg.OnRetry = func(_ context.Context, r sinks.Retrying) { h.retrying(r) }
		}
		r, err := sinks.NewRetry(sink, cfg)
		if err != nil {
			return nil, err
		}
		sink = r
	}
	if s.Breaker > 0 {
		cfg := sinks.BreakerConfig{Failures: s.Breaker, CoolDown: s.CoolDown}
		if h.breaker != nil {
			cfg.OnStateChange = func(_ context.Context, c sinks.BreakerChange) { h.breaker(c) }
		}
		b, err := sinks.NewBreaker(sink, cfg)
		if err != nil {
			return nil, err
		}
		sink = b
	}
	if h.sink != nil {
		sink = h.sink(sink)
	}
	return sink, nil
}

// maxFile is the size at which a file is rolled, and the file rolled before it
// removed: an experiment may go on for a day, and shall not fill the disk.
const maxFile = 256 << 20

// newDestination returns a sink without its faults.
func newDestination(kind, path string) (stage.Sink[Event], error) {
	switch kind {
	case Memory:
		return sinks.NewWriter[Event](&ring{}, AppendLine)
	case File:
		return sinks.NewFile(sinks.FileConfig[Event]{Path: path, Mode: 0o600, Encode: AppendLine, MaxSize: maxFile, MaxBackups: 1})
	}
	return &sinks.Discard[Event]{}, nil
}

// remove removes the files.
func (r *rig) remove() error {
	if r.dir == "" {
		return nil
	}
	return os.RemoveAll(r.dir)
}

// ring is a writer into a mebibyte of memory, again and again. [sinks.Writer]
// calls it from one goroutine at a time.
type ring struct {
	data [1 << 20]byte
	next int
}

var _ io.Writer = (*ring)(nil)

func (r *ring) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n := copy(r.data[r.next:], rest)
		rest = rest[n:]
		r.next = (r.next + n) % len(r.data)
	}
	return len(p), nil
}
