package stage

import (
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// issue admits and issues n events behind the last, as one batch.
func (m *mill) issue(n int) Receipt {
	m.ledger.admit(n, m.at)
	span := Span{From: m.at, Through: m.at + uint64(n)}
	m.at = span.Through
	return m.ledger.Issue(n, int64(10*n), span, BySize)
}

func isDone(m *Mark) bool {
	select {
	case <-m.Done():
		return true
	default:
		return false
	}
}

func TestLedgerSettlesOnce(t *testing.T) {
	m := newMill()
	l := m.ledger
	r := m.issue(3)
	require.Equal(t, Books{InFlight: 3, Batches: [numTrigger]uint64{BySize: 1}, Batched: [numTrigger]uint64{BySize: 3}}, l.Books())
	require.True(t, l.Settle(r, Delivered, 0))
	require.Equal(t, Books{Delivered: 3}, only(l.Books()))
	for i := range uint64(3) {
		require.False(t, l.Settle(r, Lost, LossDead))
		require.Equal(t, Books{Delivered: 3, Misuse: i + 1}, only(l.Books()))
	}
}

func TestLedgerCountsEachOutcome(t *testing.T) {
	m := newMill()
	l := m.ledger
	for i, o := range []Outcome{Delivered, Rerouted, Filtered} {
		require.True(t, l.Settle(m.issue(i+1), o, LossFailed))
	}
	for why := range numLoss {
		require.True(t, l.Settle(m.issue(10+int(why)), Lost, why))
	}
	b := l.Books()
	require.Equal(t, Books{Delivered: 1, Rerouted: 2, Filtered: 3, Lost: [numLoss]uint64{10, 11, 12, 13, 14, 15}}, only(b))
	require.Equal(t, uint64(75), b.LostTotal())
}

func TestLedgerRefusesForeignReceipts(t *testing.T) {
	m, other := newMill(), newMill()
	l := m.ledger
	mine, foreign := m.issue(2), other.issue(2)
	require.False(t, l.Settle(foreign, Delivered, 0))
	require.False(t, l.Settle(Receipt{}, Delivered, 0))
	require.False(t, l.Settle(Receipt{ledger: l}, Delivered, 0))
	require.False(t, l.Settle(Receipt{ledger: l, cohort: mine.cohort, part: 1, gen: mine.gen}, Delivered, 0))
	require.Equal(t, notOurs, l.enter(foreign, 2, func() {}))
	require.Equal(t, Books{InFlight: 2, Misuse: 5}, only(l.Books()))
	require.Equal(t, Books{InFlight: 2}, only(other.ledger.Books()))
	require.True(t, other.ledger.Settle(foreign, Delivered, 0))
	require.True(t, l.Settle(mine, Delivered, 0))
}

func TestReceiptShrinks(t *testing.T) {
	m := newMill()
	l := m.ledger
	r := m.issue(5)
	kept, ok := r.shrink(3)
	require.True(t, ok)
	require.Equal(t, Books{InFlight: 3, Filtered: 2}, only(l.Books()))

	_, ok = r.shrink(1)
	require.False(t, ok, "the receipt was used up")
	_, ok = kept.shrink(4)
	require.False(t, ok, "no event comes from nowhere")
	require.Equal(t, Books{InFlight: 3, Filtered: 2, Misuse: 2}, only(l.Books()))

	none, ok := kept.shrink(0)
	require.True(t, ok)
	require.Equal(t, Books{Filtered: 5, Misuse: 2}, only(l.Books()))
	mark := l.Await(5)
	require.False(t, isDone(mark), "an empty batch keeps its place")
	require.True(t, l.Settle(none, Delivered, 0))
	require.True(t, isDone(mark))
	require.Equal(t, Books{Filtered: 5, Misuse: 2}, only(l.Books()))

	zero, ok := Receipt{}.shrink(7)
	require.True(t, ok)
	require.Zero(t, zero)
}

func TestReceiptSplits(t *testing.T) {
	m := newMill()
	l := m.ledger
	r := m.issue(6)
	_, _, ok := r.split(7, 1)
	require.False(t, ok, "more than the receipt stands for")
	rest, taken, ok := r.split(5, 2)
	require.True(t, ok)
	require.Equal(t, Books{InFlight: 5, Filtered: 1, Misuse: 1}, only(l.Books()))
	_, _, ok = r.split(3, 1)
	require.False(t, ok, "the receipt was used up")
	require.False(t, l.Settle(r, Delivered, 0))

	mark := l.Await(6)
	require.True(t, l.Settle(taken, Lost, LossFailed))
	require.False(t, l.Settle(taken, Lost, LossFailed))
	require.False(t, isDone(mark))
	require.True(t, l.Settle(rest, Rerouted, 0))
	require.True(t, isDone(mark))
	require.Equal(t, uint64(2), l.Forget(mark))
	require.Equal(t, Books{Rerouted: 3, Filtered: 1, Lost: [numLoss]uint64{LossFailed: 2}, Misuse: 4}, only(l.Books()))
}

func TestRecycledCohortsMatchNoOldReceipt(t *testing.T) {
	m := newMill()
	l := m.ledger
	var old []Receipt
	seen := map[*cohort]int{}
	for range 50 {
		r := m.issue(4)
		seen[r.cohort]++
		rest, taken, ok := r.split(4, 2)
		require.True(t, ok)
		small, ok := rest.shrink(1)
		require.True(t, ok)
		misuse := l.Books().Misuse
		for _, stale := range append(old, r, rest) {
			require.False(t, l.Settle(stale, Delivered, 0))
		}
		require.Equal(t, misuse+uint64(len(old)+2), l.Books().Misuse)
		require.True(t, l.Settle(small, Delivered, 0))
		require.True(t, l.Settle(taken, Delivered, 0))
		old = append(old, r, rest, small, taken)
	}
	require.Len(t, seen, 1, "cohorts are used again")
	b := l.Books()
	require.Equal(t, Books{Delivered: 150, Filtered: 50, Misuse: b.Misuse}, only(b))
}

func TestWatermarkPassesInOrder(t *testing.T) {
	m := newMill()
	l := m.ledger
	a, b, c := m.issue(2), m.issue(2), m.issue(2)
	var marks []*Mark
	for seq := range uint64(7) {
		marks = append(marks, l.Await(seq))
	}
	done := func() (n int) {
		for i, m := range marks {
			if isDone(m) {
				require.Equal(t, n, i, "marks pass in order")
				n++
			}
		}
		return n
	}
	require.Equal(t, 1, done(), "nothing lies before the first event")
	l.Settle(b, Delivered, 0)
	require.Equal(t, 1, done())
	l.Settle(a, Delivered, 0)
	require.Equal(t, 5, done())
	require.True(t, isDone(l.Await(4)), "a mark behind the watermark is passed")
	l.Settle(c, Delivered, 0)
	require.Equal(t, 7, done())
}

func TestWatermarkPassesEvictedEvents(t *testing.T) {
	l := &Ledger{}
	mark := l.Await(5)
	l.admit(2, 5) // the first five were evicted
	require.True(t, isDone(mark))
	r := l.Issue(2, 0, Span{From: 5, Through: 7}, BySize)
	mark = l.Await(10)
	behind := l.Await(11)
	l.admit(1, 10) // three more evicted, while two are in flight
	next := l.Issue(1, 0, Span{From: 10, Through: 11}, BySize)
	require.False(t, isDone(mark))
	l.Settle(r, Delivered, 0)
	require.True(t, isDone(mark), "what lies between two batches was evicted")
	require.False(t, isDone(behind))
	l.Settle(next, Delivered, 0)
	require.True(t, isDone(behind))
}

func TestMarksCountLossesBeforeThem(t *testing.T) {
	m := newMill()
	l := m.ledger
	early := m.issue(1)
	old := l.Await(100)
	l.Settle(early, Lost, LossFailed)
	a := m.issue(2)
	first := l.Await(m.at)
	b := m.issue(4)
	second := l.Await(m.at)
	l.Settle(b, Lost, LossFailed)
	l.Settle(a, Lost, LossPanic)
	require.True(t, isDone(first))
	require.True(t, isDone(second))
	require.Equal(t, uint64(2), l.Forget(first), "not what lies behind it, nor what was lost before")
	require.Equal(t, uint64(6), l.Forget(second))
	require.Equal(t, uint64(7), l.Forget(old))
	l.Settle(m.issue(1), Lost, LossFailed)
	require.Equal(t, uint64(7), l.Forget(old), "a mark forgotten counts no more, and may be forgotten twice")
	require.Empty(t, l.marks)
}

func TestLedgerGivesBytesBackWithTheLastEvent(t *testing.T) {
	m := newMill()
	l := m.ledger
	var freed []int64
	l.release = func(bytes int64) {
		freed = append(freed, bytes)
		l.Books() // the lock is not held
	}
	rest, taken, _ := m.issue(3).split(3, 1)
	l.Settle(taken, Lost, LossFailed)
	require.Empty(t, freed)
	l.Settle(rest, Delivered, 0)
	require.Equal(t, []int64{30}, freed)
	l.Settle(m.issue(0), Delivered, 0)
	require.Len(t, freed, 1, "nothing to give back")

	place, failed, _ := m.issue(2).split(2, 2)
	l.Settle(failed, Rerouted, 0)
	require.Equal(t, []int64{30, 20}, freed, "an empty rest holds nothing")
	l.Settle(place, Delivered, 0)
	require.Len(t, freed, 2)

	none, ok := m.issue(4).shrink(0)
	require.True(t, ok)
	require.Equal(t, []int64{30, 20, 40}, freed, "nor does a batch that was filtered out")
	l.Settle(none, Delivered, 0)
	none, _, _ = m.issue(1).split(0, 0)
	require.Equal(t, []int64{30, 20, 40, 10}, freed)
	l.Settle(none, Delivered, 0)
	require.Len(t, freed, 4)
}

func TestLedgerEntersACallOnce(t *testing.T) {
	m := newMill()
	l := m.ledger
	r := m.issue(4)
	require.Equal(t, tooMany, l.enter(r, 5, func() {}))
	require.Equal(t, mayCall, l.enter(r, 3, func() {}))
	require.Equal(t, Books{InFlight: 3, Filtered: 1}, only(l.Books()), "what the call does not have was filtered")
	require.Equal(t, notOurs, l.enter(r, 3, func() {}), "another call holds it")
	require.Equal(t, uint64(1), l.Books().Misuse)
	l.leave(r, func() {})
	require.Equal(t, mayCall, l.enter(r, 3, func() {}))
	l.Settle(r, Delivered, 0)
	l.leave(r, func() {})
	require.Equal(t, notOurs, l.enter(r, 3, func() {}))
}

func TestLedgerAbandons(t *testing.T) {
	m := newMill()
	l := m.ledger
	m.issue(1) // passed on, not with a sink
	calling := m.issue(2)
	require.Equal(t, mayCall, l.enter(calling, 2, func() {}))
	called := m.issue(4)
	require.Equal(t, mayCall, l.enter(called, 4, func() {}))
	rest, split, _ := called.split(4, 3) // the call has returned
	l.Settle(rest, Delivered, 0)
	l.admit(8, m.at) // without a receipt
	released := false
	l.release = func(int64) { released = true }
	mark := l.Await(1000)

	require.Equal(t, uint64(2), l.Abandon(LossDeadline))
	want := Books{Delivered: 1, Lost: [numLoss]uint64{LossDeadline: 12, LossInDoubt: 2}}
	require.Equal(t, want, only(l.Books()))
	require.True(t, isDone(mark))
	require.Equal(t, uint64(14), l.Forget(mark))
	require.True(t, l.over())

	// What comes later is late, and no misuse.
	require.False(t, l.Settle(calling, Delivered, 0))
	require.False(t, l.Settle(split, Rerouted, 0))
	require.False(t, l.Settle(l.Issue(1, 5, Span{From: 9, Through: 10}, BySize), Delivered, 0))
	l.admit(3, m.at)
	require.Equal(t, tooLate, l.enter(calling, 2, func() {}))
	_, ok := split.shrink(1)
	require.False(t, ok)
	_, _, ok = split.split(1, 1)
	require.False(t, ok)
	require.Zero(t, l.Abandon(LossDead))
	require.True(t, isDone(l.Await(2000)))
	require.Equal(t, want, only(l.Books()))
	require.False(t, released)
}

func TestLedgerListStaysShort(t *testing.T) {
	m := newMill()
	l := m.ledger
	last := m.issue(1)
	for range 1000 { // there is always a batch open
		next := m.issue(1)
		require.True(t, l.Settle(last, Delivered, 0))
		last = next
	}
	require.LessOrEqual(t, cap(l.main.open), 4)
	require.True(t, l.Settle(last, Delivered, 0))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		l.Settle(m.issue(1), Delivered, 0)
	}))
}

func TestBatchKeep(t *testing.T) {
	m := newMill()
	b := m.batch(1, 2, 3, 4)
	kept := b.Keep(b.Events[1:3])
	require.Equal(t, []int{2, 3}, kept.Events)
	require.Equal(t, BySize, kept.Trigger)
	require.Equal(t, Books{InFlight: 2, Filtered: 2}, only(m.ledger.Books()))

	same := kept.Keep([]int{7, 8, 9})
	require.Equal(t, kept, same, "a batch does not grow")
	require.Equal(t, []int{1, 2, 3, 4}, b.Keep(nil).Events, "the old value is used up")
	require.Equal(t, uint64(2), m.ledger.Books().Misuse)

	other := kept.Keep([]int{9})
	require.Equal(t, []int{9}, other.Events, "events may be replaced")
	require.True(t, m.ledger.Settle(other.receipt, Delivered, 0))
	require.Equal(t, []int{1}, Batch[int]{Events: []int{1, 2}}.Keep([]int{1}).Events, "a stage can be tried without a pipeline")
}

// A stage filters in place, and Close's deadline passes meanwhile: what is
// reported as lost is what the stage has kept, each event once.
func TestBatchKeepAfterTheDeadline(t *testing.T) {
	m := newMill()
	b := m.batch(1, 2, 3, 4)
	m.ledger.Abandon(LossDeadline)
	kept := append(b.Events[:0], 2, 4)
	require.Equal(t, []int{2, 4}, b.Keep(kept).Events)
	require.Equal(t, []int{2, 4, 3, 4}, b.Keep(make([]int, 5)).Events, "a batch does not grow")
	require.Equal(t, Books{Lost: [numLoss]uint64{LossDeadline: 4}}, only(m.ledger.Books()))
}

func TestBatchFail(t *testing.T) {
	for _, c := range []struct {
		indexes    []int
		failed, ok []int
	}{
		{[]int{2, 0}, []int{1, 3}, []int{2, 4}},
		{[]int{0, 1, 2, 3}, []int{1, 2, 3, 4}, []int{}},
		{[]int{4}, []int{1, 2, 3, 4}, []int{}},
		{[]int{1, 1}, []int{1, 2, 3, 4}, []int{}},
	} {
		m := newMill()
		b := m.batch(1, 2, 3, 4)
		rest, f := b.Fail(c.indexes, io.EOF)
		require.Equal(t, c.failed, f.Events)
		require.Equal(t, c.ok, rest.Events)
		require.Equal(t, io.EOF, f.Err)
		require.Equal(t, BySize, rest.Trigger)
		f.Events[0] = 99
		require.Equal(t, c.ok, rest.Events, "a failure has events of its own")
		for _, ev := range b.buf.events[len(c.ok):] {
			require.Zero(t, ev, "the gap at the end is cleared")
		}

		again, none := b.Fail(nil, io.EOF)
		require.Equal(t, b, again)
		require.Empty(t, none.Events)
		require.Zero(t, m.ledger.Books().Misuse, "nothing was to be failed")
		require.True(t, m.ledger.Settle(f.receipt, Lost, LossFailed))
		require.True(t, m.ledger.Settle(rest.receipt, Delivered, 0))
		require.Equal(t, Books{Delivered: uint64(len(c.ok)), Lost: [numLoss]uint64{uint64(len(c.failed))}}, only(m.ledger.Books()))
	}
}

func TestBuryAccountsForWhatADeadActorMissed(t *testing.T) {
	m := newMill()
	var freed int64
	m.ledger.release = func(bytes int64) { freed += bytes }
	chunk := m.chunk(5, 6, 7)
	chunk.buf.head, chunk.Events, chunk.span.From = 1, chunk.Events[1:], 1 // the oldest was evicted
	m.ledger = &Ledger{release: m.ledger.release}
	m.ledger.admit(2, 1)
	f := Bury(m.ledger, chunk, "batcher", ErrDead)
	require.Equal(t, []int{6, 7}, f.Events)
	require.Equal(t, "batcher", f.Stage)
	require.Equal(t, ErrDead, f.Err)
	require.Equal(t, [numTrigger]uint64{ByFlush: 1}, m.ledger.Books().Batches)
	require.True(t, m.ledger.Settle(f.receipt, Lost, LossDead))
	require.Equal(t, int64(13), freed)

	b := m.batch(1)
	f = Bury(m.ledger, b, "redact", ErrDead)
	require.Equal(t, b.receipt, f.receipt)
	require.True(t, m.ledger.Settle(f.receipt, Lost, LossDead))
	require.Equal(t, Books{Lost: [numLoss]uint64{LossDead: 3}}, only(m.ledger.Books()))

	f = Bury(m.ledger, m.flush(), "batcher", ErrDead)
	require.Empty(t, f.Events)
	require.True(t, m.ledger.Settle(f.receipt, Lost, LossDead), "a mark keeps its place in the order")
}

// The first flush mark of a pipeline that nothing was given yet is the one
// batch whose span says nothing.
func TestBuryOfAMarkBeforeAllEventsIsNoMisuse(t *testing.T) {
	m := newMill()
	f := Bury(m.ledger, m.flush(), "batcher", ErrDead)
	NewErrorRouter[int](nil, m.ledger, nil).route(t.Context(), f, 0)
	require.Zero(t, m.ledger.Books().Misuse)
}

func TestBatchFailAll(t *testing.T) {
	m := newMill()
	b := m.batch(1, 2)
	rest, f := b.FailAll(io.EOF)
	require.Empty(t, rest.Events)
	require.Equal(t, BySize, rest.Trigger)
	require.Nil(t, rest.buf, "the failure's readers have the buffer")
	require.Equal(t, []int{1, 2}, f.Events)
	require.Equal(t, io.EOF, f.Err)
	require.True(t, m.ledger.Settle(f.receipt, Lost, LossFailed))
	require.False(t, isDone(m.ledger.Await(m.at)), "the rest keeps its place")
	require.True(t, m.ledger.Settle(rest.receipt, Delivered, 0))
	require.Equal(t, Books{Lost: [numLoss]uint64{2}}, only(m.ledger.Books()))

	_, f = b.FailAll(io.EOF)
	require.False(t, m.ledger.Settle(f.receipt, Lost, LossFailed), "the batch was used up")
	require.Equal(t, Books{Lost: [numLoss]uint64{2}, Misuse: 2}, only(m.ledger.Books()))
}

func TestMarksBehindTheEnd(t *testing.T) {
	q, l := newQueue(IntakeConfig[int]{QueueSize: 4})
	offer(q, 1)
	a, b := q.Mark(), q.Mark()
	require.Len(t, q.marks, 1, "equal marks are announced once")
	require.Len(t, l.marks, 2)
	require.Zero(t, l.Forget(a))
	q.Seal(ErrClosed, RefusedClosed)
	q.Abandon(LossDead)
	require.True(t, isDone(b))
	require.False(t, isDone(a), "a mark forgotten is nobody's")
	require.Equal(t, uint64(1), l.Forget(b))
	require.True(t, isDone(q.Mark()))
}
