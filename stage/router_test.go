package stage

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// routing is a router between hand-made channels.
type routing struct {
	w       *clocktest.World
	m       *mill
	router  *ErrorRouter[int]
	failed  chan Failure[int]
	settled *clocktest.Recorder[Failure[int]]
	ended   *clocktest.Recorder[error]
}

func startRouting(ctx context.Context, w *clocktest.World, routes ...Route[int]) *routing {
	settled := make(chan Failure[int], 2)
	m := newMill()
	r := &routing{
		w: w, m: m, router: NewErrorRouter(routes, m.ledger, settled),
		failed:  make(chan Failure[int], 8),
		settled: clocktest.NewRecorder[Failure[int]](w),
		ended:   clocktest.NewRecorder[error](w),
	}
	go func() {
		for f := range settled {
			r.settled.Add(f)
		}
	}()
	go func() {
		defer close(settled)
		r.ended.Add(r.router.Run(ctx, r.failed))
	}()
	return r
}

// failure is one of a whole batch.
func (r *routing) failure(err error, events ...int) Failure[int] {
	b := r.m.batch(events...)
	return Failure[int]{Events: b.Events, Stage: "flusher", Err: err, receipt: b.receipt}
}

// send sends failures and returns what is final then.
func (r *routing) send(failures ...Failure[int]) []Failure[int] {
	r.settled.Reset()
	for _, f := range failures {
		r.failed <- f
	}
	r.w.Settle()
	return r.settled.Values()
}

func (r *routing) close(t *testing.T) {
	t.Helper()
	close(r.failed)
	r.w.Settle()
	require.Equal(t, []error{nil}, r.ended.Values())
}

func (r *routing) books() Books { return only(r.m.ledger.Books()) }

func TestRouterWithoutRoutesLoses(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		r := startRouting(t.Context(), w)
		for why, err := range map[Loss]error{
			LossFailed:   io.EOF,
			LossPanic:    errors.Join(io.EOF, &PanicError{}),
			LossDead:     &PartialError{Err: ErrDead},
			LossDeadline: ErrAbandoned,
			LossInDoubt:  errors.Join(ErrInDoubt, io.EOF),
		} {
			before := r.books().Lost[why]
			got := r.send(r.failure(err, 1, 2))
			require.Len(t, got, 1)
			require.Equal(t, []int{1, 2}, got[0].Events)
			require.Equal(t, Lost, got[0].Outcome)
			require.Equal(t, why, got[0].Loss)
			require.Equal(t, err, got[0].Err)
			require.Zero(t, got[0].Attempts)
			require.Equal(t, before+2, r.books().Lost[why])
		}
		require.Empty(t, r.send(r.failure(io.EOF)), "an empty failure is nobody's business")
		require.Empty(t, r.send(Failure[int]{Err: io.EOF}))
		r.close(t)
		require.Zero(t, r.books().InFlight)
		require.Zero(t, r.books().Misuse)
		require.True(t, isDone(r.m.ledger.Await(r.m.at)))
	})
}

func TestRouterTakesTheFirstRouteThatMatches(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		slow := func(ctx context.Context, _ call) error { Clock(ctx).Sleep(time.Second); return nil }
		letters, plain, last := newGraveSink(w, slow), newFakeSink(w, nil), newFakeSink(w, nil)
		r := startRouting(onClock(t, w), w,
			Route[int]{Match: IsPermanent, To: letters},
			Route[int]{Match: func(err error) bool { return errors.Is(err, io.EOF) }, To: plain},
			Route[int]{To: last})

		began := w.Clock().Now()
		require.Empty(t, r.send(r.failure(Permanent(io.EOF), 1)))
		require.Equal(t, []call{{"failure", []int{1}}}, letters.calls.Values(), "the cause goes with the events")
		require.ErrorIs(t, letters.failures.Values()[0].Err, io.EOF)
		require.Zero(t, letters.failures.Values()[0].Attempts, "the route's own call has not returned")
		w.Advance(time.Second)
		f := r.settled.Values()[0]
		require.Equal(t, Rerouted, f.Outcome)
		require.Equal(t, 1, f.Attempts)
		require.Equal(t, began, f.First)
		require.Equal(t, began.Add(time.Second), f.Last)

		again := r.failure(io.EOF, 2)
		again.Attempts, again.First = 3, began
		f = r.send(again)[0]
		require.Equal(t, 4, f.Attempts)
		require.Equal(t, began, f.First, "the first call is the sink's")
		r.send(r.failure(io.ErrNoProgress, 3))
		require.Equal(t, []call{{"write", []int{2}}}, plain.calls.Values())
		require.Equal(t, []call{{"write", []int{3}}}, last.calls.Values())
		require.Equal(t, Books{Rerouted: 3}, r.books())
		r.close(t)
	})
}

func TestRouterHandsOnWhatARouteFailsToTake(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		broken := newFakeSink(w, func(_ context.Context, c call) error {
			switch c.Events[0] {
			case 1:
				return io.ErrShortWrite
			case 2:
				return &PartialError{Failed: []int{2, 0}, Err: io.ErrShortWrite}
			case 3:
				return &PartialError{Failed: []int{9}}
			}
			panic("boom")
		})
		second := newFakeSink(w, func(_ context.Context, c call) error {
			if c.Events[0] == 5 {
				return io.ErrUnexpectedEOF
			}
			return nil
		})
		r := startRouting(t.Context(), w, Route[int]{To: broken}, Route[int]{To: second})

		f := r.send(r.failure(io.EOF, 1, 7))
		require.Len(t, f, 1)
		require.ErrorIs(t, f[0].Err, io.EOF)
		require.ErrorIs(t, f[0].Err, io.ErrShortWrite, "a route's error joins the cause")
		require.Equal(t, 2, f[0].Attempts)

		f = r.send(r.failure(io.EOF, 2, 7, 8))
		require.Len(t, f, 2, "what ended differently is reported apart")
		require.Equal(t, []int{7}, f[0].Events)
		require.Equal(t, Rerouted, f[0].Outcome)
		require.NotErrorIs(t, f[0].Err, io.ErrShortWrite)
		require.Equal(t, []int{2, 8}, f[1].Events)
		require.Equal(t, Rerouted, f[1].Outcome)

		f = r.send(r.failure(io.EOF, 3))
		require.Equal(t, []int{3}, f[0].Events, "nonsense fails all")
		f = r.send(r.failure(io.EOF, 4))
		var p *PanicError
		require.ErrorAs(t, f[0].Err, &p)
		require.Equal(t, Rerouted, f[0].Outcome)
		f = r.send(r.failure(io.EOF, 5))
		require.Equal(t, Lost, f[0].Outcome)
		require.ErrorIs(t, f[0].Err, io.ErrUnexpectedEOF)

		require.Equal(t, []call{
			{"write", []int{1, 7}}, {"write", []int{2, 8}}, {"write", []int{3}}, {"write", []int{4}}, {"write", []int{5}},
		}, second.calls.Values())
		require.Equal(t, Books{Rerouted: 7, Lost: [numLoss]uint64{LossPanic: 1}}, r.books())
		r.close(t)
	})
}

func TestRouterGuardsThePredicate(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		to := newFakeSink(w, nil)
		r := startRouting(t.Context(), w,
			Route[int]{Match: func(error) bool { blowUp("boom"); return true }, To: newFakeSink(w, fails(io.EOF))},
			Route[int]{Match: func(err error) bool {
				var p *PanicError
				return errors.As(err, &p)
			}, To: to})
		f := r.send(r.failure(io.EOF, 1))
		require.Equal(t, Rerouted, f[0].Outcome)
		require.Equal(t, 1, f[0].Attempts)
		require.Equal(t, 1, to.calls.Len())
		r.close(t)
	})
}

func TestRouterOutlivesTouchyErrors(t *testing.T) {
	eachTouchy(t, func(t *testing.T, err error) {
		clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
			to := newFakeSink(w, fails(err))
			r := startRouting(t.Context(), w, Route[int]{Match: func(err error) bool { return !errors.Is(err, io.EOF) }, To: to})
			for _, custom := range []error{err, io.ErrShortWrite, io.EOF} {
				f := r.send(r.failure(custom, 1, 2))
				require.Len(t, f, 1)
				require.Equal(t, Lost, f[0].Outcome)
				if custom != io.EOF {
					requireSafe(t, f[0].Err)
				}
			}
			require.Equal(t, 2, to.calls.Len())
			require.EqualValues(t, 2, r.router.Calls(0).Panics)
			r.close(t)
			require.Equal(t, Books{Lost: [numLoss]uint64{LossFailed: 2, LossPanic: 4}}, r.books())
		})
	})
}

func TestRouterSurvivesGoexit(t *testing.T) {
	for _, where := range []string{"match", "write"} {
		for _, next := range []bool{false, true} {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				ctx, watch := Watched(t.Context())
				bad := Route[int]{To: newFakeSink(w, goexits)}
				if where == "match" {
					bad.Match = func(error) bool { bowOut(); return true }
				}
				routes := []Route[int]{bad}
				if next {
					routes = append(routes, Route[int]{To: newFakeSink(w, nil)})
				}
				r := startRouting(ctx, w, routes...)
				f := r.send(r.failure(io.EOF, 1))
				require.Len(t, f, 1)
				require.ErrorIs(t, f[0].Err, io.EOF)
				var p *PanicError
				require.ErrorAs(t, f[0].Err, &p)
				require.Zero(t, r.ended.Len(), "Run's goroutine has ended")
				require.True(t, watch.Exited())
				if next {
					require.Equal(t, Rerouted, f[0].Outcome, "the next route is tried all the same")
					require.Equal(t, Books{Rerouted: 1}, r.books())
				} else {
					require.Equal(t, Lost, f[0].Outcome)
					require.Equal(t, Books{Lost: [numLoss]uint64{LossPanic: 1}}, r.books())
				}
			})
		}
	}
}

func TestRouterSettlesOnce(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		to := newFakeSink(w, nil)
		r := startRouting(t.Context(), w, Route[int]{To: to})
		f := r.failure(io.EOF, 1, 2)
		require.Len(t, r.send(f), 1)
		require.Empty(t, r.send(f), "nobody hears of it twice")
		foreign := newMill().batch(5)
		require.Empty(t, r.send(Failure[int]{Events: foreign.Events, receipt: foreign.receipt}))
		require.Equal(t, 1, to.calls.Len())
		b := r.books()
		require.Equal(t, Books{Rerouted: 2, Misuse: b.Misuse}, b)
		require.GreaterOrEqual(t, b.Misuse, uint64(2))
		r.close(t)
	})
}

func TestRouterAfterTheEnd(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		ctx, cancel := context.WithCancelCause(t.Context())
		gate := make(chan struct{})
		to := newFakeSink(w, func(_ context.Context, c call) error {
			<-gate
			return nil
		})
		r := startRouting(ctx, w, Route[int]{To: to})
		require.Empty(t, r.send(r.failure(io.EOF, 1, 2)))
		require.Equal(t, uint64(2), r.m.ledger.Abandon(LossDeadline))
		cancel(ErrAbandoned)
		close(gate)
		w.Settle()
		f := r.settled.Values()
		require.Len(t, f, 1)
		require.Equal(t, Lost, f[0].Outcome, "a late success changes nothing")
		require.Equal(t, LossInDoubt, f[0].Loss)
		f = r.send(Failure[int]{Events: []int{3}, Err: ErrAbandoned, receipt: r.failure(nil, 3).receipt})
		require.Equal(t, LossDeadline, f[0].Loss)
		require.Equal(t, 1, to.calls.Len(), "no route is called any more")
		require.Equal(t, Books{Lost: [numLoss]uint64{LossInDoubt: 2}}, r.books())
		r.close(t)
	})
}

func TestRouterSync(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		ask := func(r *routing) error {
			reply := make(chan error, 1)
			r.router.Sync <- SyncRequest{Reply: reply}
			return <-reply
		}
		good, bad := newFakeSink(w, nil), newFakeSink(w, fails(io.EOF))
		worse := newFakeSink(w, func(context.Context, call) error { panic(io.ErrNoProgress) })
		r := startRouting(t.Context(), w, Route[int]{To: bad}, Route[int]{To: worse}, Route[int]{To: good})
		err := ask(r)
		require.ErrorIs(t, err, io.EOF)
		require.ErrorIs(t, err, io.ErrNoProgress)
		require.Equal(t, []call{{Do: "flush"}}, good.calls.Values(), "every route gets its turn")
		r.close(t)

		r = startRouting(t.Context(), w, Route[int]{To: good})
		require.NoError(t, ask(r))
		r.close(t)

		good.calls.Reset()
		leaver := newFakeSink(w, goexits)
		r = startRouting(t.Context(), w, Route[int]{To: bad}, Route[int]{To: leaver}, Route[int]{To: leaver}, Route[int]{To: good})
		err = ask(r)
		var p *PanicError
		require.ErrorAs(t, err, &p, "whoever asks hears of a Goexit too")
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, 2, leaver.calls.Len())
		require.Equal(t, []call{{Do: "flush"}}, good.calls.Values(), "every route gets its turn then, too")
		w.Settle()
		require.Zero(t, r.ended.Len())
	})
}

func TestRouterNeedsNoListener(t *testing.T) {
	m := newMill()
	b := m.batch(1, 2)
	failed := make(chan Failure[int], 1)
	failed <- Failure[int]{Events: b.Events, Err: io.EOF, receipt: b.receipt}
	close(failed)
	require.NoError(t, NewErrorRouter[int](nil, m.ledger, nil).Run(t.Context(), failed))
	require.Equal(t, Books{Lost: [numLoss]uint64{2}}, only(m.ledger.Books()))
}
