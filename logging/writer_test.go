package logging

import (
	"bytes"
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

type linesConfig = pipeline.Config[[]byte]

// copies is a sink that keeps copies of lines, as text.
type copies struct {
	mu    sync.Mutex
	lines []string
}

func (c *copies) Write(_ context.Context, lines [][]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, line := range lines {
		c.lines = append(c.lines, string(line))
	}
	return nil
}

func newLines(tb testing.TB, sink stage.Sink[[]byte], cfg linesConfig, wcfg WriterConfig) (*pipeline.Pipeline[[]byte], *Writer) {
	tb.Helper()
	p, err := pipeline.New(sink, cfg)
	require.NoError(tb, err)
	wcfg.Clock = cfg.Clock
	w, err := NewWriter(p, wcfg)
	require.NoError(tb, err)
	return p, w
}

func TestWriterRefuses(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		p, _ := newLines(t, &sinks.Discard[[]byte]{}, linesConfig{Clock: w.Clock()}, WriterConfig{})
		for field, err := range map[string]error{
			"pipeline":    second(NewWriter(nil, WriterConfig{})),
			"SyncTimeout": second(NewWriter(p, WriterConfig{SyncTimeout: -1})),
			"to":          second(NewLineWriter(nil)),
			"sink":        second(new(Buffers).Recycle(nil)),
		} {
			var ce *pipeline.ConfigError
			require.ErrorAs(t, err, &ce)
			require.Equal(t, field, ce.Field)
		}
		require.NoError(t, p.Close(t.Context()))
	})
}

// One Write is one event, copied; Sync delivers; after Close nothing is taken.
func TestWriter(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		sink := &copies{}
		p, to := newLines(t, sink, linesConfig{Clock: w.Clock(), FlushInterval: time.Hour}, WriterConfig{})
		line := []byte("one\n")
		for _, text := range []string{"one\n", "two\nlines\n", "no end", ""} {
			line = append(line[:0], text...)
			n, err := to.Write(line)
			require.NoError(t, err)
			require.Equal(t, len(text), n)
			clear(line)
		}
		require.NoError(t, to.Sync())
		require.Equal(t, []string{"one\n", "two\nlines\n", "no end"}, sink.lines)

		require.NoError(t, p.Close(t.Context()))
		n, err := to.Write([]byte("late"))
		require.ErrorIs(t, err, stage.ErrClosed)
		require.Zero(t, n)
		require.NoError(t, to.Sync(), "Close's verdict")
		s := p.Stats()
		require.EqualValues(t, 3, s.Delivered)
		require.EqualValues(t, 4, s.Offered)
		require.EqualValues(t, 1, s.Rejected.Closed)
	})
}

// A full queue is said, and nothing that was refused turns up.
func TestWriterFull(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		sink := &sinks.Memory[[]byte]{}
		sink.Hold()
		var buffers Buffers
		p, to := newLines(t, sink, linesConfig{QueueSize: 4, BatchSize: 1, Overflow: stage.DropNewest, Clock: w.Clock()}, WriterConfig{Buffers: &buffers})
		accepted := 0
		for i := range 100 {
			line := fmt.Appendf(nil, "line %d\n", i)
			n, err := to.Write(line)
			if err != nil {
				require.ErrorIs(t, err, stage.ErrFull)
				require.Zero(t, n)
				continue
			}
			accepted++
			require.Len(t, line, n)
		}
		require.Less(t, accepted, 100)
		sink.Release()
		require.NoError(t, p.Close(t.Context()))
		require.Len(t, sink.Events(), accepted)
		s := p.Stats()
		require.EqualValues(t, accepted, s.Delivered)
		require.EqualValues(t, 100-accepted, s.Rejected.Full)
	})
}

func TestWriterWaits(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		sink := &copies{}
		p, to := newLines(t, sink, linesConfig{QueueSize: 2, BatchSize: 1, Clock: w.Clock()}, WriterConfig{Wait: true})
		for i := range 1000 {
			_, err := fmt.Fprintln(to, i)
			require.NoError(t, err)
		}
		require.NoError(t, p.Close(t.Context()))
		require.Len(t, sink.lines, 1000)
		require.EqualValues(t, 1000, p.Stats().Delivered)
		_, err := to.Write([]byte("late"))
		require.ErrorIs(t, err, stage.ErrClosed)
	})
}

// Sync gives up when its time has passed on the pipeline's clock.
func TestWriterSyncTimeout(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		for timeout, want := range map[time.Duration]time.Duration{0: DefaultSyncTimeout, time.Minute: time.Minute} {
			sink := &sinks.Memory[[]byte]{FlushErr: errors.New("disk on fire")}
			sink.Hold()
			p, to := newLines(t, sink, linesConfig{Clock: w.Clock()}, WriterConfig{SyncTimeout: timeout})
			_, err := to.Write([]byte("line\n"))
			require.NoError(t, err)
			synced := clocktest.NewRecorder[error](w)
			go func() { synced.Add(to.Sync()) }()
			w.Advance(want - 1)
			require.Empty(t, synced.Values())
			w.Advance(1)
			require.ErrorIs(t, synced.Values()[0], context.DeadlineExceeded)

			sink.Release()
			require.ErrorIs(t, to.Sync(), sink.FlushErr)
			require.Error(t, p.Close(t.Context()))
			require.Len(t, sink.Events(), 1)
			require.EqualValues(t, 1, p.Stats().Delivered)
		}
	})
}

func TestAppendLine(t *testing.T) {
	for line, want := range map[string]string{"a\n": "a\n", "a": "a\n", "": "\n", "a\nb": "a\nb\n"} {
		got, err := AppendLine([]byte("x"), []byte(line))
		require.NoError(t, err)
		require.Equal(t, "x"+want, string(got))
	}
}

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

func TestLineWriter(t *testing.T) {
	var out chunks
	l, err := NewLineWriter(&out)
	require.NoError(t, err)
	write := func(text string) {
		t.Helper()
		n, err := l.Write([]byte(text))
		require.NoError(t, err)
		require.Equal(t, len(text), n)
	}
	write("a\nb")
	write("")
	write("c")
	require.Equal(t, chunks{"a\n"}, out)
	write("d\n\ne\nf")
	require.Equal(t, chunks{"a\n", "bcd\n", "\n", "e\n"}, out)
	require.NoError(t, l.Close())
	require.NoError(t, l.Close())
	require.Equal(t, "f", out[4])
	write("g\n")
	require.NoError(t, l.Sync())
	require.Equal(t, "g\n", out[5])
	require.Len(t, out, 6)
}

// chunks keeps what each Write was given.
type chunks []string

func (c *chunks) Write(p []byte) (int, error) {
	*c = append(*c, string(p))
	return len(p), nil
}

// However a stream is cut, its lines come out, none longer than the bound.
func TestLineWriterCuts(t *testing.T) {
	var stream bytes.Buffer
	for i := range 60 {
		stream.WriteString(strings.Repeat("x", i*i*100%(3*maxLine)))
		stream.WriteByte('\n')
	}
	stream.WriteString("the end")
	clocktest.Explore(t, 5, func(t *testing.T, w *clocktest.World) {
		r := w.Rand("cuts")
		var out chunks
		l, err := NewLineWriter(&out)
		require.NoError(t, err)
		for rest := stream.Bytes(); len(rest) > 0; {
			n := 1 + r.IntN(min(len(rest), 2*maxLine))
			written, err := l.Write(rest[:n])
			require.NoError(t, err)
			require.Equal(t, n, written)
			rest = rest[n:]
		}
		require.NoError(t, l.Sync())
		require.Equal(t, stream.String(), strings.Join(out, ""))
		for i, line := range out[:len(out)-1] {
			require.True(t, strings.HasSuffix(line, "\n") || len(line) == maxLine, "chunk %d", i)
			require.LessOrEqual(t, strings.Count(line, "\n"), 1)
		}
	})
}

// What is refused is not counted as written, and can be written again.
func TestLineWriterRefused(t *testing.T) {
	var out chunks
	full := errors.New("full")
	refuse := false
	l, err := NewLineWriter(writerFunc(func(p []byte) (int, error) {
		if refuse {
			return 0, full
		}
		return out.Write(p)
	}))
	require.NoError(t, err)
	_, err = l.Write([]byte("a"))
	require.NoError(t, err)
	refuse = true
	n, err := l.Write([]byte("b\nc\n"))
	require.ErrorIs(t, err, full)
	require.Zero(t, n)
	require.ErrorIs(t, l.Close(), full)
	require.ErrorIs(t, l.Sync(), full)
	refuse = false
	n, err = l.Write([]byte("b\nc\n"))
	require.NoError(t, err)
	require.Equal(t, 4, n)
	refuse = true
	n, err = l.Write([]byte("d\n"))
	require.ErrorIs(t, err, full)
	require.Zero(t, n)
	refuse = false
	require.NoError(t, l.Sync())
	require.Equal(t, chunks{"ab\n", "c\n"}, out)
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A LineWriter's Sync reaches the pipeline.
func TestLineWriterOnPipeline(t *testing.T) {
	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		sink := &copies{}
		p, to := newLines(t, sink, linesConfig{Clock: w.Clock(), FlushInterval: time.Hour}, WriterConfig{})
		l, err := NewLineWriter(to)
		require.NoError(t, err)
		_, err = fmt.Fprint(l, "a\nb")
		require.NoError(t, err)
		require.NoError(t, l.Sync())
		require.Equal(t, []string{"a\n", "b"}, sink.lines)
		require.NoError(t, p.Close(t.Context()))
		require.EqualValues(t, 2, p.Stats().Delivered)
	})
}

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
