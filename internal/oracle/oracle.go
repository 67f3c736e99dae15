// Package oracle keeps a second set of books for tests: it follows every
// single event by its identity and holds the pipeline's Stats against what it
// saw. It shares no code with the ledger it checks.
package oracle

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/penstock-go/penstock/pipeline"
	"github.com/penstock-go/penstock/stage"
)

// Event is an event with an identity. Seq counts from 1 for each producer.
type Event struct {
	Producer int
	Seq      int
	Bytes    int   // what SizeOf reports
	Ref      *byte // something for the collector to find
}

// SizeOf is a Config.SizeOf for Event.
func SizeOf(ev Event) int { return ev.Bytes }

func (e Event) id() id { return id{e.Producer, e.Seq} }

type id struct{ producer, seq int }

// end is where an event was seen to end.
type end uint8

const (
	rejected end = iota
	evicted
	filtered
	rerouted
	lost
	delivered

	numEnds
)

var endNames = [numEnds]string{"rejected", "evicted", "filtered", "rerouted", "lost", "delivered"}

type fate struct {
	seen    [numEnds]int
	inDoubt bool // reported lost because Close's deadline passed
	taken   bool // Enqueue returned nil
	dark    bool // a stage took it with it
	offered int
}

// Oracle is safe for concurrent use. Wire it in with Config and Sink, and
// offer every event through Enqueue, EnqueueAll or EnqueueWait.
type Oracle struct {
	mu     sync.Mutex
	fates  map[id]*fate
	errs   []error // what was wrong as it happened
	counts struct {
		rejected                                        pipeline.Rejected
		evicted                                         pipeline.Evicted
		offered, delivered, filtered, rerouted, reports uint64
		lost                                            uint64 // as the failure hook reports them
	}
	important func(Event) bool // as the pipeline has it; nil: all events are alike
	room      uint64           // events that the drop hook is shown at once
	hidden    uint64           // evicted ones that it was not shown

	last map[int]int // latest first-attempt delivery of each producer

	// Unordered switches off the check that each producer's events are
	// delivered in order; for Workers above 1.
	Unordered bool
	// Duplicates allows an event to be delivered although it failed; for sinks
	// that fail after having written.
	Duplicates bool
}

// New returns an empty oracle.
func New() *Oracle {
	return &Oracle{fates: map[id]*fate{}, last: map[int]int{}}
}

// Wire puts the oracle's hooks in front of those of cfg and returns it.
func (o *Oracle) Wire(cfg pipeline.Config[Event]) pipeline.Config[Event] {
	onFailure, onDrop := cfg.OnFailure, cfg.OnDrop
	o.important = cfg.Important
	o.room = 4096
	if cfg.QueueSize > 0 {
		o.room = min(o.room, uint64(cfg.QueueSize))
	}
	cfg.OnFailure = func(ctx context.Context, f stage.Failure[Event]) {
		o.failed(f)
		if onFailure != nil {
			onFailure(ctx, f)
		}
	}
	cfg.OnDrop = func(ctx context.Context, d stage.Dropped[Event]) {
		o.dropped(d)
		if onDrop != nil {
			onDrop(ctx, d)
		}
	}
	return cfg
}

// Enqueue offers ev to p.
func (o *Oracle) Enqueue(p *pipeline.Pipeline[Event], ev Event) error {
	o.offer(ev)
	return o.outcome(ev, p.Enqueue(ev))
}

// EnqueueFrom offers *ev to p.
func (o *Oracle) EnqueueFrom(p *pipeline.Pipeline[Event], ev *Event) error {
	o.offer(*ev)
	return o.outcome(*ev, p.EnqueueFrom(ev))
}

// EnqueueWait offers ev to p and waits for room.
func (o *Oracle) EnqueueWait(ctx context.Context, p *pipeline.Pipeline[Event], ev Event) error {
	o.offer(ev)
	return o.outcome(ev, p.EnqueueWait(ctx, ev))
}

// EnqueueAll offers evs to p.
func (o *Oracle) EnqueueAll(p *pipeline.Pipeline[Event], evs []Event) (int, error) {
	for _, ev := range evs {
		o.offer(ev)
	}
	n, err := p.EnqueueAll(evs)
	var re *pipeline.RejectedError
	if errors.As(err, &re) {
		for k, i := range re.Indexes {
			_ = o.outcome(evs[i], re.Errs[k])
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts.offered += uint64(n)
	for _, ev := range evs {
		f := o.fate(ev)
		f.taken = f.seen[rejected] == 0
	}
	return n, err
}

// Open returns the accepted events that have not been seen to end. Of an
// earlier answer, if one is given, it returns those that still have not.
func (o *Oracle) Open(earlier ...Event) (open []Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	again := earlier != nil
	if !again {
		for id := range o.fates {
			earlier = append(earlier, Event{Producer: id.producer, Seq: id.seq})
		}
	}
	for _, ev := range earlier {
		if f := o.fate(ev); f.taken && f.seen == ([numEnds]int{}) {
			open = append(open, ev)
		}
	}
	if uint64(len(open)) <= o.hidden && again {
		return nil // for all that is known, the drop hook was not shown them
	}
	return open
}

// Sink watches what inner delivers.
func (o *Oracle) Sink(inner stage.Sink[Event]) stage.Sink[Event] { return &watched{o, inner} }

// Filter notes events that a stage removes.
func (o *Oracle) Filter(evs ...Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, ev := range evs {
		o.counts.filtered++
		o.see(ev, filtered)
	}
}

// Swallow notes events that a stage holds as it dies: nobody will hear of them,
// and after Close's deadline they do not even count as lost by the death.
func (o *Oracle) Swallow(evs ...Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, ev := range evs {
		o.fate(ev).dark = true
	}
}

func (o *Oracle) offer(ev Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f := o.fate(ev)
	if f.offered++; f.offered > 1 {
		o.complain("%v offered twice by the test", ev.id())
	}
}

func (o *Oracle) fate(ev Event) *fate {
	f := o.fates[ev.id()]
	if f == nil {
		f = &fate{}
		o.fates[ev.id()] = f
	}
	return f
}

func (o *Oracle) outcome(ev Event, err error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts.offered++
	r := &o.counts.rejected
	switch {
	case err == nil:
		o.fate(ev).taken = true
		return nil
	case errors.Is(err, stage.ErrFull):
		r.Full++
		r.FullImportant += o.weigh(ev)
	case errors.Is(err, stage.ErrClosed):
		r.Closed++
	case errors.Is(err, stage.ErrTooLarge):
		r.TooLarge++
	case errors.Is(err, stage.ErrDead):
		r.Dead++
	case errors.Is(err, stage.ErrInvalid):
		r.Invalid++
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		r.Canceled++
	case errors.Is(err, pipeline.ErrReentrant):
		o.counts.offered-- // refused before it was offered
	default:
		o.complain("%v rejected with an unknown error: %v", ev.id(), err)
	}
	o.see(ev, rejected)
	return err
}

// weigh is 1 for an important event.
func (o *Oracle) weigh(ev Event) uint64 {
	if o.important != nil && o.important(ev) {
		return 1
	}
	return 0
}

func (o *Oracle) see(ev Event, e end) {
	f := o.fate(ev)
	f.seen[e]++
	if f.offered == 0 {
		o.complain("%v %s, and was never offered", ev.id(), endNames[e])
	}
}

func (o *Oracle) dropped(d stage.Dropped[Event]) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch d.Reason {
	case stage.EvictedCount:
		o.counts.evicted.Count += d.Count
	case stage.EvictedBytes:
		o.counts.evicted.Bytes += d.Count
	}
	if uint64(len(d.Events)) != min(d.Count, o.room) {
		o.complain("drop hook: %d events for a count of %d", len(d.Events), d.Count)
	}
	hidden := d.Count - uint64(len(d.Events))
	o.hidden += hidden
	important := uint64(0)
	for _, ev := range d.Events {
		o.see(ev, evicted)
		important += o.weigh(ev)
	}
	if d.Important < important || d.Important > important+hidden {
		o.complain("drop hook: %d important events of %v, and says %d", important, d.Events, d.Important)
	}
	o.counts.evicted.Important += d.Important
}

func (o *Oracle) failed(f stage.Failure[Event]) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.counts.reports++
	for _, ev := range f.Events {
		switch f.Outcome {
		case stage.Rerouted:
			o.counts.rerouted++
			o.see(ev, rerouted)
		case stage.Lost:
			o.counts.lost++
			o.see(ev, lost)
			o.fate(ev).inDoubt = errors.Is(f.Err, stage.ErrAbandoned)
		default:
			o.complain("%v reported as %v", ev.id(), f.Outcome)
		}
	}
	if f.Err == nil || len(f.Events) == 0 {
		o.complain("a failure of %d events without a cause or events: %v", len(f.Events), f.Err)
	}
}

func (o *Oracle) deliver(evs []Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, ev := range evs {
		o.counts.delivered++
		o.see(ev, delivered)
		if o.Unordered {
			continue
		}
		if last := o.last[ev.Producer]; ev.Seq <= last {
			o.complain("producer %d: %d delivered after %d", ev.Producer, ev.Seq, last)
		}
		o.last[ev.Producer] = ev.Seq
	}
}

func (o *Oracle) complain(format string, args ...any) {
	o.errs = append(o.errs, fmt.Errorf(format, args...))
}

// watched notes as delivered what its sink says it took.
type watched struct {
	o     *Oracle
	inner stage.Sink[Event]
}

func (w *watched) Name() string { return stage.NameOf(w.inner) }

func (w *watched) Write(ctx context.Context, evs []Event) error {
	own := append([]Event(nil), evs...) // what the sink was given, whatever it does to it
	err := w.inner.Write(ctx, evs)
	var pe *stage.PartialError
	switch {
	case err == nil:
		w.o.deliver(own)
	case errors.As(err, &pe) && pe != nil:
		w.o.deliver(others(own, pe.Failed))
	}
	return err
}

// others returns the events not at indexes; none if the indexes are no good.
func others(evs []Event, indexes []int) []Event {
	bad := map[int]bool{}
	for _, i := range indexes {
		if i < 0 || i >= len(evs) || bad[i] {
			return nil
		}
		bad[i] = true
	}
	if len(bad) == 0 {
		return nil
	}
	var out []Event
	for i, ev := range evs {
		if !bad[i] {
			out = append(out, ev)
		}
	}
	return out
}

func (w *watched) Flush(ctx context.Context) error { return stage.FlushSink(ctx, w.inner) }

func (w *watched) Close() error { return stage.CloseSink(w.inner) }

func (w *watched) Report(r *stage.SinkReport) { stage.ReportSink(w.inner, r) }
