package sinks

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock-go/penstock/clockutil"
	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/stage"
)

func newTimeout(t *testing.T, sink stage.Sink[int], cfg TimeoutConfig) *Timeout[int] {
	t.Helper()
	s, err := NewTimeout(sink, cfg)
	require.NoError(t, err)
	return s
}

// deaf is a sink whose calls wait for an answer and for nothing else.
type deaf struct {
	Memory[int]
	answer chan error
}

func newDeaf() *deaf {
	s := &deaf{answer: make(chan error)}
	s.Fail = func(int, []int) error { return <-s.answer }
	return s
}

func (s *deaf) Flush(ctx context.Context) error {
	_ = s.Memory.Flush(ctx)
	return <-s.answer
}

func abandoned(s interface{ Report(*stage.SinkReport) }) uint64 {
	var r stage.SinkReport
	s.Report(&r)
	return r.Abandoned
}

var second = TimeoutConfig{Limit: time.Second, Grace: 100 * time.Millisecond}

func TestTimeoutEndsTheContext(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var cause error
		var left time.Duration
		s := newTimeout(t, stage.SinkFunc[int](func(ctx context.Context, _ []int) error {
			left, _ = clockutil.Remaining(ctx)
			<-ctx.Done()
			cause = context.Cause(ctx)
			return ctx.Err()
		}), second)
		outcome := startWrite(w, at(w), s, 1)
		w.Advance(time.Minute)
		require.Equal(t, []time.Duration{time.Second}, outcome.Times())
		err := outcome.Values()[0]
		require.ErrorIs(t, err, ErrTimeout)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, ErrStuck)
		require.EqualError(t, err, "penstock: sink took too long: context deadline exceeded")
		require.Equal(t, ErrTimeout, cause)
		require.Equal(t, time.Second, left)
		require.Zero(t, abandoned(s))
		require.NoError(t, s.Close())
	})
}

// Within the grace a call still says itself what has become of the events.
func TestTimeoutBelievesALateCall(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newDeaf()
		to := newTimeout(t, s, second)
		for _, answer := range []error{nil, partial(1), stage.Permanent(errDown)} {
			outcome := startWrite(w, at(w), to, 1, 2)
			w.Advance(1050 * time.Millisecond)
			require.Zero(t, outcome.Len())
			s.answer <- answer
			w.Settle()
			err := outcome.Values()[0]
			require.ErrorIs(t, err, answer)
			require.Equal(t, answer != nil, errors.Is(err, ErrTimeout))
			require.Equal(t, stage.FailedIndexes(answer, 2), stage.FailedIndexes(err, 2))
			require.Equal(t, stage.IsPermanent(answer), stage.IsPermanent(err))
		}
		require.Zero(t, abandoned(to))
		require.NoError(t, to.Close())
	})
}

func TestTimeoutAbandonsACallThatIgnoresItsContext(t *testing.T) {
	for name, answer := range map[string]error{"success": nil, "failure": errDown} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				s := newDeaf()
				to := newTimeout(t, s, second)
				ctx, watch := stage.Watched(at(w))
				outcome := startWrite(w, ctx, to, 1)
				w.Advance(1099 * time.Millisecond)
				require.Zero(t, outcome.Len())
				require.False(t, watch.Forfeited())
				w.Advance(time.Millisecond)
				err := outcome.Values()[0]
				require.ErrorIs(t, err, ErrTimeout)
				require.ErrorIs(t, err, ErrStuck)
				require.ErrorContains(t, err, "*sinks.deaf given up")
				require.False(t, stage.IsPermanent(err))
				require.True(t, watch.Forfeited())

				// Nobody else gets in, and nobody waits.
				require.Equal(t, ErrStuck, to.Write(ctx, []int{2}))
				require.Equal(t, ErrStuck, stage.FlushSink(ctx, stage.Sink[int](to)))
				require.False(t, watch.Forfeited(), "these were not given to the sink")
				require.Equal(t, 1100*time.Millisecond, w.Elapsed())
				require.Equal(t, 1, s.Calls())
				require.Zero(t, s.Flushes())

				s.answer <- answer // late: it changes nothing
				w.Settle()
				require.EqualValues(t, 1, abandoned(to))
				outcome = startWrite(w, ctx, to, 3)
				w.Settle()
				s.answer <- nil
				w.Settle()
				require.Equal(t, []error{nil}, outcome.Values())
				require.Equal(t, 1, s.Peak())
				require.NoError(t, to.Close())
			})
		})
	}
}

// The end of the caller's own context has the same grace.
func TestTimeoutOfACanceledCall(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newDeaf()
		to := newTimeout(t, s, second)
		ctx, cancel := context.WithCancelCause(at(w))
		outcome := startWrite(w, ctx, to, 1)
		w.Settle()
		cancel(io.EOF)
		w.Advance(time.Second)
		require.Equal(t, []time.Duration{100 * time.Millisecond}, outcome.Times())
		require.ErrorIs(t, outcome.Values()[0], io.EOF)
		require.ErrorIs(t, outcome.Values()[0], ErrStuck)
		require.NotErrorIs(t, outcome.Values()[0], ErrTimeout)
		s.answer <- nil
		w.Settle()

		outcome = startWrite(w, ctx, to, 2) // with a context that has ended
		w.Settle()
		s.answer <- errDown
		w.Settle()
		require.Equal(t, []error{errDown}, outcome.Values(), "it returned in time")
		require.NoError(t, to.Close())
	})
}

func TestTimeoutContainsPanicsAndGoexits(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		for _, f := range []func(){func() { panic(io.EOF) }, runtime.Goexit} {
			ctx, watch := stage.Watched(at(w))
			to := newTimeout(t, &Memory[int]{Fail: func(int, []int) error { f(); return nil }}, second)
			err := to.Write(ctx, []int{1})
			var p *stage.PanicError
			require.ErrorAs(t, err, &p)
			require.Contains(t, p.Stack, "sinks.(*Timeout[...]).run")
			require.False(t, watch.Exited(), "the caller's goroutine goes on")
			require.Empty(t, watch.In())
			require.NoError(t, to.Close())
		}
	})
}

// What an abandoned call does at last is nobody's business.
func TestTimeoutContainsALatePanic(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		for _, f := range []func(){func() { panic(io.EOF) }, runtime.Goexit} {
			free := make(chan struct{})
			s := &Memory[int]{Fail: func(int, []int) error { <-free; f(); return nil }}
			to := newTimeout(t, s, second)
			outcome := startWrite(w, at(w), to, 1)
			w.Advance(time.Minute)
			require.ErrorIs(t, outcome.Values()[0], ErrStuck)
			close(free)
			w.Settle()
			var p *stage.PanicError
			require.ErrorAs(t, to.Write(at(w), []int{2}), &p, "it may be called again")
			require.NoError(t, to.Close())
		}
	})
}

func TestTimeoutClosesAfterAnAbandonedCall(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newDeaf()
		s.CloseErr = errDown
		to := newTimeout(t, s, second)
		startWrite(w, at(w), to, 1)
		w.Advance(time.Minute)
		closes := clocktest.NewRecorder[error](w)
		for range 2 {
			go func() { closes.Add(to.Close()) }()
		}
		w.Advance(time.Hour)
		require.Zero(t, closes.Len())
		require.Zero(t, s.Closes())
		err := to.Write(at(w), []int{2})
		require.ErrorIs(t, err, ErrClosed)
		require.True(t, stage.IsPermanent(err))
		s.answer <- nil
		w.Settle()
		require.ElementsMatch(t, []error{errDown, nil}, closes.Values(), "the first call does the work")
		require.NoError(t, to.Close())
		require.Equal(t, 1, s.Closes())
		require.Zero(t, s.Late())
	})
}

// Flush has the limit, too, and keeps writes out when it is stuck.
func TestTimeoutOfAFlush(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newDeaf()
		to := newTimeout(t, s, second)
		outcome := clocktest.NewRecorder[error](w)
		go func() { outcome.Add(to.Flush(at(w))) }()
		w.Advance(time.Minute)
		require.Equal(t, []time.Duration{1100 * time.Millisecond}, outcome.Times())
		require.ErrorIs(t, outcome.Values()[0], ErrTimeout)
		require.Equal(t, ErrStuck, to.Write(at(w), []int{1}))
		s.answer <- nil
		w.Settle()
		require.NoError(t, to.Close())
	})
}

// A call that returns at the very moment it would be abandoned either has
// returned or was abandoned: Write and the report agree.
func TestTimeoutOfACallThatReturnsAtTheLastMoment(t *testing.T) {
	clocktest.ExploreBoth(t, 50, func(t *testing.T, w *clocktest.World) {
		to := newTimeout(t, stage.SinkFunc[int](func(context.Context, []int) error {
			return clockutil.Sleep(context.Background(), w.Clock(), second.Limit+second.Grace)
		}), second)
		outcome := startWrite(w, at(w), to, 1)
		w.Advance(time.Minute)
		if err := outcome.Values()[0]; err == nil {
			require.Zero(t, abandoned(to))
		} else {
			require.ErrorIs(t, err, ErrStuck)
			require.EqualValues(t, 1, abandoned(to))
		}
		outcome = startWrite(w, at(w), to, 2)
		w.Advance(time.Minute)
		require.NotEqual(t, ErrStuck, outcome.Values()[0], "nothing is out any more")
		require.NoError(t, to.Close())
	})
}

// The leash against a list of who is out.
func TestLeashModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l leash
		var out []*call // have not returned
		given := map[*call]bool{}
		total, closed := uint64(0), false
		stuck := func() (n int) {
			for _, c := range out {
				if given[c] {
					n++
				}
			}
			return n
		}
		t.Repeat(map[string]func(*rapid.T){
			"start": func(t *rapid.T) {
				err := l.mayCall()
				switch {
				case closed:
					require.ErrorIs(t, err, ErrClosed)
				case stuck() > 0:
					require.Equal(t, ErrStuck, err)
				default:
					require.NoError(t, err)
					for range rapid.IntRange(1, 3).Draw(t, "concurrent") {
						out = append(out, &call{})
					}
				}
			},
			"return": func(t *rapid.T) {
				if len(out) == 0 {
					t.Skip("nobody is out")
				}
				i := rapid.IntRange(0, len(out)-1).Draw(t, "who")
				c := out[i]
				out = append(out[:i:i], out[i+1:]...)
				l.returned(c)
				require.Equal(t, !given[c], !c.abandoned)
				require.False(t, l.abandon(c), "too late")
			},
			"abandon": func(t *rapid.T) {
				for _, c := range out {
					if !given[c] {
						require.True(t, l.abandon(c))
						given[c] = true
						total++
						return
					}
				}
				t.Skip("nobody to abandon")
			},
			"close": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "really") == 0 {
					require.Equal(t, !closed, l.close())
					closed = true
				}
			},
			"": func(t *rapid.T) {
				require.Equal(t, total, l.total)
				require.Equal(t, stuck(), l.stuck)
			},
		})
	})
}

// Concurrent writes that are under way when one is abandoned go on.
func TestTimeoutOfConcurrentCalls(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newDeaf()
		to := newTimeout(t, s, second)
		first := startWrite(w, at(w), to, 1)
		w.Advance(500 * time.Millisecond)
		second := startWrite(w, at(w), to, 2)
		third := startWrite(w, at(w), to, 3)
		w.Advance(600 * time.Millisecond)
		require.ErrorIs(t, first.Values()[0], ErrStuck)
		require.Equal(t, ErrStuck, to.Write(at(w), []int{4}))
		w.Advance(500 * time.Millisecond)
		require.ErrorIs(t, second.Values()[0], ErrTimeout)
		require.ErrorIs(t, third.Values()[0], ErrTimeout)
		require.EqualValues(t, 3, abandoned(to))
		s.answer <- nil
		s.answer <- nil
		w.Settle()
		require.Equal(t, ErrStuck, to.Write(at(w), []int{5}), "until the last has returned")
		s.answer <- nil
		w.Settle()
		last := startWrite(w, at(w), to, 6)
		w.Settle()
		s.answer <- nil
		w.Settle()
		require.Equal(t, []error{nil}, last.Values())
		require.NoError(t, to.Close())
	})
}

// A Timeout within another passes on that events are forfeited, although the
// outer call returned in time.
func TestTimeoutPassesForfeitOn(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		s := newDeaf()
		inner := newTimeout(t, s, second)
		lenient := stage.SinkFunc[int](func(ctx context.Context, events []int) error {
			_ = inner.Write(ctx, events)
			return nil
		})
		outer := newTimeout(t, lenient, TimeoutConfig{Limit: time.Minute})
		ctx, watch := stage.Watched(at(w))
		outcome := startWrite(w, ctx, outer, 1)
		w.Advance(2 * time.Second)
		require.Equal(t, []error{nil}, outcome.Values())
		require.True(t, watch.Forfeited())
		require.NoError(t, outer.Write(ctx, []int{2}))
		require.False(t, watch.Forfeited())
		s.answer <- nil
		require.NoError(t, outer.Close())
		require.NoError(t, inner.Close())
	})
}

// A retry succeeds at last with the slice that an abandoned call has read until
// then: by the time Write returns nil, nobody reads it.
func TestRetryAroundATimeoutEndsWithNobodyReading(t *testing.T) {
	clocktest.ExploreBoth(t, 20, func(t *testing.T, w *clocktest.World) {
		chance := w.Rand("sink")
		var mu sync.Mutex
		sum := 0
		to := newTimeout(t, stage.SinkFunc[int](func(_ context.Context, events []int) error {
			mu.Lock()
			stall := time.Duration(chance.Int64N(int64(3 * time.Second)))
			mu.Unlock()
			_ = clockutil.Sleep(context.Background(), w.Clock(), stall)
			for _, ev := range events { // the race detector looks at this
				mu.Lock()
				sum += ev
				mu.Unlock()
			}
			return nil
		}), second)
		r := newRetry(t, to, RetryConfig{Initial: 100 * time.Millisecond, MaxElapsed: time.Hour, Seed: w.Seed()})
		events, outcomes := []int{1, 2, 3}, clocktest.NewRecorder[error](w)
		go func() {
			for range 10 {
				outcomes.Add(r.Write(at(w), events))
				clear(events)
			}
		}()
		w.Advance(10 * time.Hour)
		require.Equal(t, make([]error, 10), outcomes.Values())
		require.NoError(t, r.Close())
	})
}

func TestTimeoutRefusesBadConfig(t *testing.T) {
	_, err := NewTimeout[int](nil, TimeoutConfig{})
	require.EqualError(t, err, "penstock: NewTimeout's sink is <nil>, want a sink")
	_, err = NewTimeout[int](&Memory[int]{}, TimeoutConfig{Limit: -1})
	require.EqualError(t, err, "penstock: TimeoutConfig.Limit is -1ns, want 0 or more")
	_, err = NewTimeout[int](&Memory[int]{}, TimeoutConfig{Grace: -1})
	require.EqualError(t, err, "penstock: TimeoutConfig.Grace is -1ns, want 0 or more")
	to := newTimeout(t, &Memory[int]{}, TimeoutConfig{})
	require.Equal(t, 10*time.Second, to.limit)
	require.Equal(t, 100*time.Millisecond, to.grace)
}
