package sim

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/penstock-go/penstock/clockutil/clocktest"
	"github.com/penstock-go/penstock/internal/oracle"
	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

const mainSink = "main"

// world is one run of a plan.
type world struct {
	*clocktest.World
	plan   *plan
	log    trace
	oracle *oracle.Oracle
	p      *pipeline.Pipeline[event]
	sinks  []*sink
	outer  []stage.Sink[event] // the same, with their decorators
	busy   sync.WaitGroup      // callers

	closing atomic.Bool // somebody has called Close
	dying   atomic.Bool // a stage has died, or is about to
	inward  atomic.Bool // Close was called from inside
	own     atomic.Int64
	offered atomic.Int64 // important events

	mu  sync.Mutex
	had uint64
	err error
}

// wrong notes a violation. The first stands.
func (w *world) wrong(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = fmt.Errorf("at %v: "+format, append([]any{w.Elapsed()}, args...)...)
	}
}

func (w *world) saw(f feature) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.had |= 1 << f
}

// play runs a plan in a bubble.
func play(t *testing.T, p *plan, seed uint64) *world {
	w := &world{plan: p, oracle: oracle.New()}
	opts := []clocktest.Option{clocktest.WithSeed(seed)}
	if p.Mock {
		opts = append(opts, clocktest.WithMock())
	}
	clocktest.Run(t, func(t *testing.T, cw *clocktest.World) {
		w.World, w.log.w = cw, cw
		w.run()
	}, opts...)
	return w
}

// start builds the pipeline.
func (w *world) start() error {
	p := w.plan
	cfg := pipeline.Config[event]{
		QueueSize: p.QueueSize, Overflow: p.Overflow, QueueBytes: p.QueueBytes,
		BatchSize: p.BatchSize, BatchBytes: p.BatchBytes, FlushInterval: p.FlushInterval,
		Workers: p.Workers, Stages: w.stages(), Clock: w.Clock(),
	}
	if p.Important > 0 {
		cfg.Important = p.matters
	}
	if len(p.Sinks) > 1 {
		cfg.SpillSize = p.SpillSize
	}
	if p.SizeOf {
		cfg.SizeOf = oracle.SizeOf
	}
	for i, sp := range p.Sinks {
		s := newSink(w, mainSink, sp, max(1, p.Workers))
		var inner stage.Sink[event] = s
		if i > 0 {
			s.name, s.workers = fmt.Sprintf("route %d", i), 1
		}
		if sp.Cause {
			inner = causeSink{s}
		}
		outer, err := wrapped(inner, sp.Wraps, w.Seed())
		if err != nil {
			return err
		}
		w.sinks, w.outer = append(w.sinks, s), append(w.outer, outer)
		if i == 0 {
			continue
		}
		r := stage.Route[event]{To: outer}
		if sp.Match {
			r.Match = func(err error) bool { return !errors.Is(err, errFinal) }
		}
		cfg.Routes = append(cfg.Routes, r)
	}
	w.hooks(&cfg)
	w.oracle.Unordered = p.Workers > 1
	w.oracle.Duplicates = true // an ambiguous failure; the sinks look closer
	var err error
	w.p, err = pipeline.New(w.oracle.Sink(w.outer[0]), w.oracle.Wire(cfg))
	return err
}

// hooks gives the hooks their calls.
func (w *world) hooks(cfg *pipeline.Config[event]) {
	var failures, drops, alarms int
	cfg.OnFailure = func(ctx context.Context, f stage.Failure[event]) {
		w.log.add("OnFailure", f.Outcome.String(), f.Events, f.Err)
		w.hook(ctx, w.plan.OnFailure, &failures)
	}
	cfg.OnDrop = func(ctx context.Context, d stage.Dropped[event]) {
		w.log.add("OnDrop", d.Reason.String(), append([]event{}, d.Events...), nil)
		w.saw(hadEviction)
		w.evicted(d)
		w.hook(ctx, w.plan.OnDrop, &drops)
	}
	cfg.OnPressure = func(ctx context.Context, depth, _ int) {
		w.log.add("OnPressure", "called", nil, nil)
		w.hook(ctx, w.plan.OnPressure, &alarms)
	}
}

// evicted checks that no important event has made room for a lesser one. One is
// evicted only when a queue of important ones is full.
func (w *world) evicted(d stage.Dropped[event]) {
	if slices.ContainsFunc(d.Events, w.plan.matters) {
		w.saw(hadSacrifice)
		if w.offered.Load() < int64(w.plan.QueueSize) && w.plan.QueueBytes == 0 {
			w.wrong("only %d important events were offered, and one was evicted: %v", w.offered.Load(), d.Events)
		}
	}
}

// hook does what the plan says about the n-th call.
func (w *world) hook(ctx context.Context, does []action, n *int) {
	if *n++; len(does) == 0 {
		return
	}
	switch a := does[(*n-1)%len(does)]; a {
	case hookPanics:
		w.saw(hadHookPanic)
		panic("in the hook")
	case hookExits:
		w.saw(hadHookPanic)
		runtime.Goexit()
	default:
		w.act(ctx, a)
	}
}

// insider is the producer of events that are offered from inside.
const insider = 1000

// act calls the pipeline from inside.
func (w *world) act(ctx context.Context, a action) {
	var err error
	switch a {
	case nothing:
		return
	case enqueues:
		// Each a producer of its own: several insiders have no order.
		_ = w.oracle.Enqueue(w.p, event{Producer: insider + int(w.own.Add(1)), Seq: 1})
	case waits:
		err = w.p.EnqueueWait(ctx, event{Producer: insider, Seq: 0})
	case flushes:
		err = w.p.Flush(ctx)
	case closes:
		w.closing.Store(true)
		w.inward.Store(true)
		err = w.p.Close(ctx)
		w.saw(hadInward)
	case asks:
		if errs := oracle.Identities(w.p.Stats()); len(errs) > 0 {
			w.wrong("from inside: %v", errors.Join(errs...))
		}
	}
	w.saw(hadCallback)
	if (a == waits || a == flushes || a == closes) && !errors.Is(err, pipeline.ErrReentrant) {
		w.wrong("%s from inside: %v", a, err)
	}
}

// produce makes a producer's calls.
func (w *world) produce(k int) {
	name := fmt.Sprint("producer ", k)
	seq := 0
	for _, o := range w.plan.Producers[k] {
		w.Clock().Sleep(o.After)
		var events []event
		for _, bytes := range o.Bytes {
			seq++
			ev := event{Producer: k, Seq: seq, Bytes: bytes}
			events = append(events, ev)
			if w.plan.matters(ev) {
				w.offered.Add(1)
			}
		}
		var err error
		switch {
		case len(events) > 1:
			_, err = w.oracle.EnqueueAll(w.p, events)
		case o.Patience > 0:
			ctx, cancel := w.WithTimeout(context.Background(), o.Patience)
			err = w.oracle.EnqueueWait(ctx, w.p, events[0])
			cancel()
			if errors.Is(err, context.DeadlineExceeded) {
				w.saw(hadGaveUp)
			}
		default:
			err = w.oracle.Enqueue(w.p, events[0])
		}
		if errors.Is(err, stage.ErrFull) {
			w.saw(hadRefusal)
		}
		w.log.add(name, "offers", events, err)
	}
}

// flush makes one call of Flush.
func (w *world) flush(v visit) {
	w.Clock().Sleep(v.At)
	ctx, cancel := w.WithTimeout(context.Background(), v.Patience)
	defer cancel()
	before, begun := w.oracle.Open(), w.Elapsed()
	err := w.p.Flush(ctx)
	w.log.add("Flush", "returns", nil, err)
	if took := w.Elapsed() - begun; took > v.Patience {
		w.wrong("Flush with a patience of %v took %v", v.Patience, took)
	}
	if w.closing.Load() {
		w.saw(hadFlushClose)
	}
	var loss *pipeline.LossError
	if err != nil && (!errors.As(err, &loss) || w.closing.Load()) || w.dying.Load() {
		return
	}
	w.saw(hadFlush)
	w.Clock().Sleep(1) // until the hooks have been told
	if open := w.oracle.Open(before...); len(before) > 0 && len(open) > 0 {
		w.wrong("Flush has returned, and %v were accepted before it", open)
	}
}

// settledIn is longer than everything in a plan takes.
const settledIn = 100 * time.Minute
