package pipeline_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// unreliable is a sink that fails in every way, by chance, and is safe for
// concurrent use.
type unreliable struct {
	mu sync.Mutex
	r  *rand.Rand
}

func newUnreliable(seed uint64) *unreliable {
	return &unreliable{r: rand.New(rand.NewPCG(seed, seed))}
}

func (s *unreliable) Write(_ context.Context, events []Event) error {
	s.mu.Lock()
	dice, at := s.r.IntN(10), s.r.IntN(len(events))
	s.mu.Unlock()
	switch dice {
	case 0:
		return errors.New("down")
	case 1:
		return &stage.PartialError{Failed: []int{at}, Err: errors.New("one")}
	case 2:
		panic("boom")
	}
	return nil
}

// decreased names the counters of after that are below before's.
func decreased(before, after any) (names []string) {
	b, a := reflect.ValueOf(before), reflect.ValueOf(after)
	for i := range b.NumField() {
		name := b.Type().Field(i).Name
		switch f := b.Field(i); f.Kind() {
		case reflect.Struct:
			names = append(names, decreased(f.Interface(), a.Field(i).Interface())...)
		case reflect.Uint64:
			gauge := name == "Buffered" || name == "Depth" || name == "InFlight" || name == "Waiting"
			if !gauge && a.Field(i).Uint() < f.Uint() {
				names = append(names, name)
			}
		}
	}
	return names
}

// watch takes snapshots until over, and returns what is wrong with them.
func watch(p *pipeline.Pipeline[Event], queue int, over <-chan struct{}) (errs []error) {
	last := p.Stats()
	for len(errs) == 0 {
		s := p.Stats()
		errs = oracle.Identities(s)
		if names := decreased(last, s); names != nil {
			errs = append(errs, fmt.Errorf("%v went back: %+v, then %+v", names, last, s))
		}
		if s.Depth > uint64(queue) || p.Depth() > queue {
			errs = append(errs, fmt.Errorf("a queue of %d holds %d", queue, s.Depth))
		}
		last = s
		select {
		case <-over:
			return errs
		default:
		}
	}
	return errs
}

// In every snapshot the sums hold and no gauge is negative, whatever goes on
// meanwhile. This one runs on the system's clock and in real time.
func TestSnapshotsUnderLoad(t *testing.T) {
	const producers, watchers = 4, 2
	for name, tc := range map[string]struct {
		cfg  config
		each int
	}{
		"drop-newest": {config{QueueSize: 100, BatchSize: 7, Overflow: stage.DropNewest}, 500},
		// No more evictions than the drop hook is told of, even if it runs last.
		"drop-oldest": {config{QueueSize: 1000, BatchSize: 100}, 500},
		"bytes":       {config{QueueSize: 100, BatchSize: 10, Overflow: stage.DropNewest, QueueBytes: 500, MaxEventBytes: 90, BatchBytes: 100, SizeOf: oracle.SizeOf}, 500},
		"workers":     {config{QueueSize: 64, BatchSize: 5, Overflow: stage.DropNewest, Workers: 3, Pace: -1}, 500},
		"stages": {config{QueueSize: 200, BatchSize: 20, Overflow: stage.DropNewest, Stages: []stage.Stage[Event]{
			newSieve(func(e Event) bool { return e.Seq%3 > 0 }),
			stage.Map("fails", func(_ context.Context, events []Event) ([]Event, error) {
				if events[0].Seq%10 == 0 {
					return nil, errors.New("bad")
				}
				return events, nil
			}),
		}}, 500},
	} {
		ok := t.Run(name, func(t *testing.T) {
			cfg := tc.cfg
			cfg.FlushInterval = time.Millisecond
			cfg.Routes = []stage.Route[Event]{
				{To: newUnreliable(1), Match: func(err error) bool { var pe *stage.PartialError; return !errors.As(err, &pe) }},
				{To: newUnreliable(2)},
			}
			o := oracle.New()
			o.Unordered = cfg.Workers > 1
			for _, st := range cfg.Stages {
				if st, ok := st.(*sieve); ok {
					st.o = o
				}
			}
			p, err := pipeline.New(o.Sink(newUnreliable(3)), o.Wire(cfg))
			require.NoError(t, err)

			// Never needed: so that what should not hang cannot.
			patience, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var producing, watching sync.WaitGroup
			over := make(chan struct{})
			for range watchers {
				watching.Go(func() {
					for _, err := range watch(p, cfg.QueueSize, over) {
						t.Error(err)
					}
				})
			}
			for producer := 1; producer <= producers; producer++ {
				r := rand.New(rand.NewPCG(uint64(producer), 0))
				producing.Go(func() {
					next := fresh(producer)
					for n := 0; n < tc.each; n++ {
						e := next(r.IntN(100))
						switch r.IntN(10) {
						case 0:
							ctx, cancel := context.WithCancel(patience)
							if r.IntN(2) == 0 {
								cancel()
							}
							_ = o.EnqueueWait(ctx, p, e)
							cancel()
						case 1:
							n++
							_, _ = o.EnqueueAll(p, []Event{e, next(r.IntN(100))})
						default:
							_ = o.Enqueue(p, e)
						}
					}
				})
			}
			producing.Wait()
			_ = p.Flush(patience) // the first half of the end
			_ = o.Enqueue(p, ev(producers+1, 1))
			_ = p.Close(patience)
			_ = o.Enqueue(p, ev(producers+1, 2))
			close(over)
			watching.Wait()
			require.NoError(t, patience.Err())
			s := p.Stats()
			o.CheckClosed(t, s)
			require.NotZero(t, s.Delivered)
			require.NotZero(t, s.Rerouted)
			require.NotZero(t, s.Lost.Total())
			require.EqualValues(t, 1, s.Rejected.Closed)
			require.Zero(t, s.Misuse)
		})
		if !ok {
			return // one that hangs is enough
		}
	}
}

// failer is a stage that dies of the first event of producer 13.
type failer struct{}

func (failer) Name() string { return "failer" }

func (failer) Run(_ context.Context, p stage.Ports[Event]) error {
	for b := range p.In {
		if len(b.Events) > 0 && b.Events[0].Producer == 13 {
			return errors.New("thirteen")
		}
		p.Out <- b
	}
	return nil
}

// Every way an event can end has a counter and a reason of its own, and one
// event moves one of them by one.
func TestEachOutcomeIsCountedApart(t *testing.T) {
	down := errors.New("down")
	type scene struct {
		cfg  config
		play func(t *testing.T, h *house)
		want Stats // of what ends; the sums follow from it
	}
	one := func(t *testing.T, h *house) { h.offer(t, Event{Producer: 1, Seq: 1, Bytes: 1}) }
	first := func(a answer) func(*testing.T, *house) {
		return func(t *testing.T, h *house) {
			h.tap.then(a)
			one(t, h)
		}
	}
	bounded := config{QueueSize: 1, BatchSize: 1, SizeOf: oracle.SizeOf, QueueBytes: 10}
	newest := bounded
	newest.Overflow = stage.DropNewest
	// full makes the queue full of an event of no bytes and lets play go on.
	full := func(play func(t *testing.T, h *house)) func(*testing.T, *house) {
		return func(t *testing.T, h *house) {
			h.stall(t)
			play(t, h)
			h.settle(t)
			h.tap.release()
		}
	}
	for name, sc := range map[string]scene{
		"delivered": {bounded, one, Stats{Delivered: 1}},
		"filtered": {
			config{Stages: []stage.Stage[Event]{newSieve(func(Event) bool { return false })}}, one,
			Stats{Filtered: 1},
		},
		"rerouted": {
			config{Routes: []stage.Route[Event]{{To: stage.SinkFunc[Event](accepts)}}}, first(fails(down)),
			Stats{Rerouted: 1},
		},
		"lost, failed": {config{}, first(fails(down)), Stats{Lost: pipeline.Lost{Failed: 1}}},
		"lost, failed after several tries": {
			config{Routes: []stage.Route[Event]{{To: stage.SinkFunc[Event](fails(down))}, {To: stage.SinkFunc[Event](fails(down))}}},
			first(fails(down)), Stats{Lost: pipeline.Lost{Failed: 1}},
		},
		"lost, panic": {
			config{}, first(func(context.Context, []Event) error { panic("boom") }),
			Stats{Lost: pipeline.Lost{Panic: 1}},
		},
		"rejected, full": {newest, full(func(t *testing.T, h *house) {
			require.ErrorIs(t, h.enqueue(ev(2, 1)), stage.ErrFull)
		}), Stats{Rejected: pipeline.Rejected{Full: 1}}},
		"rejected, too large": {bounded, func(t *testing.T, h *house) {
			require.ErrorIs(t, h.enqueue(Event{Seq: 1, Bytes: 11}), stage.ErrTooLarge)
		}, Stats{Rejected: pipeline.Rejected{TooLarge: 1}}},
		"rejected, invalid": {bounded, func(t *testing.T, h *house) {
			require.ErrorIs(t, h.enqueue(Event{Seq: 1, Bytes: -1}), stage.ErrInvalid)
		}, Stats{Rejected: pipeline.Rejected{Invalid: 1}}},
		"rejected, canceled": {bounded, full(func(t *testing.T, h *house) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			require.ErrorIs(t, h.o.EnqueueWait(ctx, h.p, ev(2, 1)), context.Canceled)
		}), Stats{Rejected: pipeline.Rejected{Canceled: 1}}},
		"rejected, closed": {bounded, func(t *testing.T, h *house) {
			require.NoError(t, h.p.Close(t.Context()))
			require.ErrorIs(t, h.enqueue(ev(1, 1)), stage.ErrClosed)
		}, Stats{Rejected: pipeline.Rejected{Closed: 1}}},
		"rejected, dead; lost, dead": {
			config{Stages: []stage.Stage[Event]{failer{}}, BatchSize: 1},
			func(t *testing.T, h *house) {
				h.offer(t, ev(13, 1))
				h.w.Settle()
				require.ErrorIs(t, h.enqueue(ev(13, 2)), stage.ErrDead)
			},
			Stats{Rejected: pipeline.Rejected{Dead: 1}, Lost: pipeline.Lost{Dead: 1}},
		},
		"evicted, count": {bounded, full(func(t *testing.T, h *house) { h.offer(t, ev(2, 1)) }),
			Stats{Evicted: pipeline.Evicted{Count: 1}}},
		"evicted, bytes": {
			config{QueueSize: 2, BatchSize: 1, SizeOf: oracle.SizeOf, QueueBytes: 10},
			func(t *testing.T, h *house) {
				n := h.stall(t)
				h.offer(t, Event{Producer: 1, Seq: n + 1, Bytes: 6}) // full
				h.offer(t, Event{Producer: 1, Seq: n + 2, Bytes: 1}) // evicts the one of no bytes, for the count
				h.settle(t)
				h.offer(t, Event{Producer: 1, Seq: n + 3, Bytes: 1}) // evicts the six, for the count
				h.settle(t)
				h.offer(t, Event{Producer: 1, Seq: n + 4, Bytes: 10}) // evicts one for the count, one for the bytes
				h.settle(t)
				h.tap.release()
			},
			Stats{Evicted: pipeline.Evicted{Count: 3, Bytes: 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
				reports := 0
				sc.cfg.OnFailure = func(context.Context, stage.Failure[Event]) { reports++ }
				h := newHouse(t, w, sc.cfg, nil)
				sc.play(t, h)
				w.Settle()
				_ = h.atOnce(t, h.p.Close)
				s := h.closed(t)
				if sc.want.Delivered == 0 {
					s.Delivered = 0 // of those who filled the queue
				}
				require.Equal(t, sc.want, Stats{
					Rejected: s.Rejected, Delivered: s.Delivered, Rerouted: s.Rerouted,
					Filtered: s.Filtered, Evicted: s.Evicted, Lost: s.Lost,
				})
				if ends := s.Rerouted + s.Lost.Failed + s.Lost.Panic; ends > 0 {
					require.Equal(t, 1, reports, "one failure is one report, however often it was tried")
				}
			})
		})
	}
}

// What Close's deadline finds is lost for two reasons: inside the sink, or on
// its way there.
func TestLossesAtTheDeadlineAreCountedApart(t *testing.T) {
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		sink := newTap(w)
		sink.stubborn = true
		h := newHouse(t, w, config{BatchSize: 2}, sink)
		sink.hold()
		h.offer(t, run(1, 1, 9)...)
		h.settle(t)
		took, err := h.closeWithin(t, time.Second)
		require.Equal(t, time.Second, took)
		var le *pipeline.LossError
		require.ErrorAs(t, err, &le)
		require.EqualValues(t, 9, le.Lost)
		require.EqualValues(t, 2, le.InDoubt)
		before := h.p.Stats()
		require.Equal(t, pipeline.Lost{Deadline: 7, InDoubt: 2}, before.Lost)

		sink.release() // the late success changes nothing
		after := h.closed(t)
		require.Equal(t, before, after)
	})
}

// Close may come while the actors have everything on its way, and give them no
// time at all. What it finds is lost, and the failure hook hears of each event.
func TestACloseWithoutTimeReportsEachLoss(t *testing.T) {
	for range 700 { // the moment is chance
		clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
			h := newHouse(t, w, config{QueueSize: 5}, nil)
			w.Settle()
			h.offer(t, run(1, 1, 5)...)
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			_ = h.p.Close(ctx)
			h.closed(t)
		})
		if t.Failed() {
			return
		}
	}
}

// One failure is counted once, however often a decorator tries.
func TestTriesAreNotFailures(t *testing.T) {
	down := errors.New("down")
	clocktest.Both(t, func(t *testing.T, w *clocktest.World) {
		tries := 0
		failures := clocktest.NewRecorder[stage.Failure[Event]](w)
		h := newHouse(t, w, config{
			BatchSize: 3,
			OnFailure: func(_ context.Context, f stage.Failure[Event]) { failures.Add(f) },
		}, stage.SinkFunc[Event](func(ctx context.Context, _ []Event) error {
			for range 5 {
				<-stage.Clock(ctx).After(time.Second)
				tries++
			}
			return down
		}))
		h.offer(t, run(1, 1, 3)...)
		w.Advance(time.Minute)
		s := h.settle(t)
		require.Equal(t, 5, tries)
		require.Equal(t, pipeline.Lost{Failed: 3}, s.Lost)
		require.Equal(t, 1, failures.Len())
		require.Equal(t, 5*time.Second, failures.Values()[0].Last.Sub(failures.Values()[0].First))
		h.close(t)
	})
}

// The names are part of the promise, and so is that all values but names, roles
// and the state of a breaker are numbers.
func TestStatsAsJSON(t *testing.T) {
	got, err := json.Marshal(Stats{Sinks: make([]pipeline.SinkStats, 1)})
	require.NoError(t, err)
	require.JSONEq(t, `{
		"name": "",
		"offered": 0, "accepted": 0,
		"rejected": {"full": 0, "full_important": 0, "closed": 0, "too_large": 0, "canceled": 0, "dead": 0, "invalid": 0},
		"delivered": 0, "rerouted": 0, "filtered": 0,
		"evicted": {"count": 0, "bytes": 0, "important": 0},
		"lost": {"failed": 0, "panic": 0, "dead": 0, "deadline": 0, "in_doubt": 0},
		"buffered": 0, "depth": 0, "in_flight": 0, "bytes": 0, "waiting": 0, "pressure": 0,
		"batches": {"size": 0, "bytes": 0, "age": 0, "flush": 0, "close": 0},
		"batch_events": {"size": 0, "bytes": 0, "age": 0, "flush": 0, "close": 0},
		"age": {"count": 0, "sum_ns": 0, "p50_ns": 0, "p95_ns": 0, "p99_ns": 0, "max_ns": 0},
		"sinks": [{
			"name": "", "role": "", "calls": 0, "failed": 0, "panics": 0, "events": 0, "failed_events": 0,
			"latency": {"count": 0, "sum_ns": 0, "p50_ns": 0, "p95_ns": 0, "p99_ns": 0, "max_ns": 0},
			"bytes": 0, "retries": 0, "abandoned": 0, "throttled": 0, "opened": 0, "breaker": "none"
		}],
		"hook_panics": 0, "misuse": 0
	}`, string(got))

	clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
		h := newHouse(t, w, config{}, nil)
		h.offer(t, run(1, 1, 3)...)
		h.close(t)
		got, err := json.Marshal(h.p.Stats())
		require.NoError(t, err)
		var s Stats
		require.NoError(t, json.Unmarshal(got, &s))
		require.Equal(t, h.p.Stats(), s)
	})
}

// op is one thing that is done to a pipeline; n says how much of it.
type op struct {
	Do verb
	N  byte
}

type verb byte

const (
	opOffer verb = iota
	opOfferAll
	opWait
	opGiveUp
	opFlush
	opAdvance
	opHold
	opRelease
	opStep
	opFail
	opLook

	verbs
)

// String is for those who read a counterexample.
func (o op) String() string {
	names := [verbs]string{"offer", "offerAll", "wait", "giveUp", "flush", "advance", "hold", "release", "step", "fail", "look"}
	return fmt.Sprintf("%s(%d)", names[o.Do%verbs], o.N)
}

// setting is a Config in ten numbers.
type setting [10]byte

func (k setting) config(w *clocktest.World) config {
	pick := func(i int, of ...int) int { return of[int(k[i])%len(of)] }
	cfg := config{
		QueueSize:     pick(0, 1, 2, 3, 5, 10, 50, 64, 65, 130, 300),
		Overflow:      stage.Overflow(k[1] % 2),
		Pressure:      float64(k[2]%10+1) / 10,
		FlushInterval: time.Duration(k[3]) * time.Millisecond,
		Pace:          time.Duration(pick(4, 0, 0, 1, 20)) * time.Millisecond,
		Workers:       pick(5, 1, 1, 1, 2, 3),
	}
	cfg.BatchSize = min(cfg.QueueSize, pick(6, 1, 2, 3, 7, 30, 64, 100))
	if k[7]%2 == 0 {
		cfg.SizeOf = oracle.SizeOf
		cfg.QueueBytes = int64(pick(7, 0, 60, 300, 2000))
		cfg.BatchBytes = int64(pick(8, 0, 10, 100))
		if k[8]%2 == 0 {
			cfg.MaxEventBytes = 50
		}
	}
	if k[9]&1 > 0 {
		cfg.Stages = append(cfg.Stages, newSieve(func(e Event) bool { return e.Seq%4 > 0 }))
	}
	if k[9]&2 > 0 {
		cfg.Stages = append(cfg.Stages, stage.Map("fails", func(_ context.Context, events []Event) ([]Event, error) {
			if events[0].Seq%5 == 0 {
				return nil, errors.New("bad")
			}
			return events, nil
		}))
	}
	if k[9]&4 > 0 {
		flaky := newTap(w).then(fails(errors.New("full")), fails(&stage.PartialError{Failed: []int{0}}))
		cfg.Routes = append(cfg.Routes, stage.Route[Event]{To: flaky})
	}
	return cfg
}

// player does ops to a house and stops at the first thing that is wrong.
type player struct {
	*house
	cfg     config
	abrupt  bool // Close has no time
	seq     int
	since   int // events offered since all was quiet
	outcome []*clocktest.Recorder[error]
	giveUps []context.CancelFunc
}

// play returns the first thing that was wrong while ops were done to a pipeline
// set up by k. It leaves nothing in the bubble.
func play(t *testing.T, w *clocktest.World, k setting, ops []op) error {
	cfg := k.config(w)
	h, err := build(w, cfg, nil)
	if err != nil {
		return err
	}
	// What a sieve removes while Close runs out of time is lost in the books, and
	// the sieve cannot know.
	p := &player{house: h, cfg: cfg, abrupt: k[9]&8 > 0 && k[9]&1 == 0}
	for i, o := range ops {
		if err := p.do(t, o); err != nil {
			h.tap.release()
			_ = h.p.Close(t.Context())
			return fmt.Errorf("after %d, %v: %w", i, o, err)
		}
	}
	return p.finish(t)
}

func (p *player) next(n byte) Event {
	p.seq++
	return Event{Producer: 1, Seq: p.seq, Bytes: weight(n)}
}

// weight makes few sizes of many, so that they add up to the bounds often.
func weight(n byte) int { return []int{0, 0, 1, 5, 10, 30, 45, 60}[n%8] }

func (p *player) do(t *testing.T, o op) error {
	switch o.Do % verbs {
	case opOffer:
		for range p.room(int(o.N)%20 + 1) {
			_ = p.enqueue(p.next(o.N))
		}
	case opOfferAll:
		var events []Event
		for i := range p.room(int(o.N) + 1) {
			events = append(events, p.next(o.N+byte(i)))
		}
		_, _ = p.o.EnqueueAll(p.p, events)
	case opWait:
		ctx, cancel := context.WithCancel(t.Context())
		p.giveUps = append(p.giveUps, cancel)
		// Each from a producer of its own: those that wait may be passed.
		e := Event{Producer: 2 + len(p.outcome), Seq: 1, Bytes: weight(o.N)}
		p.outcome = append(p.outcome, p.wait(ctx, e))
	case opGiveUp:
		if n := len(p.giveUps); n > 0 {
			p.giveUps[int(o.N)%n]()
		}
	case opFlush:
		p.outcome = append(p.outcome, p.start(func() error { return p.p.Flush(t.Context()) }))
	case opAdvance:
		p.w.Advance(time.Duration(o.N) * time.Millisecond)
	case opHold:
		p.tap.hold()
	case opRelease:
		p.tap.release()
	case opStep:
		p.tap.tryStep()
	case opFail:
		p.tap.then([]answer{
			fails(errors.New("down")),
			fails(&stage.PartialError{Failed: []int{0, 0}}),
			func(_ context.Context, events []Event) error {
				return &stage.PartialError{Failed: []int{len(events) - 1}}
			},
			func(context.Context, []Event) error { panic("boom") },
		}[o.N%4])
	case opLook:
		return p.audit(oracle.Identities(p.p.Stats()))
	}
	if o.N%3 > 0 {
		return p.quiet()
	}
	return nil
}

// room is how many of n events can be offered so that the drop hook is told of
// each that they may evict.
func (p *player) room(n int) int {
	room := p.cfg.QueueSize - p.since
	if p.cfg.QueueBytes > 0 || room <= 0 {
		p.w.Settle()
		p.since = 0
		room = p.cfg.QueueSize
		if p.cfg.QueueBytes > 0 {
			room -= p.p.Depth() + int(p.p.Stats().Waiting)
		}
	}
	n = max(1, min(n, room))
	p.since += n
	return n
}

// quiet looks at everything that must hold when nothing moves.
func (p *player) quiet() error {
	p.w.Settle()
	p.since = 0
	s := p.p.Stats()
	var errs []error
	if s.Waiting > 0 {
		errs = oracle.Identities(s)
	} else if err := p.o.Audit(s); err != nil {
		errs = append(errs, err)
	}
	bound := func(what string, is, most int) {
		if is > most {
			errs = append(errs, fmt.Errorf("%s: %d, at most %d allowed", what, is, most))
		}
	}
	bound("depth", int(s.Depth), p.cfg.QueueSize)
	bound("calls at one time", p.tap.overlap(), p.cfg.Workers)
	if p.cfg.QueueBytes > 0 {
		bound("bytes", int(s.Bytes), int(p.cfg.QueueBytes))
	}
	for _, events := range p.tap.calls.Values() {
		bytes := 0
		for _, e := range events {
			bytes += e.Bytes
		}
		bound("batch", len(events), p.cfg.BatchSize)
		if len(events) > 1 && p.cfg.BatchBytes > 0 {
			bound("batch's bytes", bytes, int(p.cfg.BatchBytes))
		}
	}
	if s.Misuse > 0 || s.HookPanics > 0 {
		errs = append(errs, fmt.Errorf("misuse %d, hook panics %d", s.Misuse, s.HookPanics))
	}
	return p.audit(errs)
}

func (p *player) audit(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("%w\nstats: %+v", errors.Join(errs...), p.p.Stats())
}

// finish lets everything come to its end and closes, or closes at once.
func (p *player) finish(t *testing.T) error {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var errs []error
	if p.abrupt {
		cancel()
	} else {
		p.tap.release()
		p.w.Advance(time.Minute)
		errs = append(errs, p.quiet())
		if s := p.p.Stats(); s.Buffered > 0 || s.Waiting > 0 {
			errs = append(errs, errors.New("something is stuck"))
		}
	}
	if err := p.p.Close(ctx); err != nil && !p.abrupt {
		errs = append(errs, fmt.Errorf("Close: %w", err))
	}
	p.tap.release()
	p.w.Settle()
	for _, cancel := range p.giveUps {
		cancel()
	}
	for _, r := range p.outcome {
		if r.Len() == 0 {
			errs = append(errs, errors.New("a call has not returned"))
		}
	}
	s := p.p.Stats()
	if err := p.o.Audit(s); err != nil {
		errs = append(errs, err)
	}
	if s.Buffered > 0 || s.Bytes != 0 || p.tap.closes.Len() != 1 {
		errs = append(errs, fmt.Errorf("closed %d times", p.tap.closes.Len()))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w\nstats: %+v", err, s)
	}
	return nil
}

// The books balance whatever is done to whatever pipeline.
func TestAnyOperationsBalance(t *testing.T) {
	do := rapid.Custom(func(rt *rapid.T) op {
		return op{verb(rapid.IntRange(0, int(verbs)-1).Draw(rt, "do")), rapid.Byte().Draw(rt, "n")}
	})
	for kind, opts := range map[string][]clocktest.Option{"real": nil, "mock": {clocktest.WithMock()}} {
		t.Run("clock="+kind, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				var k setting
				for i := range k {
					k[i] = rapid.Byte().Draw(rt, "setting")
				}
				ops := rapid.SliceOfN(do, 0, 60).Draw(rt, "ops")
				var err error // carried out: rapid must not be called in the bubble
				clocktest.Run(t, func(t *testing.T, w *clocktest.World) { err = play(t, w, k, ops) }, opts...)
				if err != nil {
					rt.Fatal(err)
				}
			})
		})
	}
}

// The same for any string of bytes: ten that set up the pipeline, then two for
// each operation.
func FuzzOperations(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("a pipeline of some kind, and what somebody may do to it, in any order at all"))
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 45))
		data := make([]byte, 10+2*r.IntN(80))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var k setting
		data = data[copy(k[:], data):]
		var ops []op
		for ; len(data) > 1 && len(ops) < 300; data = data[2:] {
			ops = append(ops, op{verb(data[0]), data[1]})
		}
		clocktest.Run(t, func(t *testing.T, w *clocktest.World) {
			if err := play(t, w, k, ops); err != nil {
				t.Errorf("%v\n%v\n%v", k, ops, err)
			}
		})
	})
}
