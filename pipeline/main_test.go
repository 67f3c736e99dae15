package pipeline_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// What every test here speaks of.
type (
	Event  = oracle.Event
	Stats  = pipeline.Stats
	config = pipeline.Config[Event]
)

// ev is the event number seq, from 1, of a producer.
func ev(producer, seq int) Event { return Event{Producer: producer, Seq: seq} }

// run is the events from up to and including to of a producer.
func run(producer, from, to int) []Event {
	events := make([]Event, 0, to-from+1)
	for seq := from; seq <= to; seq++ {
		events = append(events, ev(producer, seq))
	}
	return events
}

// seqs are the sequence numbers of events, in their order.
func seqs(events []Event) []int {
	numbers := make([]int, 0, len(events))
	for _, e := range events {
		numbers = append(numbers, e.Seq)
	}
	return numbers
}

// count is the numbers from, from+1, … up to and including to.
func count(from, to int) []int { return seqs(run(0, from, to)) }

// house is a pipeline in a bubble, with a second set of books.
type house struct {
	w   *clocktest.World
	o   *oracle.Oracle
	p   *pipeline.Pipeline[Event]
	tap *tap // the sink, if it is one
}

// newHouse starts a pipeline on w's clock, unless cfg has another, wired to an
// oracle. A nil sink stands for a new tap.
func newHouse(t *testing.T, w *clocktest.World, cfg config, sink stage.Sink[Event]) *house {
	t.Helper()
	h, err := build(w, cfg, sink)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() { // no bubble can end with a pipeline in it
			if h.tap != nil {
				h.tap.release()
			}
			_ = h.p.Close(t.Context())
		}
	})
	return h
}

// build is newHouse for those who do not fail a test themselves.
func build(w *clocktest.World, cfg config, sink stage.Sink[Event]) (*house, error) {
	if cfg.Clock == nil {
		cfg.Clock = w.Clock()
	}
	if sink == nil {
		sink = newTap(w)
	}
	o := oracle.New()
	o.Unordered = cfg.Workers > 1
	for _, st := range cfg.Stages {
		if st, ok := st.(*sieve); ok {
			st.o = o
		}
	}
	p, err := pipeline.New(o.Sink(sink), o.Wire(cfg))
	if err != nil {
		return nil, err
	}
	h := &house{w: w, o: o, p: p}
	h.tap, _ = sink.(*tap)
	return h, nil
}

// enqueue offers one event.
func (h *house) enqueue(e Event) error { return h.o.Enqueue(h.p, e) }

// offer offers events of which none is refused.
func (h *house) offer(t *testing.T, events ...Event) {
	t.Helper()
	for _, e := range events {
		require.NoError(t, h.enqueue(e))
	}
}

// wait starts an EnqueueWait and returns where its outcome will be.
func (h *house) wait(ctx context.Context, e Event) *clocktest.Recorder[error] {
	return h.start(func() error { return h.o.EnqueueWait(ctx, h.p, e) })
}

// start runs call in a goroutine and returns where its outcome will be.
func (h *house) start(call func() error) *clocktest.Recorder[error] {
	outcome := clocktest.NewRecorder[error](h.w)
	go func() { outcome.Add(call()) }()
	return outcome
}

// settle lets everything happen that can happen now, and returns the books
// after holding them against the oracle's. While calls wait, which the oracle
// cannot tell from events on their way, only the sums are checked.
func (h *house) settle(t *testing.T) Stats {
	t.Helper()
	h.w.Settle()
	s := h.p.Stats()
	if s.Waiting > 0 {
		require.Empty(t, oracle.Identities(s))
	} else {
		h.o.Check(t, s)
	}
	return s
}

// flush is a Flush that must end, with the result returned, before time moves.
func (h *house) flush(t *testing.T) error {
	t.Helper()
	return h.atOnce(t, h.p.Flush)
}

// close closes the pipeline, which must succeed before time moves, and holds
// the last books against the oracle's.
func (h *house) close(t *testing.T) {
	t.Helper()
	require.NoError(t, h.atOnce(t, h.p.Close))
	h.closed(t)
}

// atOnce makes a call that must end before time moves. The call gets a minute,
// so that one that does not is not a deadlock.
func (h *house) atOnce(t *testing.T, call func(context.Context) error) error {
	t.Helper()
	ctx, cancel := h.w.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	outcome := h.start(func() error { return call(ctx) })
	h.w.Settle()
	if outcome.Len() == 0 {
		h.w.Advance(time.Minute)
		t.Errorf("the call took until %v after the start: %v", outcome.Times(), outcome.Values())
	}
	require.Equal(t, 1, outcome.Len(), "the call has outlived its deadline")
	return outcome.Values()[0]
}

// closeWithin closes with a deadline d from now, lets d pass, and returns how
// long it took, and the verdict.
func (h *house) closeWithin(t *testing.T, d time.Duration) (took time.Duration, err error) {
	t.Helper()
	ctx, cancel := h.w.WithTimeout(t.Context(), d)
	defer cancel()
	begin := h.w.Elapsed()
	outcome := h.start(func() error { return h.p.Close(ctx) })
	h.w.Advance(d)
	require.Equal(t, 1, outcome.Len(), "Close has outlived its deadline")
	return outcome.Times()[0] - begin, outcome.Values()[0]
}

// closed holds the books of a closed pipeline against the oracle's.
func (h *house) closed(t *testing.T) Stats {
	t.Helper()
	h.w.Settle()
	s := h.p.Stats()
	h.o.CheckClosed(t, s)
	return s
}

// tap is a sink that notes what it is given and when, can be held, and does
// what its script says. It is made inside the bubble it is used in.
type tap struct {
	calls   *clocktest.Recorder[[]Event] // of Write, as they begin
	returns *clocktest.Recorder[error]   // of Write, as they end
	flushes *clocktest.Recorder[int]     // of Flush, with the number of Writes so far
	closes  *clocktest.Recorder[int]     // of Close, likewise

	// stubborn makes a held call ignore its context. Set before the first.
	stubborn bool

	mu     sync.Mutex
	gate   chan struct{} // what calls wait for; nil: nothing
	script []answer
	inside int
	most   int // calls of any method at one time
}

// answer is what one call of a tap's Write does, once it is let through.
type answer func(ctx context.Context, events []Event) error

// fails is an answer.
func fails(err error) answer {
	return func(context.Context, []Event) error { return err }
}

// accepts is an answer.
func accepts(context.Context, []Event) error { return nil }

func newTap(w *clocktest.World) *tap {
	return &tap{
		calls:   clocktest.NewRecorder[[]Event](w),
		returns: clocktest.NewRecorder[error](w),
		flushes: clocktest.NewRecorder[int](w),
		closes:  clocktest.NewRecorder[int](w),
	}
}

func (s *tap) Name() string { return "tap" }

// then appends to the script. Without one, and after its end, a tap accepts.
func (s *tap) then(answers ...answer) *tap {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = append(s.script, answers...)
	return s
}

// hold keeps this tap's calls of Write from returning, from the next on.
func (s *tap) hold() *tap {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gate == nil {
		s.gate = make(chan struct{})
	}
	return s
}

// step lets one call through, and waits for it if there is none.
func (s *tap) step() {
	s.mu.Lock()
	gate := s.gate
	s.mu.Unlock()
	gate <- struct{}{}
}

// tryStep lets one call through, if there is one.
func (s *tap) tryStep() {
	s.mu.Lock()
	gate := s.gate
	s.mu.Unlock()
	select {
	case gate <- struct{}{}:
	default:
	}
}

// release lets all calls through.
func (s *tap) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gate != nil {
		close(s.gate)
		s.gate = nil
	}
}

func (s *tap) Write(ctx context.Context, events []Event) (err error) {
	s.calls.Add(slices.Clone(events))
	gate, act := s.enter()
	defer func() {
		s.leave()
		s.returns.Add(err)
	}()
	if gate != nil {
		over := ctx.Done()
		if s.stubborn {
			over = nil
		}
		select {
		case <-gate:
		case <-over:
			return context.Cause(ctx)
		}
	}
	return act(ctx, events)
}

func (s *tap) Flush(context.Context) error {
	s.enter()
	defer s.leave()
	s.flushes.Add(s.calls.Len())
	return nil
}

func (s *tap) Close() error {
	s.enter()
	defer s.leave()
	s.closes.Add(s.calls.Len())
	return nil
}

// enter notes that a call begins. Only Write takes its answer from the script.
func (s *tap) enter() (gate chan struct{}, act answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inside++
	s.most = max(s.most, s.inside)
	return s.gate, s.next
}

// next is the answer that asks the script.
func (s *tap) next(ctx context.Context, events []Event) error {
	s.mu.Lock()
	act := answer(accepts)
	if len(s.script) > 0 {
		act, s.script = s.script[0], s.script[1:]
	}
	s.mu.Unlock()
	return act(ctx, events)
}

func (s *tap) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inside--
}

// overlap is the greatest number of calls at one time.
func (s *tap) overlap() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// taken is every event that Write was given, in order.
func (s *tap) taken() []Event { return slices.Concat(s.calls.Values()...) }

// sizes are the numbers of events of the calls of Write.
func (s *tap) sizes() []int {
	sizes := []int{}
	for _, events := range s.calls.Values() {
		sizes = append(sizes, len(events))
	}
	return sizes
}

// sieve is a stage that keeps some events and tells the oracle of the others.
type sieve struct {
	stage.Stage[Event]
	o *oracle.Oracle // set by newHouse
}

func newSieve(keep func(Event) bool) *sieve {
	s := &sieve{}
	s.Stage = stage.Map("sieve", func(_ context.Context, events []Event) ([]Event, error) {
		kept := events[:0]
		for _, e := range events {
			if keep(e) {
				kept = append(kept, e)
			} else {
				s.o.Filter(e)
			}
		}
		return kept, nil
	})
	return s
}

func (s *sieve) Name() string { return "sieve" }
