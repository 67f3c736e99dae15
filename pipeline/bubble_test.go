package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// The tests of this file are what somebody writes who knows testing/synctest
// and nothing of package clocktest: no clock is injected, and the pace is the
// default one.

// notebook is a sink that writes down what it gets and when. Its hooks into
// the test are set before the first call.
type notebook struct {
	start time.Time
	begin func(ctx context.Context, events []Event) error // before it is written down; may be nil

	mu      sync.Mutex
	batches [][]Event
	times   []time.Duration
	closed  int
}

func newNotebook() *notebook { return &notebook{start: time.Now()} }

func (s *notebook) Write(ctx context.Context, events []Event) error {
	if s.begin != nil {
		if err := s.begin(ctx, events); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, slices.Clone(events))
	s.times = append(s.times, time.Since(s.start))
	return nil
}

func (s *notebook) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed++
	return nil
}

// read returns what has been written down. It settles first.
func (s *notebook) read() (events []Event, times []time.Duration) {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Concat(s.batches...), slices.Clone(s.times)
}

// bare starts a pipeline with everything as it is by default.
func bare(t *testing.T, sink stage.Sink[Event], cfg config) (*pipeline.Pipeline[Event], *oracle.Oracle) {
	t.Helper()
	o := oracle.New()
	p, err := pipeline.New(o.Sink(sink), o.Wire(cfg))
	require.NoError(t, err)
	return p, o
}

// end closes p, with a deadline that is not needed, and holds its books.
func end(t *testing.T, p *pipeline.Pipeline[Event], o *oracle.Oracle) Stats {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	begin := time.Now()
	require.NoError(t, p.Close(ctx))
	require.Zero(t, time.Since(begin), "nothing holds Close up")
	s := p.Stats()
	o.CheckClosed(t, s)
	return s
}

// about requires got to be want, or later by no more than the pace, twice: what
// comes during a rest may be too much for one look, and the rest of it wait for
// another.
func about(t *testing.T, want, got time.Duration) {
	t.Helper()
	require.GreaterOrEqual(t, got, want)
	require.LessOrEqual(t, got, want+2*pipeline.DefaultPace)
}

func TestInAPlainBubble(t *testing.T) {
	for name, body := range map[string]func(*testing.T){
		"full batches leave at once": func(t *testing.T) {
			sink := newNotebook()
			p, o := bare(t, sink, config{BatchSize: 100})
			for _, e := range run(1, 1, 1000) {
				require.NoError(t, o.Enqueue(p, e))
			}
			<-time.After(2*pipeline.DefaultPace + 1)
			events, times := sink.read()
			require.Equal(t, run(1, 1, 1000), events)
			require.Len(t, times, 10)
			about(t, 0, times[9])
			end(t, p, o)
		},
		"old batches leave in time": func(t *testing.T) {
			sink := newNotebook()
			p, o := bare(t, sink, config{})
			for seq := 1; seq <= 10; seq++ {
				at := time.Since(sink.start)
				require.NoError(t, o.Enqueue(p, ev(1, seq)))
				<-time.After(time.Second)
				_, times := sink.read()
				require.Len(t, times, seq)
				about(t, at+pipeline.DefaultFlushInterval, times[seq-1])
			}
			end(t, p, o)
		},
		"a day without events is a day without calls": func(t *testing.T) {
			sink := newNotebook()
			p, o := bare(t, sink, config{})
			<-time.After(24 * time.Hour)
			_, times := sink.read()
			require.Empty(t, times)
			end(t, p, o)
			require.Equal(t, 1, sink.closed)
		},
		"a flood is not dropped": func(t *testing.T) {
			sink := newNotebook()
			sink.begin = func(context.Context, []Event) error {
				<-time.After(5 * time.Millisecond)
				return nil
			}
			p, o := bare(t, sink, config{})
			for tick := range 100 {
				for _, e := range run(1, tick*200+1, tick*200+200) {
					require.NoError(t, o.Enqueue(p, e))
				}
				<-time.After(10 * time.Millisecond)
			}
			<-time.After(time.Second)
			synctest.Wait()
			require.EqualValues(t, 20_000, p.Stats().Delivered)
			require.Zero(t, end(t, p, o).Evicted.Total())
		},
		"the newest survive a stuck sink": func(t *testing.T) {
			stuck := make(chan struct{})
			sink := newNotebook()
			sink.begin = func(context.Context, []Event) error { <-stuck; return nil }
			pressed := 0
			p, o := bare(t, sink, config{QueueSize: 3, BatchSize: 1, OnPressure: func(context.Context, int, int) { pressed++ }})
			const n = 50
			for _, e := range run(1, 1, n) {
				require.NoError(t, o.Enqueue(p, e))
				<-time.After(time.Millisecond)
				synctest.Wait()
			}
			s := p.Stats()
			require.EqualValues(t, 3, s.Depth)
			require.EqualValues(t, n, s.Evicted.Count+s.Buffered)
			require.Equal(t, 1, pressed)
			o.Check(t, s)
			close(stuck)
			end(t, p, o)
			events, _ := sink.read()
			require.Equal(t, run(1, n-2, n), events[len(events)-3:])
		},
		"a caller waits for room": func(t *testing.T) {
			sink := newNotebook()
			sink.begin = func(context.Context, []Event) error { <-time.After(time.Second); return nil }
			p, o := bare(t, sink, config{QueueSize: 1, BatchSize: 1})
			for _, e := range run(1, 1, 20) {
				require.NoError(t, o.EnqueueWait(t.Context(), p, e))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			begin := time.Now()
			require.ErrorIs(t, o.EnqueueWait(ctx, p, ev(2, 1)), context.DeadlineExceeded)
			require.Equal(t, time.Millisecond, time.Since(begin))
			<-time.After(time.Minute)
			events, _ := sink.read()
			require.Equal(t, run(1, 1, 20), events)
			end(t, p, o)
		},
		"Flush waits for the batch inside the sink": func(t *testing.T) {
			sink := newNotebook()
			sink.begin = func(context.Context, []Event) error { <-time.After(time.Second); return nil }
			p, o := bare(t, sink, config{BatchSize: 2, FlushInterval: time.Hour})
			for _, e := range run(1, 1, 5) {
				require.NoError(t, o.Enqueue(p, e))
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorIs(t, p.Flush(ctx), context.DeadlineExceeded)
			require.NoError(t, p.Flush(t.Context()))
			events, _ := sink.read()
			require.Equal(t, run(1, 1, 5), events)
			about(t, 3*time.Second, time.Since(sink.start))
			end(t, p, o)
		},
		"Close does not wait for the interval": func(t *testing.T) {
			sink := newNotebook()
			p, o := bare(t, sink, config{FlushInterval: time.Hour})
			for _, e := range run(1, 1, 5) {
				require.NoError(t, o.Enqueue(p, e))
			}
			end(t, p, o)
			events, times := sink.read()
			require.Equal(t, run(1, 1, 5), events)
			require.Equal(t, []time.Duration{0}, times)
			require.ErrorIs(t, o.Enqueue(p, ev(1, 6)), stage.ErrClosed)
		},
		"Close keeps its deadline": func(t *testing.T) {
			stuck := make(chan struct{})
			sink := newNotebook()
			sink.begin = func(context.Context, []Event) error { <-stuck; return nil }
			p, o := bare(t, sink, config{Name: "stuck", BatchSize: 1})
			for _, e := range run(1, 1, 5) {
				require.NoError(t, o.Enqueue(p, e))
			}
			<-time.After(time.Millisecond)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			begin := time.Now()
			err := p.Close(ctx)
			require.Equal(t, time.Second, time.Since(begin))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			var le *pipeline.LossError
			require.ErrorAs(t, err, &le)
			require.EqualValues(t, 5, le.Lost)
			require.EqualValues(t, 1, le.InDoubt)
			require.Equal(t, err, p.Err())
			<-p.Done()
			close(stuck)
			synctest.Wait()
			o.CheckClosed(t, p.Stats())
			require.Equal(t, 1, sink.closed)
		},
		"failures go to a route": func(t *testing.T) {
			sink, letters := newNotebook(), newNotebook()
			sink.begin = func(_ context.Context, events []Event) error {
				switch events[0].Seq {
				case 1:
					return errors.New("down")
				case 3:
					panic("boom")
				case 5:
					return &stage.PartialError{Failed: []int{1}}
				}
				return nil
			}
			p, o := bare(t, sink, config{BatchSize: 2, Routes: []stage.Route[Event]{{To: letters}}})
			for _, e := range run(1, 1, 8) {
				require.NoError(t, o.Enqueue(p, e))
			}
			<-time.After(time.Second)
			events, _ := letters.read()
			require.Equal(t, append(run(1, 1, 4), ev(1, 6)), events)
			s := end(t, p, o)
			require.EqualValues(t, 5, s.Rerouted)
			require.EqualValues(t, 3, s.Delivered)
			require.Equal(t, 1, letters.closed)
		},
		"stages see what passes": func(t *testing.T) {
			sink := newNotebook()
			var o *oracle.Oracle
			p, o := bare(t, sink, config{Stages: []stage.Stage[Event]{
				stage.Map("even", func(_ context.Context, events []Event) ([]Event, error) {
					var even []Event
					for _, e := range events {
						if e.Seq%2 == 0 {
							even = append(even, e)
						} else {
							o.Filter(e)
						}
					}
					return even, nil
				}),
			}})
			for _, e := range run(1, 1, 10) {
				require.NoError(t, o.Enqueue(p, e))
			}
			s := end(t, p, o)
			require.EqualValues(t, 5, s.Filtered)
			events, _ := sink.read()
			require.Equal(t, []int{2, 4, 6, 8, 10}, seqs(events))
		},
		"many producers": func(t *testing.T) {
			sink := newNotebook()
			p, o := bare(t, sink, config{BatchSize: 10})
			var wg sync.WaitGroup
			for producer := range 8 {
				wg.Go(func() {
					for seq := 1; seq <= 100; seq++ {
						if err := o.Enqueue(p, ev(producer, seq)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			require.EqualValues(t, 800, end(t, p, o).Delivered)
		},
	} {
		t.Run(name, func(t *testing.T) { synctest.Test(t, body) })
	}
}

// Pipelines in different bubbles have nothing to do with each other: nothing
// that a bubble must not see is kept for the next, or shared with another.
func TestBubblesDoNotMeet(t *testing.T) {
	for i := range 6 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			for range 5 {
				synctest.Test(t, func(t *testing.T) {
					sink := newNotebook()
					p, o := bare(t, sink, config{BatchSize: 64, QueueBytes: 1 << 20, SizeOf: oracle.SizeOf})
					for _, e := range run(1, 1, 1000) {
						require.NoError(t, o.Enqueue(p, e))
					}
					<-time.After(time.Second)
					require.NoError(t, p.Flush(t.Context()))
					end(t, p, o)
				})
			}
		})
	}
}
