package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/logging"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/sinks"
	"github.com/penstock-go/penstock/stage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a pipeline of lines that ends in a buffer.
type house struct {
	p   *pipeline.Pipeline[[]byte]
	w   *logging.Writer
	out bytes.Buffer
}

func newHouse(t *testing.T, w *clocktest.World) *house {
	t.Helper()
	h := &house{}
	sink, err := sinks.NewWriter(&h.out, logging.AppendLine)
	require.NoError(t, err)
	var buffers logging.Buffers
	recycled, err := buffers.Recycle(sink)
	require.NoError(t, err)
	h.p, err = pipeline.New(recycled, pipeline.Config[[]byte]{Clock: w.Clock(), BatchSize: 16, FlushInterval: time.Hour})
	require.NoError(t, err)
	h.w, err = logging.NewWriter(h.p, logging.WriterConfig{Buffers: &buffers, Clock: w.Clock()})
	require.NoError(t, err)
	return h
}

const writers, each = 4, 300

// logAll calls log from many goroutines at once.
func logAll(log func(writer, seq int)) {
	var wg sync.WaitGroup
	for g := range writers {
		wg.Go(func() {
			for i := range each {
				log(g, i)
			}
		})
	}
	wg.Wait()
}

// requireAll checks that every line is whole, and those of each writer are in
// order and complete. read finds the writer and the number in a line.
func (h *house) requireAll(t *testing.T, read func(line string) (writer, seq int)) {
	t.Helper()
	next := map[int]int{}
	text, whole := strings.CutSuffix(h.out.String(), "\n")
	require.True(t, whole)
	for line := range strings.SplitSeq(text, "\n") {
		g, i := read(line)
		require.Equal(t, next[g], i, "%q", line)
		next[g]++
	}
	require.Len(t, next, writers)
	for g := range writers {
		require.Equal(t, each, next[g])
	}
	s := h.p.Stats()
	require.EqualValues(t, writers*each, s.Delivered)
	require.Equal(t, s.Offered, s.Delivered)
}

// requireClosed closes the house, after which writing is an error.
func (h *house) requireClosed(t *testing.T) {
	t.Helper()
	require.NoError(t, h.p.Close(t.Context()))
	before := h.out.Len()
	_, err := h.w.Write([]byte("late\n"))
	require.ErrorIs(t, err, stage.ErrClosed)
	require.Equal(t, before, h.out.Len())
	require.NoError(t, h.w.Sync())
}

// fromJSON reads the fields writer and seq.
func fromJSON(t *testing.T) func(line string) (int, int) {
	return func(line string) (int, int) {
		var fields struct{ Writer, Seq *int }
		require.NoError(t, json.Unmarshal([]byte(line), &fields), "%q", line)
		require.NotNil(t, fields.Writer, line)
		require.NotNil(t, fields.Seq, line)
		return *fields.Writer, *fields.Seq
	}
}

// fromText reads the two numbers that end a line.
func fromText(t *testing.T) func(line string) (writer, seq int) {
	return func(line string) (writer, seq int) {
		at := strings.LastIndex(line, "at ")
		require.GreaterOrEqual(t, at, 0, line)
		n, err := fmt.Sscanf(line[at:], "at %d %d", &writer, &seq)
		require.NoError(t, err, "%q", line)
		require.Equal(t, 2, n)
		return writer, seq
	}
}

// stuck is a sink that holds every Write until it is released or the pipeline
// ends.
func stuck(t *testing.T, w *clocktest.World, timeout time.Duration) (*sinks.Memory[[]byte], *pipeline.Pipeline[[]byte], *logging.Writer) {
	t.Helper()
	sink := &sinks.Memory[[]byte]{}
	sink.Hold()
	p, err := pipeline.New(sink, pipeline.Config[[]byte]{Clock: w.Clock(), QueueSize: 2, BatchSize: 1, Overflow: stage.DropNewest})
	require.NoError(t, err)
	to, err := logging.NewWriter(p, logging.WriterConfig{SyncTimeout: timeout, Clock: w.Clock()})
	require.NoError(t, err)
	return sink, p, to
}

// release lets the sink go and closes the pipeline, which delivers the rest.
func release(ctx context.Context, t *testing.T, sink *sinks.Memory[[]byte], p *pipeline.Pipeline[[]byte]) {
	t.Helper()
	sink.Release()
	require.NoError(t, p.Close(ctx))
	s := p.Stats()
	require.EqualValues(t, len(sink.Events()), s.Delivered)
	require.Equal(t, s.Accepted, s.Delivered)
}
