package stage

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/benbjohnson/clock"
	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// armed is the number of timers armed on w's clock, which tells only if it is
// a mock. w has settled.
func armed(w *clocktest.World) int {
	if mock, ok := w.Clock().(*clock.Mock); ok {
		return reflect.ValueOf(mock).Elem().FieldByName("timers").Len()
	}
	return 0
}

// batching is a batcher in a bubble, on each kind of clock.
func batching(t *testing.T, size int, bytes int64, f func(t *testing.T, w *clocktest.World, m *mill, l *line)) {
	t.Helper()
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		m := &mill{ledger: &Ledger{}, pool: NewBuffers[int](size, 4, true)}
		b := &Batcher[int]{Size: size, Bytes: bytes, Interval: time.Second, Ledger: m.ledger, Chunks: m.pool, Batches: m.pool}
		l := startLine(onClock(t, w), w, b)
		f(t, w, m, l)
		require.Zero(t, armed(w), "a timer outlived the batcher")
		issued := uint64(0)
		for _, n := range m.ledger.Books().Batches {
			issued += n
		}
		require.Equal(t, uint64(l.out.Len()), issued)
		for _, b := range l.out.Values() {
			require.True(t, m.ledger.Settle(b.receipt, Delivered, 0))
		}
		require.Equal(t, Books{Delivered: m.at}, only(m.ledger.Books()), "every event has one receipt")
	})
}

func TestBatcherCutsAFullBatchAtOnce(t *testing.T) {
	batching(t, 3, 0, func(t *testing.T, w *clocktest.World, m *mill, l *line) {
		w.Advance(time.Minute)
		l.send(m.chunk(1, 2, 3))
		require.Zero(t, armed(w), "a chunk that is a batch needs no deadline")
		l.send(m.chunk(4), m.chunk(5))
		l.send(m.chunk(6, 7))
		require.Equal(t, []cutAt{
			{[]int{1, 2, 3}, BySize, time.Minute},
			{[]int{4, 5, 6}, BySize, time.Minute},
		}, l.cuts())
		l.close(t)
		require.Equal(t, cutAt{[]int{7}, ByClose, time.Minute}, l.cuts()[2])
	})
}

func TestBatcherCountsAgeFromTheFirstEvent(t *testing.T) {
	batching(t, 100, 0, func(t *testing.T, w *clocktest.World, m *mill, l *line) {
		w.Advance(time.Second / 2)
		l.send(m.chunk(1))
		w.Advance(600 * time.Millisecond)
		l.send(m.chunk(2))
		w.Advance(400*time.Millisecond - 1)
		require.Empty(t, l.cuts())
		w.Advance(1)
		require.Equal(t, []cutAt{{[]int{1, 2}, ByAge, 1500 * time.Millisecond}}, l.cuts())

		w.Advance(100 * time.Millisecond)
		l.send(m.chunk(3))
		w.Advance(time.Second - 1)
		require.Equal(t, 1, l.out.Len(), "the second batch has a deadline of its own")
		w.Advance(1)
		require.Equal(t, cutAt{[]int{3}, ByAge, 2600 * time.Millisecond}, l.cuts()[1])
		l.close(t)
	})
}

func TestBatcherGivesTheRestOfAChunkItsOwnDeadline(t *testing.T) {
	batching(t, 2, 0, func(t *testing.T, w *clocktest.World, m *mill, l *line) {
		l.send(m.chunk(1))
		w.Advance(time.Second - 1)
		l.send(m.chunk(2, 3)) // completes the batch, and opens another
		require.Equal(t, []cutAt{{[]int{1, 2}, BySize, time.Second - 1}}, l.cuts())
		w.Advance(time.Second - 1)
		require.Equal(t, 1, l.out.Len())
		w.Advance(1)
		require.Equal(t, cutAt{[]int{3}, ByAge, 2*time.Second - 1}, l.cuts()[1])
		l.close(t)
	})
}

func TestIdleBatcherArmsNothing(t *testing.T) {
	batching(t, 2, 0, func(t *testing.T, w *clocktest.World, m *mill, l *line) {
		w.Advance(time.Hour)
		require.Zero(t, armed(w))
		l.send(m.chunk(1))
		if _, mock := w.Clock().(*clock.Mock); mock {
			require.Equal(t, 1, armed(w))
		}
		l.send(m.chunk(2))
		require.Zero(t, armed(w), "nothing is open")
		w.Advance(time.Hour)
		l.send(m.chunk(3))
		w.Advance(time.Second)
		require.Zero(t, armed(w), "nothing is open")
		w.Advance(time.Hour)
		require.Equal(t, []cutAt{
			{[]int{1, 2}, BySize, time.Hour},
			{[]int{3}, ByAge, 2*time.Hour + time.Second},
		}, l.cuts(), "no empty batch, no early one")
		l.close(t)
	})
}

func TestBatcherCutsByBytes(t *testing.T) {
	batching(t, 4, 10, func(t *testing.T, w *clocktest.World, m *mill, l *line) {
		l.send(m.chunk(4, 4, 4), m.chunk(20, 1))
		require.Equal(t, []cutAt{
			{[]int{4, 4}, ByBytes, 0},
			{[]int{4}, ByBytes, 0}, // 20 does not fit
			{[]int{20}, ByBytes, 0},
		}, l.cuts(), "an event above the bound travels alone")
		w.Advance(time.Second - 1)
		l.send(m.chunk(9)) // exactly the bound: the batch stays open
		require.Equal(t, 3, l.out.Len())
		w.Advance(1)
		require.Equal(t, cutAt{[]int{1, 9}, ByAge, time.Second}, l.cuts()[3])
		l.close(t)
		require.Equal(t, [numTrigger]uint64{ByBytes: 3, ByAge: 1, ByClose: 1}, m.ledger.Books().Batches)
	})
}

func TestBatcherFlush(t *testing.T) {
	batching(t, 4, 0, func(t *testing.T, w *clocktest.World, m *mill, l *line) {
		l.send(m.flush())
		require.Equal(t, []cutAt{{[]int{}, ByFlush, 0}}, l.cuts(), "an empty batch carries the mark")
		l.send(m.chunk(1, 2), m.flush(), m.flush(), m.chunk(3))
		require.Zero(t, l.out.Values()[0].span)
		require.Equal(t, []cutAt{{[]int{1, 2}, ByFlush, 0}, {[]int{}, ByFlush, 0}}, l.cuts()[1:])
		require.Equal(t, Span{From: 0, Through: 2}, l.out.Values()[1].span)
		require.Equal(t, Span{From: 2, Through: 2}, l.out.Values()[2].span)
		w.Advance(time.Second - 1)
		require.Equal(t, 3, l.out.Len(), "a flush calls the deadline off")
		w.Advance(1)
		require.Equal(t, cutAt{[]int{3}, ByAge, time.Second}, l.cuts()[3])
		l.close(t)
	})
}

func TestBatcherSendsAClosingBatch(t *testing.T) {
	for _, open := range [][]int{{}, {1}, {1, 2}} {
		batching(t, 4, 0, func(t *testing.T, w *clocktest.World, m *mill, l *line) {
			if len(open) > 0 {
				l.send(m.chunk(open...))
			}
			l.close(t)
			require.Equal(t, []cutAt{{open, ByClose, 0}}, l.cuts())
			w.Advance(time.Minute)
			require.Equal(t, 1, l.out.Len())
		})
	}
}

// The decisions are the cutter's, see there; here random arrivals meet the
// clock. Whatever they are, no event waits longer than the interval.
func TestBatcherHoldsNoEventTooLong(t *testing.T) {
	clocktest.ExploreBoth(t, 25, func(t *testing.T, w *clocktest.World) {
		r := w.Rand("producer")
		m := &mill{ledger: &Ledger{}, pool: NewBuffers[int](4, 4, false)}
		b := &Batcher[int]{Size: 4, Interval: 10 * time.Millisecond, Ledger: m.ledger, Chunks: m.pool, Batches: m.pool}
		l := startLine(onClock(t, w), w, b)
		var came []time.Duration
		for range 40 {
			w.Advance(clocktest.Jitter(r, time.Duration(r.IntN(8))*time.Millisecond))
			var events []int
			for range 1 + r.IntN(4) {
				came = append(came, w.Elapsed())
				events = append(events, len(came))
			}
			l.send(m.chunk(events...))
		}
		w.Advance(time.Second)
		last := 0
		for _, c := range l.cuts() {
			require.NotEmpty(t, c.Events)
			for _, ev := range c.Events {
				last++
				require.Equal(t, last, ev)
			}
			age := c.At - came[c.Events[0]-1]
			require.LessOrEqual(t, age, 10*time.Millisecond)
			if c.Trigger == ByAge {
				require.Equal(t, 10*time.Millisecond, age)
			} else {
				require.Equal(t, BySize, c.Trigger)
				require.Equal(t, came[c.Events[3]-1], c.At)
			}
		}
		require.Equal(t, len(came), last)
		l.close(t)
	})
}

func TestAlarmIsIdempotent(t *testing.T) {
	a := ageAlarm{clock: clock.NewMock(), interval: math.MaxInt64}
	a.stop()
	require.Nil(t, a.c())
	a.start()
	first := a.c()
	a.start()
	require.Equal(t, first, a.c(), "a second start does not move the deadline")
	a.stop()
	a.stop()
	require.Nil(t, a.c())
}
