package stage

import (
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// watchedClock counts how often it is read, and calls look each time.
type watchedClock struct {
	clock.Clock
	reads int
	look  func()
}

func (c *watchedClock) Now() time.Time {
	c.reads++
	if c.look != nil {
		c.look()
	}
	return c.Clock.Now()
}

func TestABatchKnowsHowOldItIs(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		q, l := newQueue(IntakeConfig[int]{QueueSize: 8, ChunkSize: 4, Clock: w.Clock()})
		pool := NewBuffers[int](4, 4, false)
		enqueue := startLine(onClock(t, w), w, &Enqueue[int]{Intake: q, Buffers: pool, Haul: 2})
		batcher := &Batcher[int]{Size: 4, Interval: 100 * time.Millisecond, Ledger: l, Chunks: pool, Batches: pool}
		line := startLine(onClock(t, w), w, batcher)
		start := w.Clock().Now()
		passed := 0
		step := func(d time.Duration, events ...int) {
			offer(q, events...)
			w.Settle()
			chunks := enqueue.out.Values()
			line.send(chunks[passed:]...)
			passed = len(chunks)
			w.Advance(d)
		}
		step(30*time.Millisecond, 1)
		step(30*time.Millisecond, 2, 3)
		step(time.Hour, 4, 5)
		step(0, 6)
		w.Advance(time.Minute)
		q.Seal(ErrClosed, RefusedClosed)
		w.Settle()
		close(enqueue.in)
		line.close(t)
		var born []time.Duration
		for _, b := range line.out.Values() {
			require.Equal(t, len(b.Events) == 0, b.born.IsZero())
			if len(b.Events) > 0 {
				born = append(born, b.born.Sub(start))
			}
		}
		require.Equal(t, []time.Duration{0, 60 * time.Millisecond, time.Hour + 60*time.Millisecond}, born)
	})
}

// The time is read for the first event of a chunk, by whoever brings it, and
// with no lock held: the clock may be anybody's.
func TestTheClockIsReadOnceForEachChunk(t *testing.T) {
	for _, overflow := range []Overflow{DropOldest, DropNewest} {
		clk := &watchedClock{Clock: clock.New()}
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 64, ChunkSize: 16, Overflow: overflow, Clock: clk})
		clk.look = func() { q.Depth() }
		offer(q, count(1, 20)...)
		require.Equal(t, 2, clk.reads)
		require.Equal(t, 44, q.EnqueueAll(count(21, 64), nil))
		require.Equal(t, 3, clk.reads, "and once for events that come together")
		offer(q, 65)
		require.Equal(t, uint64(1), q.Books().Evicted[EvictedCount]+q.Books().Rejected[RefusedFull])
		offer(q, count(66, 80)...)
		if overflow == DropOldest {
			require.Equal(t, 4, clk.reads)
		} else {
			require.Equal(t, 3, clk.reads, "to be refused takes no time")
		}
	}
}

// An event of a caller that waited is accepted when it is let in.
func TestAWaitersEventIsBornWhenItIsLetIn(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 2, Clock: w.Clock()})
		start := w.Clock().Now()
		offer(q, 1, 2)
		third := await(t.Context(), w, q, 3)
		w.Advance(time.Minute)
		_, chunks := takeAll(q)
		require.Equal(t, start, chunks[0].born)
		w.Settle()
		require.Equal(t, []error{nil}, third.Values())
		w.Advance(time.Minute)
		_, chunks = takeAll(q)
		require.Equal(t, time.Minute, chunks[0].born.Sub(start))
	})
}

// What is left of a chunk is no older than the chunk.
func TestEvictionsDoNotMakeAChunkOlder(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		q, _ := newQueue(IntakeConfig[int]{QueueSize: 4, QueueBytes: 10, Clock: w.Clock()})
		start := w.Clock().Now()
		for _, ev := range []int{10, 10, 10, 10, 10, 10} { // each evicts the one before it
			offer(q, ev)
			w.Advance(time.Second)
		}
		_, chunks := takeAll(q)
		require.Equal(t, []int{10}, chunks[0].Events)
		require.Equal(t, 4*time.Second, chunks[0].born.Sub(start), "the fifth begins a chunk")
	})
}
