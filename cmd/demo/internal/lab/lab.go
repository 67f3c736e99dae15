package lab

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/hist"
	"github.com/penstock-go/penstock/pipeline"
)

// Lab is an experiment in real time. All methods are safe for concurrent use.
type Lab struct {
	settings Settings
	rig      *rig
	crew     *crew
	start    time.Time
	rate     atomic.Int64
	halt     context.CancelFunc // of the producers
	over     <-chan struct{}

	once    sync.Once
	outcome Outcome
}

// Snapshot is an experiment at one moment. Tally and Calls are read a little
// before Stats.
type Snapshot struct {
	Elapsed   time.Duration   `json:"elapsed_ns"`
	Rate      int             `json:"rate"`      // as it is set now
	Producers int             `json:"producers"` // likewise
	Faults    Faults          `json:"faults"`
	Stalled   bool            `json:"stalled"` // by SetStalled
	Tally     Tally           `json:"tally"`
	Calls     *hist.Histogram `json:"-"` // durations of the producers' calls, those that were timed
	Stats     pipeline.Stats  `json:"stats"`
}

// Start starts an experiment. It produces for Settings.Duration or until Halt or
// Stop; Stop must be called.
func Start(s Settings) (*Lab, error) { return start(s, hooks{}) }

func start(s Settings, h hooks) (*Lab, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	r, err := newRig(&s, nil, h)
	if err != nil {
		return nil, err
	}
	ctx, halt := context.WithTimeoutCause(context.Background(), s.Duration, context.Canceled)
	l := &Lab{settings: s, rig: r, halt: halt, over: ctx.Done()}
	l.rate.Store(int64(s.Rate))
	put := func(_ context.Context, ev Event) error { return r.p.Enqueue(ev) }
	if s.Overflow == Wait {
		// By a context that a cancellation ends, so that what a timeout ends counts alike.
		waiting, cancel := context.WithCancel(context.Background())
		context.AfterFunc(ctx, cancel)
		put = func(_ context.Context, ev Event) error { return r.p.EnqueueWait(waiting, ev) }
	}
	l.crew = &crew{ctx: ctx, leaving: map[*producer]bool{}, padding: paddingFor(s.Size), rate: &l.rate, put: put}
	l.start = time.Now()
	l.crew.resize(s.Producers)
	return l, nil
}

// Settings are what the experiment was started with.
func (l *Lab) Settings() Settings { return l.settings }

// Over is closed when the producers have stopped or are about to.
func (l *Lab) Over() <-chan struct{} { return l.over }

// Died is closed when the pipeline has ended, by Stop or by an actor's death.
func (l *Lab) Died() <-chan struct{} { return l.rig.p.Done() }

// SetRate changes the events per second of all producers together; 0: flat out.
func (l *Lab) SetRate(perSecond int) error {
	s := l.settings
	s.Rate = perSecond
	if err := s.Check(); err != nil {
		return err
	}
	l.rate.Store(int64(perSecond))
	return nil
}

// SetProducers changes the number of producers. Those who leave first finish
// the call they are in.
func (l *Lab) SetProducers(n int) error {
	s := l.settings
	s.Producers = n
	if err := s.Check(); err != nil {
		return err
	}
	l.crew.resize(n)
	return nil
}

// SetStalled has all calls of the sink hang, or lets them go on. Like those of
// Faults.Stall they ignore their context. Stop lets them go on in the end.
func (l *Lab) SetStalled(stalled bool) { l.rig.sink.hold(stalled) }

// SetFaults changes the faults, from the next call of the sink on.
func (l *Lab) SetFaults(f Faults) error {
	if err := f.Check(); err != nil {
		return err
	}
	l.rig.sink.set(f)
	return nil
}

// Snapshot says how things stand.
func (l *Lab) Snapshot() Snapshot {
	s := Snapshot{Rate: int(l.rate.Load()), Calls: new(hist.Histogram)}
	s.Faults, s.Stalled = l.rig.sink.get()
	s.Producers = l.crew.addTo(&s.Tally, s.Calls)
	s.Stats = l.rig.p.Stats()
	s.Elapsed = time.Since(l.start)
	return s
}

// Stats are the books of the experiment's pipeline, now.
func (l *Lab) Stats() pipeline.Stats { return l.rig.p.Stats() }

// Flush has everything that was accepted before it delivered.
func (l *Lab) Flush(ctx context.Context) error { return l.rig.p.Flush(ctx) }

// Halt stops the producers and does not wait for them.
func (l *Lab) Halt() { l.halt() }

// Stop stops the producers, has the pipeline deliver the rest and closes it, for
// Settings.Drain at most. All calls return the same outcome.
func (l *Lab) Stop() Outcome {
	l.once.Do(func() {
		l.halt()
		l.crew.wait()
		produced := time.Since(l.start)
		ctx, cancel := context.WithTimeoutCause(context.Background(), l.settings.Drain, fmt.Errorf("-drain of %v passed", l.settings.Drain))
		defer cancel()
		err := l.rig.p.Close(ctx)
		l.outcome = l.rig.outcome(&l.settings, l.Snapshot(), produced, errors.Join(err, l.rig.remove()))
		l.rig.sink.hold(false)
		l.rig.sink.end()
	})
	return l.outcome
}
