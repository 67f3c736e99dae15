package stage

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/penstock-go/penstock/clockutil/clocktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The line is made of stages, the sinks of the tests are sinks.
var (
	_ Stage[int]       = (*Enqueue[int])(nil)
	_ Stage[int]       = (*Batcher[int])(nil)
	_ Stage[int]       = (*Flusher[int])(nil)
	_ Stage[int]       = (*mapStage[int])(nil)
	_ Sink[int]        = SinkFunc[int](nil)
	_ Sink[int]        = (*fakeSink)(nil)
	_ FailureSink[int] = (*graveSink)(nil)
	_ error            = (*PartialError)(nil)
	_ error            = (*PanicError)(nil)
)

// count is the numbers from, from+1, … up to and including to.
func count(from, to int) []int {
	numbers := []int{}
	for i := from; i <= to; i++ {
		numbers = append(numbers, i)
	}
	return numbers
}

// mill makes chunks as they come out of the intake, and admits their events to
// the ledger. An event's value is its size in bytes too.
type mill struct {
	ledger *Ledger
	pool   *Buffers[int]
	at     uint64 // events milled
}

func (m *mill) chunk(events ...int) Batch[int] {
	b := m.pool.get()
	b.n = copy(b.events, events)
	for i := range b.sizes[:min(b.n, len(b.sizes))] {
		b.sizes[i] = int64(events[i])
	}
	m.ledger.admit(b.n, m.at)
	span := Span{From: m.at, Through: m.at + uint64(b.n)}
	m.at = span.Through
	return Batch[int]{Events: b.events[:b.n], chunk: true, span: span, buf: b}
}

// flush is the batch that announces a flush mark behind everything milled.
func (m *mill) flush() Batch[int] {
	return Batch[int]{Trigger: ByFlush, chunk: true, span: Span{From: m.at, Through: m.at}}
}

// batch is a batch with a receipt.
func (m *mill) batch(events ...int) Batch[int] {
	b := m.chunk(events...)
	b.Trigger = BySize
	var bytes int64
	for _, ev := range events {
		bytes += int64(ev)
	}
	b.receipt, b.chunk = m.ledger.Issue(len(events), bytes, b.span, b.Trigger), false
	return b
}

func newMill() *mill { return &mill{ledger: &Ledger{}, pool: NewBuffers[int](16, 4, true)} }

// line is a stage between hand-made channels, and what came out of it.
type line struct {
	w      *clocktest.World
	in     chan Batch[int]
	out    *clocktest.Recorder[Batch[int]]
	failed *clocktest.Recorder[Failure[int]]
	ended  *clocktest.Recorder[error]
}

// startLine runs s in a goroutine until in is closed, or Run ends otherwise.
func startLine(ctx context.Context, w *clocktest.World, s Stage[int]) *line {
	l := &line{
		w:      w,
		in:     make(chan Batch[int], 16),
		out:    clocktest.NewRecorder[Batch[int]](w),
		failed: clocktest.NewRecorder[Failure[int]](w),
		ended:  clocktest.NewRecorder[error](w),
	}
	out, failed := make(chan Batch[int], 2), make(chan Failure[int], 2)
	go func() {
		for b := range out {
			l.out.Add(b)
		}
	}()
	go func() {
		for f := range failed {
			l.failed.Add(f)
		}
	}()
	go func() {
		defer close(failed)
		defer close(out)
		l.ended.Add(s.Run(ctx, Ports[int]{In: l.in, Out: out, Failed: failed}))
	}()
	return l
}

// send hands b over and lets everything happen that can happen now.
func (l *line) send(batches ...Batch[int]) {
	for _, b := range batches {
		l.in <- b
	}
	l.w.Settle()
}

// close ends the line, which must end at once and without an error.
func (l *line) close(t *testing.T) {
	t.Helper()
	close(l.in)
	l.w.Settle()
	require.Equal(t, []error{nil}, l.ended.Values())
}

// cutAt is what is to be known of a batch that left a stage.
type cutAt struct {
	Events  []int
	Trigger Trigger
	At      time.Duration
}

// cuts are the batches that came out, in order.
func (l *line) cuts() []cutAt {
	cuts := []cutAt{}
	at := l.out.Times()
	for i, b := range l.out.Values() {
		cuts = append(cuts, cutAt{append([]int{}, b.Events...), b.Trigger, at[i]})
	}
	return cuts
}

// onClock is a context of a pipeline on w's clock.
func onClock(t *testing.T, w *clocktest.World) context.Context {
	return WithScope(t.Context(), Scope{Clock: w.Clock()})
}

// call is one call of a sink.
type call struct {
	Do     string // write, flush, or failure
	Events []int
}

// fakeSink notes its calls and does what do says; a nil do accepts.
type fakeSink struct {
	calls *clocktest.Recorder[call]
	do    func(ctx context.Context, c call) error
}

func newFakeSink(w *clocktest.World, do func(ctx context.Context, c call) error) *fakeSink {
	return &fakeSink{calls: clocktest.NewRecorder[call](w), do: do}
}

func (s *fakeSink) act(ctx context.Context, c call) error {
	c.Events = slices.Clone(c.Events)
	s.calls.Add(c)
	if s.do == nil {
		return nil
	}
	return s.do(ctx, c)
}

func (s *fakeSink) Name() string { return "fake" }

func (s *fakeSink) Write(ctx context.Context, events []int) error {
	return s.act(ctx, call{"write", events})
}

func (s *fakeSink) Flush(ctx context.Context) error { return s.act(ctx, call{Do: "flush"}) }

// graveSink is a fakeSink that wants failures.
type graveSink struct {
	fakeSink
	failures *clocktest.Recorder[Failure[int]]
}

func newGraveSink(w *clocktest.World, do func(ctx context.Context, c call) error) *graveSink {
	return &graveSink{*newFakeSink(w, do), clocktest.NewRecorder[Failure[int]](w)}
}

func (s *graveSink) WriteFailure(ctx context.Context, f Failure[int]) error {
	s.failures.Add(f)
	return s.act(ctx, call{"failure", f.Events})
}

// fails is a sink's behaviour.
func fails(err error) func(context.Context, call) error {
	return func(context.Context, call) error { return err }
}

// goexits is a sink's behaviour.
func goexits(context.Context, call) error {
	runtime.Goexit()
	return nil
}

// only keeps the figures of b that a test of outcomes is about.
func only(b Books) Books {
	b.Batches, b.Batched = [numTrigger]uint64{}, [numTrigger]uint64{}
	return b
}
