package logging

import (
	"context"
	"errors"
	"fmt"
	"sync"
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
