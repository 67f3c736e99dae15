package pipeline

import "github.com/penstock-go/penstock/stage"

// Stats are the books of a pipeline at one instant. In every snapshot
//
//	Offered  = Accepted + Rejected.Total()
//	Accepted = Delivered + Rerouted + Filtered + Evicted.Total() + Lost.Total() + Buffered
//	Buffered = Depth + InFlight
//
// Each figure is counted where it changes. Counters never decrease; Depth,
// InFlight, Buffered, Bytes and Waiting are gauges, and so are the quantiles and
// a breaker's state. The JSON names are stable. Age and Sinks are read right
// after the others and stand in no exact relation to them.
type Stats struct {
	Name string `json:"name"`

	// Offered is events that were accepted or rejected. A call that waits for room
	// has not offered its event yet, and one that returns ErrReentrant never does.
	Offered  uint64   `json:"offered"`
	Accepted uint64   `json:"accepted"`
	Rejected Rejected `json:"rejected"`

	Delivered uint64  `json:"delivered"` // taken by the sink
	Rerouted  uint64  `json:"rerouted"`  // taken by a route
	Filtered  uint64  `json:"filtered"`  // removed by a stage
	Evicted   Evicted `json:"evicted"`
	Lost      Lost    `json:"lost"`

	Buffered uint64 `json:"buffered"`
	Depth    uint64 `json:"depth"`     // waiting at the intake
	InFlight uint64 `json:"in_flight"` // between the intake and a final outcome

	Spilled uint64 `json:"spilled"` // offered to the routes for lack of room, whatever became of them

	Bytes    int64  `json:"bytes"`    // of all events of batches with an unsettled one, if Config.SizeOf is set
	Waiting  uint64 `json:"waiting"`  // callers blocked in EnqueueWait
	Pressure uint64 `json:"pressure"` // upward crossings of the threshold

	Batches     Batches         `json:"batches"`      // cut
	BatchEvents Batches         `json:"batch_events"` // in them when they were cut
	Age         stage.Quantiles `json:"age"`          // of each delivered batch's oldest event, from its acceptance to its delivery
	Sinks       []SinkStats     `json:"sinks"`        // the pipeline's own, then those of Config.Routes in their order

	HookPanics uint64 `json:"hook_panics"` // hooks that panicked or ended their goroutine
	Misuse     uint64 `json:"misuse"`      // settlements refused: a stage used a batch twice
}

// Rejected counts events that were not accepted, by reason.
type Rejected struct {
	Full uint64 `json:"full"`
	// FullImportant is those of Full that Config.Important says are.
	FullImportant uint64 `json:"full_important"`
	Closed        uint64 `json:"closed"`
	TooLarge      uint64 `json:"too_large"`
	Canceled      uint64 `json:"canceled"` // an EnqueueWait whose context ended
	Dead          uint64 `json:"dead"`     // after an actor's death
	Invalid       uint64 `json:"invalid"`  // SizeOf or Important failed
}

// Total is the sum over the reasons. FullImportant is a part of Full.
func (r Rejected) Total() uint64 {
	return r.Full + r.Closed + r.TooLarge + r.Canceled + r.Dead + r.Invalid
}

// Evicted counts events that made room for newer ones, by the bound that was
// reached.
type Evicted struct {
	Count uint64 `json:"count"` // QueueSize
	Bytes uint64 `json:"bytes"` // QueueBytes
	// Important is those of both that Config.Important says are.
	Important uint64 `json:"important"`
}

// Total is the sum over the bounds. Important is a part of them.
func (e Evicted) Total() uint64 { return e.Count + e.Bytes }

// Lost counts accepted events that reached neither a sink nor a route, by
// reason. Each event is counted once, however many attempts were made.
type Lost struct {
	Failed   uint64 `json:"failed"`   // refused by the sink and every matching route
	Panic    uint64 `json:"panic"`    // the same, and the cause was a panic or a Goexit
	Dead     uint64 `json:"dead"`     // held by an actor that died, or swallowed by a stage
	Deadline uint64 `json:"deadline"` // still on the way when Close's context ended
	InDoubt  uint64 `json:"in_doubt"` // being written by a sink or a route at that moment: it may have them
	Overflow uint64 `json:"overflow"` // pushed out of the queue, and refused by every matching route
}

// Total is the sum over the reasons.
func (l Lost) Total() uint64 {
	return l.Failed + l.Panic + l.Dead + l.Deadline + l.InDoubt + l.Overflow
}

// Batches counts by what cut a batch, empty ones included.
type Batches struct {
	Size  uint64 `json:"size"`
	Bytes uint64 `json:"bytes"`
	Age   uint64 `json:"age"`
	Flush uint64 `json:"flush"`
	Close uint64 `json:"close"`
}

// byTrigger spells out what was counted by trigger.
func byTrigger(n []uint64) Batches {
	return Batches{Size: n[stage.BySize], Bytes: n[stage.ByBytes], Age: n[stage.ByAge], Flush: n[stage.ByFlush], Close: n[stage.ByClose]}
}

// Stats returns a snapshot. It takes the intake's lock for the time of a few
// dozen loads and works out the quantiles outside of it, so it may be called at
// any rate. It calls the method Report of the sinks that have one.
func (p *Pipeline[T]) Stats() Stats {
	b := p.intake.Books()
	rejected := Rejected{
		Full:          b.Rejected[stage.RefusedFull],
		FullImportant: b.ImportantFull,
		Closed:        b.Rejected[stage.RefusedClosed],
		TooLarge:      b.Rejected[stage.RefusedTooLarge],
		Canceled:      b.Rejected[stage.RefusedCanceled],
		Dead:          b.Rejected[stage.RefusedDead],
		Invalid:       b.Rejected[stage.RefusedInvalid],
	}
	return Stats{
		Name:      p.cfg.Name,
		Offered:   b.Accepted + rejected.Total(),
		Accepted:  b.Accepted,
		Rejected:  rejected,
		Delivered: b.Delivered,
		Rerouted:  b.Rerouted,
		Filtered:  b.Filtered,
		Evicted:   Evicted{Count: b.Evicted[stage.EvictedCount], Bytes: b.Evicted[stage.EvictedBytes], Important: b.ImportantEvicted},
		Lost: Lost{
			Failed:   b.Lost[stage.LossFailed],
			Panic:    b.Lost[stage.LossPanic],
			Dead:     b.Lost[stage.LossDead],
			Deadline: b.Lost[stage.LossDeadline],
			InDoubt:  b.Lost[stage.LossInDoubt],
			Overflow: b.Lost[stage.LossOverflow],
		},
		Buffered:    uint64(b.Depth) + b.InFlight,
		Depth:       uint64(b.Depth),
		InFlight:    b.InFlight,
		Spilled:     b.Spilled,
		Bytes:       b.Bytes,
		Waiting:     uint64(b.Waiting),
		Pressure:    b.Crossings,
		Batches:     byTrigger(b.Batches[:]),
		BatchEvents: byTrigger(b.Batched[:]),
		Age:         p.sup.flusher.Ages(),
		Sinks:       p.sinkStats(),
		HookPanics:  p.sup.observer.Panics(),
		Misuse:      b.Misuse,
	}
}
