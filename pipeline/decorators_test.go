package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// always is a script that never ends.
func always(s *tap, a answer) *tap {
	script := make([]answer, 100)
	for i := range script {
		script[i] = a
	}
	return s.then(script...)
}

// Close does not wait for a decorator that waits, and the fallback gets the
// events.
func TestCloseEndsTheWaitingOfDecorators(t *testing.T) {
	for name, wrap := range map[string]func(stage.Sink[Event]) (stage.Sink[Event], error){
		"a backoff of five minutes": func(s stage.Sink[Event]) (stage.Sink[Event], error) {
			return sinks.NewRetry(s, sinks.RetryConfig{Initial: 5 * time.Minute, Jitter: sinks.JitterNone, MaxAttempts: 9})
		},
		"an open breaker that holds": func(s stage.Sink[Event]) (stage.Sink[Event], error) {
			return sinks.NewBreaker(s, sinks.BreakerConfig{Failures: 1, CoolDown: 5 * time.Minute, Hold: true})
		},
		"an open breaker that refuses": func(s stage.Sink[Event]) (stage.Sink[Event], error) {
			return sinks.NewBreaker(s, sinks.BreakerConfig{Failures: 1, CoolDown: 5 * time.Minute})
		},
		"a retry around an open breaker": func(s stage.Sink[Event]) (stage.Sink[Event], error) {
			b, err := sinks.NewBreaker(s, sinks.BreakerConfig{Failures: 1, CoolDown: 5 * time.Minute})
			if err != nil {
				return nil, err
			}
			return sinks.NewRetry(b, sinks.RetryConfig{MaxElapsed: time.Hour})
		},
		"a rate limit around a retry": func(s stage.Sink[Event]) (stage.Sink[Event], error) {
			r, err := sinks.NewRetry(s, sinks.RetryConfig{Initial: 5 * time.Minute, Max: 5 * time.Minute, Jitter: sinks.JitterNone})
			if err != nil {
				return nil, err
			}
			return sinks.NewRateLimit(r, sinks.RateLimitConfig{Batches: 0.001})
		},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				down, aside := always(newTap(w), fails(errDown)), newOutfall(w, "aside")
				sink, err := wrap(down)
				require.NoError(t, err)
				cfg := inPairs()
				cfg.Routes = []stage.Route[Event]{{To: aside}}
				h := newHouse(t, w, cfg, sink)
				h.offer(t, run(1, 1, 9)...)
				w.Advance(time.Second)
				h.close(t)
				require.Equal(t, time.Second, w.Elapsed())
				require.Equal(t, count(1, 9), seqs(aside.taken()))
				require.EqualValues(t, 9, h.p.Stats().Rerouted)
				require.Equal(t, 1, down.closes.Len())
			})
		})
	}
}

// What waits for a rate is delivered at Close, without delay.
func TestCloseEndsARateLimit(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newTap(w)
		sink, err := sinks.NewRateLimit(s, sinks.RateLimitConfig{Events: 0.01})
		require.NoError(t, err)
		h := newHouse(t, w, inPairs(), sink)
		h.offer(t, run(1, 1, 9)...)
		w.Advance(time.Second)
		h.close(t)
		require.Equal(t, time.Second, w.Elapsed())
		require.EqualValues(t, 9, h.p.Stats().Delivered)
	})
}

// A call that was abandoned goes on reading its events although the pipeline
// has counted them as delivered, because something on the way has made a
// success of it: the buffer is not used again. The race detector watches, and
// the abandoned call itself.
func TestABufferOfAnAbandonedCallIsNotUsedAgain(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		seen := clocktest.NewRecorder[[]int](w)
		free := make(chan struct{})
		deaf := stage.SinkFunc[Event](func(_ context.Context, events []Event) error {
			<-free
			seen.Add(seqs(events))
			return nil
		})
		timeout, err := sinks.NewTimeout(deaf, sinks.TimeoutConfig{Limit: time.Second})
		require.NoError(t, err)
		sink := newOutfall(w, "second")
		cfg := inPairs()
		h := newHouse(t, w, cfg, failover{timeout, sink})
		h.offer(t, run(1, 1, 2)...)
		w.Advance(2 * time.Second)
		h.offer(t, run(1, 3, 100)...)
		require.EqualValues(t, 100, h.settle(t).Delivered)
		close(free)
		w.Settle()
		require.Equal(t, [][]int{{1, 2}}, seen.Values())
		h.close(t)
		require.Equal(t, count(1, 100), seqs(sink.taken()))
		require.NoError(t, timeout.Close())
	})
}

// failover is what a user might write.
type failover [2]stage.Sink[Event]

func (f failover) Write(ctx context.Context, events []Event) error {
	if f[0].Write(ctx, events) == nil {
		return nil
	}
	return f[1].Write(ctx, events)
}

// A sink that ignores its context holds up neither the other batches nor, for
// longer than its deadline, Close, which names it.
func TestCloseNamesAnAbandonedSink(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s, aside := newTap(w).hold(), newOutfall(w, "aside")
		s.stubborn = true
		sink, err := sinks.NewTimeout(s, sinks.TimeoutConfig{Limit: time.Second})
		require.NoError(t, err)
		cfg := inPairs()
		cfg.Routes = []stage.Route[Event]{{To: aside}}
		h := newHouse(t, w, cfg, sink)
		h.offer(t, run(1, 1, 9)...)
		w.Advance(2 * time.Second)
		require.Equal(t, count(1, 8), seqs(aside.taken()))
		require.Equal(t, []time.Duration{0}, s.calls.Times())

		took, err := h.closeWithin(t, time.Minute)
		require.Equal(t, time.Minute, took)
		var loss *pipeline.LossError
		require.ErrorAs(t, err, &loss)
		require.Equal(t, pipeline.LossError{Pipeline: "tap", Stuck: []string{"tap"}}, *loss)
		require.ErrorIs(t, err, sinks.ErrStuck, "the sink was not flushed")
		require.Zero(t, s.closes.Len())
		s.release()
		require.EqualValues(t, 9, h.closed(t).Rerouted)
		require.Equal(t, []int{1}, s.closes.Values(), "after the call has returned")
		require.Equal(t, 1, s.overlap())
	})
}

// Everything at once, and any faults: the books balance, and Close takes no
// longer than the calls that are left to make.
func TestDecoratorsKeepTheBooks(t *testing.T) {
	clocktest.ExploreBoth(t, 50, func(t *testing.T, w *clocktest.World) {
		plan := w.Rand("plan")
		s := newTap(w)
		for range 40 {
			d := time.Duration(plan.Int64N(int64(2 * time.Second)))
			err := []error{nil, errDown, stage.Permanent(errDown), sinks.RetryAfter(errDown, d), &stage.PartialError{Failed: []int{0}, Err: errDown}}[plan.IntN(5)]
			s.then(func(ctx context.Context, _ []Event) error {
				if late := clockutil.Sleep(ctx, stage.Clock(ctx), d); late != nil {
					return late
				}
				return err
			})
		}
		limited, err := sinks.NewTimeout(s, sinks.TimeoutConfig{Limit: 1500 * time.Millisecond})
		require.NoError(t, err)
		broken, err := sinks.NewBreaker(limited, sinks.BreakerConfig{Failures: 2, CoolDown: 3 * time.Second, Hold: plan.IntN(2) == 0})
		require.NoError(t, err)
		retried, err := sinks.NewRetry(broken, sinks.RetryConfig{Initial: time.Second, Seed: w.Seed(), MaxElapsed: 20 * time.Second})
		require.NoError(t, err)
		paced, err := sinks.NewRateLimit(retried, sinks.RateLimitConfig{Events: 20, Burst: 5})
		require.NoError(t, err)
		cfg := inPairs()
		cfg.Workers = 1 + plan.IntN(2)
		cfg.Routes = []stage.Route[Event]{{Match: func(err error) bool { return !errors.Is(err, sinks.ErrOpen) }, To: newOutfall(w, "aside")}}
		h := newHouse(t, w, cfg, paced)
		for seq := 1; seq <= 60; seq++ {
			h.offer(t, ev(1, seq))
			w.Advance(clocktest.Jitter(plan, time.Duration(plan.Int64N(int64(300*time.Millisecond)))))
		}
		h.settle(t)
		took, _ := h.closeWithin(t, time.Hour) // some may be lost: not all errors have a route
		require.LessOrEqual(t, took, time.Minute, "forty calls of 1.5s at most")
		h.closed(t)
	})
}
