package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// site is what an ill-behaved sink can do harm to, or with.
type site struct {
	clock    clock.Clock
	deadline time.Duration // of Close, from when it begins
	free     chan struct{} // closed when stuck calls may return
	mu       sync.Mutex    // held until then
	freed    atomic.Bool   // the same, for those who look
	seq      int           // of events that the sink has enqueued

	p       *pipeline.Pipeline[Event] // set before the first event
	enqueue func(Event) error
}

// nuisance is a sink whose methods do harm. nil: they do not.
type nuisance struct {
	name         func() string
	write        func(ctx context.Context, events []Event) error
	flush, close func() error
	closed       chan struct{} // closed by Close
}

func (s *nuisance) Name() string {
	if s.name != nil {
		return s.name()
	}
	return "nuisance"
}

func (s *nuisance) Write(ctx context.Context, events []Event) error {
	if s.write != nil {
		return s.write(ctx, events)
	}
	return nil
}

func (s *nuisance) Flush(context.Context) error {
	if s.flush != nil {
		return s.flush()
	}
	return nil
}

func (s *nuisance) Close() error {
	close(s.closed)
	if s.close != nil {
		return s.close()
	}
	return nil
}

// nuisances are sinks that keep a pipeline from closing, or may seem to. Each
// is offered six events, of which four are a batch and two are left for Close.
var nuisances = []struct {
	name  string
	does  func(s *site, n *nuisance)
	stuck bool   // at the deadline; else Close is over before time moves
	lost  uint64 // since Close began
	says  string // the verdict; "": it is nil
	real  bool   // a bubble cannot hold it
}{
	{name: "ignores its context", stuck: true, lost: 6, does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error { <-s.free; return nil }
	}},
	{name: "heeds its context and nothing else", stuck: true, lost: 6, does: func(s *site, n *nuisance) {
		n.write = func(ctx context.Context, _ []Event) error { <-ctx.Done(); return ctx.Err() }
	}},
	{name: "sleeps past the deadline", stuck: true, lost: 6, does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error { s.clock.Sleep(3 * s.deadline); return nil }
	}},
	{name: "takes its time for each event", stuck: true, lost: 6, does: func(s *site, n *nuisance) {
		n.write = func(_ context.Context, events []Event) error {
			s.clock.Sleep(time.Duration(len(events)) * s.deadline / 2)
			return nil
		}
	}},
	{name: "blocks on a channel", stuck: true, lost: 6, does: func(s *site, n *nuisance) {
		jobs := make(chan []Event)
		n.write = func(_ context.Context, events []Event) error {
			select {
			case jobs <- slices.Clone(events):
			case <-s.free:
			}
			return nil
		}
	}},
	{name: "waits for a goroutine of its own", stuck: true, lost: 6, does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error {
			var wg sync.WaitGroup
			wg.Go(func() { <-s.free })
			wg.Wait()
			return nil
		}
	}},
	{name: "reads its slice long after the deadline", stuck: true, lost: 6, does: func(s *site, n *nuisance) {
		n.write = func(_ context.Context, events []Event) error {
			given := slices.Clone(events)
			<-s.free
			if !slices.Equal(given, events) {
				panic("the slice was taken away")
			}
			return nil
		}
	}},
	{name: "panics when it is freed", stuck: true, lost: 6, does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error { <-s.free; panic("burst") }
	}},
	{name: "ends its goroutine when it is freed", stuck: true, lost: 6, does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error { <-s.free; runtime.Goexit(); return nil }
	}},
	{name: "closes its own pipeline, with a foreign context", stuck: true, lost: 6, does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error { return s.p.Close(context.Background()) }
	}},
	{name: "flushes its own pipeline, with a foreign context", stuck: true, lost: 6, does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error { return s.p.Flush(context.Background()) }
	}},
	{name: "blocks in Flush", stuck: true, does: func(s *site, n *nuisance) {
		n.flush = func() error { <-s.free; return nil }
	}},
	{name: "blocks in Close", stuck: true, does: func(s *site, n *nuisance) {
		n.close = func() error { <-s.free; return nil }
	}},
	{name: "spins", stuck: true, lost: 6, real: true, does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error {
			for !s.freed.Load() {
			}
			return nil
		}
	}},
	{name: "waits for a mutex", stuck: true, lost: 6, real: true, does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			return nil
		}
	}},
	{name: "reads from a pipe", stuck: true, lost: 6, real: true, does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error {
			r, w := io.Pipe()
			go func() { <-s.free; _ = w.Close() }()
			_, err := io.ReadAll(r)
			return err
		}
	}},

	{name: "fails for ever", lost: 2, says: "2 events lost", does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error { return errDown }
	}},
	{name: "names events that it was not given", lost: 2, says: "2 events lost", does: func(s *site, n *nuisance) {
		n.write = func(_ context.Context, events []Event) error {
			return &stage.PartialError{Failed: []int{0, len(events)}, Err: errDown}
		}
	}},
	{name: "panics in Write", lost: 2, says: "2 events lost", does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error { panic("burst") }
	}},
	{name: "ends its goroutine in Write", lost: 2, says: "2 events lost", does: func(s *site, n *nuisance) {
		n.write = func(context.Context, []Event) error { runtime.Goexit(); return nil }
	}},
	{name: "panics in Flush", says: "nuisance: panic: burst", does: func(s *site, n *nuisance) {
		n.flush = func() error { panic("burst") }
	}},
	{name: "ends its goroutine in Flush", says: "nuisance: runtime.Goexit called", does: func(s *site, n *nuisance) {
		n.flush = func() error { runtime.Goexit(); return nil }
	}},
	{name: "panics in Close", says: "nuisance: panic: burst", does: func(s *site, n *nuisance) {
		n.close = func() error { panic("burst") }
	}},
	{name: "ends its goroutine in Close", says: "nuisance: runtime.Goexit called", does: func(s *site, n *nuisance) {
		n.close = func() error { runtime.Goexit(); return nil }
	}},
	{name: "waits until Close begins", does: func(s *site, n *nuisance) {
		n.write = func(ctx context.Context, _ []Event) error { <-stage.Draining(ctx); return nil }
	}},
	{name: "enqueues into its own pipeline", does: func(s *site, n *nuisance) {
		n.write = func(_ context.Context, events []Event) error {
			for range events {
				s.seq++
				if err := s.enqueue(ev(9, s.seq)); err != nil && !errors.Is(err, stage.ErrClosed) {
					return err
				}
			}
			s.clock.Sleep(time.Nanosecond) // else it would never come to rest
			return nil
		}
	}},
	{name: "closes its own pipeline, with its context", does: func(s *site, n *nuisance) {
		n.write = func(ctx context.Context, _ []Event) error {
			if err := s.p.Close(ctx); !errors.Is(err, pipeline.ErrReentrant) {
				return fmt.Errorf("Close: %w", err)
			}
			return nil
		}
	}},
	{name: "cannot be asked its name any more", does: func(s *site, n *nuisance) {
		n.name = func() string {
			if s.p != nil {
				<-s.free
			}
			return "nuisance"
		}
	}},
}

// requireVerdict holds what Close returned against what it should have.
func requireVerdict(t *testing.T, err error, stuck bool, lost uint64, says string) {
	t.Helper()
	if !stuck && says == "" {
		require.NoError(t, err)
		return
	}
	var loss *pipeline.LossError
	require.ErrorAs(t, err, &loss)
	require.Equal(t, lost, loss.Lost)
	require.ErrorContains(t, err, says)
	require.Equal(t, stuck, errors.Is(err, stage.ErrAbandoned))
	if stuck {
		require.Equal(t, []string{"nuisance"}, loss.Stuck)
		require.Equal(t, min(lost, 4), loss.InDoubt)
	} else {
		require.Empty(t, loss.Stuck)
		require.Zero(t, loss.InDoubt)
	}
}

// Whatever the sink does, Close returns: at its deadline if it is stuck, and
// at once if not. The verdict names it, the books are right, and once it is
// free nothing is left.
func TestCloseWhateverTheSinkDoes(t *testing.T) {
	require.GreaterOrEqual(t, len(nuisances), 20)
	for _, tt := range nuisances {
		if tt.real {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				s := &site{clock: w.Clock(), deadline: time.Second, free: make(chan struct{})}
				n := &nuisance{closed: make(chan struct{})}
				tt.does(s, n)
				cfg := inOne(4)
				failures := reported(w, &cfg)
				h := newHouse(t, w, cfg, n)
				s.p, s.enqueue = h.p, h.enqueue
				for _, e := range run(1, 1, 6) {
					_ = h.enqueue(e)
				}
				w.Settle()

				took, err := h.closeWithin(t, s.deadline)
				close(s.free)
				w.Advance(time.Hour)
				if tt.stuck {
					require.Equal(t, s.deadline, took)
				} else {
					require.LessOrEqual(t, took, time.Microsecond)
				}
				requireVerdict(t, err, tt.stuck, tt.lost, tt.says)
				for _, f := range failures.Values() {
					require.Contains(t, []string{"nuisance", h.p.Name()}, f.Stage)
				}
				h.closed(t)
				require.Equal(t, err, h.p.Close(t.Context()), "the verdict stands")
				select {
				case <-n.closed:
				default:
					t.Error("the sink was not closed")
				}
			})
		})
	}
}

// The same in real time, with those that no bubble can hold: Close is over 50
// ms after its deadline at the latest. Another process may hold the machine up
// for longer, so the best of a few attempts counts.
func TestCloseWhateverTheSinkDoesInRealTime(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a few seconds of real time")
	}
	const (
		deadline = 100 * time.Millisecond
		grace    = 50 * time.Millisecond
		attempts = 5
	)
	for _, tt := range nuisances {
		t.Run(tt.name, func(t *testing.T) {
			best := time.Duration(1<<63 - 1)
			for range attempts {
				s := &site{clock: clock.New(), deadline: deadline, free: make(chan struct{})}
				n := &nuisance{closed: make(chan struct{})}
				tt.does(s, n)
				written := make(chan struct{}, 8)
				sink := &nuisance{name: n.name, flush: n.flush, close: n.close, closed: n.closed}
				sink.write = func(ctx context.Context, events []Event) error {
					written <- struct{}{}
					if n.write == nil {
						return nil
					}
					return n.write(ctx, events)
				}
				s.mu.Lock()
				cfg := inOne(4)
				told := make(chan struct{}, 8)
				cfg.OnFailure = func(context.Context, stage.Failure[Event]) { told <- struct{}{} }
				p, err := pipeline.New[Event](sink, cfg)
				require.NoError(t, err)
				s.p, s.enqueue = p, p.Enqueue
				for _, e := range run(1, 1, 6) {
					_ = p.Enqueue(e)
				}
				<-written
				if !tt.stuck && tt.lost > 0 {
					<-told // so that the first batch is lost before Close begins
				}

				begun := s.clock.Now()
				ctx, cancel := clockutil.WithTimeout(t.Context(), s.clock, deadline)
				err = p.Close(ctx)
				over := s.clock.Since(begun) - deadline
				cancel()
				s.freed.Store(true)
				s.mu.Unlock()
				close(s.free)
				<-n.closed
				_ = p.Close(t.Context())
				requireVerdict(t, err, tt.stuck, tt.lost, tt.says)
				require.Empty(t, oracle.Identities(p.Stats()))
				require.Zero(t, p.Stats().Buffered)
				if best = min(best, over); best <= grace {
					break
				}
			}
			t.Logf("%v after the deadline", best)
			require.LessOrEqual(t, best, grace)
		})
	}
}
