package stage

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

func TestForfeitTellsTheWatchOnce(t *testing.T) {
	ctx, watch := Watched(t.Context())
	type key struct{}
	derived := context.WithValue(ctx, key{}, 1)
	require.False(t, watch.Forfeited())
	Forfeit(derived)
	Forfeit(derived)
	require.True(t, watch.Forfeited())
	require.False(t, watch.Forfeited())

	inner, own := Watched(derived)
	Forfeit(inner)
	require.False(t, watch.Forfeited(), "passing it on is the decorator's business")
	require.True(t, own.Forfeited())

	Forfeit(t.Context()) // nobody to tell
}

// A buffer that somebody may still read is neither cleared nor used again, also
// if the write is a success.
func TestFlusherLeavesForfeitedBuffersAlone(t *testing.T) {
	eachWorkers(t, func(t *testing.T, w *clocktest.World, workers int) {
		m := newMill()
		sink := newFakeSink(w, func(ctx context.Context, c call) error {
			if len(c.Events) == 2 {
				Forfeit(ctx)
			}
			if c.Events[0] == 3 {
				return errors.New("and it fails")
			}
			return nil
		})
		_, l := flushing(t, w, m, workers, sink)
		b := m.batch(1, 2)
		l.send(b)
		require.Equal(t, []int{1, 2}, b.buf.events[:2])
		require.Empty(t, m.pool.free)
		l.send(m.batch(3, 4))
		require.Empty(t, m.pool.free)
		l.send(m.batch(5), m.batch(6), m.batch(7)) // one for each worker that there may be
		require.Len(t, m.pool.free, 3, "the next is not forfeited")
		l.close(t)
		require.Equal(t, Books{Delivered: 5, InFlight: 2}, only(m.ledger.Books()))
	})
}
