package stage

import (
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// What the router fetches lies on one side of every mark, in the order in which
// it was spilled, which may not be that of acceptance.
func TestSpillsAreCutAtMarks(t *testing.T) {
	q, l := newQueue(IntakeConfig[int]{QueueSize: 3, ChunkSize: 3, SpillSize: 10, Important: tens, LesserSize: 3})
	offer(q, 10, 20, 1) // 10 and 20 step aside, and 1 is spilled
	offer(q, 2)
	mark := q.Mark()
	offer(q, 30)         // spills 2, from before the mark
	offer(q, 40, 50, 60) // spill 10 and 20, from before the mark, and 30
	require.Equal(t, 3, q.Depth())
	b := q.Books()
	require.Equal(t, uint64(5), b.Spilled)
	require.Equal(t, uint64(5), b.InFlight)
	require.Zero(t, b.Evicted)
	var got [][]int
	var receipts []Receipt
	for f, ok := q.fetch(); ok; f, ok = q.fetch() {
		got = append(got, f.Events)
		receipts = append(receipts, f.receipt)
	}
	require.Equal(t, [][]int{{1, 2, 10}, {20}, {30}}, got, "at most a chunk, and cut before 30")
	_, chunks := takeAll(q)
	require.True(t, l.Settle(l.Issue(3, 0, chunks[0].span, BySize), Delivered, 0))
	require.False(t, isDone(mark))
	require.True(t, l.Settle(receipts[1], Rerouted, 0))
	require.False(t, isDone(mark), "1 is open")
	require.True(t, l.Settle(receipts[0], Lost, LossOverflow))
	require.True(t, isDone(mark), "30 came later")
	require.True(t, l.Settle(receipts[2], Lost, LossOverflow))
	require.Equal(t, uint64(3), l.Forget(mark))
}

func TestTheRouterFetchesWhatWasSpilled(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		q, l := newQueue(IntakeConfig[int]{QueueSize: 2, Overflow: DropNewest, SpillSize: 3})
		route := newFakeSink(w, func(_ context.Context, c call) error {
			if c.Events[0] == 4 {
				return io.EOF
			}
			return nil
		})
		settled, failed := make(chan Failure[int], 10), make(chan Failure[int])
		router := NewErrorRouter([]Route[int]{{To: route}}, l, settled)
		router.Intake = q
		ended := clocktest.NewRecorder[error](w)
		go func() { ended.Add(router.Run(onClock(t, w), failed)) }()
		for _, ev := range count(1, 5) {
			require.Equal(t, []error{nil}, offer(q, ev))
			w.Settle()
		}
		require.Equal(t, []call{{"write", []int{3}}, {"write", []int{4}}, {"write", []int{5}}}, route.calls.Values())
		b := q.Books()
		require.Equal(t, uint64(2), b.Rerouted)
		require.Equal(t, [numLoss]uint64{LossOverflow: 1}, b.Lost)
		require.Equal(t, uint64(5), b.Accepted)

		// What nobody has fetched when failed is closed is settled before the end.
		q.mu.lock()
		q.spills.told = true // as if the router had been told, and were busy
		q.mu.Unlock()
		require.Equal(t, make([]error, 3), offer(q, 6, 7, 8))
		require.Equal(t, []error{ErrFull}, offer(q, 9))
		w.Settle()
		require.Equal(t, uint64(3), q.Books().InFlight)
		close(failed)
		w.Settle()
		require.Equal(t, []error{nil}, ended.Values())
		require.Equal(t, uint64(5), q.Books().Rerouted)
		require.Zero(t, q.Books().InFlight)
	})
}
