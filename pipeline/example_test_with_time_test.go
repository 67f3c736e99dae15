package pipeline_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// The tests here are examples: of tests of a pipeline of your own, in virtual
// time. They are tests because an example has no *testing.T.

// The age of a batch is that of its first event: a second event does not
// postpone it.
func TestExampleFlushInterval(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		sizes := clocktest.NewRecorder[int](w)
		sink := stage.SinkFunc[string](func(_ context.Context, lines []string) error {
			sizes.Add(len(lines))
			return nil
		})
		p, err := pipeline.New(sink, pipeline.Config[string]{
			FlushInterval: time.Second,
			Clock:         w.Clock(),
		})
		require.NoError(t, err)

		require.NoError(t, p.Enqueue("a"))
		w.Advance(600 * time.Millisecond)
		require.NoError(t, p.Enqueue("b"))
		w.Advance(400*time.Millisecond - 1)
		require.Empty(t, sizes.Values())
		w.Advance(1)
		require.Equal(t, []int{2}, sizes.Values())
		require.Equal(t, []time.Duration{time.Second}, sizes.Times())

		ctx, cancel := w.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		require.NoError(t, p.Close(ctx))
	})
}

// A sink that hangs costs Close its whole deadline, and no more. Close is called
// in a goroutine of its own, because the body has to move the time meanwhile.
func TestExampleCloseDeadline(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		sink := &sinks.Memory[string]{}
		sink.Hold()
		p, err := pipeline.New(sink, pipeline.Config[string]{BatchSize: 1, Clock: w.Clock()})
		require.NoError(t, err)
		require.NoError(t, p.Enqueue("a"))

		verdict := clocktest.NewRecorder[error](w)
		ctx, cancel := w.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		go func() { verdict.Add(p.Close(ctx)) }()
		w.Advance(3 * time.Second)

		require.Equal(t, []time.Duration{3 * time.Second}, verdict.Times())
		var loss *pipeline.LossError
		require.ErrorAs(t, verdict.Values()[0], &loss)
		require.EqualValues(t, 1, loss.InDoubt)
	})
}

// Explore draws a plan from the seed and runs it under many of them. What must
// hold is said about every run: here that the books balance and nothing is
// lost.
func TestExampleExplore(t *testing.T) {
	clocktest.Explore(t, 20, func(t *testing.T, w *clocktest.World) {
		sink := &sinks.Memory[string]{}
		p, err := pipeline.New(sink, pipeline.Config[string]{BatchSize: 8, Clock: w.Clock()})
		require.NoError(t, err)
		for producer := range 3 {
			name := fmt.Sprint("producer ", producer)
			r := w.Rand(name)
			for range 5 + r.IntN(20) {
				require.NoError(t, p.Enqueue(name))
				w.Advance(clocktest.Jitter(r, 10*time.Millisecond))
			}
		}
		require.NoError(t, p.Close(t.Context()))
		s := p.Stats()
		require.Equal(t, s.Accepted, s.Delivered)
		require.Zero(t, s.Lost.Total()+s.Buffered)
		require.Len(t, sink.Events(), int(s.Accepted))
	})
}

// Poison overwrites what a sink was lent as soon as its Write returns. A sink
// that keeps the slice sees the poison; one that copies does not.
func TestExamplePoison(t *testing.T) {
	for name, sink := range map[string]*hoarder{"keeps": {}, "copies": {copies: true}} {
		t.Run(name, func(t *testing.T) {
			lent, err := sinks.Poison(sink, "poison")
			require.NoError(t, err)
			require.NoError(t, lent.Write(t.Context(), []string{"a", "b"}))
			require.Equal(t, !sink.copies, sink.kept[0] == "poison")
		})
	}
}

// hoarder keeps the latest batch.
type hoarder struct {
	copies bool
	kept   []string
}

func (h *hoarder) Write(_ context.Context, lines []string) error {
	if h.copies {
		lines = append([]string(nil), lines...)
	}
	h.kept = lines
	return nil
}
