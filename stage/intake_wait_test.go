package stage

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// crowd is a number of callers that wait for room.
type crowd []*clocktest.Recorder[error]

// returned is how many calls have returned, and none but with nil.
func (c crowd) returned(t *testing.T, w *clocktest.World) (n int) {
	t.Helper()
	w.Settle()
	for _, o := range c {
		for _, err := range o.Values() {
			require.NoError(t, err)
			n++
		}
	}
	return n
}

// dozing has a full queue of 8, half of which the actor takes while five callers
// wait: four are let in, and the first of them is told.
func dozing(t *testing.T, w *clocktest.World, ctx context.Context) (*Intake[int], *haul[int], crowd) {
	q, _ := newQueue(IntakeConfig[int]{QueueSize: 8, ChunkSize: 1, Clock: w.Clock()})
	offer(q, count(1, 8)...)
	var c crowd
	for ev := 9; ev <= 13; ev++ {
		c = append(c, await(ctx, w, q, ev))
	}
	h := &haul[int]{doze: true}
	hauls(q, h, 4)
	require.Equal(t, 1, c.returned(t, w))
	b := q.Books()
	require.Equal(t, []any{uint64(12), 8, 4}, []any{b.Accepted, b.Depth, b.Waiting})
	return q, h, c
}

// hauls takes n chunks.
func hauls(q *Intake[int], h *haul[int], n int) next {
	h.full = nil
	for range n {
		h.clean = append(h.clean, poolFor(q, 0).get())
	}
	return q.take(h, true)
}

func TestCallersAreToldByTurns(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		q, h, c := dozing(t, w, t.Context())
		require.Equal(t, deliver, hauls(q, h, 4))
		require.Equal(t, 2, c.returned(t, w))
		require.True(t, q.relieve(true))
		require.Equal(t, 2, c.returned(t, w), "one for each time the actor comes by")
		require.Equal(t, deliver, hauls(q, h, 1))
		require.Equal(t, 3, c.returned(t, w))
		require.Equal(t, deliver, hauls(q, h, 8))
		require.Equal(t, 5, c.returned(t, w), "the queue is empty")
		require.Zero(t, q.Books().Waiting)
		require.False(t, q.relieve(true))
	})
}

func TestRelievingTellsOneIfTakingToldNobody(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 8, ChunkSize: 1, Clock: w.Clock()})
		offer(q, count(1, 8)...)
		c := crowd{await(t.Context(), w, q, 9), await(t.Context(), w, q, 10)}
		require.Equal(t, deliver, hauls(q, &haul[int]{doze: true}, 2))
		require.Zero(t, c.returned(t, w), "less than half of the queue is free")
		require.True(t, q.relieve(true))
		require.Equal(t, 1, c.returned(t, w))
		q.getUp()
		require.Equal(t, 2, c.returned(t, w))
	})
}

// A caller whose event is in the queue hears so as soon as it asks.
func TestDozingCallersAreNotHeldUp(t *testing.T) {
	for name, act := range map[string]func(q *Intake[int], cancel func()){
		"all get up":        func(q *Intake[int], _ func()) { q.getUp() },
		"their context end": func(_ *Intake[int], cancel func()) { cancel() },
		"sealed":            func(q *Intake[int], _ func()) { q.Seal(ErrClosed, RefusedClosed) },
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				q, _, c := dozing(t, w, ctx)
				act(q, cancel)
				require.Equal(t, 4, c[:4].returned(t, w))
				q.Seal(ErrClosed, RefusedClosed)
				w.Settle()
				require.Equal(t, 1, c[4].Len())
				require.Error(t, c[4].Values()[0], "there was no room for this one")
				b := q.Books()
				require.Zero(t, b.Waiting)
				require.Equal(t, uint64(12), b.Accepted)
				for range len(q.waiters.free) {
					w := <-q.waiters.free
					require.Empty(t, w.ready)
					require.False(t, w.dozing)
				}
			})
		})
	}
}

// TestAHeldUpActorKeepsNobody: while what is behind the actor stands still, a
// caller that was let in is kept for a Pace at most, and in a small queue, where
// turns bring nothing, not at all.
func TestAHeldUpActorKeepsNobody(t *testing.T) {
	for _, size := range []int{dozeSize, dozeSize - 2} {
		clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
			const pace = time.Millisecond
			q, _ := newQueue(IntakeConfig[int]{QueueSize: size, ChunkSize: size / 2, Clock: w.Clock()})
			e := &Enqueue[int]{Intake: q, Buffers: poolFor(q, 4), Pace: pace, Haul: 1}
			ctx, out, ended := onClock(t, w), make(chan Batch[int]), make(chan error)
			go func() { ended <- e.Run(ctx, Ports[int]{Out: out}) }()
			offer(q, 1)
			w.Settle() // the actor has it, and is held up
			offer(q, count(2, 1+size)...)
			var c crowd
			for k := range 3 {
				c = append(c, await(ctx, w, q, 2+size+k))
			}
			require.Zero(t, c.returned(t, w))
			<-out
			want := 1
			if size < dozeSize {
				want = 3
			}
			require.Equal(t, want, c.returned(t, w))
			w.Advance(pace - 1)
			require.Equal(t, want, c.returned(t, w))
			w.Advance(1)
			require.Equal(t, 3, c.returned(t, w))
			require.Zero(t, q.Books().Waiting)
			w.Advance(time.Minute)
			require.Zero(t, armed(w))
			q.Seal(ErrClosed, RefusedClosed)
			events := 1
			for open := true; open; {
				select {
				case chunk := <-out:
					events += len(chunk.Events)
				case err := <-ended:
					require.NoError(t, err)
					open = false
				}
			}
			require.Equal(t, size+4, events)
		})
	}
}

// TestWaitingIsNeverRefusedAsFull: an important event finds room that take has
// left, and that is no more there when those who came before have been let in.
func TestWaitingIsNeverRefusedAsFull(t *testing.T) {
	for _, overflow := range []Overflow{DropOldest, DropNewest} {
		clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
			q, _ := newQueue(IntakeConfig[int]{QueueSize: 4, ChunkSize: 1, Overflow: overflow, Important: tens, LesserSize: 3, Clock: w.Clock()})
			offer(q, 1, 2, 3, 10)
			lesser := await(t.Context(), w, q, 4)
			hauls(q, &haul[int]{}, 1)
			w.Settle()
			require.Zero(t, lesser.Len(), "there is room, but less than half of the queue")
			important := await(t.Context(), w, q, 20)
			require.Equal(t, []error{nil}, lesser.Values())
			require.Zero(t, important.Len())
			hauls(q, &haul[int]{}, 4)
			w.Settle()
			require.Equal(t, []error{nil}, important.Values())
			b := q.Books()
			require.Zero(t, b.Evicted[EvictedCount]+b.Rejected[RefusedFull])
			require.Equal(t, uint64(6), b.Accepted)
		})
	}
}
