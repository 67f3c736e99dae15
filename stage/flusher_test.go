package stage

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

// flushing is a flusher with its workers, in a bubble.
func flushing(t *testing.T, w *clocktest.World, m *mill, workers int, sink Sink[int]) (*Flusher[int], *line) {
	f := NewFlusher(sink, m.ledger, m.pool, workers)
	ctx := onClock(t, w)
	if workers > 1 {
		for range workers {
			go f.Work(ctx)
		}
	}
	return f, startLine(ctx, w, f)
}

// eachWorkers runs f with one worker and with three.
func eachWorkers(t *testing.T, f func(t *testing.T, w *clocktest.World, workers int)) {
	t.Helper()
	for _, workers := range []int{0, 1, 3} {
		clocktest.Run(t, func(t *testing.T, w *clocktest.World) { f(t, w, workers) })
	}
}

func TestFlusherDelivers(t *testing.T) {
	eachWorkers(t, func(t *testing.T, w *clocktest.World, workers int) {
		m, sink := newMill(), newFakeSink(w, nil)
		_, l := flushing(t, w, m, workers, sink)
		b := m.batch(1, 2)
		l.send(b)
		require.Equal(t, []call{{"write", []int{1, 2}}}, sink.calls.Values())
		require.Equal(t, make([]int, 16), b.buf.events, "a delivered buffer is cleared")
		require.Len(t, m.pool.free, 1)
		l.send(m.batch(3), m.batch())
		require.Equal(t, 2, sink.calls.Len(), "an empty batch is not written")
		l.close(t)
		require.Empty(t, l.failed.Values())
		require.Empty(t, l.out.Values())
		require.Equal(t, Books{Delivered: 3}, only(m.ledger.Books()))
		require.True(t, isDone(m.ledger.Await(m.at)))
	})
}

func TestFlusherCallsConcurrentlyIfTold(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m := newMill()
		gate := make(chan struct{})
		sink := newFakeSink(w, func(_ context.Context, c call) error {
			if c.Do == "write" {
				<-gate
			}
			return nil
		})
		f, l := flushing(t, w, m, 3, sink)
		for ev := range 5 {
			l.send(m.batch(ev + 1))
		}
		require.Equal(t, 3, sink.calls.Len())
		reply := make(chan error, 1)
		go func() { f.Sync <- SyncRequest{Reply: reply} }()
		w.Settle()
		gate <- struct{}{}
		gate <- struct{}{}
		w.Settle()
		require.Empty(t, reply, "a write is in progress")
		close(gate)
		require.NoError(t, <-reply)
		w.Settle()
		calls := sink.calls.Values()
		require.Len(t, calls, 6)
		l.send(m.batch(6))
		require.Equal(t, 7, sink.calls.Len(), "the workers work on")
		l.close(t)
		require.Equal(t, Books{Delivered: 6}, only(m.ledger.Books()))
	})
}

func TestFlusherWithOneWorkerKeepsOrder(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m := newMill()
		sink := newFakeSink(w, func(ctx context.Context, c call) error {
			if c.Events[0]%3 == 0 {
				return io.EOF
			}
			return nil
		})
		_, l := flushing(t, w, m, 1, sink)
		for ev := range 9 {
			l.send(m.batch(ev + 1))
		}
		l.close(t)
		for i, c := range sink.calls.Values() {
			require.Equal(t, []int{i + 1}, c.Events)
		}
		require.Equal(t, Books{Delivered: 6, InFlight: 3}, only(m.ledger.Books()))
	})
}

func TestFlusherSendsFailuresOn(t *testing.T) {
	eachWorkers(t, func(t *testing.T, w *clocktest.World, workers int) {
		m := newMill()
		sink := newFakeSink(w, func(ctx context.Context, c call) error {
			Clock(ctx).Sleep(time.Second)
			switch c.Events[0] {
			case 1:
				return io.EOF
			case 2:
				return &PartialError{Failed: []int{3, 1}, Err: io.ErrShortWrite}
			case 3:
				return &PartialError{Failed: []int{0, 0}}
			case 4:
				panic("boom")
			}
			return &PartialError{Failed: []int{1, 0}}
		})
		_, l := flushing(t, w, m, workers, sink)
		for _, c := range []struct {
			events, failed []int
			err            error
		}{
			{[]int{1, 7}, []int{1, 7}, io.EOF},
			{[]int{2, 7, 8, 9, 10}, []int{7, 9}, io.ErrShortWrite},
			{[]int{3, 7}, []int{3, 7}, nil},
			{[]int{4, 7}, []int{4, 7}, nil},
			{[]int{5, 7}, []int{5, 7}, nil},
		} {
			l.failed.Reset()
			began := Clock(onClock(t, w)).Now()
			before := m.ledger.Books()
			b := m.batch(c.events...)
			l.send(b)
			require.Equal(t, len(c.events), int(m.ledger.Books().InFlight-before.InFlight))
			w.Advance(time.Second)
			require.Len(t, l.failed.Values(), 1)
			f := l.failed.Values()[0]
			require.Equal(t, c.failed, f.Events)
			require.Equal(t, "fake", f.Stage)
			require.Equal(t, 1, f.Attempts)
			require.Equal(t, began, f.First)
			require.Equal(t, began.Add(time.Second), f.Last)
			require.Equal(t, Pending, f.Outcome)
			require.Error(t, f.Err)
			if c.err != nil {
				require.ErrorIs(t, f.Err, c.err)
			}
			after := m.ledger.Books()
			require.Equal(t, uint64(len(c.events)-len(c.failed)), after.Delivered-before.Delivered)
			require.Empty(t, m.pool.free, "a buffer the sink may still read is forfeited")
			require.Equal(t, c.events, b.buf.events[:b.buf.n])
			require.True(t, m.ledger.Settle(f.receipt, Lost, LossFailed))
		}
		l.close(t)
		require.Zero(t, m.ledger.Books().InFlight)
		require.Zero(t, m.ledger.Books().Misuse)
	})
}

// The methods of an error are user code: one that panics costs its own batch.
func TestFlusherOutlivesTouchyErrors(t *testing.T) {
	eachTouchy(t, func(t *testing.T, err error) {
		eachWorkers(t, func(t *testing.T, w *clocktest.World, workers int) {
			m := newMill()
			f, l := flushing(t, w, m, workers, newFakeSink(w, func(_ context.Context, c call) error {
				if c.Events[0] == 1 {
					panic(err)
				}
				return err
			}))
			l.send(m.batch(1, 2), m.batch(3), m.batch(4))
			l.close(t)
			require.Len(t, l.failed.Values(), 3)
			for _, f := range l.failed.Values() {
				requireSafe(t, f.Err)
			}
			require.Equal(t, Books{InFlight: 4}, only(m.ledger.Books()))
			require.EqualValues(t, 3, f.Calls().Panics)
		})
	})
}

func TestANilPartialErrorFailsTheWholeBatch(t *testing.T) {
	eachWorkers(t, func(t *testing.T, w *clocktest.World, workers int) {
		m := newMill()
		_, l := flushing(t, w, m, workers, newFakeSink(w, fails((*PartialError)(nil))))
		for ev := range 4 {
			l.send(m.batch(ev+1, 7))
		}
		l.close(t)
		require.Len(t, l.failed.Values(), 4)
		require.Equal(t, Books{InFlight: 8}, only(m.ledger.Books()))
	})
}

func TestFlusherSurvivesGoexit(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m := newMill()
		f, l := flushing(t, w, m, 3, newFakeSink(w, func(ctx context.Context, c call) error {
			if c.Do == "write" {
				return goexits(ctx, c)
			}
			return nil
		}))
		l.send(m.batch(1), m.batch(2), m.batch(3)) // every worker is gone
		require.Equal(t, 3, l.failed.Len())
		for _, fl := range l.failed.Values() {
			var p *PanicError
			require.ErrorAs(t, fl.Err, &p)
			require.True(t, m.ledger.Settle(fl.receipt, Lost, LossPanic))
		}
		reply := make(chan error, 1)
		f.Sync <- SyncRequest{Reply: reply}
		require.NoError(t, <-reply, "no worker has a job")
		l.close(t)
	})
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m := newMill()
		ctx, watch := Watched(onClock(t, w))
		f := NewFlusher[int](newFakeSink(w, goexits), m.ledger, m.pool, 1)
		l := startLine(ctx, w, f)
		l.send(m.batch(1), m.batch(2))
		require.Empty(t, l.ended.Values(), "Run's goroutine has ended")
		require.Equal(t, []int{1}, l.failed.Values()[0].Events)
		require.True(t, watch.Exited())
		require.Len(t, l.in, 1, "the next batch waits for whoever takes over")
		reply := make(chan error, 1)
		go func() { _ = f.Run(ctx, Ports[int]{}) }()
		f.Sync <- SyncRequest{Reply: reply}
		require.Error(t, <-reply, "a sync request is answered also then")
	})
}

func TestFlusherRefusesReceipts(t *testing.T) {
	eachWorkers(t, func(t *testing.T, w *clocktest.World, workers int) {
		m, other, sink := newMill(), newMill(), newFakeSink(w, nil)
		_, l := flushing(t, w, m, workers, sink)
		b := m.batch(1, 2)
		twice := b
		twice.Events = []int{1, 2}
		stale := m.batch(3, 4)
		kept := stale.Keep(stale.Events[:1])
		stale.Events = []int{3, 4}
		l.send(b)
		l.send(twice, stale, other.batch(9), Batch[int]{Events: []int{8}})
		l.send(kept)
		l.close(t)
		require.Equal(t, []call{{"write", []int{1, 2}}, {"write", []int{3}}}, sink.calls.Values())
		require.Equal(t, Books{Delivered: 3, Filtered: 1, Misuse: 4}, only(m.ledger.Books()))
		require.Equal(t, Books{InFlight: 1}, only(other.ledger.Books()))
		require.Empty(t, l.failed.Values())
	})
}

func TestFlusherAndGrownOrShrunkBatches(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m, sink := newMill(), newFakeSink(w, nil)
		_, l := flushing(t, w, m, 1, sink)
		grown, cut := m.batch(1, 2), m.batch(3, 4)
		grown.Events = append(grown.Events, 99)
		cut.Events = cut.Events[1:]
		l.send(grown, cut)
		l.close(t)
		require.Equal(t, []call{{"write", []int{4}}}, sink.calls.Values())
		f := l.failed.Values()[0]
		require.ErrorIs(t, f.Err, ErrGrown)
		require.Equal(t, []int{1, 2}, f.Events, "only what was accepted is accounted for")
		require.Zero(t, f.Attempts)
		require.Equal(t, Books{Delivered: 1, Filtered: 1, InFlight: 2}, only(m.ledger.Books()))
	})
}

// A stage that empties a batch without Keep has filtered its events; nobody
// delivered them.
func TestFlusherDoesNotDeliverWhatAStageTookOut(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m, sink := newMill(), newFakeSink(w, nil)
		_, l := flushing(t, w, m, 1, sink)
		b := m.batch(1, 2)
		b.Events = b.Events[:0]
		l.send(b)
		l.close(t)
		require.Empty(t, sink.calls.Values())
		require.Equal(t, Books{Filtered: 2}, only(m.ledger.Books()))
	})
}

func TestFlusherAfterTheEnd(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m, sink := newMill(), newFakeSink(w, nil)
		ctx, cancel := context.WithCancelCause(onClock(t, w))
		l := startLine(ctx, w, NewFlusher[int](sink, m.ledger, m.pool, 1))
		cancel(io.ErrClosedPipe)
		l.send(m.batch(1))
		m.ledger.Abandon(LossDeadline)
		l.send(m.batch(2))
		l.close(t)
		require.Empty(t, sink.calls.Values())
		f := l.failed.Values()
		require.ErrorIs(t, f[0].Err, io.ErrClosedPipe)
		require.ErrorIs(t, f[1].Err, ErrAbandoned)
		require.Equal(t, Books{Lost: [numLoss]uint64{LossDeadline: 1}}, only(m.ledger.Books()))
	})
}

// lastLook is a context that ends when somebody looks whether it has.
type lastLook struct {
	context.Context
	end func()
}

func (c lastLook) Err() error { c.end(); return c.Context.Err() }

// What is not written because the context has ended was never called, so it is
// not in doubt either, to the books or to the hook.
func TestFlusherLooksAtTheContextBeforeItCalls(t *testing.T) {
	m := newMill()
	f := NewFlusher[int](SinkFunc[int](nil), m.ledger, m.pool, 1)
	ctx, cancel := context.WithCancelCause(t.Context())
	failed := make(chan Failure[int], 1)
	f.deliver(lastLook{ctx, func() { m.ledger.Abandon(LossDeadline); cancel(ErrAbandoned) }}, m.batch(1, 2), failed)
	require.Equal(t, LossDeadline, lossOf((<-failed).Err))
	require.Equal(t, Books{Lost: [numLoss]uint64{LossDeadline: 2}}, only(m.ledger.Books()))
	require.Zero(t, f.Calls().Calls)
}

func TestLateSuccessChangesNothing(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m := newMill()
		gate := make(chan struct{})
		_, l := flushing(t, w, m, 1, newFakeSink(w, func(context.Context, call) error { <-gate; return nil }))
		l.send(m.batch(1, 2))
		require.Equal(t, uint64(2), m.ledger.Abandon(LossDeadline))
		close(gate)
		w.Settle()
		l.close(t)
		require.ErrorIs(t, l.failed.Values()[0].Err, ErrAbandoned)
		require.Equal(t, Books{Lost: [numLoss]uint64{LossInDoubt: 2}}, only(m.ledger.Books()))
	})
}

func TestFlusherSync(t *testing.T) {
	eachWorkers(t, func(t *testing.T, w *clocktest.World, workers int) {
		m := newMill()
		var mu sync.Mutex
		var answer error
		sink := newFakeSink(w, func(_ context.Context, c call) error {
			mu.Lock()
			defer mu.Unlock()
			if answer != nil && c.Do == "flush" && answer.Error() == "panic" {
				panic(answer)
			}
			return answer
		})
		f, l := flushing(t, w, m, workers, sink)
		for _, want := range []error{nil, io.EOF, errors.New("panic"), nil} {
			mu.Lock()
			answer = want
			mu.Unlock()
			reply := make(chan error, 1)
			f.Sync <- SyncRequest{Reply: reply}
			if want == nil {
				require.NoError(t, <-reply)
			} else {
				require.ErrorIs(t, <-reply, want)
			}
		}
		l.send(m.batch(1))
		l.close(t)
		require.Equal(t, []call{{Do: "flush"}, {Do: "flush"}, {Do: "flush"}, {Do: "flush"}, {"write", []int{1}}}, sink.calls.Values())
	})
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		f, l := flushing(t, w, newMill(), 1, SinkFunc[int](func(context.Context, []int) error { return nil }))
		reply := make(chan error, 1)
		f.Sync <- SyncRequest{Reply: reply}
		require.NoError(t, <-reply, "a sink need not have a Flush")
		l.close(t)
	})
}
