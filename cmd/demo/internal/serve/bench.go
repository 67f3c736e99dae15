package serve

import (
	"context"
	"errors"
	"sync"

	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/pipeline"
)

// What an experiment is about.
const (
	running = "running"
	closing = "closing" // the rest is being delivered
	closed  = "closed"
)

// Errors of what cannot be done just now.
var (
	errOver = errors.New("the experiment is over; restart it first")
	errBusy = errors.New("another change is under way")
	errEnd  = errors.New("the server is closing")
)

// bench holds the experiment that is on, and after its end its outcome.
type bench struct {
	turn chan struct{}  // of who replaces the experiment: one send takes it
	work sync.WaitGroup // those who see experiments to their end

	mu      sync.Mutex
	ended   bool // for good
	now     trial
	changed chan struct{} // closed and replaced when now has changed
}

// trial is one experiment at one moment of its life.
type trial struct {
	run     int // from 1
	lab     *lab.Lab
	state   string
	outcome *lab.Outcome // of one that is closed
}

func newBench(s lab.Settings) (*bench, error) {
	b := &bench{turn: make(chan struct{}, 1), changed: make(chan struct{})}
	return b, b.start(s)
}

// start starts an experiment in place of one that is over.
func (b *bench) start(s lab.Settings) error {
	l, err := lab.Start(s)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.set(trial{run: b.now.run + 1, lab: l, state: running})
	b.work.Go(func() { b.attend(l) })
	return nil
}

// attend waits until the producing is over, and closes the experiment.
func (b *bench) attend(l *lab.Lab) {
	select {
	case <-l.Over():
	case <-l.Died():
	}
	b.become(closing, nil)
	o := l.Stop()
	b.become(closed, &o)
}

func (b *bench) become(state string, o *lab.Outcome) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.now
	t.state, t.outcome = state, o
	b.set(t)
}

// set is called with the lock.
func (b *bench) set(t trial) {
	b.now = t
	close(b.changed)
	b.changed = make(chan struct{})
}

// look returns how things stand, and what is closed when they stand otherwise.
func (b *bench) look() (trial, <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now, b.changed
}

// restart ends the experiment that is on and starts another. What ctx ends is
// the waiting for the first; then the second does not start.
func (b *bench) restart(ctx context.Context, s lab.Settings) error {
	if err := s.Check(); err != nil {
		return err
	}
	select {
	case b.turn <- struct{}{}:
	default:
		return errBusy
	}
	defer func() { <-b.turn }()
	if err := b.finish(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	ended := b.ended
	b.mu.Unlock()
	if ended {
		return errEnd
	}
	return b.start(s)
}

// finish has the experiment come to its end, without the obstacle of a sink
// that hangs, and waits for it.
func (b *bench) finish(ctx context.Context) error {
	for {
		t, changed := b.look()
		if t.state == closed {
			return nil
		}
		t.lab.SetStalled(false)
		t.lab.Halt()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// end ends the experiment and whatever wants to follow it, and returns the last
// outcome.
func (b *bench) end() lab.Outcome {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	b.turn <- struct{}{} // for good
	_ = b.finish(context.Background())
	b.work.Wait()
	t, _ := b.look()
	return *t.outcome
}

// Name implements the source of metrics, and so does Stats. The figures are
// those of the experiment that is on.
func (b *bench) Name() string { return "experiment" }

func (b *bench) Stats() pipeline.Stats {
	t, _ := b.look()
	return t.lab.Stats()
}
