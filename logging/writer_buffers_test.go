package logging

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

// Many write while buffers go round, batches fail, and the queue overflows:
// whatever is delivered is whole, and in its writer's order.
func TestBuffersGoRound(t *testing.T) {
	clocktest.ExploreBoth(t, 10, func(t *testing.T, w *clocktest.World) {
		r := w.Rand("workers")
		got := &copies{}
		workers := 1 + r.IntN(2)*2
		var calls atomic.Int32
		sink := stage.SinkFunc[[]byte](func(ctx context.Context, lines [][]byte) error {
			switch call := calls.Add(1); {
			case call%7 == 0:
				return errors.New("down")
			case call%5 == 0 && len(lines) > 1:
				_ = got.Write(ctx, lines[1:])
				return &stage.PartialError{Failed: []int{0}}
			case call%3 == 0:
				w.Clock().Sleep(time.Millisecond)
			}
			return got.Write(ctx, lines)
		})
		var buffers Buffers
		recycled, err := buffers.Recycle(sink)
		require.NoError(t, err)
		var hooked sync.Map // failed lines, as the hook saw them
		p, to := newLines(t, recycled, linesConfig{
			QueueSize: 64, BatchSize: 8, Clock: w.Clock(), Workers: workers,
			OnFailure: func(_ context.Context, f stage.Failure[[]byte]) {
				for _, line := range f.Events {
					hooked.Store(string(line), true)
				}
			},
		}, WriterConfig{Buffers: &buffers})
		const writers, each = 4, 100
		var wg sync.WaitGroup
		for g := range writers {
			jitter := w.Rand(fmt.Sprint("writer ", g))
			wg.Go(func() {
				for i := range each {
					if _, err := fmt.Fprintf(to, "%d %d %s\n", g, i, strings.Repeat("x", jitter.IntN(50))); err != nil {
						t.Error(err)
					}
					if jitter.IntN(20) == 0 {
						w.Clock().Sleep(clocktest.Jitter(jitter, time.Millisecond))
					}
				}
			})
		}
		done := clocktest.NewRecorder[bool](w)
		go func() { wg.Wait(); done.Add(true) }()
		for len(done.Values()) == 0 {
			w.Advance(time.Millisecond)
		}
		closed := clocktest.NewRecorder[error](w)
		go func() { closed.Add(p.Close(t.Context())) }()
		for len(closed.Values()) == 0 {
			w.Advance(time.Millisecond)
		}
		seen := map[string]bool{}
		for _, line := range got.lines {
			require.False(t, seen[line], "%q came twice", line)
			seen[line] = true
			requireWritten(t, line)
		}
		failed := 0
		hooked.Range(func(line, _ any) bool {
			requireWritten(t, line.(string))
			failed++
			return true
		})
		s := p.Stats()
		require.EqualValues(t, writers*each, s.Accepted)
		require.EqualValues(t, len(got.lines), s.Delivered)
		require.EqualValues(t, failed, s.Lost.Failed)
		require.Equal(t, s.Accepted, s.Delivered+s.Lost.Total()+s.Evicted.Total())
	})
}

// A sink that comes back after Close has given up is too late for its buffers:
// the hook is still to read them.
func TestBuffersInDoubt(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		stuck := make(chan struct{})
		var buffers Buffers
		recycled, err := buffers.Recycle(stage.SinkFunc[[]byte](func(context.Context, [][]byte) error {
			<-stuck
			return nil
		}))
		require.NoError(t, err)
		reported := clocktest.NewRecorder[string](w)
		p, to := newLines(t, recycled, linesConfig{
			BatchSize: 1, Clock: w.Clock(),
			OnFailure: func(_ context.Context, f stage.Failure[[]byte]) {
				for _, line := range f.Events {
					reported.Add(string(line))
				}
			},
		}, WriterConfig{Buffers: &buffers})
		for _, line := range []string{"one\n", "two\n"} {
			_, err := to.Write([]byte(line))
			require.NoError(t, err)
		}
		ctx, cancel := w.WithTimeout(t.Context(), time.Second)
		defer cancel()
		verdict := clocktest.NewRecorder[error](w)
		go func() { verdict.Add(p.Close(ctx)) }()
		w.Advance(time.Second)
		var loss *pipeline.LossError
		require.ErrorAs(t, verdict.Values()[0], &loss)
		require.EqualValues(t, 2, loss.Lost)

		close(stuck)
		for range 100 {
			_, err := to.Write([]byte("LATE\n"))
			require.ErrorIs(t, err, stage.ErrClosed)
		}
		w.Settle()
		require.ElementsMatch(t, []string{"one\n", "two\n"}, reported.Values())
		s := p.Stats()
		require.EqualValues(t, 2, s.Lost.Total())
		require.EqualValues(t, 100, s.Rejected.Closed)
	})
}

// requireWritten checks that line is one that a writer of the test above has
// written.
func requireWritten(t *testing.T, line string) {
	t.Helper()
	var g, i int
	n, err := fmt.Sscanf(line, "%d %d", &g, &i)
	require.NoError(t, err, "%q", line)
	require.Equal(t, 2, n)
	rest := strings.TrimPrefix(line, fmt.Sprintf("%d %d ", g, i))
	require.Empty(t, strings.Trim(strings.TrimSuffix(rest, "\n"), "x"), "%q", line)
	require.Equal(t, 1, strings.Count(line, "\n"), "%q", line)
}

// A buffer comes back when its worker begins the next batch, and if the batch
// was delivered.
func TestRecycle(t *testing.T) {
	var buffers Buffers
	var fail error
	sink, err := buffers.Recycle(stage.SinkFunc[[]byte](func(context.Context, [][]byte) error { return fail }))
	require.NoError(t, err)
	type key struct{}
	one, other := t.Context(), context.WithValue(t.Context(), key{}, 1)
	batch := func() [][]byte { return [][]byte{make([]byte, 3, 16), make([]byte, 5, 16)} }

	require.NoError(t, sink.Write(one, batch()))
	require.Empty(t, buffers.free, "not settled yet")
	require.NoError(t, sink.Write(one, batch()))
	require.Len(t, buffers.free, 2)
	require.Empty(t, buffers.get())
	require.Len(t, buffers.free, 1)

	require.NoError(t, sink.Write(other, batch()))
	require.Len(t, buffers.free, 1, "another worker's is not touched")
	fail = errors.New("down")
	require.Error(t, sink.Write(other, batch()))
	require.Len(t, buffers.free, 3)
	require.Error(t, sink.Write(other, batch()))
	require.Len(t, buffers.free, 3, "what failed is not given back")
	require.Equal(t, 3*16, buffers.idle)

	buffers.put([][]byte{make([]byte, 0, maxBuffer+1), nil})
	require.Len(t, buffers.free, 3)
	for range 2 * maxIdle / maxBuffer {
		buffers.put([][]byte{make([]byte, 0, maxBuffer)})
	}
	require.LessOrEqual(t, buffers.idle, maxIdle)

	var none *Buffers
	none.put(batch())
	require.Nil(t, none.get())
}

func TestRecyclePassesOn(t *testing.T) {
	var buffers Buffers
	inner := &sinks.Memory[[]byte]{FlushErr: errors.New("flush"), CloseErr: errors.New("close")}
	sink, err := buffers.Recycle(inner)
	require.NoError(t, err)
	require.ErrorIs(t, stage.FlushSink(t.Context(), sink), inner.FlushErr)
	require.NoError(t, stage.WriteFailure(t.Context(), sink, stage.Failure[[]byte]{Events: [][]byte{{1}}}))
	require.Len(t, inner.Failures(), 1)
	require.ErrorIs(t, stage.CloseSink(sink), inner.CloseErr)
	require.Equal(t, stage.NameOf(stage.Sink[[]byte](inner)), stage.NameOf(sink))

	var report stage.SinkReport
	sink, err = buffers.Recycle(reporting{inner})
	require.NoError(t, err)
	stage.ReportSink(sink, &report)
	require.EqualValues(t, 7, report.Bytes)
}

type reporting struct{ stage.Sink[[]byte] }

func (reporting) Report(r *stage.SinkReport) { r.Bytes += 7 }

// Round and round, nothing is allocated for a line.
func BenchmarkWriter(b *testing.B) {
	line := []byte(strings.Repeat("x", 180) + "\n")
	for name, buffers := range map[string]*Buffers{"recycled": {}, "allocated": nil} {
		b.Run(name, func(b *testing.B) {
			var sink stage.Sink[[]byte] = &sinks.Discard[[]byte]{}
			if buffers != nil {
				sink, _ = buffers.Recycle(sink)
			}
			p, to := newLines(b, sink, linesConfig{}, WriterConfig{Buffers: buffers, Wait: true})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := to.Write(line); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, p.Close(context.Background()))
			require.EqualValues(b, b.N, p.Stats().Delivered)
		})
	}
}
