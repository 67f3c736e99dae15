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

// lasting is a sink's behaviour: it takes as many milliseconds as its first
// event says, and then does what do says.
func lasting(do func(ctx context.Context, c call) error) func(context.Context, call) error {
	return func(ctx context.Context, c call) error {
		if c.Do != "flush" {
			Clock(ctx).Sleep(time.Duration(c.Events[0]) * time.Millisecond)
		}
		return do(ctx, c)
	}
}

// byEvent fails as the last event says.
func byEvent(ctx context.Context, c call) error {
	switch c.Events[len(c.Events)-1] {
	case 0:
		return nil
	case 1:
		return io.EOF
	case 2:
		return &PartialError{Failed: []int{1}, Err: io.EOF}
	case 3:
		panic("boom")
	case 4:
		return goexits(ctx, c)
	}
	return errors.Join(io.EOF, &PanicError{Value: "of a branch"})
}

// counted are the figures of calls that lasted as long as given, which check
// holds against what a histogram made of them.
func counted(t *testing.T, want SinkCalls, got SinkCalls, took ...time.Duration) {
	t.Helper()
	check(t, truth(took), got.Latency)
	got.Latency = Quantiles{}
	require.Equal(t, want, got)
}

func TestFlusherCountsCalls(t *testing.T) {
	eachWorkers(t, func(t *testing.T, w *clocktest.World, workers int) {
		m := newMill()
		f, l := flushing(t, w, m, max(workers, 2), newFakeSink(w, lasting(byEvent)))
		require.Equal(t, SinkCalls{Name: "fake"}, f.Calls())
		l.send(m.batch(), m.batch(10, 0, 0))
		require.Equal(t, SinkCalls{Name: "fake", Calls: 1}, f.Calls(), "an empty batch makes no call")
		w.Advance(10 * time.Millisecond)
		counted(t, SinkCalls{Name: "fake", Calls: 1, Events: 3}, f.Calls(), 10*time.Millisecond)
		for _, kind := range []int{1, 2, 3, 4, 5, 0} {
			l.send(m.batch(20, 7, kind))
			w.Advance(20 * time.Millisecond)
		}
		took := []time.Duration{10 * time.Millisecond}
		for range 6 {
			took = append(took, 20*time.Millisecond)
		}
		want := SinkCalls{Name: "fake", Calls: 7, Failed: 5, Panics: 3, Events: 3 + 2 + 3, FailedEvents: 4*3 + 1}
		counted(t, want, f.Calls(), took...)
		require.Zero(t, f.Ages(), "of no batch it is known when its events came")
		l.close(t)
	})
}

func TestFlusherTellsAges(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		m := newMill()
		f, l := flushing(t, w, m, 1, newFakeSink(w, lasting(byEvent)))
		born := w.Clock().Now()
		w.Advance(time.Second)
		for _, kind := range []int{0, 1, 2} { // delivered, failed, delivered in part
			b := m.batch(100, 7, kind)
			b.born = born
			l.send(b)
			w.Advance(100 * time.Millisecond)
		}
		check(t, truth([]time.Duration{1100 * time.Millisecond, 1300 * time.Millisecond}), f.Ages())
		l.close(t)
	})
}

// A call that Close has given up changes no figure when it returns after all.
func TestCallsGivenUpAreNotCounted(t *testing.T) {
	eachWorkers(t, func(t *testing.T, w *clocktest.World, workers int) {
		for _, kind := range []int{0, 1, 2, 3} {
			m := newMill()
			f, l := flushing(t, w, m, workers, newFakeSink(w, lasting(byEvent)))
			l.send(m.batch(5, 7, kind))
			m.ledger.Abandon(LossDeadline)
			w.Advance(time.Second)
			l.close(t)
			require.Equal(t, SinkCalls{Name: "fake", Calls: 1}, f.Calls())
		}
	})
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m, sink := newMill(), newFakeSink(w, lasting(byEvent))
		r := NewErrorRouter([]Route[int]{{To: sink}}, m.ledger, nil)
		b := m.batch(5, 7, 0)
		failed := make(chan Failure[int], 1)
		failed <- Failure[int]{Events: b.Events, Err: io.EOF, receipt: b.receipt}
		close(failed)
		ended := make(chan error, 1)
		go func() { ended <- r.Run(onClock(t, w), failed) }()
		w.Settle()
		m.ledger.Abandon(LossDeadline)
		w.Advance(time.Second)
		require.NoError(t, <-ended)
		require.Equal(t, SinkCalls{Name: "fake", Calls: 1}, r.Calls(0))
	})
}

func TestRouterCountsCalls(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		m := newMill()
		first, second := newFakeSink(w, lasting(byEvent)), newGraveSink(w, nil)
		r := NewErrorRouter([]Route[int]{{To: first}, {To: second}}, m.ledger, nil)
		failed := make(chan Failure[int], 1)
		ended := make(chan error, 1)
		ctx, watch := Watched(onClock(t, w))
		run := func() { // another takes over when a Goexit has ended one
			defer func() {
				if watch.Exited() {
					ended <- r.Run(ctx, failed)
				}
			}()
			ended <- r.Run(ctx, failed)
		}
		go run()
		for _, kind := range []int{0, 1, 2, 3, 4, 5} {
			b := m.batch(20, 7, kind)
			failed <- Failure[int]{Events: b.Events, Err: io.EOF, receipt: b.receipt}
			w.Advance(20 * time.Millisecond)
		}
		close(failed)
		require.NoError(t, <-ended)
		took := make([]time.Duration, 6)
		for i := range took {
			took[i] = 20 * time.Millisecond
		}
		counted(t, SinkCalls{Name: "fake", Calls: 6, Failed: 5, Panics: 3, Events: 3 + 2, FailedEvents: 4*3 + 1}, r.Calls(0), took...)
		counted(t, SinkCalls{Name: "fake", Calls: 5, Events: 4*3 + 1}, r.Calls(1), make([]time.Duration, 5)...)
		require.Equal(t, Books{Rerouted: 18}, only(m.ledger.Books()))
	})
}

func TestMeteringDoesNotAllocate(t *testing.T) {
	var m meter
	require.Zero(t, testing.AllocsPerRun(1000, func() { m.begin(); m.end(time.Millisecond, 3, 0, worked) }))
	require.EqualValues(t, 1001, m.read("").Calls)
}
