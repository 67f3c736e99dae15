package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// A stalled output holds up no other: it overflows by its own policy, in its
// own books.
func TestAStalledOutputHoldsUpNoOther(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		stuck, tight, free := newOutfall(w, "stuck"), newOutfall(w, "tight"), newOutfall(w, "free")
		for _, s := range []*outfall{stuck, tight} {
			s.stubborn = true
			s.hold()
		}
		mk := func(s *outfall, overflow stage.Overflow) *pipeline.Pipeline[Event] {
			p, err := pipeline.New[Event](s, config{Clock: w.Clock(), QueueSize: 8, BatchSize: 2, FlushInterval: time.Second, Overflow: overflow})
			require.NoError(t, err)
			return p
		}
		f, err := pipeline.NewFan(mk(stuck, stage.DropOldest), mk(tight, stage.DropNewest), mk(free, stage.DropOldest))
		require.NoError(t, err)
		var refused uint64
		for _, e := range run(1, 1, 101) {
			if err := f.Enqueue(e); err != nil {
				refused++
				require.ErrorIs(t, err, stage.ErrFull)
				var oe *pipeline.OutputError
				require.ErrorAs(t, err, &oe)
				require.Equal(t, "tight", oe.Output)
			}
			w.Settle()
		}
		w.Advance(time.Second)
		require.Equal(t, count(1, 101), seqs(free.taken()))
		s := f.Stats()
		for i, name := range []string{"stuck", "tight", "free"} {
			require.Equal(t, name, s[i].Name)
			require.EqualValues(t, 101, s[i].Offered)
		}
		require.NotZero(t, s[0].Evicted.Count)
		require.EqualValues(t, 101, s[0].Evicted.Count+s[0].Buffered)
		require.Equal(t, refused, s[1].Rejected.Full)
		require.NotZero(t, refused)
		require.EqualValues(t, 101, s[2].Delivered)

		ctx, cancel := w.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		closing := clocktest.NewRecorder[error](w)
		go func() { closing.Add(f.Close(ctx)) }()
		w.Settle()
		require.Equal(t, 1, free.closes.Len(), "closed at once, beside the others")
		w.Advance(time.Minute)
		require.Equal(t, 1, closing.Len())
		err = closing.Values()[0]
		require.ErrorContains(t, err, "output stuck")
		require.ErrorContains(t, err, "output tight")
		require.NotContains(t, err.Error(), "output free")
		var loss *pipeline.LossError
		require.ErrorAs(t, err, &loss)
		stuck.release()
		tight.release()
		w.Settle()
		for _, s := range f.Stats() {
			require.Zero(t, s.Buffered)
			require.Equal(t, s.Accepted, s.Delivered+s.Evicted.Total()+s.Lost.Total())
		}
	})
}

func TestFanFlush(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		good, bad := newOutfall(w, "good"), &sluice{newOutfall(w, "bad"), func(context.Context) error { return errDown }}
		a, b := newHouse(t, w, inOne(64), good), newHouse(t, w, inOne(64), bad)
		f, err := pipeline.NewFan(a.p, b.p)
		require.NoError(t, err)
		a.offer(t, ev(1, 1))
		b.offer(t, ev(1, 1))
		err = f.Flush(t.Context())
		require.ErrorIs(t, err, errDown)
		var oe *pipeline.OutputError
		require.ErrorAs(t, err, &oe)
		require.Equal(t, "bad", oe.Output)
		require.Equal(t, []int{1}, seqs(good.taken()))
		require.Equal(t, []int{1}, seqs(bad.taken()))
		require.ErrorIs(t, f.Close(t.Context()), errDown)
		require.ErrorIs(t, f.Enqueue(ev(1, 2)), stage.ErrClosed)
		require.EqualValues(t, 1, a.p.Stats().Rejected.Closed)
		require.EqualValues(t, 1, b.p.Stats().Rejected.Closed)
	})
}

func TestNewFanRefuses(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{}, nil)
		for _, outputs := range [][]*pipeline.Pipeline[Event]{nil, {h.p, nil}, {h.p, h.p}} {
			_, err := pipeline.NewFan(outputs...)
			var ce *pipeline.ConfigError
			require.ErrorAs(t, err, &ce)
			require.Contains(t, ce.Field, "outputs")
		}
		h.close(t)
	})
}

// closer is something to close that is no pipeline.
type closer struct {
	name  string
	close func(ctx context.Context) error
}

func (c closer) Name() string { return c.name }

func (c closer) Close(ctx context.Context) error { return c.close(ctx) }

// What was opened last is closed first, one after the other while all is well.
func TestCloseAllClosesTheLastOpenedFirst(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		order := clocktest.NewRecorder[string](w)
		slow := func(name string) closer {
			return closer{name, func(context.Context) error {
				order.Add(name)
				w.Clock().Sleep(time.Second)
				order.Add("/" + name)
				return nil
			}}
		}
		ctx, cancel := w.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		verdict := clocktest.NewRecorder[error](w)
		go func() { verdict.Add(pipeline.CloseAll(ctx, slow("a"), slow("b"), slow("c"))) }()
		w.Advance(time.Minute)
		require.Equal(t, []string{"c", "/c", "b", "/b", "a", "/a"}, order.Values())
		require.Equal(t, []error{nil}, verdict.Values())
		require.Equal(t, []time.Duration{3 * time.Second}, verdict.Times())
	})
}

// One deadline for all: a laggard is named and costs the others nothing.
func TestCloseAllNamesTheLaggard(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		var houses []*house
		var taps []*outfall
		for _, name := range []string{"first", "second", "third"} {
			s := newOutfall(w, name)
			if name != "first" {
				s.stubborn = true
				s.hold()
			}
			h := newHouse(t, w, inPairs(), s)
			h.offer(t, run(1, 1, 3)...)
			houses, taps = append(houses, h), append(taps, s)
		}
		w.Settle()
		ctx, cancel := w.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		verdict := clocktest.NewRecorder[error](w)
		go func() { verdict.Add(pipeline.CloseAll(ctx, houses[0].p, houses[1].p, houses[2].p)) }()
		w.Advance(3*time.Second - 1)
		require.Equal(t, []time.Duration{2 * time.Second}, taps[0].closes.Times(), "after the others' shares")
		require.Zero(t, verdict.Len())
		w.Advance(1)
		require.Equal(t, []time.Duration{3 * time.Second}, verdict.Times())
		err := verdict.Values()[0]
		require.ErrorContains(t, err, "output third")
		require.ErrorContains(t, err, "stuck in second")
		require.NotContains(t, err.Error(), "output first")
		taps[1].release()
		taps[2].release()
		for _, h := range houses {
			h.closed(t)
		}
		require.EqualValues(t, 3, houses[0].p.Stats().Delivered)
	})
}

// Every one gets its chance, also when the deadline has passed before, or there
// is none.
func TestCloseAllGivesEveryOneItsChance(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		expired, cancel := w.WithTimeout(t.Context(), 0)
		defer cancel()
		for _, ctx := range []context.Context{expired, context.Background()} {
			order := clocktest.NewRecorder[string](w)
			note := func(name string, err error) closer {
				return closer{name, func(context.Context) error { order.Add(name); return err }}
			}
			h := newHouse(t, w, config{}, nil)
			err := pipeline.CloseAll(ctx, note("a", errDown), h.p, note("b", nil), note("c", errAside))
			require.ErrorIs(t, err, errDown)
			require.ErrorIs(t, err, errAside)
			require.ElementsMatch(t, []string{"a", "b", "c"}, order.Values())
			h.closed(t)
		}
		require.NoError(t, pipeline.CloseAll(expired))
	})
}

// One that ends badly is an error, and the others are closed.
func TestCloseAllWithOneThatEndsBadly(t *testing.T) {
	for blow, deal := range blows {
		t.Run(blow, func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				h := newHouse(t, w, config{}, nil)
				err := pipeline.CloseAll(t.Context(), h.p, closer{"bad", func(context.Context) error { deal(); return nil }})
				require.Error(t, err)
				require.Equal(t, 1, h.tap.closes.Len())
				h.closed(t)
			})
		})
	}
}
