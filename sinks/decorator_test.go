package sinks

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
)

// decorators are all that wrap one sink, so that nothing is ever in their way.
var decorators = map[string]func(stage.Sink[int]) (stage.Sink[int], error){
	"retry": func(s stage.Sink[int]) (stage.Sink[int], error) { return NewRetry(s, RetryConfig{MaxAttempts: 1}) },
	"breaker": func(s stage.Sink[int]) (stage.Sink[int], error) {
		return NewBreaker(s, BreakerConfig{Failures: 1 << 30})
	},
	"timeout": func(s stage.Sink[int]) (stage.Sink[int], error) { return NewTimeout(s, TimeoutConfig{}) },
	"rate": func(s stage.Sink[int]) (stage.Sink[int], error) {
		return NewRateLimit(s, RateLimitConfig{Events: 1e12})
	},
	"tee":    func(s stage.Sink[int]) (stage.Sink[int], error) { return Tee[int](s, &Discard[int]{}) },
	"poison": func(s stage.Sink[int]) (stage.Sink[int], error) { return Poison(s, -1) },
	"shared": func(s stage.Sink[int]) (stage.Sink[int], error) {
		shared, err := NewShared(s)
		return shared.Handle(), err
	},
}

// full is a sink with every optional method.
type full struct{ Memory[int] }

func (*full) Name() string { return "full" }
func (*full) Report(r *stage.SinkReport) {
	*r = stage.SinkReport{Bytes: r.Bytes + 1, Retries: r.Retries + 2, Abandoned: r.Abandoned + 3, Throttled: r.Throttled + 4,
		Opened: r.Opened + 5, Breaker: max(r.Breaker, stage.BreakerHalfOpen)}
}

func TestDecoratorsPassEverythingOn(t *testing.T) {
	for name, wrap := range decorators {
		t.Run(name, func(t *testing.T) {
			m := &full{}
			s, err := wrap(m)
			require.NoError(t, err)
			require.NoError(t, s.Write(t.Context(), []int{1, 2}))
			cause := fmt.Errorf("cause: %w", errDown)
			f := stage.Failure[int]{Events: []int{3}, Stage: "there", Err: cause, Attempts: 7}
			require.NoError(t, stage.WriteFailure(t.Context(), s, f))
			require.Equal(t, []stage.Failure[int]{f}, m.Failures())
			require.Equal(t, []int{1, 2, 3}, m.Events())

			m.Fail = fails(fmt.Errorf("wrapped: %w", partial(2, 0)))
			err = s.Write(t.Context(), []int{4, 5, 6})
			require.Equal(t, []int{0, 2}, stage.FailedIndexes(err, 3))
			require.ErrorIs(t, err, errDown)
			err = stage.WriteFailure(t.Context(), s, stage.Failure[int]{Events: []int{4, 5, 6}})
			require.Equal(t, []int{0, 2}, stage.FailedIndexes(err, 3))
			m.Fail = nil

			m.FlushErr = errDown
			require.ErrorIs(t, stage.FlushSink(t.Context(), s), errDown)
			require.Equal(t, 1, m.Flushes())
			report := stage.SinkReport{Bytes: 10, Retries: 10, Abandoned: 10, Throttled: 10, Opened: 10}
			stage.ReportSink(s, &report)
			require.Equal(t, stage.SinkReport{Bytes: 11, Retries: 12, Abandoned: 13, Throttled: 14, Opened: 15, Breaker: stage.BreakerHalfOpen}, report)
			if name != "tee" {
				require.Equal(t, "full", stage.NameOf(s))
			}
			m.CloseErr = errDown
			require.ErrorIs(t, stage.CloseSink(s), errDown)
			require.Equal(t, 1, m.Closes())
			require.Zero(t, m.Late())
		})
	}
}

// fickle is a sink that takes each event once and refuses some for a while, by
// a plan that chance makes. It returns when its context ends.
type fickle struct {
	w *clocktest.World

	mu     sync.Mutex
	chance *rand.Rand
	took   []int
	inside int
	most   int
}

func (s *fickle) Write(ctx context.Context, events []int) error {
	s.mu.Lock()
	kind, d := s.chance.IntN(8), time.Duration(s.chance.Int64N(int64(1500*time.Millisecond)))
	s.inside++
	s.most = max(s.most, s.inside)
	var refused []int
	for i := range events {
		if kind == 1 && s.chance.IntN(2) == 0 {
			refused = append(refused, i)
		}
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.inside--
		s.mu.Unlock()
	}()
	if err := clockutil.Sleep(ctx, stage.Clock(ctx), d); err != nil {
		return err
	}
	switch kind {
	case 0:
		return errDown
	case 1:
		if len(refused) == 0 {
			return errDown
		}
	case 2:
		return stage.Permanent(errDown)
	case 3:
		panic(errDown)
	case 4:
		return RetryAfter(errDown, d)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, ev := range events {
		if !slices.Contains(refused, i) {
			s.took = append(s.took, ev)
		}
	}
	if refused != nil {
		return &stage.PartialError{Failed: refused, Err: errDown}
	}
	return nil
}

// Whatever is wrapped around what, what a Write says is what has happened: each
// event is in the sink, or among those that failed, and never both.
func TestDecoratorsCompose(t *testing.T) {
	clocktest.ExploreBoth(t, 100, func(t *testing.T, w *clocktest.World) {
		r := w.Rand("plan")
		inner := &fickle{w: w, chance: w.Rand("sink")}
		var s stage.Sink[int] = inner
		var order []string
		for range 1 + r.IntN(5) {
			var err error
			kind := r.IntN(4)
			switch kind {
			case 0:
				s, err = NewRetry(s, RetryConfig{Initial: time.Duration(1 + r.IntN(1e9)), MaxAttempts: 1 + r.IntN(5), Seed: w.Seed()})
			case 1:
				s, err = NewBreaker(s, BreakerConfig{Failures: 1 + r.IntN(3), CoolDown: time.Second, Hold: r.IntN(2) == 0})
			case 2:
				s, err = NewTimeout(s, TimeoutConfig{Limit: time.Second})
			case 3:
				s, err = NewRateLimit(s, RateLimitConfig{Events: 5, Burst: 1 + r.IntN(9)})
			}
			require.NoError(t, err)
			order = append(order, fmt.Sprintf("%T", s))
		}
		ctx, begin := closing(w)
		workers := 1 + r.IntN(2)
		failed := clocktest.NewRecorder[int](w)
		var wg sync.WaitGroup
		for id := range workers {
			plan := w.Rand(fmt.Sprint("worker", id))
			wg.Go(func() {
				for batch := range 10 {
					events := make([]int, 1+plan.IntN(6))
					for i := range events {
						events[i] = 1000*id + 10*batch + i
					}
					err := func() (err error) {
						defer func() {
							if p := recover(); p != nil {
								err = stage.NewPanicError(p)
							}
						}()
						return s.Write(ctx, slices.Clone(events))
					}()
					lost := events
					if at := stage.FailedIndexes(err, len(events)); at != nil {
						lost = nil
						for _, i := range at {
							lost = append(lost, events[i])
						}
					}
					if err == nil {
						lost = nil
					}
					for _, ev := range lost {
						failed.Add(ev)
					}
				}
			})
		}
		w.Advance(20 * time.Second)
		begin()
		w.Advance(time.Hour)
		wg.Wait()
		require.NoError(t, stage.CloseSink(s))

		seen := map[int]int{}
		for _, ev := range slices.Concat(inner.took, failed.Values()) {
			seen[ev]++
		}
		for ev, n := range seen {
			require.Equal(t, 1, n, "event %d, %v", ev, order)
		}
		for id := range workers {
			for batch := range 10 {
				require.Equal(t, 1, seen[1000*id+10*batch], "the first of each batch, %v", order)
			}
		}
		require.LessOrEqual(t, inner.most, workers)
		require.Zero(t, inner.inside)
	})
}
